"""Searches the events for calls that were placed, with the ledger and the event store."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.call_evidence import HORIZON, MICRO, SKEW, EvidenceFinder
from alovoice_cli.batch.placed_call import PlacedCall, read_receipt
from alovoice_cli.batch.resolve import LEARN_DAYS, CallVerdict, Delays, is_listening, learn, resolve
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.moments import ClockTime, from_unix, parse_zone, unix_microseconds

if TYPE_CHECKING:
    from alovoice_cli.session import Session

POLL_SECONDS = 0.5
_CHUNK = 500
_NEAR = timedelta(microseconds=HORIZON + SKEW)


class CallSearch:
    """Searches one PBX's events, read anew each time. Without an event store nobody ever listened."""

    def __init__(self, session: "Session", store: str | None = None) -> None:
        self._session, self._profile = session, session.settings.profile
        self.store = session.event_store(store)
        self._delays: Delays | None = None

    @property
    def clock(self) -> ClockTime:
        """Returns the present moment in the profile's time zone."""
        return ClockTime(self._session.now(), parse_zone(self._session.settings.timezone, "the profile's timezone"))

    @property
    def uptimes(self) -> list[Uptime]:
        """Returns when listeners ran."""
        return self.store.uptimes() if self.store.exists else []

    def unknown(self) -> list[PlacedCall]:
        """Returns the calls whose outcome is unknown, oldest first."""
        entries = reversed(self._session.ledger.receipts())
        found = (read_receipt(entry) for entry in entries if entry.profile == self._profile)
        return [asked for asked in found if asked is not None and asked.outcome == "unknown"]

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
        """Looks until `is_done` holds for all calls, no listener runs, or `patience` is over."""
        deadline = time.monotonic() + patience.total_seconds()
        while True:
            verdicts = self.look(wanted)
            left = deadline - time.monotonic()
            if left <= 0 or not self.is_listened() or all(map(is_done, verdicts)):
                return verdicts
            time.sleep(min(POLL_SECONDS, left))

    def is_listened(self) -> bool:
        """Returns whether a listener runs now: without a listener nothing more can come."""
        now = unix_microseconds(self._session.now())
        return is_listening(self.uptimes, now)

    def _gather(self, wanted: Sequence[PlacedCall]) -> EvidenceFinder:
        """Collects the evidence for these calls, with all other calls that could be taken for one of them."""
        ids = {asked.our_id for asked in wanted} - {""}
        numbers = {number for asked in wanted for number in asked.numbers}
        others = [*self._since(min((asked.begun_at for asked in wanted), default=0)), *self._bearing(ids)]
        near = [other for other in others if other.our_id in ids or numbers & {*other.numbers}]
        return self._traces({asked.receipt: asked for asked in (*near, *wanted)}.values())

    def _learned(self, now: int) -> Delays:
        if self._delays is None:
            since = now - LEARN_DAYS * 24 * 3600 * MICRO
            self._delays = learn(self._traces(self._since(since)), now)
        return self._delays

    def _since(self, moment: int) -> list[PlacedCall]:
        begun = from_unix(moment // MICRO, self.clock.zone)
        entries = self._session.ledger.receipts(since=None if begun is None else begun - _NEAR)
        return self._ours(read_receipt(entry) for entry in entries)

    def _bearing(self, ids: set[str]) -> list[PlacedCall]:
        return self._ours(read_receipt(entry) for entry in self._session.ledger.receipts_of(ids))

    def _ours(self, found: Iterable[PlacedCall | None]) -> list[PlacedCall]:
        return [asked for asked in found if asked is not None and asked.profile == self._profile]

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
