"""Counts calls for the key figures: a cell for each direction, status and extension, then the figures of the cells."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alovoice_cli.events.event import ANSWERED_STATUS, MISSED_STATUSES
from alovoice_cli.events.kpi import (
    AgentFigures,
    DurationTest,
    InboundFigures,
    KpiSettings,
    OutboundFigures,
    ServiceLevel,
    TalkFigures,
    Verdict,
    WaitFigures,
    percent,
    rounded,
)

KpiRow = tuple[
    str | None, str | None, str | None, str | int | None,
    int, int | None, int | None, int | None, int, str | None, str | None, int | None,
]  # fmt: skip
"""One call: 0 direction, 1 status, 2 extension, 3 group; 4 when it began (else when it was reported), 5 when it ended,
6 its duration, 7 how long it was held (end - start), 8 how far its start is from its report; 9 number, 10 line; 11 the
order of its start in the store, None for an end without a start. A million of them are read: they stay plain tuples."""


class CallKind(NamedTuple):
    """Direction, status (None without an end) and extension of a call."""

    direction: str | None
    status: str | None
    peer: str | None

    @property
    def is_counted(self) -> bool:
        """Returns whether figures count the call: it is inbound or outbound."""
        return self.direction in ("inc", "out")

    @property
    def is_inbound(self) -> bool:
        """Returns whether somebody called in."""
        return self.direction == "inc"

    @property
    def is_answered(self) -> bool:
        """Returns whether somebody talked."""
        return self.status == ANSWERED_STATUS

    @property
    def is_missed(self) -> bool:
        """Returns whether an inbound call was taken by nobody."""
        return self.direction == "inc" and self.status in MISSED_STATUSES


ABANDONED = ("304", "603-S")
"""The telephone rang, and nobody talked."""
_EFFECTIVE = frozenset((ANSWERED_STATUS, "486", "304", "603", "603-S", "480"))
"""Ends that the network brought to a telephone: answer, busy, no answer, declined (NER of E.425)."""
_LEAST_GAP = -2  # each of the PBX's times is rounded alone
_TOTAL_GAP = 1
_RANG_SECONDS = 5
_CLOCK_OFF_SECONDS = 300
_MOST_UNKNOWN_PCT = 20

Told = Mapping[int, Sequence["ToldResult"]]
"""Results by the second in which their call began."""


@dataclass(slots=True)
class ToldResult:
    """A call result: its line, its numbers, and the wait and talk where it tells of an answer.

    `in_period`: it was received in the period. `has_call` becomes true where a call of it is found.
    """

    line: str | None
    numbers: tuple[str | None, str | None]
    wait: int | None
    talk: int | None
    in_period: bool
    has_call: bool = False


@dataclass(slots=True)
class Cell:
    """Calls of one kind.

    `gaps` (held - duration) are those of answered calls: of all whose times can be believed, for the votes, and of
    those without a usable result, for the waits. `waits` and `talk_told` are what results tell. `held` and durations
    are those of calls that nobody answered.
    """

    calls: int = 0
    clock_off: int = 0
    votes: Counter[int] = field(default_factory=Counter)
    gaps: Counter[int | None] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    talk_told: int = 0
    talk_told_calls: int = 0
    talk: int = 0
    talk_calls: int = 0
    held: Counter[tuple[int | None, int | None]] = field(default_factory=Counter)

    def add(self, rows: Sequence[KpiRow], told: Told, *, is_answered: bool) -> None:
        """Counts the calls; answered calls that are in `told` by what their result tells."""
        self.calls += len(rows)
        self.clock_off += sum(abs(row[8]) > _CLOCK_OFF_SECONDS for row in rows)
        results = [(row, _result_of(row, told[row[4]])) for row in rows if row[4] in told] if told else []
        if not is_answered:
            self.held.update([(row[7], row[6]) for row in rows])
            return
        gaps = [_gap(row) for row in rows]
        self._vote(rows, gaps)
        self.gaps.update(gaps)
        durations = [row[6] for row in rows if row[6] is not None and row[6] >= 0]
        self.talk += sum(durations)
        self.talk_calls += len(durations)
        for row, result in results:
            if result is not None and result.wait is not None and result.talk is not None:
                self._replace(row, result.wait, result.talk)

    def _vote(self, rows: Sequence[KpiRow], gaps: Sequence[int | None]) -> None:
        """Counts the gaps of calls whose times can be believed."""
        known = ((gap, row) for gap, row in zip(gaps, rows, strict=True) if gap is not None and gap >= _LEAST_GAP)
        self.votes.update([gap for gap, row in known if (row[7] or 0) >= 0 and (row[6] or 0) >= 0])

    def _replace(self, row: KpiRow, wait: int, talk: int) -> None:
        """Takes what the result tells in place of what the call's own times tell."""
        self.gaps[_gap(row)] -= 1
        if row[6] is not None and row[6] >= 0:
            self.talk -= row[6]
            self.talk_calls -= 1
        self.waits[wait] += 1
        self.talk_told += talk
        self.talk_told_calls += 1

    def known_waits(self, *, is_talk: bool) -> Counter[int | None]:
        """Returns how often callers waited so many seconds until the answer; None where that is not known."""
        waits: Counter[int | None] = Counter(self.waits)
        for gap, calls in self.gaps.items():
            waits[known_wait(gap) if is_talk else None] += calls
        return waits

    def known_talk(self, *, is_talk: bool) -> tuple[int, int]:
        """Returns the seconds of talk, and of how many calls they are known."""
        if is_talk:
            return self.talk + self.talk_told, self.talk_calls + self.talk_told_calls
        return self.talk_told, self.talk_told_calls


