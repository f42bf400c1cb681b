"""Key figures of a period: the values, their names in JSON, and how they are rounded.

Seconds are whole, means and percentages have one decimal, erlangs two, each rounded half up. None stands for a figure
that cannot be known: a ratio over nothing, or waits that the PBX does not tell.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

DurationCounts = Literal["talk", "total"]
"""What a callend's `duration` counts: the talk alone, or the ringing too."""
Verdict = Literal["talk", "total", "unclear", "too_few"]

FEW_CALLS = 20
"""A group of fewer calls says little, and is marked."""


@dataclass(frozen=True, slots=True)
class KpiSettings:
    """The limits: seconds of the service level and of a short abandon, votes, the loss that lines are counted for.

    `duration_counts` overrules the test of what `duration` counts.
    """

    service_seconds: int = 20
    short_abandon_seconds: int = 5
    min_votes: int = 10
    loss_pct: int = 1
    duration_counts: DurationCounts | None = None


@dataclass(frozen=True, slots=True)
class KpiPeriod:
    """The period (aware, in the profile's zone), from `since` to before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DurationTest:
    """The votes on what `duration` counts, and the verdict."""

    votes: int
    votes_total: int
    unanswered_total: int
    unanswered_talk: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class NoticedCalls:
    """Counts of what the figures leave out, or what makes them less sure.

    `ring_group`: missed calls that another telephone of the ring group answered; in JSON only where there are some.
    """

    duplicates: int
    orphan_ends: int
    results_without_call: int
    internal: int
    anonymous: int
    clock_off: int
    wait_unknown: int
    open_out: int
    ring_group: int = 0


@dataclass(frozen=True, slots=True)
class InboundFigures:
    """Inbound calls by their end. `abandoned` rang and nobody talked; `turned_away` had no chance to wait."""

    offered: int
    open: int
    ended: int
    answered: int
    missed: int
    other: int
    answer_rate_pct: float | None
    missed_by_reason: Mapping[str, int]
    abandoned: int
    short_abandoned: int
    turned_away: int
    abandon_rate_pct: float | None
    abandon_rate_raw_pct: float | None


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """Calls answered within the target, of three wholes: without short abandons, all that ended, the answered."""

    answered_within: int
    net_pct: float | None
    all_pct: float | None
    answered_pct: float | None


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """Seconds that inbound callers waited: the mean (ASA), percentiles and the longest."""

    asa_s: float | None
    p50_s: int | None
    p90_s: int | None
    longest_answered_s: int | None
    longest_unanswered_s: int | None


@dataclass(frozen=True, slots=True)
class TalkFigures:
    """Seconds of talk of answered inbound calls: the mean, and all. Hold is within; after-call work is not told."""

    aht_talk_only_s: float | None
    talk_seconds_in: int


@dataclass(frozen=True, slots=True)
class OutboundFigures:
    """Outbound calls that ended: answer-seizure ratio, mean talk, network effectiveness ratio."""

    seizures: int
    answered: int
    asr_pct: float | None
    acd_s: float | None
    ner_pct: float | None


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Lines in use: the most at once, the busiest clock hour, the busiest 60 minutes, and lines for them (Erlang B).

    The sliding hour is None in a period of less than an hour.
    """

    peak: int
    peak_at: datetime | None
    busy_hour: datetime | None
    busy_hour_erlangs: float
    busy_hour_lines_1pct: int
    sliding_hour: datetime | None
    sliding_erlangs: float | None
    sliding_lines_1pct: int | None
    period_erlangs: float


@dataclass(frozen=True, slots=True)
class CallbackFigures:
    """Episodes of callers that were missed: how they ended, and seconds until the first try and until the talk.

    `still_owed` are callers, `still_owed_hidden` missed calls without a number.
    """

    episodes: int
    called_back: int
    called_again: int
    still_owed: int
    still_owed_hidden: int
    tried: int
    first_try_p50_s: int | None
    reached_mean_s: float | None
    reached_p50_s: int | None
    reached_p90_s: int | None
    reached_max_s: int | None


@dataclass(frozen=True, slots=True)
class RepeatedCallers:
    """Inbound calls within so many hours of the same number's call before, and those that follow an answered call."""

    hours: int
    callers: int
    calls: int
    after_answered: int
    no_further_call_pct: float | None


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """One extension's inbound calls that ended. Who else was rung is not told: this is no judgement of a person."""

    peer: str
    offered: int
    answered: int
    answered_pct: float | None
    talk_mean_s: float | None


@dataclass(frozen=True, slots=True)
class HourFigures:
    """Inbound calls that began in this hour of the day (`09:00`), on all days of the period together."""

    hour: str
    offered: int
    answered: int
    missed: int


@dataclass(frozen=True, slots=True)
class Kpi:
    """All key figures of a period, by the names that `--json` prints."""

    period: KpiPeriod
    settings: KpiSettings
    duration_test: DurationTest
    noticed: NoticedCalls
    inbound: InboundFigures
    service_level: ServiceLevel
    wait: WaitFigures
    talk: TalkFigures
    outbound: OutboundFigures
    lines: LineFigures
    callback: CallbackFigures
    repeated: tuple[RepeatedCallers, ...]
    agents: tuple[AgentFigures, ...]
    hours: tuple[HourFigures, ...]

    def as_json(self) -> dict[str, object]:
        """Returns the figures as plain values; moments are ISO 8601 in the profile's zone."""
        shown: dict[str, object] = {name: _plain(value) for name, value in asdict(self).items()}
        return shown


@dataclass(frozen=True, slots=True)
class KpiGroup:
    """The key figures of one hour, weekday, line, extension, number or day."""

    group: str
    inbound: InboundFigures
    service_level: ServiceLevel
    wait: WaitFigures
    talk: TalkFigures
    outbound: OutboundFigures

    @property
    def calls(self) -> int:
        """Returns how many calls the group has."""
        return self.inbound.offered + self.outbound.seizures

    @property
    def is_few(self) -> bool:
        """Returns whether the group has too few calls to say much."""
        return self.calls < FEW_CALLS

    def as_json(self) -> dict[str, object]:
        """Returns the figures as plain values, with the mark of a small group."""
        return {**asdict(self), "calls": self.calls, "few": self.is_few}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dict):
        left_out = {"duration_counts": None, "ring_group": 0}  # said only where there is something to say
        return {name: _plain(part) for name, part in value.items() if name not in left_out or part != left_out[name]}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def rounded(numerator: int, denominator: int, decimals: int = 1) -> float | None:
    """Returns the quotient of whole numbers with so many decimals, half up; None over nothing."""
    if denominator == 0:
        return None
    unit: int = 10**decimals
    return (2 * unit * numerator + denominator) // (2 * denominator) / unit


def percent(part: int, whole: int) -> float | None:
    """Returns the percentage with one decimal, half up; None of nothing."""
    return rounded(100 * part, whole)
