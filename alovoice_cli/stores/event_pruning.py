"""Forgets old events, bit by bit: between two bits a listener gets its turn to write."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from alovoice_cli.stores.event_engine import open_engine, shrink, sqlite_path, told_plainly, writing
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT, OUTBOX, UPTIME
from alovoice_cli.stores.migrations import explained

_AT_ONCE = 500
_PAGES_AT_ONCE = 500
_BREATH_SECONDS = 0.02
_MICRO = 1_000_000


class Old(NamedTuple):
    """How much there is to forget."""

    events: int
    calls: int


class EventPruning:
    """Of one store, what came before a moment (unix microseconds). Raises UsageError where the file fails."""

    def __init__(self, url: str, before: int) -> None:
        self._path, self._before = sqlite_path(url), before
        self._engine = open_engine(url, must_exist=True)

    def count(self) -> Old:
        """What would be forgotten."""
        with explained(self._path), told_plainly(), self._engine.connect() as connection:
            events = connection.execute(select(func.count()).where(DELIVERY.c.received_at < self._before)).scalar_one()
            calls = connection.execute(
                select(func.count()).where(CALL.c.reported_at < self._before // _MICRO)
            ).scalar_one()
            return Old(events, calls)

    def run(self) -> Iterator[Old]:
        """Forgets, a bit a step, and gives the room back; yields what each step forgot."""
        while True:
            begun = time.monotonic()
            with explained(self._path), told_plainly(), self._engine.connect() as connection, writing(connection):
                done = Old(self._forget_events(connection), self._forget_calls(connection))
            yield done
            if not any(done):
                break
            # A waiting writer asks again every few milliseconds: the lock stays free as long as it was held.
            time.sleep(max(_BREATH_SECONDS, time.monotonic() - begun))
        with explained(self._path), told_plainly():
            with self._engine.connect() as connection, writing(connection):
                connection.execute(UPTIME.delete().where(UPTIME.c.seen_at < self._before))
            while shrink(self._engine, _PAGES_AT_ONCE):
                time.sleep(_BREATH_SECONDS)

    def _forget_events(self, connection: Connection) -> int:
        old = select(DELIVERY.c.seq).where(DELIVERY.c.received_at < self._before).limit(_AT_ONCE)
        numbers = list(connection.execute(old).scalars())
        tables: tuple[Table, ...] = (OUTBOX, FACT, DELIVERY)
        for table in tables if numbers else ():
            connection.execute(table.delete().where(table.c.seq.in_(numbers)))
        return len(numbers)

    def _forget_calls(self, connection: Connection) -> int:
        old = select(CALL.c.call_id).where(CALL.c.reported_at < self._before // _MICRO).limit(_AT_ONCE)
        ids = list(connection.execute(old).scalars())
        if ids:
            connection.execute(CALL.delete().where(CALL.c.call_id.in_(ids)))
        return len(ids)
