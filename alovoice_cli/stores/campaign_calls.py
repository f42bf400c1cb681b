"""The calls of the event store to the numbers of a campaign's list: results, and starts with their ends."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from alovoice_cli.campaigns.attempts import CampaignCall
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import ANSWERED_STATUS
from alovoice_cli.stores.event_engine import Connection, ReadOnlyStore, explained_store, marks

_CHUNK = 500
_MICRO = 1_000_000
_TOLD = """SELECT type, number, line, started_at, received_at, call_id, external_id, direction, peer, status, duration,
    answered_at, ended_at FROM fact WHERE number IN ({}) AND type IN ('callstart', 'result')
    AND (started_at BETWEEN ? AND ? OR received_at BETWEEN ? AND ?) AND duplicate_of IS NULL AND trial = 0
    ORDER BY seq, part"""
_ENDS = """SELECT call_id, status, duration, ended_at FROM fact WHERE call_id IN ({}) AND type = 'callend'
    AND duplicate_of IS NULL AND trial = 0 ORDER BY seq, part"""
_UPTIMES = "SELECT began_at, seen_at, ended_at FROM uptime ORDER BY began_at"


class CampaignCalls:
    """The store at this URL, for reading only; a reader never delays a listener.

    The methods raise UsageError naming the file: missing, damaged, or busy for longer than `busy_seconds`.
    """

    def __init__(self, url: str, *, busy_seconds: float = 5.0) -> None:
        self._url = url
        self._store = ReadOnlyStore(url, busy_seconds=busy_seconds)

    @property
    def exists(self) -> bool:
        """Returns whether a listener has ever made the store."""
        return self._store.exists

    def to_numbers(self, numbers: Iterable[str], since: int, until: int) -> Iterator[CampaignCall]:
        """Yields the calls of this period (unix seconds) to these canonical numbers, by the index of numbers.

        Yields calls that began in the period and calls that were received in it: their own time may be wrong, or
        missing. Repeated deliveries and made-up calls are left out.
        """
        rest = iter(numbers)
        while part := tuple(islice(rest, _CHUNK)):
            with explained_store(self._url), self._store.connected() as connection:
                found = list(_calls(connection, part, since, until))
            yield from found

    def uptimes(self) -> list[Uptime]:
        """Returns when listeners ran, oldest first."""
        with explained_store(self._url), self._store.connected() as connection:
            return [Uptime(*row) for row in connection.execute(_UPTIMES)]

    def close(self) -> None:
        """Closes the connection."""
        self._store.close()


def _calls(connection: Connection, numbers: tuple[str, ...], since: int, until: int) -> Iterator[CampaignCall]:
    times = (since, until, since * _MICRO, until * _MICRO)
    rows = connection.execute(_TOLD.format(marks(numbers)), (*numbers, *times)).fetchall()
    calls = [_call(*row) for row in rows]
    ids = sorted({call.id for call in calls if call.id is not None and not call.is_result})
    ends: dict[str, list[tuple[str | None, int | None, int | None]]] = {}
    for call_id, *end in connection.execute(_ENDS.format(marks(ids)), ids):
        ends.setdefault(call_id, []).append((end[0], end[1], end[2]))
    for call in calls:
        yield call if call.is_result else _ended(call, ends.get(call.id or "", []))


def _call(kind: str, number: str, line: str | None, begin: int | None, received_at: int, *more: Any) -> CampaignCall:
    seconds = received_at // _MICRO
    call = CampaignCall(kind == "result", number, line, seconds if begin is None else begin, seconds, *more)
    return call._replace(has_begin=begin is not None)


def _ended(call: CampaignCall, ends: list[tuple[str | None, int | None, int | None]]) -> CampaignCall:
    """Returns the call with its last end that is not earlier: a CRM may use its own ids twice."""
    for status, duration, ended_at in reversed(ends):
        if ended_at is None or ended_at >= call.begin:
            was_answered = any(end[0] == ANSWERED_STATUS for end in ends)
            return call._replace(status=status, duration=duration, ended_at=ended_at, was_answered=was_answered)
    return call
