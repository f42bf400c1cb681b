"""The event store in a file for a listener's writer: a connection that is opened again when the store fails.

Only the writer's thread calls the methods. They raise the database's errors, and UsageError if the store cannot be
opened again.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import kept_answer
from alovoice_cli.events.duplicates import MOST_KNOWN, REPEATABLE, WINDOW_SECONDS
from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.event_assembly import FirstDelivery, LateAnswer
from alovoice_cli.language import tr
from alovoice_cli.stores.event_engine import (
    Connection,
    is_busy,
    is_damage,
    is_lost,
    marks,
    open_event_store,
    store_name,
    troubles,
    writing,
)
from alovoice_cli.stores.event_rows import (
    QueuedDelivery,
    QueueMoment,
    insert_deliveries,
    insert_events,
    load_deliveries,
    missing_of,
    newest,
    store_answer,
    underived,
)
from alovoice_cli.stores.event_sqlite import move_aside, sqlite_path
from alovoice_cli.stores.finished_calls import CallTarget, NoticeTarget, queue_finished_calls, queue_notices
from alovoice_cli.stores.row_values import json_of
from alovoice_cli.stores.spool import ListenerUptime

Change = Callable[[Connection], None]
"""A change that is made in the writer's next transaction."""

BUSY_SECONDS = 2.0
_START_SECONDS = 300.0
"""The upgrade of a store with 300,000 calls takes 10 seconds."""
_CHUNK = 500
_MICRO = 1_000_000


class KnownFirst(NamedTuple):
    """A first delivery of the last ten minutes from the store: its digest, and its age in seconds."""

    digest: str
    first: FirstDelivery
    age: float


class Committed(NamedTuple):
    """The result of a transaction: the stored events with their numbers.

    `firsts` are, by id, first deliveries that other listeners had stored before; events of this transaction repeat
    them.
    """

    events: list[Event]
    firsts: Mapping[str, FirstDelivery] = {}


@dataclass(frozen=True, slots=True)
class QueuedFor:
    """What to queue after events are stored: `queued` returns it for an event.

    `call_targets` receive finished calls, `notice_targets` missed calls.
    """

    queued: Callable[[Event], Sequence[QueuedDelivery]]
    call_targets: Sequence[CallTarget] = ()
    notice_targets: Sequence[NoticeTarget] = ()
    moment_of: QueueMoment = int
    """Returns the moments of the outbox."""


