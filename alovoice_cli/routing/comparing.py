"""Compares two sets of rules on past questions: which callers would go elsewhere, by which rules, with examples."""

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
    """The questions of stored route events; unreadable ones are counted and left out."""

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


@dataclass(slots=True)
class CallerMove:
    """Callers who go elsewhere for the same reason: the old and the new deciding rule.

    A rule None is the fallback. Actions are words such as `queue:6000` or `peer:@last_peer`.
    """

    old_rule: str | None
    new_rule: str | None
    old_action: str
    new_action: str
    calls: int = 0
    numbers: set[str] = field(default_factory=set)
    examples: list[Asked] = field(default_factory=list)

    @property
    def callers(self) -> int:
        """Returns the number of these callers."""
        return len(self.numbers)

    def add(self, caller: str, asked: Asked) -> None:
        """Counts one call."""
        self.calls += 1
        if caller not in self.numbers and len(self.examples) < _EXAMPLES:
            self.examples.append(asked)
        self.numbers.add(caller)

    def as_json(self) -> dict[str, object]:
        """Returns the object that `route diff --json` prints."""
        names = ("old_rule", "new_rule", "old_action", "new_action", "calls", "callers")
        examples = [{**question.as_wire(), "at": at.isoformat()} for question, at in self.examples]
        return {**{name: getattr(self, name) for name in names}, "examples": examples}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two sets of rules differ on some questions; moves with the most callers first."""

    calls: int
    callers: int
    moved_calls: int
    moved_callers: int
    moves: tuple[CallerMove, ...]


def compare(
    old: Rules, new: Rules, asked: Iterable[Asked], history_at: HistoryAt = lambda moment: NO_HISTORY
) -> Comparison:
    """Evaluates both on each question, with the past as it was at the time of the question.

    The same step from another rule is not a move; neither is another turn of the same `round_robin`.
    """
    moves: dict[tuple[str | None, str | None, str, str], CallerMove] = {}
    callers: set[str] = set()
    calls = 0
    for question, at in asked:
        calls += 1
        caller = Number.of(question.from_number).digits
        callers.add(caller)
        history = history_at(at)
        before, after = decide(old, question, at, history), decide(new, question, at, history)
        if before.destination != after.destination:
            pair = (before.rule, after.rule, before.action, after.action)
            moves.setdefault(pair, CallerMove(*pair)).add(caller, (question, at))
    ordered = sorted(moves.values(), key=lambda move: (-move.callers, -move.calls))
    moved = set().union(*(move.numbers for move in ordered))
    return Comparison(calls, len(callers), sum(move.calls for move in ordered), len(moved), tuple(ordered))
