"""Scores: the share of the checks' weight that a call passed, and averages by operator and week.

A score that somebody set by hand counts instead of the rules' one; the rules' score and average stand beside.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from alovoice_cli.moments import from_unix
from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.score_rules import MEASURES, Check, JudgedCall, Lies, ScoreRules
from alovoice_cli.speech.talk import ScoreOverride, Talk
from alovoice_cli.speech.turns import speech_turns

UNKNOWN = "?"
"""The operator of a call without a known extension; the day and the week of a call without a beginning."""


@dataclass(frozen=True, slots=True)
class Score:
    """`by_rules` is 0 to 100, None if no check applies; the tuples name checks; `override` was set by hand."""

    by_rules: float | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    unjudged: tuple[str, ...] = ()
    override: ScoreOverride | None = None

    @property
    def points(self) -> float | None:
        """Returns the score that counts."""
        return self.by_rules if self.override is None else self.override.points

    def as_json(self) -> dict[str, object]:
        """Returns the score that counts, the rules' one and what was set by hand."""
        override = None if self.override is None else self.override.as_json()
        return {"score": points(self.points), "rules_score": points(self.by_rules), "override": override}


def score(talk: Talk, measures: Measures, rules: ScoreRules, override: ScoreOverride | None = None) -> Score:
    """Returns the score of a call: 100 times the weight of passed checks, by that of applicable checks."""
    passed: list[str] = []
    failed: list[str] = []
    unjudged: list[str] = []
    got = most = 0.0
    call = JudgedCall(talk, measures, speech_turns(talk.fragments))
    for check in rules.checks:
        holds = check.test.holds(call)
        if holds is None:
            unjudged.append(check.name)
            continue
        (passed if holds else failed).append(check.name)
        most += check.weight
        got += check.weight if holds else 0
    return Score(100 * got / most if most else None, tuple(passed), tuple(failed), tuple(unjudged), override)


@dataclass(slots=True)
class Group:
    """Several scores: their count and average, the worst call, and how often each check failed."""

    name: str
    scores: int = 0
    total: float = 0.0
    by_rules: int = 0
    rules_total: float = 0.0
    overridden: int = 0
    worst: str | None = None
    lowest: float = 101.0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, call_id: str, result: Score) -> None:
        """Counts a call with a score."""
        if result.by_rules is not None:
            self.by_rules += 1
            self.rules_total += result.by_rules
        if result.points is None:
            return
        self.overridden += result.override is not None
        self.scores += 1
        self.total += result.points
        self.failures.update(result.failed)
        if result.points < self.lowest:
            self.lowest, self.worst = result.points, call_id

    @property
    def average(self) -> float | None:
        """Returns the average score; None without a score."""
        return self.total / self.scores if self.scores else None

    @property
    def rules_average(self) -> float | None:
        """Returns the average of the rules' scores, as if none had been set by hand."""
        return self.rules_total / self.by_rules if self.by_rules else None

    def averages(self) -> dict[str, object]:
        """Returns the average that counts, the one by rules alone, and how many scores were set by hand."""
        rules_score = points(self.rules_average)
        return {"score": points(self.average), "rules_score": rules_score, "overridden": self.overridden}

    def as_json(self, key: str) -> dict[str, object]:
        """Returns the group as JSON, with its name under `key`."""
        return {
            key: self.name,
            "calls": self.scores,
            **self.averages(),
            "worst_call": self.worst,
            "failed": dict(self.failures.most_common()),
        }


G = TypeVar("G")


class WeekTrend(NamedTuple, Generic[G]):
    """The group of one week, of one operator or (`peer` None) of all.

    `change` is the difference to the average of the last week before that has a score.
    """

    peer: str | None
    week: str
    group: G
    change: float | None

    def as_json(self) -> dict[str, object]:
        return {"peer": self.peer, "change": points(self.change)}


def week_trends(groups: Mapping[tuple[str | None, str], G], average: Callable[[G], float | None]) -> list[WeekTrend[G]]:
    """Returns groups by operator and week as trends: all operators together first, then each; weeks in order."""

    def order(key: tuple[str | None, str]) -> tuple[bool, int, str, str]:
        peer, week = key
        return (peer is not None, *_by_number(peer or ""), week)

    trends: list[WeekTrend[G]] = []
    for peer, keys in groupby(sorted(groups, key=order), key=lambda key: key[0]):
        before: float | None = None
        for key in keys:
            now = average(groups[key])
            change = None if now is None or before is None or key[1] == UNKNOWN else now - before
            trends.append(WeekTrend(peer, key[1], groups[key], change))
            before = before if now is None else now
    return trends


