"""Two sets of rules and the questions of the past: who would go elsewhere, by which rules, and for example whom."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from alovoice_cli.events.event import Event
from alovoice_cli.routing.call import Question, UnreadableQuestionError
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.history import NO_HISTORY, HistoryAt
from alovoice_cli.routing.numbers import Number
from alovoice_cli.routing.rules import Rules

_EXAMPLES = 3

Asked = tuple[Question, datetime]
"""A question and the aware moment at which it was asked."""


class StoredQuestions:
    """The questions of stored route events; those that cannot be read are counted and left out."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = events
        self.unreadable = 0

    def __iter__(self) -> Iterator[Asked]:
        for event in self._events:
            try:
                question = Question.from_body(event.delivery.body)
            except UnreadableQuestionError:
                self.unreadable += 1
            else:
                yield question, datetime.fromtimestamp(event.delivery.received_at / 1_000_000, UTC)


@dataclass(frozen=True, slots=True)
class CallerMove:
    """Callers who go elsewhere for the same reason: what decided before, and what decides now.

    A rule that is None is the fallback. Actions are words such as `queue:6000` or `peer:@last_peer`.
    """

    old_rule: str | None
    new_rule: str | None
    old_action: str
    new_action: str
    calls: int
    callers: int
    examples: tuple[Asked, ...]

    def as_json(self) -> dict[str, object]:
        """The object that `route diff --json` prints."""
        return {
            "old_rule": self.old_rule,
            "new_rule": self.new_rule,
            "old_action": self.old_action,
            "new_action": self.new_action,
            "calls": self.calls,
            "callers": self.callers,
            "examples": [{**question.as_wire(), "at": at.isoformat()} for question, at in self.examples],
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two sets of rules differ over some questions; the moves with the most callers come first."""

    calls: int
    callers: int
    moved_calls: int
    moved_callers: int
    moves: tuple[CallerMove, ...]


@dataclass(slots=True)
class _CountedMove:
    calls: int = 0
    callers: set[str] = field(default_factory=set)
    examples: list[Asked] = field(default_factory=list)

    def add(self, caller: str, asked: Asked) -> None:
        self.calls += 1
        if caller not in self.callers and len(self.examples) < _EXAMPLES:
            self.examples.append(asked)
        self.callers.add(caller)


def compare(
    old: Rules, new: Rules, asked: Iterable[Asked], history_at: HistoryAt = lambda moment: NO_HISTORY
) -> Comparison:
    """Asks both the same, each question with the past as it was when it was asked.

    The same step from another rule is no move, nor is another turn of the same `round_robin`.
    """
    moved: dict[tuple[str | None, str | None, str, str], _CountedMove] = {}
    callers: set[str] = set()
    moved_callers: set[str] = set()
    calls = 0
    for question, at in asked:
        calls += 1
        caller = Number.of(question.from_number).digits
        callers.add(caller)
        history = history_at(at)
        before, after = decide(old, question, at, history), decide(new, question, at, history)
        if before.destination != after.destination:
            moved_callers.add(caller)
            pair = (before.rule, after.rule, before.action, after.action)
            moved.setdefault(pair, _CountedMove()).add(caller, (question, at))
    moves = [
        CallerMove(*pair, calls=found.calls, callers=len(found.callers), examples=tuple(found.examples))
        for pair, found in moved.items()
    ]
    moves.sort(key=lambda move: (-move.callers, -move.calls))
    return Comparison(calls, len(callers), sum(m.calls for m in moves), len(moved_callers), tuple(moves))
