"""The figures of many calls, counted as they come: by day, operator and tag. Of a call nothing else is kept."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.score import Group, Score, points, score
from alovoice_cli.speech.score_rules import Check, Lies, ScoreRules
from alovoice_cli.speech.talk import Talk

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
"""What a report scores by where the supervisor gave no rules: the times alone."""


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
    """Calls in which somebody spoke: only they have shares."""
    tags: Counter[str] = field(default_factory=Counter)

    def add(self, talk: Talk, measures: Measures, result: Score, bar: float) -> None:
        """Counts a call in."""
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
        """The operator's average share of the talk, 0 to 1."""
        return self.ratios / self.spoken if self.spoken else None

    @property
    def silence_share(self) -> float | None:
        """The average share of silence, 0 to 1."""
        return self.silences / self.spoken if self.spoken else None

    def as_json(self) -> dict[str, object]:
        """The figures; the group's name as `group`."""
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
    """What a period was like."""

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
        """From which score on a call is good."""
        return DEFAULT_BAR if self.rules.bar is None else self.rules.bar

    def add(self, talk: Talk, began: datetime | None) -> None:
        """Counts a call in; `began` in the zone in which days are meant."""
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
        # A heap of the worst: its root is the best of them, and goes first. Of equals the earlier met stays.
        entry = (-result.points, -self.everything.calls, call_id, result.failed)
        if len(self._worst) < self.worst_wanted:
            heapq.heappush(self._worst, entry)
        elif self._worst:
            heapq.heappushpop(self._worst, entry)

    @property
    def worst(self) -> list[tuple[str, float, tuple[str, ...]]]:
        """The worst calls first: id, score, and the checks that failed."""
        return [(call_id, -negative, failed) for negative, _, call_id, failed in sorted(self._worst, reverse=True)]

    def grouped(self, by: str) -> list[ScoreTally]:
        """The groups: days in their order, tags and operators the most frequent first."""
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
