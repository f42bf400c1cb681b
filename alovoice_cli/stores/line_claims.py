"""Lines that batches have taken, from the moment in which one was free until the ledger has the call.

All batches of this machine take them in turn: two that look at once would both take the last one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alovoice_cli.stores.migrations import explained, open_store, transaction

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
    """The file `lines.db`. For one thread at a time. Every method raises UsageError when the file cannot be used.

    A claim is forgotten after `hold` microseconds.
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
