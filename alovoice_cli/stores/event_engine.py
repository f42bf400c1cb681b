"""Opens an event store: the only module that depends on the kind of database.

Today that is SQLite: WAL, synchronous FULL on every connection, one writer at a time by BEGIN IMMEDIATE. All other
modules write SQL with `?` for a value, in words that PostgreSQL also has; they use only `execute`, `executemany` and
`close` of a connection.
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
"""Raised by an open store that fails, or that refuses the values."""

writing = transaction
"""One writing transaction: it holds the write lock from its beginning, and is durable at its end."""

_BUSY_SECONDS = 5.0
_TYPES = {"BIGINT": "INTEGER"}  # in SQLite only an INTEGER primary key is the row id


def sqlite_path(url: str) -> Path:
    """Returns the file of the store's URL: `sqlite:///FILE` (four slashes for an absolute path) or a path alone.

    Raises UsageError for another kind of database, and for one in memory, which would end with the program.
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
    """Opens the store at this program's schema version, and makes the file (0600) if it is missing.

    Waits `busy_seconds` for another process's writer. Several threads may use the connection, one at a time. Raises
    UsageError with the file's name: missing although it `must_exist`, of a newer version, damaged, busy, unreachable.
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
    """One reading transaction: all its queries see the store at the moment of the first query."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        with suppress(sqlite3.Error):  # a failed connection has rolled back already
            connection.execute("ROLLBACK")


def marks(values: Collection[object]) -> str:
    """Returns placeholders for these values, for `IN (…)`; without values `IN (NULL)`, which is never true."""
    return ", ".join("?" * len(values)) or "NULL"


def shrink(connection: Connection, pages: int = 1000) -> int:
    """Returns up to this many free pages to the file system, in one short transaction; returns how many are left."""
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would free one page only
    left: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return left


def is_refusal(error: BaseException) -> bool:
    """Returns whether the store works and refuses these values."""
    refusals = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, refusals) or not isinstance(error, (*TROUBLES, UsageError))


def is_damage(error: BaseException) -> bool:
    """Returns whether the error, or a UsageError's cause, means a damaged file, or a file that is no database."""
    return bool(_codes(error) & {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_busy(error: BaseException) -> bool:
    """Returns whether the error, or a UsageError's cause, means that another process writes."""
    return bool(_codes(error) & {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def _codes(error: BaseException) -> set[int]:
    return {getattr(told, "sqlite_errorcode", 0) & 0xFF for told in (error, error.__cause__)}


def create_table(connection: Connection, statement: str) -> None:
    """Creates a table or an index, with this database's own column types."""
    for word, own in _TYPES.items():
        statement = statement.replace(word, own)
    connection.execute(statement)


def has_table(connection: Connection, name: str) -> bool:
    """Returns whether the store has the table."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone())


def add_column(connection: Connection, table: str, definition: str) -> None:
    """Adds a column (`name TYPE NOT NULL DEFAULT value`) at the table's end, unless it exists."""
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
        for migrate in MIGRATIONS[_version(connection) :]:  # another process may have done it already
            migrate(connection)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (VERSION,))


def _version(connection: Connection) -> int:
    if not has_table(connection, "schema_version"):
        return 0
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def move_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Renames a damaged store and its companion files to `NAME.corrupt-<unix time>`; never deletes them."""
    aside = path.with_name(f"{path.name}.corrupt-{int(clock())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


class ReadOnlyStore:
    """A connection for frequent reading, which never writes, and waits `busy_seconds` at most.

    It is opened at its first use, and again where a new file replaced a damaged one. For one thread at a time. Raises
    SQLite's and the system's errors, without creating or repairing anything.
    """

    def __init__(self, url: str, *, busy_seconds: float) -> None:
        self._url, self._busy_seconds = url, busy_seconds
        self._opened: Connection | None = None
        self._file = (0, 0)

    @property
    def exists(self) -> bool:
        """Returns whether the store exists. Raises UsageError for an unsupported kind."""
        return sqlite_path(self._url).exists()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Yields the connection to the present file; after any error the next call opens a new one."""
        try:
            yield self._connection()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(sqlite3.Error):  # a broken connection may raise here
                opened.close()

    def _connection(self) -> Connection:
        path = sqlite_path(self._url)
        found = path.stat()
        if self._opened is None or self._file != (found.st_dev, found.st_ino):
            self.close()
            # Another thread may close it: the thread that used it may have ended.
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
    """Opens a connection for a few queries or changes, and closes it. Raises as `open_event_store` does."""
    with closing(open_event_store(url, must_exist=must_exist)) as connection, explained(sqlite_path(url)):
        yield connection
