"""The event store as its one writer sees it: a connection that is opened again, or anew, when the file fails.

Every method belongs to the writer's thread.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from alovoice_cli.errors import UsageError
from alovoice_cli.events.duplicates import MOST_KNOWN, REPEATABLE, WINDOW_SECONDS
from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.noting import Note
from alovoice_cli.stores.event_engine import (
    damaged,
    driver_of,
    move_aside,
    open_engine,
    sqlite_path,
    told_plainly,
    transaction,
)
from alovoice_cli.stores.event_rows import (
    Errand,
    Stretch,
    insert_deliveries,
    insert_events,
    insert_some,
    load_deliveries,
    missing_of,
    newest,
    unread,
)
from alovoice_cli.stores.event_tables import DELIVERY, FACT, UPTIME

Job = Callable[[Connection], None]
"""A change that rides along in the writer's next transaction."""

BUSY_SECONDS = 2.0
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Derived:
    """Events of stored deliveries, made of these notes, with their errands by the event's id; other changes to make."""

    notes: Sequence[Note] = ()
    events: Sequence[Event] = ()
    errands: Mapping[str, Sequence[Errand]] = field(default_factory=dict)
    jobs: Sequence[Job] = ()

    def insert(self, connection: Connection) -> None:
        """Writes all of it, within a transaction."""
        if self.events:
            insert_events(connection, self.events, self.errands)
        for job in self.jobs:
            job(connection)


class First(NamedTuple):
    """The first delivery that said something: its digest, type and id, its age in seconds, and what it was answered."""

    digest: str
    type: str
    id: str
    age: float
    answer: object


class EventFile:
    """One store, opened for writing. Methods raise as the database does (sqlite3.Error); `open` raises UsageError."""

    def __init__(self, url: str, complain: Callable[[str], None]) -> None:
        self.url = url
        self.path = sqlite_path(url)
        self._complain = complain
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._uptime = secrets.token_hex(8)
        self._last = 0  # numbers rise also when a new file takes a damaged one's place

    def open(self) -> None:
        """Opens the store; a damaged file is moved aside, never deleted, and a new one takes its place."""
        try:
            self._open()
        except UsageError as error:
            cause = error.__cause__
            if cause is None or not damaged(cause):
                raise
            self.replace_damaged()

    def replace_damaged(self) -> None:
        """Moves the file aside and begins a new one: what comes from now on is kept."""
        self.close()
        aside = move_aside(self.path)
        self._complain(
            f"the event store {self.path} is damaged: it was moved to {aside} and a new one begun; what it held is"
            " missing from reports until it is repaired"
        )
        self._open()

    def _open(self) -> None:
        self._engine = open_engine(self.url, busy_seconds=BUSY_SECONDS)
        self._connection = self._engine.connect()
        with told_plainly():
            self._last = max(self._last, newest(driver_of(self._connection)))

    def close(self) -> None:
        """Lets go of the file; it can be opened again."""
        if self._connection is not None:
            self._connection.close()
        if self._engine is not None:
            self._engine.dispose()
        self._connection = self._engine = None

    def store(self, deliveries: Sequence[Delivery]) -> range:
        """Stores the first of the deliveries durably, most often all, in one go; returns their numbers."""
        execute = driver_of(self._connected())
        try:
            numbers = insert_some(execute, deliveries, self._last)
        except sqlite3.IntegrityError:  # another listener writes here too
            self._last = max(self._last, newest(execute))
            numbers = insert_some(execute, deliveries, self._last)
        self._last = numbers[-1]
        return numbers

    def take_back(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Stores those of a spool's deliveries that are not there yet; returns these with their numbers."""
        with self._writing() as connection:
            missing = missing_of(connection, deliveries)
            numbers = insert_deliveries(connection, missing, self._last)
        self._last = max([self._last, *numbers])
        return [replace(delivery, seq=seq) for delivery, seq in zip(missing, numbers, strict=True)]

    def finish(self, derived: Derived) -> None:
        """Stores what was derived, and makes its jobs' changes, in one transaction."""
        with self._writing() as connection:
            derived.insert(connection)

    def unread(self) -> list[Stretch]:
        """Deliveries of which nothing was derived yet, oldest first: a listener died between the two."""
        with self._reading() as connection:
            return unread(connection)

    def deliveries(self, first: int, last: int) -> list[Delivery]:
        """The deliveries between two numbers, as they were stored."""
        with self._reading() as connection:
            return load_deliveries(connection, first, last)

    def firsts(self, now_us: int) -> list[First]:
        """The first deliveries of the last ten minutes, oldest first: a restart must know them again."""
        since = now_us - WINDOW_SECONDS * _MICRO
        with self._reading() as connection:
            rows = connection.execute(
                select(FACT.c.digest, FACT.c.type, DELIVERY.c.id, FACT.c.received_at, FACT.c.answer)
                .join(DELIVERY, DELIVERY.c.seq == FACT.c.seq)
                .where(DELIVERY.c.received_at >= since, FACT.c.type.in_(REPEATABLE), FACT.c.duplicate_of.is_(None))
                .where(FACT.c.part == 0)
                .order_by(FACT.c.seq.desc())
                .limit(MOST_KNOWN)
            ).all()
        return [
            First(row.digest, row.type, row.id, max(now_us - row.received_at, 0) / _MICRO, _values(row.answer))
            for row in reversed(rows)
        ]

    def mark_up(self, now_us: int, *, last: bool = False) -> Job:
        """The job that says that a listener was there at this moment, or that it ends in order."""

        def mark(connection: Connection) -> None:
            values = {"seen_at": now_us, "ended_at": now_us if last else None}
            changed = connection.execute(UPTIME.update().where(UPTIME.c.id == self._uptime).values(values))
            if not changed.rowcount:
                connection.execute(UPTIME.insert().values(id=self._uptime, began_at=now_us, **values))

        return mark

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told_plainly(), transaction(self._connected(), writes=True) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told_plainly(), transaction(self._connected(), writes=False) as connection:
            yield connection

    def _connected(self) -> Connection:
        if self._connection is None:
            self._open()
        assert self._connection is not None
        return self._connection


def _values(answer: str | None) -> object:
    return json.loads(answer) if answer else None