def _gap(row: KpiRow) -> int | None:
    """Returns how much longer the call held a line than its duration says."""
    held, duration = row[7], row[6]
    return None if held is None or duration is None else held - duration


def known_wait(seconds: int | None) -> int | None:
    """Returns the wait: a little less than nothing is nothing, for the PBX rounds its times; None below that."""
    return None if seconds is None or seconds < _LEAST_GAP else max(0, seconds)


def _result_of(row: KpiRow, results: Iterable[ToldResult]) -> ToldResult | None:
    """Returns the result of the call among those of its second: with its line and its number."""
    found = None
    for result in results:
        if row[9] is not None and result.line == row[10] and row[9] in result.numbers:
            result.has_call = True
            if found is None or found.wait is None:
                found = result
    return found


class CallTally:
    """The calls of one group, in cells."""

    def __init__(self) -> None:
        self.cells: dict[CallKind, Cell] = defaultdict(Cell)

    def add(self, kind: CallKind, rows: Sequence[KpiRow], told: Told) -> None:
        """Counts calls of this kind."""
        self.cells[kind].add(rows, told, is_answered=kind.is_answered)

    @property
    def clock_off(self) -> int:
        """Returns how many calls began long before or after they were reported."""
        return sum(cell.clock_off for kind, cell in self.cells.items() if kind.is_counted)

    def chosen(self, direction: str, *statuses: str) -> list[Cell]:
        """Returns the cells of calls in this direction that ended, with one of these statuses where any are given."""
        return [
            cell
            for kind, cell in self.cells.items()
            if kind.direction == direction and (kind.status in statuses if statuses else kind.status is not None)
        ]

    def ended(self, direction: str, *statuses: str) -> int:
        """Returns how many calls ended so; without statuses, how many ended."""
        return sum(cell.calls for cell in self.chosen(direction, *statuses))

    def all(self, direction: str) -> int:
        """Returns how many calls there are in this direction, with those that have no end."""
        return sum(cell.calls for kind, cell in self.cells.items() if kind.direction == direction)

    def waits(self, *, is_talk: bool) -> Counter[int | None]:
        """Returns how often inbound callers waited so many seconds for an answer; None: that is not known."""
        waits: Counter[int | None] = Counter()
        for cell in self.chosen("inc", ANSWERED_STATUS):
            waits.update(cell.known_waits(is_talk=is_talk))
        return waits

    def vain_waits(self, *statuses: str) -> Counter[int | None]:
        """Returns how often inbound callers whose calls ended so waited so many seconds; None: not known."""
        waits: Counter[int | None] = Counter()
        for cell in self.chosen("inc", *statuses) if statuses else ():
            for (held, _), calls in cell.held.items():
                waits[known_wait(held)] += calls
        return waits

    def talk(self, direction: str, *, is_talk: bool) -> tuple[int, int]:
        """Returns the seconds of talk in this direction, and of how many calls they are known."""
        return _talk_of(self.chosen(direction, ANSWERED_STATUS), is_talk=is_talk)


