"""Scores: what share of the checks' weight a call passed, and the averages over operators and weeks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import tzinfo

from alovoice_cli.events.moments import from_unix
from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.score_rules import MEASURES, ScoreRules
from alovoice_cli.speech.talk import Talk


@dataclass(frozen=True, slots=True)
class Score:
    """`points` of 100, None where no check could be judged; names of the checks."""

    points: float | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    unjudged: tuple[str, ...] = ()


def score(talk: Talk, measures: Measures, rules: ScoreRules) -> Score:
    """The score of a call: 100 times the weight of the checks that hold, by the weight of those that can be judged."""
    passed: list[str] = []
    failed: list[str] = []
    unjudged: list[str] = []
    got = most = 0.0
    for check in rules.checks:
        holds = check.test.holds(talk, measures)
        if holds is None:
            unjudged.append(check.name)
            continue
        (passed if holds else failed).append(check.name)
        most += check.weight
        got += check.weight if holds else 0
    return Score(100 * got / most if most else None, tuple(passed), tuple(failed), tuple(unjudged))


@dataclass(slots=True)
class Group:
    """Scores together: how many, their average, the worst call, and which checks failed how often."""

    name: str
    scores: int = 0
    total: float = 0.0
    worst: str | None = None
    lowest: float = 101.0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, call_id: str, result: Score) -> None:
        """Counts a call in, where it has a score."""
        if result.points is None:
            return
        self.scores += 1
        self.total += result.points
        self.failures.update(result.failed)
        if result.points < self.lowest:
            self.lowest, self.worst = result.points, call_id

    @property
    def average(self) -> float | None:
        """The average score; None where nothing has one."""
        return self.total / self.scores if self.scores else None

    def as_json(self, key: str) -> dict[str, object]:
        """The group as JSON tells it, its name under `key`."""
        return {
            key: self.name,
            "calls": self.scores,
            "score": points(self.average),
            "worst_call": self.worst,
            "failed": dict(self.failures.most_common()),
        }


def points(value: float | None) -> float | None:
    """A score with one digit behind the point."""
    return None if value is None else round(value, 1)


def in_order(groups: Iterable[Group]) -> list[Group]:
    """The groups by their names, numbers by their size."""
    return sorted(groups, key=lambda group: (len(group.name) if group.name.isdigit() else 0, group.name))


_NOBODY = "?"


@dataclass(slots=True)
class ScoredCalls:
    """Calls with their scores, by operator and by week of the zone. A call without a known operator counts as `?`."""

    rules: ScoreRules
    zone: tzinfo
    everything: Group = field(default_factory=lambda: Group("all"))
    calls: list[dict[str, object]] = field(default_factory=list)
    operators: dict[str, Group] = field(default_factory=dict)
    weeks: dict[str, Group] = field(default_factory=dict)

    def add(self, talk: Talk, begun_at: int, peer: str | None) -> None:
        """Scores a call that began at this unix second."""
        measures = measure(talk)
        result = score(talk, measures, self.rules)
        self.calls.append(
            {
                "call_id": talk.call_id,
                "begun_at": begun_at,
                "peer": peer,
                "score": points(result.points),
                "passed": list(result.passed),
                "failed": list(result.failed),
                "unjudged": list(result.unjudged),
                **{name: _digits(value(measures)) for name, value in MEASURES.items()},
            }
        )
        operator, week = peer or _NOBODY, _week(begun_at, self.zone)
        groups = (self.operators.setdefault(operator, Group(operator)), self.weeks.setdefault(week, Group(week)))
        for group in (self.everything, *groups):
            group.add(talk.call_id, result)

    def as_json(self) -> dict[str, object]:
        """The calls, the groups, and the average of all."""
        return {
            "score": points(self.everything.average),
            "scored": self.everything.scores,
            "calls": self.calls,
            "operators": [group.as_json("peer") for group in in_order(self.operators.values())],
            "weeks": [group.as_json("week") for group in in_order(self.weeks.values())],
        }


def _digits(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _week(begun_at: int, zone: tzinfo) -> str:
    moment = from_unix(begun_at, zone)
    return _NOBODY if moment is None else f"{moment:%G-W%V}"
