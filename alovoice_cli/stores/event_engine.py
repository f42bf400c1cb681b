"""Opens an event store, in a SQLite file or on a PostgreSQL server; only this module depends on the kind of database.

`event_sqlite` and `event_postgres` contain each engine's own part. All other modules write SQL that both engines read,
with `?` for a value, and use only the methods of `Connection`.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, tr
from alovoice_cli.store_urls import is_server_url, masked_url
from alovoice_cli.stores import event_sqlite
from alovoice_cli.stores.event_schema import VERSION
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.migrations import explained, open_private_connection, transaction
from alovoice_cli.stores.row_values import NUMBER, require_kinds

if TYPE_CHECKING:
    from alovoice_cli.stores.postgres import ServerConnection

_BUSY_SECONDS = 5.0


class Cursor(Protocol):
    """The rows of a statement."""

    def fetchone(self) -> Any:
        """Returns the next row; None after the last one."""

    def fetchmany(self, size: int = ..., /) -> list[Any]:
        """Returns the next rows, at most this many."""

    def fetchall(self) -> list[Any]:
        """Returns all rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection to a store of either kind: SQLite's own, or a ServerConnection."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Runs one statement, with `?` for each value."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Runs a statement for each row."""

    def close(self) -> None:
        """Closes the connection."""


def troubles(*more: type[BaseException]) -> tuple[type[BaseException], ...]:
    """Returns the errors of an open store that fails or refuses values, and the caller's own types in `more`."""
    driver = sys.modules.get("psycopg")
    return (*more, sqlite3.Error, OSError, *([] if driver is None else [driver.Error]))


def store_name(url: str) -> str:
    """Returns the store's name for messages: its file, or the server's URL without a password."""
    return masked_url(url) if is_server_url(url) else str(sqlite_path(url))


def explained_store(url: str) -> AbstractContextManager[None]:
    """Converts the errors of the store's database to a UsageError that names the store."""
    if is_server_url(url):
        from alovoice_cli.stores.postgres import explained_server

        return explained_server(url)
    return explained(sqlite_path(url))


def store_exists(url: str) -> bool:
    """Returns whether a listener, or an import, has ever made the store. Raises UsageError for an unreachable one."""
    if not is_server_url(url):
        return sqlite_path(url).exists()
    from alovoice_cli.stores import event_postgres

    with explained_store(url):
        connection = event_postgres.IDLE.take(url) or event_postgres.open_server(url, busy_seconds=_BUSY_SECONDS)
        try:
            version = schema_version(connection)
        finally:
            if not is_lost(connection) and version == VERSION:
                event_postgres.IDLE.give_back(url, connection)
            else:
                connection.close()
    return version > 0


def open_event_store(
    url: str, *, busy_seconds: float = _BUSY_SECONDS, must_exist: bool = False, timeout: float | None = None
) -> Connection:
    """Opens the store at this program's schema version, and creates what is missing: a file (0600), or the tables.

    Waits `busy_seconds` for another process's writer, and `timeout` seconds for a server's answer. Several threads may
    use the connection, one at a time. Raises UsageError with the store's name if the store is missing although it
    `must_exist`, of a newer version, damaged, busy or unreachable. A store on a server that `must_exist` is not written
    to: the account may be read-only.
    """
    if is_server_url(url):
        return _open_server(url, busy_seconds, must_exist=must_exist, timeout=timeout)
    path = sqlite_path(url)
    if must_exist and not path.exists():
        raise UsageError(tr("there is no event store {path}", path=path), hint=tr(_WHO_MAKES_IT))
    with explained(path):
        connection = open_private_connection(path, timeout=busy_seconds, check=event_sqlite.refuse_foreign)
        try:
            _migrate(str(path), connection)
        except BaseException:
            connection.close()
            raise
    return connection


_WHO_MAKES_IT = mark("`alovoice listen` creates it and fills it with the events of the PBX")