def points(value: float | None) -> float | None:
    """Returns a score with one decimal place."""
    return None if value is None else round(value, 1)


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Returns the groups by name, numeric names by value."""
    return sorted(groups, key=lambda group: _by_number(group.name))


def _by_number(name: str) -> tuple[int, str]:
    return (len(name) if name.isdigit() else 0, name)


@dataclass(slots=True)
class ScoredCalls:
    """Calls with their scores, by operator and by week of the zone. A call without a known operator counts as `?`."""

    rules: ScoreRules
    zone: tzinfo
    everything: Group = field(default_factory=lambda: Group("all"))
    calls: list[dict[str, object]] = field(default_factory=list)
    operators: dict[str, Group] = field(default_factory=dict)
    weeks: dict[tuple[str | None, str], Group] = field(default_factory=dict)

    def add(self, talk: Talk, begun_at: int, peer: str | None, override: ScoreOverride | None) -> None:
        """Scores a call that began at this unix second."""
        measures = measure(talk)
        result = score(talk, measures, self.rules, override)
        self.calls.append(
            {
                "call_id": talk.call_id,
                "begun_at": begun_at,
                "peer": peer,
                **result.as_json(),
                "passed": list(result.passed),
                "failed": list(result.failed),
                "unjudged": list(result.unjudged),
                **{name: _digits(value(measures)) for name, value in MEASURES.items()},
            }
        )
        operator, week = peer or UNKNOWN, week_of(from_unix(begun_at, self.zone))
        weeks = [self.weeks.setdefault((one, week), Group(week)) for one in (None, operator)]
        for group in (self.everything, self.operators.setdefault(operator, Group(operator)), *weeks):
            group.add(talk.call_id, result)

    @property
    def trends(self) -> list[WeekTrend[Group]]:
        """Returns the averages by week, of all operators and of each."""
        return week_trends(self.weeks, lambda group: group.average)

    def as_json(self) -> dict[str, object]:
        """Returns the calls, the groups, and the average of all."""
        return {
            **self.everything.averages(),
            "scored": self.everything.scores,
            "calls": self.calls,
            "operators": [group.as_json("peer") for group in in_order(self.operators.values())],
            "weeks": [one.group.as_json("week") for one in self.trends if one.peer is None],
            "operator_weeks": [
                {**one.as_json(), **one.group.as_json("week")} for one in self.trends if one.peer is not None
            ],
        }


def _digits(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def week_of(moment: datetime | None) -> str:
    """Returns the ISO week of a moment: `2024-W21`."""
    return UNKNOWN if moment is None else f"{moment:%G-W%V}"


DEFAULT_BAR = 80.0
RATIO_STEPS = 10
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
"""The checks of a report without a rules file: times only."""


class CallScore(NamedTuple):
    """A call with its score."""

    call_id: str
    result: Score

    def as_json(self) -> dict[str, object]:
        return {"call_id": self.call_id, **self.result.as_json(), "failed": list(self.result.failed)}


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
            **self.scores.averages(),
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
    weeks: dict[tuple[str | None, str], ScoreTally] = field(default_factory=dict)
    by_hand: list[CallScore] = field(default_factory=list)
    ratio_counts: list[int] = field(default_factory=lambda: [0] * RATIO_STEPS)
    _worst: list[tuple[float, int, CallScore]] = field(default_factory=list)

    @property
    def bar(self) -> float:
        """Returns the score from which a call is good."""
        return DEFAULT_BAR if self.rules.bar is None else self.rules.bar

    def add(self, talk: Talk, began: datetime | None, override: ScoreOverride | None) -> None:
        """Counts a call; `began` is in the zone of the report's days and weeks."""
        measures = measure(talk)
        result = score(talk, measures, self.rules, override)
        day, peer = UNKNOWN if began is None else f"{began:%Y-%m-%d}", talk.peer or UNKNOWN
        groups = [self.everything, self.days.setdefault(day, ScoreTally(day))]
        groups.append(self.operators.setdefault(peer, ScoreTally(peer)))
        groups += [self.tags.setdefault(name, ScoreTally(name)) for name in talk.tag_names]
        week = week_of(began)
        groups += [self.weeks.setdefault((one, week), ScoreTally(week)) for one in (None, peer)]
        for group in groups:
            group.add(talk, measures, result, self.bar)
        if measures.talk_ratio is not None:
            self.ratio_counts[min(int(measures.talk_ratio * RATIO_STEPS), RATIO_STEPS - 1)] += 1
        if override is not None:
            self.by_hand.append(CallScore(talk.call_id, result))
        self._note_worst(talk.call_id, result)

    def _note_worst(self, call_id: str, result: Score) -> None:
        if result.points is None or not (result.failed or result.points < self.bar):
            return
        # A heap of the worst calls: its root is the best of them, replaced first. Of equal calls the first stays.
        entry = (-result.points, -self.everything.calls, CallScore(call_id, result))
        if len(self._worst) < self.worst_wanted:
            heapq.heappush(self._worst, entry)
        elif self._worst:
            heapq.heappushpop(self._worst, entry)

    @property
    def worst(self) -> list[CallScore]:
        """Returns the calls that failed a check or are below the bar, the worst first."""
        return [call for *_, call in sorted(self._worst, key=lambda entry: entry[:2], reverse=True)]

    @property
    def trends(self) -> list[WeekTrend[ScoreTally]]:
        """Returns the figures by week, of all operators and of each."""
        return week_trends(self.weeks, lambda group: group.scores.average)

    def grouped(self, by: str) -> list[ScoreTally]:
        """Returns the groups: days in order, tags and operators by frequency."""
        groups = {"day": self.days, "operator": self.operators, "tag": self.tags}[by].values()
        if by == "day":
            return sorted(groups, key=lambda group: group.name)
        return sorted(groups, key=lambda group: (-group.calls, group.name))

    def as_json(self) -> dict[str, object]:
        """Returns all figures."""
        return {
            **self.everything.as_json(),
            "bar": self.bar,
            "days": [group.as_json() for group in self.grouped("day")],
            "operators": [group.as_json() for group in self.grouped("operator")],
            "weeks": [one.group.as_json() for one in self.trends if one.peer is None],
            "operator_weeks": [{**one.group.as_json(), **one.as_json()} for one in self.trends if one.peer is not None],
            "talk_ratio_distribution": list(self.ratio_counts),
            "worst": [call.as_json() for call in self.worst],
            "set_by_hand": [call.as_json() for call in self.by_hand],
        }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