class EventFile:
    """One store, opened for writing."""

    def __init__(self, url: str, complain: Callable[[str], None], queued: QueuedFor) -> None:
        self.url, self.name = url, store_name(url)
        self._complain, self._queued = complain, queued
        self._opened: Connection | None = None
        self._uptime, self._began_at = secrets.token_hex(8), 0
        self._last = 0  # numbers also rise when a new file replaces a damaged one

    @property
    def path(self) -> Path:
        """Returns the store's file. Raises UsageError for a store on a server."""
        return sqlite_path(self.url)

    def open(self) -> None:
        """Opens the store. A damaged file is moved aside, never deleted, and a new file takes its place.

        Waits for another process that upgrades a large store.
        """
        deadline, is_told = time.monotonic() + _START_SECONDS, False
        while self._opened is None:
            try:
                self._connection()
            except troubles(UsageError) as error:
                if is_damage(error):
                    self.replace_damaged()
                elif not is_busy(error) or time.monotonic() > deadline:
                    raise
                elif not is_told:
                    is_told = True
                    self._complain(
                        tr("the event store {name} is in use by another process: waiting for it", name=self.name)
                    )

    def replace_damaged(self) -> None:
        """Moves the damaged file aside and starts a new one, so that new events are stored."""
        self.close()
        aside = move_aside(self.path)
        self._complain(
            tr(
                "the event store {name} is damaged: it was moved to {path} and a new one begun; its events are missing"
                " from reports until it is repaired",
                name=self.name,
                path=aside,
            )
        )
        self._connection()

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def store(self, events: Sequence[Event], changes: Iterable[Change] = ()) -> Committed:
        """Stores new deliveries with all derived data, and makes the changes, in one durable transaction."""
        connection = self._connection()
        with writing(connection):
            committed = self._write(connection, events, changes)
        self._note_last(committed.events)
        return committed

    def note_spooling(self, *, is_spooling: bool) -> None:
        """Tells other listeners that deliveries go to a spool, or that the spool is in the store."""

    def take_back(self, events: Sequence[Event], changes: Iterable[Change] = ()) -> list[Event]:
        """Stores deliveries of a spool as `store` does, and returns those that the store did not have."""
        connection = self._connection()
        with writing(connection):
            missing = {one.id for one in missing_of(connection, [event.delivery for event in events])}
            absent = [event for event in events if event.delivery.id in missing]
            committed = self._write(connection, absent, changes)
        self._note_last(committed.events)
        return committed.events

    def _write(self, connection: Connection, events: Sequence[Event], changes: Iterable[Change]) -> Committed:
        numbered = self._insert(connection, events)
        for change in changes:
            change(connection)
        return Committed(numbered)

    def underived(self) -> Iterator[list[Delivery]]:
        """Yields chunks of deliveries without derived data: an older version's listener died between the two steps."""
        connection = self._connection()
        numbers = underived(connection)
        for start in range(0, len(numbers), _CHUNK):
            yield load_deliveries(connection, numbers[start : start + _CHUNK])

    def derive(self, events: Sequence[Event]) -> Sequence[Event]:
        """Stores the derived data of stored deliveries."""
        connection = self._connection()
        with writing(connection):
            self._insert_derived(connection, events)
        return events

    def firsts(self, now_us: int) -> list[KnownFirst]:
        """Returns the first deliveries of the last ten minutes, oldest first: a restarted listener must know them."""
        rows = self._connection().execute(
            "SELECT fact.digest, delivery.id, fact.received_at, fact.answer"
            " FROM fact JOIN delivery ON delivery.seq = fact.seq"
            f" WHERE delivery.received_at >= ? AND fact.type IN ({marks(REPEATABLE)}) AND fact.duplicate_of IS NULL"
            " AND fact.part = 0 ORDER BY fact.seq DESC LIMIT ?",
            (now_us - WINDOW_SECONDS * _MICRO, *REPEATABLE, MOST_KNOWN),
        )
        return [
            KnownFirst(
                digest,
                FirstDelivery(own_id, kept_answer(json_of(answer) if answer else None, own_id)),
                max(now_us - received_at, 0) / _MICRO,
            )
            for digest, own_id, received_at, answer in rows.fetchall()[::-1]
        ]

    def answered(self, late: LateAnswer) -> Change:
        """Returns the change that stores the answer to a delivery.

        A CRM's id may finish a call whose end is stored already.
        """

        def keep(connection: Connection) -> None:
            store_answer(connection, late)
            if late.call_id is not None:
                self._queue_calls(connection, [late.call_id])

        return keep

    def uptime(self, now_us: int, *, last: bool = False) -> ListenerUptime:
        """Returns this listener's uptime until now; the last one marks an orderly end."""
        self._began_at = self._began_at or now_us
        return ListenerUptime(self._uptime, self._began_at, now_us, now_us if last else None)

    def _insert(self, connection: Connection, events: Sequence[Event]) -> list[Event]:
        if not events:
            return []
        numbers = insert_deliveries(connection, [event.delivery for event in events], self._last)
        numbered = [
            replace(event, delivery=replace(event.delivery, seq=seq))
            for event, seq in zip(events, numbers, strict=True)
        ]
        self._insert_derived(connection, numbered)
        return numbered

    def _insert_derived(self, connection: Connection, events: Sequence[Event]) -> None:
        queued: Mapping[str, Sequence[QueuedDelivery]] = {
            event.delivery.id: self._queued_for(event) for event in events
        }
        insert_events(connection, events, queued, self._queued.moment_of)
        told = [event for event in events if event.delivery.type in ("callstart", "callend") and not event.duplicate_of]
        call_ids = {fact.call_id for event in told for fact in event.facts if fact.call_id}
        self._queue_calls(connection, call_ids)

    def _queued_for(self, event: Event) -> Sequence[QueuedDelivery]:
        return self._queued.queued(event)

    def _queue_calls(self, connection: Connection, call_ids: Collection[str]) -> None:
        queue_finished_calls(connection, call_ids, self._queued.call_targets, self._queued.moment_of)
        queue_notices(connection, call_ids, self._queued.notice_targets, self._queued.moment_of)

    def _note_last(self, numbered: Sequence[Event]) -> None:
        if numbered:
            self._last = numbered[-1].delivery.seq

    def _connection(self) -> Connection:
        if self._opened is not None and is_lost(self._opened):
            self.close()
        if self._opened is None:
            self._opened = open_event_store(self.url, busy_seconds=BUSY_SECONDS)
            self._last = max(self._last, newest(self._opened))
        return self._opened


_MARK_UP = """INSERT INTO uptime (id, began_at, seen_at, ended_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
    seen_at = CASE WHEN excluded.seen_at > uptime.seen_at THEN excluded.seen_at ELSE uptime.seen_at END,
    ended_at = coalesce(excluded.ended_at, uptime.ended_at)"""


def marked_up(uptimes: Sequence[ListenerUptime]) -> Change:
    """Returns the change that stores the uptimes of listeners."""

    def mark(connection: Connection) -> None:
        connection.executemany(_MARK_UP, uptimes)

    return mark
