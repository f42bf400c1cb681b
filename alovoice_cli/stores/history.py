"""A caller's past calls in the event store, for rules with `spoke_within` and similar conditions; a caller is waiting.

Read-only, with one connection for each thread. Every error raises: the caller of this module then gives the fallback
step.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from alovoice_cli.events.event import ANSWERED_STATUS, MISSED_STATUSES
from alovoice_cli.events.missed import REPORTED_APART_SECONDS, RING_GROUP_SECONDS
from alovoice_cli.store_urls import is_server_url
from alovoice_cli.stores.event_engine import ReadOnlyStore, marks, store_exists

BUSY_SECONDS = 0.1
_SLOW_SECONDS = 0.5
_THIS_CALL_SECONDS = 120

# Their values: the number, since, until, until (unix seconds), and with _BEFORE the beginning of the present call.
_OF_NUMBER = "number = ? AND reported_at >= ? AND reported_at <= ? AND trial = 0"
_OVER = "coalesce(ended_at, reported_at) <= ?"
# The present call may have been reported before its route question. A call that is over, or that began a while ago, is
# another one: its end may be lost.
_BEFORE = f"(status IS NOT NULL AND {_OVER} OR reported_at < ?)"

LAST_PEER = (
    f"SELECT peer FROM call WHERE {_OF_NUMBER} AND {_OVER} AND status = '{ANSWERED_STATUS}'"  # noqa: S608 - constants
    " AND coalesce(peer, '') <> '' ORDER BY reported_at DESC LIMIT 1"
)
CALLS = f"SELECT count(*) FROM call WHERE {_OF_NUMBER} AND {_BEFORE} AND direction = 'inc'"  # noqa: S608 - constants
# As in `events.missed.ring_group`: another telephone that rang for the same caller was answered.
_ANSWERED_BESIDE = (
    "SELECT 1 FROM call AS beside WHERE beside.number = call.number"  # noqa: S608 - constants
    f" AND beside.reported_at BETWEEN call.reported_at - {REPORTED_APART_SECONDS}"
    f" AND call.reported_at + {REPORTED_APART_SECONDS}"
    " AND coalesce(beside.line, '') = coalesce(call.line, '') AND beside.direction = 'inc' AND beside.trial = 0"
    f" AND beside.status = '{ANSWERED_STATUS}' AND abs(coalesce(beside.started_at, beside.reported_at)"
    f" - coalesce(call.started_at, call.reported_at)) <= {RING_GROUP_SECONDS}"
    " AND coalesce(beside.ended_at, beside.reported_at) <= ?"
)
MISSED = (
    f"SELECT count(*) FROM call WHERE {_OF_NUMBER} AND {_OVER} AND direction = 'inc'"  # noqa: S608 - constants
    f" AND status IN ({marks(MISSED_STATUSES)}) AND NOT EXISTS ({_ANSWERED_BESIDE})"
)


class StoredPast:
    """The store's calls; `as_of` gives the past at a moment. For any thread.

    Raises OSError or the database's errors, within a tenth of a second if another process locks the store.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._patience = _Patience() if is_server_url(url) else None
        self._own = threading.local()

    @property
    def exists(self) -> bool:
        """Returns whether there is a store."""
        return store_exists(self._url)

    def as_of(self, moment: datetime) -> "StoredHistory":
        """Returns the past as it was known at this (aware) moment, also for an earlier question."""
        return StoredHistory(self, int(moment.timestamp()))

    def ask(self, statement: str, values: tuple[object, ...]) -> Any:
        """Returns the first value of the statement's first row, None without one."""
        store: ReadOnlyStore | None = getattr(self._own, "store", None)
        if store is None:
            store = self._own.store = ReadOnlyStore(self._url, busy_seconds=BUSY_SECONDS)
        asking = self._patience.asking() if self._patience is not None else nullcontext()
        with asking, store.connected() as connection:
            row = connection.execute(statement, values).fetchone()
        return row[0] if row else None


class _Patience:
    """Limits the waiting for a silent server to one thread; all others fail at once, because a caller waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}  # by thread
        self._is_away = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Marks this thread as waiting. Raises OSError if another thread waits in vain."""
        own, now = threading.get_ident(), time.monotonic()
        with self._lock:
            waits = [now - since for since in self._since.values()]
            if waits and (self._is_away or max(waits) > _SLOW_SECONDS):
                raise OSError("the event store does not answer")
            self._since[own] = now
        is_away = True
        try:
            yield
            is_away = False
        finally:
            with self._lock:
                self._is_away = is_away
                del self._since[own]


class StoredHistory:
    """The answers to rules about the past (routing.history), as known at one moment (unix seconds)."""

    def __init__(self, past: StoredPast, until: int) -> None:
        self._past, self._until = past, until

    def last_peer(self, number: str, since: datetime) -> str | None:
        """Returns the extension of the number's last answered call, in either direction."""
        peer: str | None = self._past.ask(LAST_PEER, self._values(number, since))
        return peer

    def calls(self, number: str, since: datetime) -> int:
        """Returns how often the number has called; a call of the last two minutes counts after its end."""
        return int(self._past.ask(CALLS, (*self._values(number, since), self._until - _THIS_CALL_SECONDS)))

    def missed(self, number: str, since: datetime) -> int:
        """Returns how many of its calls nobody answered on any telephone of the ring group."""
        return int(self._past.ask(MISSED, (*self._values(number, since), *MISSED_STATUSES, self._until)))

    def _values(self, number: str, since: datetime) -> tuple[object, ...]:
        return (number, int(since.timestamp()), self._until, self._until)
