"""Opens an event store: the one module that knows which database it is, and what that needs.

Today that is SQLite: WAL, synchronous FULL on every connection, one writer at a time by BEGIN IMMEDIATE. All other
modules write their SQL once, with `?` for a value, and in words that PostgreSQL has too; they use of a connection only
`execute`, `executemany` and `close`.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.event_schema import VERSION
from alovoice_cli.stores.migrations import explained, open_private_connection, transaction

Connection = sqlite3.Connection

TROUBLES = (sqlite3.Error, OSError)
"""What the use of an open store raises when the store fails, or does not take the values."""

writing = transaction
"""One transaction that writes: it holds the write lock from its beginning, and is durable when it ends."""

_BUSY_SECONDS = 5.0
_TYPES = {"BIGINT": "INTEGER"}  # in SQLite only an INTEGER primary key is the row's own place


def sqlite_path(url: str) -> Path:
    """The file that the store's URL names: `sqlite:///FILE` (four slashes for an absolute one) or a path alone.

    Raises UsageError for another kind of database, and for one in memory, which would be gone when the program ends.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "sqlite":
        raise UsageError(
            f"the store {scheme}://… is of a kind that is not served", hint="give a file: sqlite:////path/to/events.db"
        )
    name = rest.removeprefix("/") if separator else url
    if _in_memory(name):
        raise UsageError(
            "a store in memory is gone when the program ends", hint="give a file: sqlite:////path/to/events.db"
        )
    return Path(name).absolute()


def _in_memory(name: str) -> bool:
    return name in ("", ":memory:") or name.startswith(("file:", ":memory:?")) or "mode=memory" in name


def open_event_store(url: str, *, busy_seconds: float = _BUSY_SECONDS, must_exist: bool = False) -> Connection:
    """A connection to the store, at this program's schema version; the file is made (0600) when there is none.

    A writer of another process is waited for `busy_seconds`. The connection may be handed from thread to thread, one
    at a time. Raises UsageError naming the file: missing where it `must_exist`, of a newer version, damaged, busy, out
    of reach.
    """
    path = sqlite_path(url)
    if must_exist and not path.exists():
        raise UsageError(
            f"there is no event store {path}", hint="`alovoice listen` makes it, and fills it with what the PBX sends"
        )
    with explained(path):
        connection = open_private_connection(path, timeout=busy_seconds)
        try:
            _migrate(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(connection: Connection) -> Iterator[Connection]:
    """One transaction that only reads: all its questions see the store as it was at the first of them."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        with suppress(sqlite3.Error):  # a connection that failed has rolled back already
            connection.execute("ROLLBACK")


def marks(values: Collection[object]) -> str:
    """The marks of so many values, as `IN (…)` has them: of none `IN (NULL)`, which holds of nothing."""
    return ", ".join("?" * len(values)) or "NULL"


def shrink(connection: Connection, pages: int = 1000) -> int:
    """Gives up to so many free pages back to the file system, in one short transaction; returns how many are left."""
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would take one step, which is one page
    left: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return left


def is_refusal(error: BaseException) -> bool:
    """Whether the error says that the store is well and does not take these values."""
    refusals = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, refusals) or not isinstance(error, (*TROUBLES, UsageError))


def is_damage(error: BaseException) -> bool:
    """Whether the error, or a UsageError's cause, says that the file is no database, or a torn one."""
    codes = {getattr(told, "sqlite_errorcode", 0) & 0xFF for told in (error, error.__cause__)}
    return bool(codes & {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def create_table(connection: Connection, statement: str) -> None:
    """Makes a table or an index, in this database's own words for the types of its columns."""
    for word, own in _TYPES.items():
        statement = statement.replace(word, own)
    connection.execute(statement)


def has_table(connection: Connection, name: str) -> bool:
    """Whether the store has the table."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone())


def add_column(connection: Connection, table: str, definition: str) -> None:
    """Adds a column (`name TYPE NOT NULL DEFAULT value`) as the table's last; does nothing where it is there."""
    for word, own in _TYPES.items():
        definition = definition.replace(word, own)
    name = definition.split()[0]
    if name not in [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")


def _migrate(path: Path, connection: Connection) -> None:
    version = _version(connection)
    if version > VERSION:
        raise UsageError(
            f"{path} was made by a newer version of alovoice (its schema is {version}, this version knows {VERSION})",
            hint="upgrade alovoice, or name another store with --store",
        )
    if version == VERSION:
        return
    from alovoice_cli.stores.event_migrations import MIGRATIONS  # noqa: PLC0415 - for a store that is new, or old

    with writing(connection):
        for migrate in MIGRATIONS[_version(connection) :]:  # another process may have come first
            migrate(connection)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (VERSION,))


def _version(connection: Connection) -> int:
    if not has_table(connection, "schema_version"):
        return 0
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def move_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Renames a damaged store and its companions to `NAME.corrupt-<unix time>`: it is never deleted."""
    aside = path.with_name(f"{path.name}.corrupt-{int(clock())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


class ReadOnlyStore:
    """A connection for somebody who asks often, never writes, and waits no longer than `busy_seconds`.

    It is opened when it is first asked for, and anew where a damaged store was replaced by another of its name. For one
    thread at a time. Raises as SQLite and the system do, without making or mending anything.
    """

    def __init__(self, url: str, *, busy_seconds: float) -> None:
        self._url, self._busy_seconds = url, busy_seconds
        self._opened: Connection | None = None
        self._file = (0, 0)

    @property
    def exists(self) -> bool:
        """Whether there is a store. Raises UsageError for a kind that is not served."""
        return sqlite_path(self._url).exists()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """The connection to the file that is there now; after any trouble the next question gets a new one."""
        try:
            yield self._connection()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives the connection back."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(sqlite3.Error):  # it is of no use any more, and says so perhaps
                opened.close()

    def _connection(self) -> Connection:
        path = sqlite_path(self._url)
        found = path.stat()
        if self._opened is None or self._file != (found.st_dev, found.st_ino):
            self.close()
            # Another thread may close it: that which asked may have ended.
            self._opened = sqlite3.connect(
                f"{path.as_uri()}?mode=ro",
                uri=True,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
            self._file = (found.st_dev, found.st_ino)
        return self._opened


@contextmanager
def opened(url: str, *, must_exist: bool = True) -> Iterator[Connection]:
    """A connection of its own for a few questions or changes, closed at the end. Raises as `open_event_store`."""
    with closing(open_event_store(url, must_exist=must_exist)) as connection, explained(sqlite_path(url)):
        yield connection
