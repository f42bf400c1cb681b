"""Did it ring? Gives one of five answers, from the request and from the listener's events.

Silence never means "safe". "Did not ring" needs positive evidence: the request never left, the PBX refused it, or a
call with our id ended with a status that proves it. What happens to other requests (a token revoked later, an account
without money) proves nothing about this request.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from alovoice_cli.batch.call_evidence import (
    HORIZON,
    MICRO,
    SKEW,
    CallEvidence,
    EvidenceFinder,
    EvidenceFound,
    PlacedCall,
    read_receipt,
)
from alovoice_cli.errors import ExitCode
from alovoice_cli.events.coverage import ListenerGap, Uptime, cover
from alovoice_cli.events.filters import Period
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.receipts import Receipt

if TYPE_CHECKING:
    from alovoice_cli.session import Session


Answer = Literal["rang", "did_not_ring", "no_trace_yet", "cannot_know", "two_candidates"]
Basis = Literal["id", "number_and_time", "receipt"]
Why = Literal[
    "never_left",
    "refused",
    "status",
    "begun",
    "unclear_status",
    "silence",
    "listener_down",
    "never_listened",
    "nothing_to_join",
    "ambiguous",
]

NOT_RUNG = frozenset({"404", "484", "503", "402"})
"""Statuses of a callend after which nobody was rung: bad number, direction not available, no money (section 6)."""
_RANG = frozenset(
    {"200", "304", "480", "486", "603", "603-S", "ANSWER", "ANSWERED", "NOANSWER", "NO ANSWER", "BUSY", "CANCEL"}
)
"""Statuses of calls that reached a person, or may have: codes of the document, and words of results."""
ANSWERED = frozenset({"200", "ANSWER", "ANSWERED"})

LEARN_DAYS = 30
_PULSE = 15 * MICRO  # the listener gives a sign of life every ten seconds


@dataclass(frozen=True, slots=True)
class Delays:
    """The longest time, in seconds, after which one of `n` calls of the last 30 days appeared in the store."""

    n: int = 0
    slowest: float | None = None


@dataclass(frozen=True, slots=True)
class Listened:
    """Whether a listener ran for this request: `since` when without a gap (None: not now), and the gaps."""

    since: int | None = None
    gaps: tuple[ListenerGap, ...] = ()
    ever: bool = True


@dataclass(frozen=True, slots=True)
class CallVerdict:
    """An answer and its evidence. `is_over`: the call's end is known, so no further event is expected."""

    asked: PlacedCall
    answer: Answer
    why: Why
    basis: Basis | None = None
    traces: tuple[CallEvidence, ...] = ()
    rivals: tuple[str, ...] = ()
    listened: Listened = field(default_factory=Listened)
    delays: Delays = field(default_factory=Delays)
    is_over: bool = False

    @property
    def is_settled(self) -> bool:
        """Returns whether the question "did it ring" has a certain answer."""
        return self.answer in ("rang", "did_not_ring")

    @property
    def resend_safe(self) -> bool:
        """Returns whether a repeated request can ring nobody twice: true on positive evidence alone."""
        return self.answer == "did_not_ring"

    @property
    def exit_code(self) -> ExitCode:
        """Returns 0 for rang, 1 for did not ring, 6 for an unknown outcome."""
        return _CODES.get(self.answer, ExitCode.UNKNOWN_OUTCOME)


_CODES = {"rang": ExitCode.DONE, "did_not_ring": ExitCode.REFUSED}


def resolve(
    asked: PlacedCall, traces: EvidenceFinder, uptimes: Sequence[Uptime], now: int, delays: Delays | None = None
) -> CallVerdict:
    """Returns the answer for this request, which must be one of the requests of `traces`.

    `now` is in unix microseconds.
    """
    found = traces.of(asked)
    if found.certain:
        return _judge(asked, found.certain)
    if found.shared and asked.may_have_rung:
        return CallVerdict(asked, "two_candidates", "ambiguous", "id", traces=found.shared, rivals=found.rivals)
    if not asked.may_have_rung:
        return CallVerdict(asked, "did_not_ring", _REFUSALS[asked.outcome], "receipt", is_over=True)
    return _by_chance(asked, found, listened(asked, uptimes, now), delays or Delays())


_REFUSALS: dict[str, Why] = {"unsent": "never_left", "refused": "refused"}


