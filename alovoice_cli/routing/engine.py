"""Decides a question: pure, and always with a valid step."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from types import MethodType
from typing import NamedTuple, cast

from alovoice_cli.language import in_english, joined, tr
from alovoice_cli.routing.call import Condition, IncomingCall, Question, UnreadableQuestionError
from alovoice_cli.routing.history import NO_HISTORY, History, Turns, first_turn
from alovoice_cli.routing.rules import RoundRobin, Rule, Rules
from alovoice_cli.routing.step import RouteStep

_PASSED_OVER = None
"""The mark of a rule that matched without a step: its `@last_peer` is no extension."""


class TriedRule(NamedTuple):
    """A rule that was evaluated: whether it decided, and the reason."""

    rule: str
    line: int
    matched: bool
    why: str

    def as_json(self) -> dict[str, object]:
        """Returns the object in the `trail` of `route test --json`, and in the event store: in English."""
        return {"rule": self.rule, "line": self.line, "matched": self.matched, "why": in_english(self.why)}


class Decision(NamedTuple):
    """The step, the deciding rule, and the trail, which is put into words on request."""

    step: RouteStep
    decider: Rule | None
    """The rule that gave the step; None: the fallback."""
    rules: Rules
    call: IncomingCall | None = None
    failed: Sequence[MethodType | None] = ()
    """The failed check of each earlier rule."""
    trouble: str = ""
    """Why the fallback replaces a decision; empty after a decision."""

    @property
    def rule(self) -> str | None:
        """Returns the name of the deciding rule."""
        return self.decider.name if self.decider is not None else None

    @property
    def action(self) -> str:
        """Returns the rule's action in a word: `queue:6000`, `peer:@last_peer`, `round_robin:2000,2001`."""
        return str(self.decider.action) if self.decider else str(self.step)

    @property
    def destination(self) -> str:
        """Returns the destination of the call: the step; for a `round_robin` all its extensions."""
        turns = self.decider is not None and isinstance(self.decider.action, RoundRobin)
        return self.action if turns else str(self.step)

    @property
    def trail(self) -> tuple[TriedRule, ...]:
        """Returns each evaluated rule, in order. May read the history again, so not while a caller waits."""
        return tuple(self._tried())

    def trail_end(self, most: int) -> tuple[tuple[TriedRule, ...], int]:
        """Returns the last `most` rules of `trail`, and how many rules before them are left out."""
        skipped = max(len(self.failed) + (self.decider is not None) - most, 0)
        return tuple(self._tried(skipped)), skipped

    def _tried(self, skipped: int = 0) -> Iterator[TriedRule]:
        call = self.call
        if call is None:
            return
        for rule, holds in islice(zip(self.rules.rules, self.failed, strict=False), skipped, None):
            if holds is _PASSED_OVER:
                why = tr("{action} gives no extension", action=rule.action)
            else:
                condition = cast(Condition, holds.__self__)
                why = joined(": ", [condition.text, condition.facts(call)])
            yield TriedRule(rule.name, rule.place.line, False, why)
        if self.decider is not None:
            rule = self.decider
            why = joined("; ", (joined(": ", [condition.text, condition.facts(call)]) for condition in rule.conditions))
            yield TriedRule(rule.name, rule.place.line, True, why or tr("it has no condition"))

    def as_json(self) -> dict[str, object]:
        """Returns the record of the decision, also for `route test --json`; `rule` is null for the fallback."""
        return {
            "action_type": self.step.action_type,
            "action_data": self.step.action_data,
            "rule": self.rule,
            "trail": [tried.as_json() for tried in self.trail],
        }


def decide(
    rules: Rules, question: Question, now: datetime, history: History = NO_HISTORY, turns: Turns = first_turn
) -> Decision:
    """Returns the decision of the first matching rule, else of the fallback. `now` is aware.

    Raises the errors of the history; `answer` does not.
    """
    call = IncomingCall(question, now, rules.zone, history)
    failed: list[MethodType | None] = []
    for rule in rules.rules:
        for holds in rule.checks:
            if not holds(call):
                failed.append(holds)
                break
        else:
            step = rule.action.step_for(call, rule.name, turns)
            if step is not None:
                return Decision(step, rule, rules, call, failed)
            failed.append(_PASSED_OVER)
    return Decision(rules.fallback, None, rules, call, failed)


def answer(
    rules: Rules, body: bytes, now: datetime, history: History = NO_HISTORY, turns: Turns = first_turn
) -> Decision:
    """Returns the decision for a request's body. Raises nothing: after any error the caller gets the fallback."""
    try:
        return decide(rules, Question.from_body(body), now, history, turns)
    except UnreadableQuestionError as error:
        return Decision(rules.fallback, None, rules, trouble=str(error))
    except Exception as error:  # a caller is waiting; the error is kept with the decision
        return Decision(rules.fallback, None, rules, trouble=f"{type(error).__name__}: {error}".removesuffix(": "))