def duration_test(tallies: Iterable[CallTally], settings: KpiSettings) -> DurationTest:
    """Returns whether the PBX counts the ringing in `duration`, as its own calls show, or as the settings say."""
    votes: Counter[int] = Counter()
    in_vain: Counter[tuple[int | None, int | None]] = Counter()
    for tally in tallies:
        for cell in (*tally.chosen("inc"), *tally.chosen("out")):
            votes.update(cell.votes)
            in_vain.update(cell.held)
    rang = [
        (held - duration if duration else None, calls)
        for (held, duration), calls in in_vain.items()
        if held is not None and held >= _RANG_SECONDS and duration is not None and duration >= 0
    ]
    total = sum(calls for gap, calls in rang if gap is not None and abs(gap) <= _TOTAL_GAP)
    talk = sum(calls for gap, calls in rang if gap is None)
    all_votes, votes_total = votes.total(), sum(calls for gap, calls in votes.items() if gap <= _TOTAL_GAP)
    verdict = settings.duration_counts or _verdict(all_votes, votes_total, settings.min_votes, is_talk=talk > total)
    return DurationTest(all_votes, votes_total, total, talk, verdict)


def _verdict(votes: int, votes_total: int, min_votes: int, *, is_talk: bool) -> Verdict:
    """Returns the verdict; `is_talk`: more unanswered calls speak for the talk than for the whole call."""
    if votes < min_votes:
        return "too_few"
    if 2 * votes_total <= votes:
        return "talk"
    return "total" if 10 * votes_total >= 9 * votes and not is_talk else "unclear"


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """What is told of each group of calls."""

    inbound: InboundFigures
    service_level: ServiceLevel
    wait: WaitFigures
    talk: TalkFigures
    outbound: OutboundFigures


def group_figures(tally: CallTally, settings: KpiSettings, verdict: Verdict) -> GroupFigures:
    """Returns the figures of a group's calls; waits and talk are those of results alone unless `duration` is talk."""
    is_talk = verdict in ("talk", "too_few")
    inbound = _inbound(tally, settings)
    waits = tally.waits(is_talk=is_talk)
    seconds, calls = tally.talk("inc", is_talk=is_talk)
    return GroupFigures(
        inbound,
        _service_level(inbound, waits, settings.service_seconds),
        _waits(inbound, waits, tally.vain_waits(*MISSED_STATUSES)),
        TalkFigures(rounded(seconds, calls), seconds),
        _outbound(tally, is_talk=is_talk),
    )


def _inbound(tally: CallTally, settings: KpiSettings) -> InboundFigures:
    offered, ended = tally.all("inc"), tally.ended("inc")
    answered = tally.ended("inc", ANSWERED_STATUS)
    by_reason = {status: tally.ended("inc", status) for status in MISSED_STATUSES}
    missed = sum(by_reason.values())
    abandoned = sum(by_reason[status] for status in ABANDONED)
    short = sum(
        calls
        for wait, calls in tally.vain_waits(*ABANDONED).items()
        if wait is not None and wait < settings.short_abandon_seconds
    )
    return InboundFigures(
        offered=offered,
        open=offered - ended,
        ended=ended,
        answered=answered,
        missed=missed,
        other=ended - answered - missed,
        answer_rate_pct=percent(answered, ended),
        missed_by_reason={status: calls for status, calls in by_reason.items() if calls},
        abandoned=abandoned,
        short_abandoned=short,
        turned_away=missed - abandoned,
        abandon_rate_pct=percent(abandoned - short, ended - short),
        abandon_rate_raw_pct=percent(abandoned, ended),
    )


