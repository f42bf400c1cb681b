"""Forgets old events, bit by bit: between two bits a listener gets its turn to write."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from alovoice_cli.stores.event_engine import Connection, marks, opened, shrink, writing

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
        self._url, self._before = url, before

    def count(self) -> Old:
        """What would be forgotten."""
        with opened(self._url) as connection:
            events = "SELECT count(*) FROM delivery WHERE received_at < ?"
            calls = "SELECT count(*) FROM call WHERE reported_at < ?"
            return Old(
                connection.execute(events, (self._before,)).fetchone()[0],
                connection.execute(calls, (self._before // _MICRO,)).fetchone()[0],
            )

    def run(self) -> Iterator[Old]:
        """Forgets, a bit a step, and gives the room back; yields what each step forgot."""
        with opened(self._url) as connection:
            while True:
                begun = time.monotonic()
                with writing(connection):
                    done = Old(self._forget_events(connection), self._forget_calls(connection))
                yield done
                if not any(done):
                    break
                # A waiting writer asks again every few milliseconds: the lock stays free as long as it was held.
                time.sleep(max(_BREATH_SECONDS, time.monotonic() - begun))
            with writing(connection):
                connection.execute("DELETE FROM uptime WHERE seen_at < ?", (self._before,))
            while shrink(connection, _PAGES_AT_ONCE):
                time.sleep(_BREATH_SECONDS)

    def _forget_events(self, connection: Connection) -> int:
        rows = connection.execute("SELECT seq FROM delivery WHERE received_at < ? LIMIT ?", (self._before, _AT_ONCE))
        numbers = [row[0] for row in rows]
        for table in ("outbox", "fact", "delivery") if numbers else ():
            connection.execute(f"DELETE FROM {table} WHERE seq IN ({marks(numbers)})", numbers)
        return len(numbers)

    def _forget_calls(self, connection: Connection) -> int:
        until = self._before // _MICRO
        rows = connection.execute("SELECT call_id FROM call WHERE reported_at < ? LIMIT ?", (until, _AT_ONCE))
        ids = [row[0] for row in rows]
        if ids:
            connection.execute(f"DELETE FROM call WHERE call_id IN ({marks(ids)})", ids)
        return len(ids)