def _open_server(url: str, busy_seconds: float, *, must_exist: bool, timeout: float | None = None) -> ServerConnection:
    from alovoice_cli.stores import event_postgres

    with explained_store(url):
        connection = event_postgres.open_server(url, busy_seconds=busy_seconds, timeout=timeout)
        try:
            if must_exist:
                _require_version(masked_url(url), connection)
            else:
                _migrate(masked_url(url), connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _require_version(name: str, connection: Connection) -> None:
    version = _known_version(name, connection)
    if version == 0:
        raise UsageError(tr("there is no event store in {name}", name=name), hint=tr(_WHO_MAKES_IT))
    if version < VERSION:
        raise UsageError(
            tr(
                "the event store {name} was made by an older version of alovoice (its schema is {version}, this version"
                " uses {known})",
                name=name,
                version=version,
                known=VERSION,
            ),
            hint=tr("start `alovoice listen` of this version: it updates the store"),
        )


@contextmanager
def opened(url: str, *, must_exist: bool = True) -> Iterator[Connection]:
    """Opens a connection for a few queries or changes, and closes it. Raises as `open_event_store` does.

    A connection to a server stays open for the next query.
    """
    if is_server_url(url) and must_exist:
        with _lent(url) as connection:
            yield connection
        return
    with closing(open_event_store(url, must_exist=must_exist)) as connection, explained_store(url):
        yield connection


@contextmanager
def _lent(url: str) -> Iterator[Connection]:
    from alovoice_cli.stores import event_postgres

    with explained_store(url):
        connection = event_postgres.IDLE.take(url) or _open_server(url, _BUSY_SECONDS, must_exist=True)
        try:
            yield connection
        finally:
            event_postgres.IDLE.give_back(url, connection)


def writing(connection: Connection) -> AbstractContextManager[None]:
    """Runs one writing transaction: it holds the write lock from its beginning, and is durable at its end."""
    if isinstance(connection, sqlite3.Connection):
        return transaction(connection)
    from alovoice_cli.stores import event_postgres

    return event_postgres.writing(connection)


@contextmanager
def reading(connection: Connection) -> Iterator[Connection]:
    """Runs one reading transaction: all its queries see the store at the moment of the first query."""
    is_file = isinstance(connection, sqlite3.Connection)
    connection.execute("BEGIN" if is_file else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield connection
    finally:
        with suppress(*troubles()):  # a failed connection has rolled back already
            connection.execute("ROLLBACK")


def chunks(connection: Connection, sql: str, values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    """Yields the rows of a query in chunks of this size, because there may be millions.

    Needs a transaction of the caller.
    """
    if isinstance(connection, sqlite3.Connection):
        cursor: Cursor = connection.execute(sql, values)
        while rows := cursor.fetchmany(size):
            yield rows
        return
    from alovoice_cli.stores import event_postgres

    yield from event_postgres.chunks(connection, sql, values, size)


def marks(values: Collection[object]) -> str:
    """Returns placeholders for these values, for `IN (…)`; without values `IN (NULL)`, which is never true."""
    return ", ".join("?" * len(values)) or "NULL"


def shrink(connection: Connection, pages: int = 1000) -> int:
    """Returns up to this many free pages to the file system in one short transaction; returns how many are left.

    A server reuses the free space by itself.
    """
    return event_sqlite.shrink(connection, pages) if isinstance(connection, sqlite3.Connection) else 0


def store_size(url: str) -> int:
    """Returns the store's size on the disk in bytes; for a server the size of its database."""
    if not is_server_url(url):
        return event_sqlite.size(sqlite_path(url))
    with opened(url) as connection:
        return int(connection.execute("SELECT pg_database_size(current_database())").fetchone()[0])


def is_refusal(error: BaseException) -> bool:
    """Returns whether the store works, and refuses these values."""
    if _is_of_server(error):
        from alovoice_cli.stores import event_postgres

        return event_postgres.is_refusal(error)
    return event_sqlite.is_refusal(error) or not isinstance(error, (*troubles(), UsageError))


def is_damage(error: BaseException) -> bool:
    """Returns whether the error, or a UsageError's cause, means a damaged file, or a file that is no database."""
    return event_sqlite.is_damage(error)


def is_busy(error: BaseException) -> bool:
    """Returns whether the error, or a UsageError's cause, means that another process writes."""
    if _is_of_server(error) or _is_of_server(error.__cause__):
        from alovoice_cli.stores import event_postgres

        return event_postgres.is_busy(error)
    return event_sqlite.is_busy(error)


def _is_of_server(error: BaseException | None) -> bool:
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.Error)


def is_lost(connection: Connection) -> bool:
    """Returns whether the connection to a server has ended: a new one must be opened."""
    if isinstance(connection, sqlite3.Connection):
        return False
    from alovoice_cli.stores import event_postgres

    return event_postgres.is_lost(connection)


def create_table(connection: Connection, statement: str) -> None:
    """Creates a table or an index, with this database's own column types."""
    connection.execute(_own_types(connection, statement))


def has_table(connection: Connection, name: str) -> bool:
    """Returns whether the store has the table."""
    if isinstance(connection, sqlite3.Connection):
        return event_sqlite.has_table(connection, name)
    # Not `to_regclass`: inside a transaction it may not see a table that another process has just created.
    asked = "SELECT 1 FROM pg_catalog.pg_class WHERE relname = ? AND pg_catalog.pg_table_is_visible(oid)"
    return connection.execute(asked, (name,)).fetchone() is not None


def add_column(connection: Connection, table: str, definition: str) -> None:
    """Adds a column (`name TYPE NOT NULL DEFAULT value`) at the table's end, unless it exists."""
    definition = _own_types(connection, definition)
    if isinstance(connection, sqlite3.Connection):
        event_sqlite.add_column(connection, table, definition)
    else:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {definition}")


def _own_types(connection: Connection, text: str) -> str:
    if isinstance(connection, sqlite3.Connection):
        return event_sqlite.own_types(text)
    from alovoice_cli.stores import event_postgres

    return event_postgres.own_types(text)


def _migrate(name: str, connection: Connection) -> None:
    if _known_version(name, connection) == VERSION:
        return
    from alovoice_cli.stores.event_migrations import MIGRATIONS  # only a new or an old store needs it

    with writing(connection):
        for migrate in MIGRATIONS[schema_version(connection) :]:  # another process may have done it already
            migrate(connection)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (VERSION,))


def _known_version(name: str, connection: Connection) -> int:
    version = schema_version(connection)
    if version > VERSION:
        raise UsageError(
            tr(
                "{path} was made by a newer version of alovoice (its schema is {version}, this version knows {known})",
                path=name,
                version=version,
                known=VERSION,
            ),
            hint=tr("upgrade alovoice, or name another store with --store"),
        )
    return version


def schema_version(connection: Connection) -> int:
    """Returns the version of the store's tables; 0 for none. Raises DamagedRowError."""
    if not has_table(connection, "schema_version"):
        return 0
    row = connection.execute("SELECT version FROM schema_version").fetchone() or (0,)
    require_kinds(row, (NUMBER,))
    return int(row[0])


class ReadOnlyStore:
    """A connection for frequent reading that never writes, and waits at most `busy_seconds`.

    It is opened at its first use, and again after a new file has replaced a damaged one. For one thread at a time.
    Raises the errors of the database and the system, and neither creates nor repairs anything.
    """

    def __init__(self, url: str, *, busy_seconds: float) -> None:
        self._url, self._busy_seconds = url, busy_seconds
        self._opened: Connection | None = None
        self._file: tuple[int, int] | None = None

    @property
    def exists(self) -> bool:
        """Returns whether the store exists. Raises UsageError for an unsupported kind, or an unreachable server."""
        return store_exists(self._url)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Yields the connection to the present store; after any error the next call opens a new one."""
        try:
            yield self._connection()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(*troubles()):  # a broken connection may raise here
                opened.close()

    def _connection(self) -> Connection:
        if is_server_url(self._url):
            return self._server_connection()
        path = sqlite_path(self._url)
        status = path.stat()
        found = (status.st_dev, status.st_ino)
        if self._opened is None or self._file != found:
            self.close()
            self._opened = event_sqlite.open_read_only(path, busy_seconds=self._busy_seconds)
            self._file = found
        return self._opened

    def _server_connection(self) -> Connection:
        from alovoice_cli.stores import event_postgres

        if self._opened is None:
            event_postgres.raise_lately_unreachable(self._url)
            busy = self._busy_seconds
            try:
                self._opened = event_postgres.open_server(self._url, busy_seconds=busy, timeout=busy, reads_only=True)
            except troubles() as error:
                event_postgres.note_unreachable(self._url, error)
                raise
        return self._opened
