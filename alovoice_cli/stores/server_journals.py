"""The journals on a PostgreSQL server, which all machines of a profile see; several may send the rows of one.

A machine that runs a batch holds locks of the server while its connection lives, and writes on that connection: a
process that has lost the connection can write no intent, and so sends nothing more. A row's intent names its owner; if
the owner's lock is free, the owner is dead, and the row stays unknown.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores.journal import Journal, JournalHead, StoredRow, deleted
from alovoice_cli.stores.journal_places import NAME, JournalPlace, Journals, JournalTakenError
from alovoice_cli.stores.postgres import explained_server, load_driver, server_transaction
from alovoice_cli.stores.server_database import lock_key, open_server_store

if TYPE_CHECKING:
    from alovoice_cli.stores.postgres import ServerConnection

MIGRATIONS = (
    # `owner` is the writer of the intent; `next_send` (unix microseconds of the server's clock) is the common pace.
    """
    CREATE TABLE journal (
        number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, batch TEXT NOT NULL, seal TEXT NOT NULL,
        next_send INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE journal_row (
        journal INTEGER NOT NULL REFERENCES journal (number) ON DELETE CASCADE, key TEXT NOT NULL,
        line INTEGER NOT NULL, state TEXT NOT NULL, fixed TEXT NOT NULL, course TEXT NOT NULL, seal TEXT NOT NULL,
        owner TEXT, PRIMARY KEY (journal, key)
    );
    """,
)
_STORE = "journals"
_EARLIER = "earlier/"
_MICRO = 1_000_000
_DYING_SECONDS = 1.0  # the server notices a killed process within this time
_LOOK_SECONDS = 0.05
_NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
# The journal still has its name: without the name, the next run would not find it.
_CLAIM = """UPDATE journal_row SET state = ?, course = ?, seal = ?, owner = ? WHERE journal = ? AND key = ? AND seal = ?
    AND EXISTS (SELECT 1 FROM journal WHERE number = journal_row.journal AND name = ?)"""
_MOVE = "UPDATE journal_row SET state = ?, course = ?, seal = ? WHERE journal = ? AND key = ? AND seal = ?"
_ADD = "INSERT INTO journal_row (journal, key, line, state, fixed, course, seal) VALUES (?, ?, ?, ?, ?, ?, ?)"
_HOLDERS = """SELECT DISTINCT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pg_locks.database = pg_stat_activity.datid
    AND (classid::bigint << 32 | objid::bigint) = ? ORDER BY application_name"""


class _Running(NamedTuple):
    """A process that runs a batch: its connection, its name in the rows, and how it shares the journal."""

    connection: ServerConnection
    owner: str
    is_shared: bool
    spacing: float


class ServerJournal:
    """One journal's rows on a server. For any thread."""

    def __init__(self, url: str, name: str, running: _Running | None, *, is_new: bool = False) -> None:
        self._url, self.label = url, name
        self._running = running
        self._using = RLock()
        self._number = 0  # not there yet
        with explained_server(url):
            self._connection = running.connection if running else open_server_store(url, _STORE, MIGRATIONS)
        if is_new:
            return
        with self._used() as connection:
            found = connection.execute("SELECT number FROM journal WHERE name = ?", (name,)).fetchone()
        if found is None:
            self.close()
            raise UsageError(
                tr("there is no batch {name} here", name=name), hint=tr("see `alovoice call batches list`")
            )
        self._number = int(found[0])

    @property
    def is_shared(self) -> bool:
        return self._running is not None and self._running.is_shared

    def read_head(self) -> tuple[str, str] | None:
        if not self._number:
            return None
        with self._used() as connection:
            found = connection.execute("SELECT batch, seal FROM journal WHERE number = ?", (self._number,)).fetchone()
        if found is None:
            raise deleted(self.label)
        return str(found[0]), str(found[1])

    def read_rows(self) -> Sequence[StoredRow]:
        with self._used() as connection:
            found = connection.execute(
                "SELECT key, line, state, fixed, course, seal FROM journal_row WHERE journal = ? ORDER BY line, key",
                (self._number,),
            ).fetchall()
        return [StoredRow(*row) for row in found]

    def replace(self, head: str, seal: str, rows: Sequence[StoredRow]) -> None:
        with self._used() as connection, server_transaction(connection):
            self._number = self._number or self._add(connection)
            connection.execute("DELETE FROM journal_row WHERE journal = ?", (self._number,))
            connection.executemany(_ADD, [(self._number, *row) for row in rows])
            connection.execute("UPDATE journal SET batch = ?, seal = ? WHERE number = ?", (head, seal, self._number))

    def _add(self, connection: ServerConnection) -> int:
        found = connection.execute(
            "INSERT INTO journal (name, batch, seal) VALUES (?, '', '') ON CONFLICT (name) DO NOTHING RETURNING number",
            (self.label,),
        ).fetchone()
        if found is None:
            raise JournalTakenError(tr("another machine started the batch {name} at the same moment", name=self.label))
        return int(found[0])

    def claim(self, row: StoredRow, before: str) -> bool:
        running = self._running
        assert running is not None  # every sender holds the journal's lock
        values = (row.state, row.course, row.seal, running.owner, self._number, row.key, before, self.label)
        with self._used() as connection:
            if running.is_shared:
                with server_transaction(connection):
                    return self._claim_in_turn(connection, values, running.spacing)
            return connection.execute(_CLAIM, values).rowcount == 1

    def _claim_in_turn(self, connection: ServerConnection, values: Sequence[object], spacing: float) -> bool:
        """Claims a row where the common pace allows it: both in one transaction, and machines one after another."""
        head = connection.execute(
            f"SELECT next_send, {_NOW} FROM journal WHERE number = ? AND name = ? FOR UPDATE",
            (self._number, self.label),
        ).fetchone()
        if head is None:
            raise deleted(self.label)
        next_send, now = head
        if next_send > now or not connection.execute(_CLAIM, values).rowcount:
            return False
        if spacing:
            until = now + round(spacing * _MICRO)
            connection.execute("UPDATE journal SET next_send = ? WHERE number = ?", (until, self._number))
        return True

    def move(self, row: StoredRow, before: str) -> bool:
        with self._used() as connection:
            values = (row.state, row.course, row.seal, self._number, row.key, before)
            return connection.execute(_MOVE, values).rowcount == 1

    def seal_of(self, key: str) -> str | None:
        with self._used() as connection:
            found = connection.execute(
                "SELECT journal_row.seal FROM journal_row JOIN journal ON journal.number = journal_row.journal"
                " WHERE journal.number = ? AND journal.name = ? AND journal_row.key = ?",
                (self._number, self.label, key),
            ).fetchone()
        return None if found is None else str(found[0])

    def seconds_to_wait(self) -> float:
        if not self.is_shared:
            return 0.0
        with self._used() as connection:
            found = connection.execute(
                f"SELECT next_send - {_NOW} FROM journal WHERE number = ?",
                (self._number,),
            ).fetchone()
        if found is None:
            raise deleted(self.label)
        return max(int(found[0]), 0) / _MICRO

    def hold_back(self, seconds: float) -> None:
        if self.is_shared:
            with self._used() as connection:
                connection.execute(
                    f"UPDATE journal SET next_send = greatest(next_send, {_NOW} + ?) WHERE number = ?",
                    (round(seconds * _MICRO), self._number),
                )

    @contextmanager
    def owners_alive(self) -> Iterator[Callable[[str], bool]]:
        if not self.is_shared:
            yield lambda key: False  # the lock is ours alone: the writer of every intent has ended
            return
        # Owners first, rows afterwards: an owner that is dead by then has written its last row.
        with self._used() as connection:
            found = connection.execute(
                "SELECT DISTINCT owner FROM journal_row WHERE journal = ? AND state = 'intent'", (self._number,)
            ).fetchall()
            dead = {owner for (owner,) in found if not self._is_alive(connection, owner)}
        yield lambda key: self._owner_of(key) not in dead

    def _is_alive(self, connection: ServerConnection, owner: str | None) -> bool:
        if owner is None:
            return False
        if self._running is not None and owner == self._running.owner:
            return True
        with server_transaction(connection):
            found = connection.execute("SELECT pg_try_advisory_xact_lock(?)", (lock_key("owner", owner),)).fetchone()
        return found is not None and not found[0]

    def _owner_of(self, key: str) -> str | None:
        with self._used() as connection:
            found = connection.execute(
                "SELECT owner FROM journal_row WHERE journal = ? AND key = ?", (self._number, key)
            ).fetchone()
        return None if found is None else found[0]

    def close(self) -> None:
        """Closes the connection, unless a run holds locks on it."""
        if self._running is None:
            self._connection.close()

    @contextmanager
    def _used(self) -> Iterator[ServerConnection]:
        with self._using, explained_server(self._url):
            yield self._connection


class ServerJournalPlace(JournalPlace):
    """The place of one journal on a server."""

    def __init__(self, url: str, name: str, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.name = self.label = name
        self._url = url
        self._running: _Running | None = None

    @property
    def exists(self) -> bool:
        with self._used() as connection:
            return connection.execute("SELECT 1 FROM journal WHERE name = ?", (self.name,)).fetchone() is not None

    @contextmanager
    def locked(self, *, shared: bool = False, spacing: float = 0.0) -> Iterator[None]:
        owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        with explained_server(self._url):
            connection = open_server_store(self._url, _STORE, MIGRATIONS)
            try:
                self._lock(connection, owner, shared=shared)
            except BaseException:
                connection.close()
                raise
        self._running = _Running(connection, owner, shared, spacing)
        try:
            yield
        finally:
            self._running = None
            with suppress(load_driver().Error):
                connection.close()

    def _lock(self, connection: ServerConnection, owner: str, *, shared: bool) -> None:
        process = owner.rpartition(":")[0]
        connection.execute("SELECT set_config('application_name', ?, false)", (f"alovoice {process}",))
        connection.execute("SELECT pg_advisory_lock(?)", (lock_key("owner", owner),))
        key = lock_key("journal", self.name)
        how = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        deadline = time.monotonic() + _DYING_SECONDS
        while True:
            found = connection.execute(f"SELECT {how}(?)", (key,)).fetchone()
            if found is not None and found[0]:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
        holders = [str(name).removeprefix("alovoice ") for (name,) in connection.execute(_HOLDERS, (key,)) if name]
        message = tr("the batch {name} runs already", name=self.name)
        if holders:
            message = tr(
                "the batch {name} runs already, by process {process}", name=self.name, process=", ".join(holders)
            )
        hint = tr("end that run first") if shared else tr("end that run first, or give --shared to both runs")
        raise UsageError(message, hint=hint)

    def begin(self, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress]) -> Journal:
        journal = Journal(ServerJournal(self._url, self.name, self._running, is_new=True), self._now)
        journal.begin(head, rows, left_out)
        return journal

    def set_aside(self) -> str:
        kept = f"{_EARLIER}{self.name}-{self._now():%Y%m%dT%H%M%S%f}"
        with self._used() as connection:
            connection.execute("UPDATE journal SET name = ? WHERE name = ?", (kept, self.name))
        return kept

    def forget(self) -> None:
        with self._used() as connection:
            connection.execute("DELETE FROM journal WHERE name = ?", (self.name,))

    def forget_lock(self) -> None:
        """Does nothing: the lock has ended with its connection."""

    def _tables(self) -> ServerJournal:
        return ServerJournal(self._url, self.name, self._running)

    @contextmanager
    def _used(self) -> Iterator[ServerConnection]:
        with explained_server(self._url):
            if self._running is not None:
                yield self._running.connection
                return
            with closing(open_server_store(self._url, _STORE, MIGRATIONS)) as connection:
                yield connection


class ServerJournals(Journals):
    """The journals that the machines of a profile share."""

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self._url, self._now = url, now

    def named(self, label: str) -> ServerJournalPlace:
        if not NAME.fullmatch(label):
            raise UsageError(
                tr("{value} is not a valid name of a batch", value=repr(label)),
                hint=tr("use letters, digits, `-`, `_` and `.`; the profile's batches are on its server, not in files"),
            )
        return ServerJournalPlace(self._url, label, self._now)

    def places(self) -> list[JournalPlace]:
        with (
            explained_server(self._url),
            closing(open_server_store(self._url, _STORE, MIGRATIONS)) as connection,
        ):
            found = connection.execute("SELECT name FROM journal ORDER BY name").fetchall()
        names = [str(name) for (name,) in found]
        return [self.named(name) for name in names if not name.startswith(_EARLIER)]