def _judge(asked: PlacedCall, traces: Sequence[CallEvidence]) -> CallVerdict:
    """Judges events that certainly belong to this request. Evidence that it rang outweighs all other evidence."""
    own = tuple(traces)
    if any(_rang(asked, trace) for trace in own):
        return CallVerdict(asked, "rang", "status", "id", own, is_over=True)
    if all(trace.source == "call" for trace in own) and any(trace.status is None for trace in own):
        return CallVerdict(asked, "rang", "begun", "id", own)
    if any(trace.source == "call" and trace.status in NOT_RUNG for trace in own) and _nobody_before(asked, own):
        return CallVerdict(asked, "did_not_ring", "status", "id", own, is_over=True)
    return CallVerdict(asked, "cannot_know", "unclear_status", "id", own)


def _rang(asked: PlacedCall, trace: CallEvidence) -> bool:
    """Returns whether the call reached a person. In `call out` that is the number: our own extension rings first."""
    reached = {number for number, word in trace.tried if word.upper() in _RANG}
    if asked.kind == "out":
        reached &= {*asked.numbers}
    return is_answered(trace) or trace.status in _RANG or bool(reached)


def is_answered(trace: CallEvidence) -> bool:
    """Returns whether somebody talked."""
    return trace.status in ANSWERED or bool(trace.answered_at) or bool(trace.duration)


def _nobody_before(asked: PlacedCall, traces: Sequence[CallEvidence]) -> bool:
    """Returns whether the status is the initiator's: in a conference the initiator may have rung before the others.

    Only a result that lists the initiator alone proves that.
    """
    if asked.kind != "conference":
        return True
    tried = [trace.tried for trace in traces if trace.tried]
    return bool(tried) and all(len(legs) == 1 and legs[0][0] == asked.numbers[0] for legs in tried)


def _by_chance(asked: PlacedCall, found: EvidenceFound, listened: Listened, delays: Delays) -> CallVerdict:
    """Judges calls that fit only by number, line and time, and silence."""
    calls = found.loose
    if len(calls) > 1 or found.rivals:
        return CallVerdict(asked, "two_candidates", "ambiguous", "number_and_time", calls, found.rivals, listened)
    if calls and (_rang(asked, calls[0]) or calls[0].status is None):
        is_over = calls[0].status is not None
        why: Why = "status" if is_over else "begun"
        return CallVerdict(asked, "rang", why, "number_and_time", calls, (), listened, is_over=is_over)
    # Without our id, a call that did not ring proves nothing: our own call may still come.
    basis: Basis | None = "number_and_time" if calls else None
    if not asked.our_id and not asked.numbers:
        return CallVerdict(asked, "cannot_know", "nothing_to_join", listened=listened)
    if not listened.ever or listened.gaps:
        why = "listener_down" if listened.ever else "never_listened"
        return CallVerdict(asked, "cannot_know", why, basis, calls, (), listened)
    return CallVerdict(asked, "no_trace_yet", "silence", basis, calls, (), listened, delays)


def listened(asked: PlacedCall, uptimes: Iterable[Uptime], now: int) -> Listened:
    """Returns whether a listener ran from the request until now, or until no call can begin any more."""
    uptimes = [_certain(uptime, now) for uptime in uptimes]
    until = min(now, asked.begun_at + HORIZON)
    covered = cover(uptimes, Period(until=max(until, asked.begun_at + 1)), max(now, asked.begun_at + 1))
    if covered.begin is None:
        return Listened(ever=False)
    gaps = [gap for gap in covered.gaps if gap.end > asked.begun_at]
    if covered.begin > asked.begun_at:
        gaps.insert(0, ListenerGap(asked.begun_at, covered.begin))
    since = max((gap.end for gap in covered.gaps if gap.end <= asked.begun_at), default=covered.begin)
    return Listened(None if gaps else since, tuple(gaps))


def is_listening(uptimes: Iterable[Uptime], now: int) -> bool:
    """Returns whether a listener runs at this moment: without a listener no further event comes."""
    return any(_certain(uptime, now).until(now) >= now for uptime in uptimes)


def _certain(uptime: Uptime, now: int) -> Uptime:
    """Returns the uptimes that are certain: a listener that missed its sign of life counts up to its last sign."""
    silent = uptime.ended_at is None and now - uptime.seen_at > _PULSE
    return uptime._replace(ended_at=uptime.seen_at) if silent else uptime


