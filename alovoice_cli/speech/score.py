"""Scores: the share of the checks' weight that a call passed, and averages by operator and week."""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from alovoice_cli.moments import from_unix
from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.score_rules import MEASURES, Check, Lies, ScoreRules
from alovoice_cli.speech.talk import Talk


@dataclass(frozen=True, slots=True)
class Score:
    """`points` of 100, None where no check applies; names of the checks."""

    points: float | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    unjudged: tuple[str, ...] = ()


def score(talk: Talk, measures: Measures, rules: ScoreRules) -> Score:
    """Returns the score of a call: 100 times the weight of passed checks, by that of applicable checks."""
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
    """Several scores: their count and average, the worst call, and how often each check failed."""

    name: str
    scores: int = 0
    total: float = 0.0
    worst: str | None = None
    lowest: float = 101.0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, call_id: str, result: Score) -> None:
        """Counts a call with a score."""
        if result.points is None:
            return
        self.scores += 1
        self.total += result.points
        self.failures.update(result.failed)
        if result.points < self.lowest:
            self.lowest, self.worst = result.points, call_id

    @property
    def average(self) -> float | None:
        """Returns the average score; None without a score."""
        return self.total / self.scores if self.scores else None

    def as_json(self, key: str) -> dict[str, object]:
        """Returns the group as JSON, with its name under `key`."""
        return {
            key: self.name,
            "calls": self.scores,
            "score": points(self.average),
            "worst_call": self.worst,
            "failed": dict(self.failures.most_common()),
        }


def points(value: float | None) -> float | None:
    """Returns a score with one decimal place."""
    return None if value is None else round(value, 1)


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Returns the groups by name, numeric names by value."""
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


DEFAULT_BAR = 80.0
RATIO_STEPS = 10
UNKNOWN = "?"
DEFAULT_RULES = ScoreRules(
    (
        Check("talk_ratio 0.3 to 0.7", 1, Lies("talk_ratio", 0.3, 0.7)),
        Check("dead_air under 10 s", 1, Lies("dead_air", at_most=10)),
        Check("longest_monologue under 60 s", 1, Lies("longest_monologue", at_most=60)),
        Check("interruptions at most 2", 1, Lies("interruptions", at_most=2)),
        Check("first_word within 10 s", 1, Lies("first_word", at_most=10)),
    ),
    DEFAULT_BAR,
)
"""The checks of a report without a rules file: the times alone."""


@dataclass(slots=True)
class ScoreTally:
    """The calls of one group: their scores, their average measures, their tags."""

    name: str
    calls: int = 0
    good: int = 0
    """Calls at the bar or above."""
    scores: Group = field(default_factory=lambda: Group(""))
    length_ms: float = 0
    interruptions: int = 0
    ratios: float = 0
    silences: float = 0
    spoken: int = 0
    """Calls with speech: only they have shares."""
    tags: Counter[str] = field(default_factory=Counter)

    def add(self, talk: Talk, measures: Measures, result: Score, bar: float) -> None:
        """Counts a call."""
        self.calls += 1
        self.good += result.points is not None and result.points >= bar
        self.scores.add(talk.call_id, result)
        self.length_ms += measures.length_ms
        self.interruptions += measures.operator_interruptions
        if measures.talk_ratio is not None:
            self.spoken += 1
            self.ratios += measures.talk_ratio
            self.silences += measures.silence_share or 0
        self.tags.update(talk.tag_names)

    @property
    def talk_ratio(self) -> float | None:
        """Returns the operator's average share of the talk, 0 to 1."""
        return self.ratios / self.spoken if self.spoken else None

    @property
    def silence_share(self) -> float | None:
        """Returns the average share of silence, 0 to 1."""
        return self.silences / self.spoken if self.spoken else None

    def as_json(self) -> dict[str, object]:
        """Returns the figures, with the group's name as `group`."""
        return {
            "group": self.name,
            "calls": self.calls,
            "good": self.good,
            "score": points(self.scores.average),
            "talk_ratio": _round(self.talk_ratio),
            "silence_share": _round(self.silence_share),
            "interruptions": self.interruptions,
            "average_length_ms": round(self.length_ms / self.calls) if self.calls else None,
            "worst_call": self.scores.worst,
            "tags": dict(self.tags.most_common()),
        }


@dataclass(slots=True)
class SpeechReport:
    """The figures of a period."""

    rules: ScoreRules
    worst_wanted: int = 10
    everything: ScoreTally = field(default_factory=lambda: ScoreTally("all"))
    days: dict[str, ScoreTally] = field(default_factory=dict)
    operators: dict[str, ScoreTally] = field(default_factory=dict)
    tags: dict[str, ScoreTally] = field(default_factory=dict)
    ratio_counts: list[int] = field(default_factory=lambda: [0] * RATIO_STEPS)
    _worst: list[tuple[float, int, str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def bar(self) -> float:
        """Returns the score from which a call is good."""
        return DEFAULT_BAR if self.rules.bar is None else self.rules.bar

    def add(self, talk: Talk, began: datetime | None) -> None:
        """Counts a call; `began` is in the zone of the report's days."""
        measures = measure(talk)
        result = score(talk, measures, self.rules)
        day, peer = UNKNOWN if began is None else f"{began:%Y-%m-%d}", talk.peer or UNKNOWN
        groups = [self.everything, self.days.setdefault(day, ScoreTally(day))]
        groups.append(self.operators.setdefault(peer, ScoreTally(peer)))
        groups += [self.tags.setdefault(name, ScoreTally(name)) for name in talk.tag_names]
        for group in groups:
            group.add(talk, measures, result, self.bar)
        if measures.talk_ratio is not None:
            self.ratio_counts[min(int(measures.talk_ratio * RATIO_STEPS), RATIO_STEPS - 1)] += 1
        self._note_worst(talk.call_id, result)

    def _note_worst(self, call_id: str, result: Score) -> None:
        if result.points is None or not result.failed:
            return
        # A heap of the worst calls: its root is the best of them, replaced first. Of equal calls the first stays.
        entry = (-result.points, -self.everything.calls, call_id, result.failed)
        if len(self._worst) < self.worst_wanted:
            heapq.heappush(self._worst, entry)
        elif self._worst:
            heapq.heappushpop(self._worst, entry)

    @property
    def worst(self) -> list[tuple[str, float, tuple[str, ...]]]:
        """Returns the worst calls first: id, score, and the failed checks."""
        return [(call_id, -negative, failed) for negative, _, call_id, failed in sorted(self._worst, reverse=True)]

    def grouped(self, by: str) -> list[ScoreTally]:
        """Returns the groups: days in order, tags and operators by frequency."""
        groups = {"day": self.days, "operator": self.operators, "tag": self.tags}[by].values()
        if by == "day":
            return sorted(groups, key=lambda group: group.name)
        return sorted(groups, key=lambda group: (-group.calls, group.name))

    def as_json(self) -> dict[str, object]:
        """All figures."""
        return {
            **self.everything.as_json(),
            "bar": self.bar,
            "days": [group.as_json() for group in self.grouped("day")],
            "operators": [group.as_json() for group in self.grouped("operator")],
            "talk_ratio_distribution": list(self.ratio_counts),
            "worst": [
                {"call_id": call, "score": points(got), "failed": list(failed)} for call, got, failed in self.worst
            ],
        }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
