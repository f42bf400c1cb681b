"""The event store on a server for a listener's writer: one of several writers, and the server may become unreachable.

The writer's thread never waits for a connection: another thread opens it. An unanswered request is given up after some
seconds. The storing transaction itself finds deliveries that another listener has received already.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from alovoice_cli.errors import AlovoiceError, UsageError
from alovoice_cli.events.answers import kept_answer
from alovoice_cli.events.duplicates import REPEATABLE, WINDOW_SECONDS
from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.event_assembly import UNANSWERED, FirstDelivery, repeated
from alovoice_cli.stores.event_engine import Connection, is_lost, open_event_store
from alovoice_cli.stores.event_file import BUSY_SECONDS, Change, Committed, EventFile, KnownFirst, QueuedFor
from alovoice_cli.stores.event_rows import QueuedDelivery
from alovoice_cli.stores.postgres import NOTICES_LOST_CLIENTS, ServerConnection, load_driver, server_error, set_session
from alovoice_cli.stores.row_values import json_of
from alovoice_cli.stores.server_owner import OUTBOX_CHANNEL, SPOOL_LOCK

_START_SECONDS = 12.0
_CONNECT_SECONDS = 3.0
_COMMIT_SECONDS = 5.0
_LONG_SECONDS = 60.0
"""For a thousand deliveries of a spool at once, on a busy server."""
_OTHERS_SECONDS = 3.0
_MOST_DIGESTS = 500
_MICRO = 1_000_000
# A listener that loses its network within a transaction must not delay the others.
_SESSION = {**NOTICES_LOST_CLIENTS, "idle_in_transaction_session_timeout": "5000"}
_LOCK = "SELECT pg_advisory_lock_shared(hashtextextended(?, 0))"
_UNLOCK = "SELECT pg_advisory_unlock_shared(hashtextextended(?, 0))"
_FIRSTS = """SELECT fact.digest, delivery.id, fact.received_at, fact.answer FROM fact
    JOIN delivery ON delivery.seq = fact.seq WHERE fact.digest = ANY(?) AND fact.received_at BETWEEN ? AND ?
    AND fact.duplicate_of IS NULL AND fact.part = 0 ORDER BY fact.seq"""


class EventServer(EventFile):
    """One store on a server, opened for writing. Methods raise at once if there is no connection."""

    def __init__(self, url: str, complain: Callable[[str], None], queued: QueuedFor) -> None:
        load_driver()
        super().__init__(url, complain, queued)
        self._is_taking_back = self._is_spooling = False
        self._tells_forwarders = bool(queued.call_targets or queued.notice_targets)
        self._connector = _Connector(url)
        self._limit = _TimeLimit()

    def open(self) -> None:
        """Opens the store; an unreachable server is tried again later.

        Raises UsageError for a store of a newer version, and for a malformed URL.
        """
        self._connector.begin()
        self._connector.wait(_START_SECONDS)
        with suppress(_NotConnectedError):
            self._connection()

    def store(self, events: Sequence[Event], changes: Iterable[Change] = ()) -> Committed:
        """Stores as EventFile.store does; gives up if the server does not answer."""
        with self._limited(_COMMIT_SECONDS):
            return super().store(events, changes)

    def note_spooling(self, *, is_spooling: bool) -> None:
        """Tells other listeners as EventFile does.

        Meanwhile nobody forwards: this spool may have the start of a call whose end is stored.

        A new connection repeats this until it ends.
        """
        if self._opened is None or is_lost(self._opened) or is_spooling is self._is_spooling:
            return
        with self._limited(_COMMIT_SECONDS):
            self._opened.execute(_LOCK if is_spooling else _UNLOCK, (SPOOL_LOCK,))
        self._is_spooling = is_spooling

    def take_back(self, events: Sequence[Event], changes: Iterable[Change] = ()) -> list[Event]:
        """Stores as EventFile.take_back does; queued actions wait some seconds for the spools of other listeners."""
        with self._limited(_LONG_SECONDS):
            self._is_taking_back = True
            try:
                return super().take_back(events, changes)
            finally:
                self._is_taking_back = False

    def _queued_for(self, event: Event) -> Sequence[QueuedDelivery]:
        queued = super()._queued_for(event)
        if not self._is_taking_back:
            return queued
        after = time.time() - event.delivery.received_at / _MICRO + _OTHERS_SECONDS
        return [replace(one, after_seconds=max(one.after_seconds, after)) for one in queued]

    def derive(self, events: Sequence[Event]) -> Sequence[Event]:
        """Stores as EventFile.derive does."""
        with self._limited(_LONG_SECONDS):
            return super().derive(events)

    def firsts(self, now_us: int) -> list[KnownFirst]:
        """Returns nothing: the storing transaction looks them up."""
        return []

    def underived(self) -> Iterator[list[Delivery]]:
        """Returns nothing: no version of the program leaves deliveries without derived data on a server."""
        return iter(())

    def close(self) -> None:
        """Closes the connection."""
        self._connector.close()
        super().close()

    def _write(self, connection: Connection, events: Sequence[Event], changes: Iterable[Change]) -> Committed:
        known = _first_deliveries(connection, events)
        firsts = {first.id: first for first in known.values()}
        committed = super()._write(connection, _with_repetitions(events, known), changes)
        if events and (self._tells_forwarders or any(self._queued_for(event) for event in committed.events)):
            connection.execute("SELECT pg_notify(?, '')", (OUTBOX_CHANNEL,))
        return Committed(committed.events, firsts)

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        connection = self._connection()
        try:
            with self._limit.within(connection, seconds):
                yield
        except load_driver().Error as error:
            if is_lost(connection):
                raise server_error(self.url, error) from error
            raise

    def _connection(self) -> Connection:
        if self._opened is not None and is_lost(self._opened):
            lost, self._opened = self._opened, None
            lost.close()
        if self._opened is None:
            self._opened, self._is_spooling = self._connector.take(), True
        return self._opened


def _first_deliveries(connection: Connection, events: Sequence[Event]) -> dict[str, FirstDelivery]:
    """Returns the first deliveries that other listeners stored, by the id of the event with the same content."""
    asked = [one for one in events if one.delivery.type in REPEATABLE and one.duplicate_of is None and one.digest]
    found: dict[str, FirstDelivery] = {}
    for start in range(0, len(asked), _MOST_DIGESTS):
        part = asked[start : start + _MOST_DIGESTS]
        moments = [one.delivery.received_at for one in part]
        window = WINDOW_SECONDS * _MICRO
        digests = sorted({one.digest for one in part})
        rows = connection.execute(_FIRSTS, (digests, min(moments) - window, max(moments) + window)).fetchall()
        for event in part:
            near = (row for row in rows if _says_the_same(event, row[0], row[2]))
            if (row := next(near, None)) is not None:
                found[event.delivery.id] = _first_delivery(row[1], row[3])
    return found


def _says_the_same(event: Event, digest: str, received_at: int) -> bool:
    return digest == event.digest and abs(received_at - event.delivery.received_at) <= WINDOW_SECONDS * _MICRO


def _first_delivery(own_id: str, text: str | None) -> FirstDelivery:
    answer: Any = json_of(text) if text else None
    return FirstDelivery(own_id, kept_answer(answer, own_id), is_asked_elsewhere=answer == UNANSWERED)


def _with_repetitions(events: Sequence[Event], known: dict[str, FirstDelivery]) -> list[Event]:
    """Returns the events, marked if they repeat a delivery of another listener, or a repetition of it."""
    if not known:
        return list(events)
    firsts = ((known.get(event.duplicate_of or event.delivery.id), event) for event in events)
    return [event if first is None else repeated(event, first) for first, event in firsts]


class _NotConnectedError(UsageError):
    """There is no connection now; one is being opened."""


class _Connector:
    """Opens connections in its own thread, so that an unanswered attempt delays nobody."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._made: Connection | None = None
        self._trouble: AlovoiceError | None = None
        self._is_closed = False

    def begin(self) -> None:
        """Starts to connect, unless an attempt is running."""
        with self._lock:
            if self._thread is None and self._made is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="store-connector", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> None:
        """Waits for the end of the running attempt."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def take(self) -> Connection:
        """Returns an open connection. Raises UsageError if there is none, and starts to open one."""
        with self._lock:
            made, self._made = self._made, None
            trouble = self._trouble
        if made is not None:
            return made
        self.begin()
        if trouble is None:
            raise _NotConnectedError("it is not connected yet")
        if not isinstance(trouble.__cause__, load_driver().Error):
            raise trouble  # for example a newer schema, which stays
        raise _NotConnectedError(f"{trouble}: {(trouble.detail or '').partition(chr(10))[0]}".rstrip(": "))

    def close(self) -> None:
        """Stops opening connections."""
        with self._lock:
            self._is_closed = True
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _run(self) -> None:
        made, trouble = None, None
        try:
            made = open_event_store(self._url, busy_seconds=BUSY_SECONDS, timeout=_CONNECT_SECONDS)
            assert isinstance(made, ServerConnection)
            set_session(made, _SESSION)
            made.execute(_LOCK, (SPOOL_LOCK,))
        except AlovoiceError as error:
            trouble = error
        except Exception as error:
            trouble = server_error(self._url, error)
            trouble.__cause__ = error
        with self._lock:
            self._thread, self._trouble = None, trouble
            if not self._is_closed:
                self._made = made
                return
        if made is not None:
            made.close()


class _TimeLimit:
    """Cuts the connection of a transaction that takes too long: libpq would wait for ever for a silent server."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._until: float | None = None
        self._watched: ServerConnection | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, connection: Connection, seconds: float) -> Iterator[None]:
        """Cuts the connection if the block takes longer than `seconds`."""
        assert isinstance(connection, ServerConnection)
        with self._changed:
            self._watched, self._until = connection, time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-time-limit", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._watched = self._until = None

    def _run(self) -> None:
        while True:
            time.sleep(_LIMIT_TICK_SECONDS)
            with self._changed:
                if self._until is not None and time.monotonic() > self._until and self._watched is not None:
                    _cut(self._watched)
                    self._watched = self._until = None


_LIMIT_TICK_SECONDS = 0.5


def _cut(connection: ServerConnection) -> None:
    """Closes the connection's socket, which ends any wait for it."""
    with suppress(OSError, load_driver().Error), socket.socket(fileno=os.dup(connection.own.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)