def learn(traces: EvidenceFinder, now: int) -> Delays:
    """Measures how long the calls of the last 30 days took to appear: certain calls, and calls without a rival."""
    since = now - LEARN_DAYS * 24 * 3600 * MICRO
    shown = []
    for asked in traces.asked:
        if asked.begun_at < since or not asked.may_have_rung:
            continue
        found = traces.of(asked)
        calls = found.certain or (found.loose if len(found.loose) == 1 and not found.rivals else ())
        if calls:
            shown.append(max(min(trace.heard_at for trace in calls) - asked.begun_at, 0) / MICRO)
    return Delays(len(shown), max(shown, default=None))


POLL_SECONDS = 0.5
_CHUNK = 500
_NEAR = timedelta(microseconds=HORIZON + SKEW)


class CallSearch:
    """Searches the events of one PBX, read anew each time. Without an event store no listener ever ran."""

    def __init__(self, session: "Session", store: str | None = None) -> None:
        self._session, self._profile = session, session.settings.profile
        self.store = session.event_store(store)
        self._delays: Delays | None = None

    @property
    def uptimes(self) -> list[Uptime]:
        """Returns when listeners of this store ran: what an import says of other times makes no call certain."""
        return [uptime for uptime in self.store.uptimes() if not uptime.imported] if self.store.exists else []

    def unknown(self) -> list[PlacedCall]:
        """Returns the calls whose outcome is unknown, oldest first."""
        entries = reversed(self._session.ledger.receipts())
        return [asked for asked in self._ours(entries) if asked.outcome == "unknown"]

    def look(self, wanted: Sequence[PlacedCall]) -> list[CallVerdict]:
        """Returns what is known of these calls now."""
        now = unix_microseconds(self._session.now())
        traces, uptimes = self._gather(wanted), self.uptimes
        verdicts = [resolve(asked, traces, uptimes, now) for asked in wanted]
        return [
            resolve(verdict.asked, traces, uptimes, now, self._learned(now))
            if verdict.answer == "no_trace_yet"
            else verdict
            for verdict in verdicts
        ]

    def watch(
        self, wanted: Sequence[PlacedCall], patience: timedelta, is_done: Callable[[CallVerdict], bool]
    ) -> list[CallVerdict]:
        """Looks until `is_done` holds for all calls, no listener runs, or `patience` has passed."""
        deadline = time.monotonic() + patience.total_seconds()
        while True:
            verdicts = self.look(wanted)
            left = deadline - time.monotonic()
            if left <= 0 or not self.is_listened() or all(map(is_done, verdicts)):
                return verdicts
            time.sleep(min(POLL_SECONDS, left))

    def is_listened(self) -> bool:
        """Returns whether a listener runs now: without a listener no further event comes."""
        now = unix_microseconds(self._session.now())
        return is_listening(self.uptimes, now)

    def _gather(self, wanted: Sequence[PlacedCall]) -> EvidenceFinder:
        """Collects the evidence for these calls, with all other calls that could be taken for one of them."""
        ids = {asked.our_id for asked in wanted} - {""}
        numbers = {number for asked in wanted for number in asked.numbers}
        others = [
            *self._since(min((asked.begun_at for asked in wanted), default=0)),
            *self._ours(self._session.ledger.receipts_of(ids)),
        ]
        near = [other for other in others if other.our_id in ids or numbers & {*other.numbers}]
        return self._traces({asked.receipt: asked for asked in (*near, *wanted)}.values())

    def _learned(self, now: int) -> Delays:
        if self._delays is None:
            since = now - LEARN_DAYS * 24 * 3600 * MICRO
            self._delays = learn(self._traces(self._since(since)), now)
        return self._delays

    def _since(self, moment: int) -> list[PlacedCall]:
        begun = datetime.fromtimestamp(moment / MICRO, UTC)
        return self._ours(self._session.ledger.receipts(since=begun - _NEAR))

    def _ours(self, entries: Iterable[Receipt]) -> list[PlacedCall]:
        """Returns the calls of this PBX among the receipts."""
        found = (read_receipt(entry) for entry in entries if entry.profile == self._profile)
        return [asked for asked in found if asked is not None]

    def _traces(self, asked: Collection[PlacedCall]) -> EvidenceFinder:
        if not self.store.exists or not asked:
            return EvidenceFinder(list(asked))
        ids = sorted({each.our_id for each in asked if each.our_id})
        results = [
            event
            for at in range(0, len(ids), _CHUNK)
            for event in self.store.related((), ids[at : at + _CHUNK])
            if not event.is_trial
        ]
        since = min(each.begun_at for each in asked) - SKEW
        calls = self.store.calls_with({number for each in asked for number in each.numbers}, since // MICRO)
        return EvidenceFinder(list(asked), results, [*calls, *self.store.calls_by_id(ids).values()])
