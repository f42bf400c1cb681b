"""Decides a caller's next step: by the override, else the rules, else the fallback; returns what to store."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from alovoice_cli.events.event import Delivery
from alovoice_cli.listening.switch import Switch
from alovoice_cli.phones import load_plans
from alovoice_cli.routing.engine import Decision, answer
from alovoice_cli.routing.history import CountedTurns, HistoryAt, first_turn
from alovoice_cli.routing.live import Live
from alovoice_cli.routing.rules import Rules
from alovoice_cli.routing.step import RouteStep

_SHORT = 4096
"""The longest body in bytes that is decided at once; questions have two hundred."""
_TRIED = 10
_LONGEST_WHY = 300


RouteSource = Literal["rule", "override", "no_rules", "no_match", "deadline", "failure"]
"""What decided a step. All values but the first two are reasons for the fallback."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A step for one caller. Without a decision, `why` gives the reason."""

    step: RouteStep
    at: datetime
    source: RouteSource
    why: str = ""
    decision: Decision | None = None
    microseconds: int = 0

    @property
    def rule(self) -> str | None:
        """Returns the name of the rule that decided."""
        return self.decision.rule if self.decision is not None else None


class Ruling:
    """Decides. Without rules every caller gets the fallback.

    All methods but `at_once` and `failed` may read the event store.
    """

    def __init__(
        self,
        switch: Switch,
        history_at: HistoryAt,
        now: Callable[[], datetime],
        *,
        rules: Live | None = None,
        fallback: RouteStep | None = None,
        shadow: Live | None = None,
    ) -> None:
        self.rules, self.shadow, self.switch, self.now = rules, shadow, switch, now
        self._given, self._history_at, self._turns = fallback, history_at, CountedTurns()
        load_plans()
        self._served: tuple[Rules | None, Rules | None] = (None, None)

    @property
    def fallback(self) -> RouteStep:
        """Returns the fallback of the command line, or of the file; without either the call ends."""
        if self._given is not None or self.rules is None:
            return self._given or RouteStep("hangup")
        return self.rules.rules.fallback

    def at_once(self, delivery: Delivery) -> Ruled | None:
        """Returns the step if it takes about a millisecond at most; None if a thread should decide.

        Ten rules decide in 9 µs. Handing over to a thread and back takes 80 µs, and sometimes 4 ms on busy processors.
        """
        now = self.now()
        override = self.switch.in_force(now)
        if override is not None:
            return Ruled(override.step, now, "override", override.why)
        rules = self._rules_in_force()
        if rules is None:
            return self.failed("no rules", "no_rules")
        if rules.asks_the_past or len(delivery.body) > _SHORT:
            return None
        return self._decided(rules, delivery, now)

    def decide(self, delivery: Delivery) -> Ruled:
        """Returns the step, however long it takes."""
        rules, now = self._rules_in_force(), self.now()
        return self._decided(rules, delivery, now) if rules is not None else self.failed("no rules", "no_rules")

    def failed(self, why: str, source: RouteSource = "failure") -> Ruled:
        """Returns the fallback, for a decision that failed."""
        return Ruled(self.fallback, self.now(), source, why)

    def is_told_at_once(self, ruled: Ruled) -> bool:
        """Returns whether `tell` is quick too: for the trail, rules about the past may read the store again."""
        asks = ruled.decision is not None and self.rules is not None and self.rules.rules.asks_the_past
        return self.shadow is None and not asks

    def short(self, ruled: Ruled) -> dict[str, object]:
        """Returns the values about the step that are known at once, to store with the question."""
        kept: dict[str, object] = {"step": ruled.step.as_wire()}
        if ruled.why:
            kept["why"] = ruled.why[:_LONGEST_WHY]
        if ruled.decision is not None:
            kept["us"] = ruled.microseconds
            if self.rules is not None and self.rules.outdated:
                kept["outdated"] = True
        return kept

    def tell(self, ruled: Ruled, delivery: Delivery) -> dict[str, object]:
        """Returns all values to store with the question: also the end of the trail, and the step of the shadow."""
        kept = self.short(ruled)
        if ruled.decision is not None:
            try:
                trail, left_out = ruled.decision.trail_end(_TRIED)
                kept["trail"] = [_shortened(tried.as_json()) for tried in trail]
                if left_out:
                    kept["trail_left_out"] = left_out
            except Exception as fault:  # a look-up of the past that fails
                kept["trail_trouble"] = f"{type(fault).__name__}: {fault}"[:_LONGEST_WHY]
        if self.shadow is not None and (self.rules is None or ruled.decision is not None):
            # An override, or a failed decision, cannot be compared with the shadow.
            kept["shadow"] = self._shadowed(self.shadow.rules, ruled, delivery)
        return kept

    def _shadowed(self, rules: Rules, ruled: Ruled, delivery: Delivery) -> dict[str, object]:
        found = answer(rules, delivery.body, ruled.at, self._history_at(ruled.at), first_turn)
        would: dict[str, object] = {"step": found.step.as_wire(), "rule": found.rule}
        if found.trouble:
            would["why"] = found.trouble[:_LONGEST_WHY]
        # The turns of a round robin are not compared: the shadow takes no turn from anybody.
        before = ruled.decision.destination if ruled.decision is not None else str(ruled.step)
        return {**would, "moved": found.destination != before}

    def _decided(self, rules: Rules, delivery: Delivery, now: datetime) -> Ruled:
        start = time.perf_counter_ns()
        found = answer(rules, delivery.body, now, self._history_at(now), self._turns)
        took = (time.perf_counter_ns() - start) // 1000
        why = found.trouble or ("" if found.rule else "no rule matches")
        source: RouteSource = "rule" if found.rule else "failure" if found.trouble else "no_match"
        return Ruled(found.step, now, source, why, found, took)

    def _rules_in_force(self) -> Rules | None:
        """Returns the rules of the file, with the fallback of the command line in place of the file's."""
        if self.rules is None:
            return None
        read, served = self._served
        if self.rules.rules is not read:
            read = self.rules.rules
            served = read if self._given is None else replace(read, fallback=self._given)
            self._served = (read, served)
        return served


def _shortened(tried: dict[str, object]) -> dict[str, object]:
    return {**tried, "why": str(tried["why"])[:_LONGEST_WHY]}