def _service_level(inbound: InboundFigures, waits: Counter[int | None], target: int) -> ServiceLevel:
    within = sum(calls for wait, calls in waits.items() if wait is not None and wait <= target)
    unknown = waits[None]
    if is_no_sample(inbound.answered, unknown):
        return ServiceLevel(within, None, None, None)
    ended = inbound.ended - unknown
    return ServiceLevel(
        answered_within=within,
        net_pct=percent(within, ended - inbound.short_abandoned),
        all_pct=percent(within, ended),
        answered_pct=percent(within, inbound.answered - unknown),
    )


def is_no_sample(answered: int, unknown: int) -> bool:
    """Returns whether so many waits are unknown that the known ones are no sample of all."""
    return 100 * unknown > _MOST_UNKNOWN_PCT * answered


def _waits(inbound: InboundFigures, waits: Counter[int | None], in_vain: Counter[int | None]) -> WaitFigures:
    known = {wait: calls for wait, calls in waits.items() if wait is not None and calls}
    if is_no_sample(inbound.answered, waits[None]):
        known = {}
    return WaitFigures(
        asa_s=rounded(sum(wait * calls for wait, calls in known.items()), sum(known.values())),
        p50_s=percentile(known, 50),
        p90_s=percentile(known, 90),
        longest_answered_s=max(known, default=None),
        longest_unanswered_s=max((wait for wait in in_vain if wait is not None), default=None),
    )


def _outbound(tally: CallTally, *, is_talk: bool) -> OutboundFigures:
    seizures, answered = tally.ended("out"), tally.ended("out", ANSWERED_STATUS)
    return OutboundFigures(
        seizures=seizures,
        answered=answered,
        asr_pct=percent(answered, seizures),
        acd_s=rounded(*tally.talk("out", is_talk=is_talk)),
        ner_pct=percent(tally.ended("out", *_EFFECTIVE), seizures),
    )


def wait_unknown(tally: CallTally, verdict: Verdict) -> int:
    """Returns of how many inbound calls that ended the wait is not known."""
    in_vain = {kind.status for kind in tally.cells if kind.status not in (None, ANSWERED_STATUS)}
    is_talk = verdict in ("talk", "too_few")
    return tally.waits(is_talk=is_talk)[None] + tally.vain_waits(*map(str, in_vain))[None]


def agents(tally: CallTally, verdict: Verdict) -> tuple[AgentFigures, ...]:
    """Returns the inbound calls that ended by extension: the most calls first, then by name."""
    is_talk = verdict in ("talk", "too_few")
    cells: dict[str, list[tuple[bool, Cell]]] = defaultdict(list)
    for kind, cell in tally.cells.items():
        if kind.is_inbound and kind.status is not None and kind.peer is not None:
            cells[kind.peer].append((kind.is_answered, cell))
    return tuple(sorted((_agent(peer, of_peer, is_talk=is_talk) for peer, of_peer in cells.items()), key=_agents_place))


def _agents_place(agent: AgentFigures) -> tuple[int, str]:
    return -agent.offered, agent.peer


def _agent(peer: str, cells: Sequence[tuple[bool, Cell]], *, is_talk: bool) -> AgentFigures:
    offered = sum(cell.calls for _, cell in cells)
    talked = [cell for is_answered, cell in cells if is_answered]
    answered = sum(cell.calls for cell in talked)
    return AgentFigures(
        peer, offered, answered, percent(answered, offered), rounded(*_talk_of(talked, is_talk=is_talk))
    )


def _talk_of(cells: Iterable[Cell], *, is_talk: bool) -> tuple[int, int]:
    known = [cell.known_talk(is_talk=is_talk) for cell in cells]
    return sum(seconds for seconds, _ in known), sum(calls for _, calls in known)


def percentile(values: Mapping[int, int] | Iterable[int], percent: int) -> int | None:
    """Returns the nearest-rank percentile of values, or of values with their numbers: always one of the values."""
    counts: Mapping[int, int] = values if isinstance(values, Mapping) else Counter(values)
    rank = -(-percent * sum(counts.values()) // 100)
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    return None
