"""Which lines are busy: calls that the event store knows to go on, and lines that batches of this machine have taken.

A batch that leaves lines free asks both before each call.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.stores.event_engine import ReadOnlyStore, marks
from alovoice_cli.stores.event_schema import CALL_COLUMNS
from alovoice_cli.stores.migrations import explained, open_store, transaction

_BUSY_SECONDS = 0.5
_CHUNK = 500

# Between extensions no line is needed; a call that names one holds it, whatever its direction.
GOING = """SELECT line, count(*) FROM call WHERE reported_at BETWEEN ? AND ? AND end_seq IS NULL
    AND trial = 0 AND (line IS NOT NULL OR coalesce(direction, '') <> 'int') GROUP BY line"""


def calls_to(numbers: Sequence[str]) -> str:
    """The question for the calls to so many numbers; its values are these, since, and until (unix seconds)."""
    wanted = f"number IN ({marks(numbers)}) AND reported_at BETWEEN ? AND ? AND trial = 0"
    return f"SELECT {CALL_COLUMNS} FROM call WHERE {wanted}"  # noqa: S608 - only marks


class LineCalls:
    """The store at this URL, which may not be there. For one thread at a time.

    Every method raises UsageError for a store of a kind that is not served, OSError, or sqlite3.Error.
    """

    def __init__(self, url: str) -> None:
        self._store = ReadOnlyStore(url, busy_seconds=_BUSY_SECONDS)

    def uptimes(self, since: int) -> list[Uptime]:
        """The listeners that were seen at `since` (unix microseconds) or later; none where there is no store."""
        if not self._store.exists:
            return []
        with self._store.connected() as connection:
            rows = connection.execute("SELECT began_at, seen_at, ended_at FROM uptime WHERE seen_at >= ?", (since,))
            return [Uptime(*row) for row in rows]

    def going(self, since: int, until: int) -> dict[str | None, int]:
        """How many calls that began in this period (unix seconds) have no end yet, by line (None: it was not told)."""
        with self._store.connected() as connection:
            return dict(connection.execute(GOING, (since, until)).fetchall())

    def to_numbers(self, numbers: Sequence[str], since: int, until: int) -> list[Call]:
        """The calls, over or not, to these numbers that began in this period (unix seconds)."""
        found: list[Call] = []
        with self._store.connected() as connection:
            for start in range(0, len(numbers), _CHUNK):
                part = numbers[start : start + _CHUNK]
                found.extend(Call(*row) for row in connection.execute(calls_to(part), (*part, since, until)))
        return found

    def close(self) -> None:
        """Gives the connection back."""
        self._store.close()


MIGRATIONS = (
    """
    CREATE TABLE claim (
        number INTEGER PRIMARY KEY, profile TEXT NOT NULL, our_id TEXT NOT NULL, line TEXT, lines INTEGER NOT NULL,
        claimed_at INTEGER NOT NULL
    );
    CREATE INDEX claim_by_time ON claim (claimed_at);
    """,
)


ClaimRow = tuple[str, str | None, int, int]
"""Our id of the call, its line (None: any), how many lines it takes, and when they were taken (unix microseconds)."""


class LineClaims:
    """The file `lines.db`: lines that batches have taken, from when a line was free until the ledger has the call.

    All batches of this machine take them in turn: two that look at once would both take the last line. A claim is
    forgotten after `hold` microseconds. For one thread at a time. Every method raises UsageError when the file cannot
    be used.
    """

    def __init__(self, path: Path, profile: str, hold: int) -> None:
        self.path, self._profile, self._hold = path, profile, hold
        self._opened: sqlite3.Connection | None = None

    @contextmanager
    def turn(self, now: int) -> Iterator["Turn"]:
        """While the block runs no other process takes a line. `now` is in unix microseconds."""
        with explained(self.path):
            if self._opened is None:
                self._opened = open_store(self.path, MIGRATIONS)
                # What a power cut loses here has lost its call as well: nothing is worth waiting for the disk.
                self._opened.execute("PRAGMA synchronous = OFF")
            with transaction(self._opened):
                # On either side: the clock may have been set.
                lately = (now - self._hold, now + self._hold)
                self._opened.execute("DELETE FROM claim WHERE claimed_at NOT BETWEEN ? AND ?", lately)
                yield Turn(self._opened, self._profile)

    def close(self) -> None:
        """Gives the file back."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with explained(self.path):
                opened.close()


class Turn:
    """One process's turn at the lines of a PBX."""

    def __init__(self, connection: sqlite3.Connection, profile: str) -> None:
        self._connection, self._profile = connection, profile

    @property
    def claims(self) -> list[ClaimRow]:
        """The lines taken lately by batches on this PBX."""
        statement = "SELECT our_id, line, lines, claimed_at FROM claim WHERE profile = ?"
        return self._connection.execute(statement, (self._profile,)).fetchall()

    def take(self, claim: ClaimRow) -> None:
        """Takes a line; the others see it when the turn is over."""
        self._connection.execute(
            "INSERT INTO claim (profile, our_id, line, lines, claimed_at) VALUES (?, ?, ?, ?, ?)",
            (self._profile, *claim),
        )
