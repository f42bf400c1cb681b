"""Rules as values: the content of a file, ready for evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import MethodType
from typing import NamedTuple, cast

from alovoice_cli.errors import UsageError
from alovoice_cli.findings import RulePlace
from alovoice_cli.routing.call import Condition, IncomingCall, Question
from alovoice_cli.routing.conditions import SpokeWithin, cost_of, last_peer
from alovoice_cli.routing.history import Turns
from alovoice_cli.routing.hours import AnyHours
from alovoice_cli.routing.lists import RuleSource
from alovoice_cli.routing.numbers import NumberSet
from alovoice_cli.routing.step import RouteStep

FALLBACK = "fallback"
"""The name of the rule where none matched; no rule may have this name."""


class FixedStep(NamedTuple):
    """Always the same step."""

    step: RouteStep

    def step_for(self, call: IncomingCall, rule: str, turns: Turns) -> RouteStep | None:
        """Returns the step."""
        return self.step

    def __str__(self) -> str:
        return str(self.step)


class RoundRobin(NamedTuple):
    """Extensions in turn."""

    steps: tuple[RouteStep, ...]

    def step_for(self, call: IncomingCall, rule: str, turns: Turns) -> RouteStep | None:
        """Returns the step of the next turn."""
        return self.steps[turns(rule) % len(self.steps)]

    def __str__(self) -> str:
        return "round_robin:" + ",".join(step.action_data or "" for step in self.steps)


class LastPeer(NamedTuple):
    """The extension of the caller's last answered call within the window of the rule's `spoke_within`."""

    window: timedelta

    def step_for(self, call: IncomingCall, rule: str, turns: Turns) -> RouteStep | None:
        """Returns the step; None, so that the next rule is tried, for an unknown extension."""
        peer = last_peer(call, self.window)
        if peer is None:
            return None
        try:
            return RouteStep("peer", peer)
        except UsageError:
            return None

    def __str__(self) -> str:
        return "peer:@last_peer"


Action = FixedStep | RoundRobin | LastPeer


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. All its conditions must hold; the cheap ones come first."""

    name: str
    conditions: tuple[Condition, ...]
    action: Action
    place: RulePlace
    then_place: RulePlace
    checks: tuple[MethodType, ...] = field(init=False, repr=False, compare=False)
    """The `holds` of each condition: looking it up takes a fifth of the time of a thousand rules."""

    def __post_init__(self) -> None:
        checks = tuple(cast(MethodType, condition.holds) for condition in self.conditions)
        object.__setattr__(self, "checks", checks)


class RuleTrial(NamedTuple):
    """A `[[test]]` of the file: a question, its optional time and past, and the expected step."""

    question: Question
    at: datetime | None
    last_peer: str | None
    calls: int
    missed: int
    step: RouteStep
    rule: str | None
    """The rule that must decide, None for any rule."""
    place: RulePlace


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file that can be evaluated. The first match wins; without a match the fallback applies."""

    path: Path
    zone: tzinfo
    fallback: RouteStep
    fallback_place: RulePlace
    rules: tuple[Rule, ...]
    lists: Mapping[str, NumberSet] = field(default_factory=dict)
    hours: Mapping[str, AnyHours] = field(default_factory=dict)
    trials: tuple[RuleTrial, ...] = ()
    sources: tuple[RuleSource, ...] = ()
    """The rules file and its lists, as they were when they were read."""
    asks_the_past: bool = field(init=False)
    """Whether a decision may need the event store, which may be slow."""

    def __post_init__(self) -> None:
        dearest = max((cost_of(condition) for rule in self.rules for condition in rule.conditions), default=0)
        object.__setattr__(self, "asks_the_past", dearest >= SpokeWithin.cost)
