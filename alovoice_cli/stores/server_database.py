"""The tables of one store on a PostgreSQL server, with the same SQL and the same migrations as in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import RLock
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.store_urls import masked_url
from alovoice_cli.stores.database import StoreConnection
from alovoice_cli.stores.event_postgres import IDLE, open_server, own_types
from alovoice_cli.stores.migrations import statements
from alovoice_cli.stores.postgres import (
    NOTICES_LOST_CLIENTS,
    ServerConnection,
    explained_server,
    load_driver,
    server_transaction,
    set_session,
)


class ServerDatabase:
    """The tables of one store on a server. Each operation has a connection for itself, or uses the one that is kept."""

    def __init__(self, url: str, name: str, migrations: Sequence[str]) -> None:
        self.url, self.label = url, masked_url(url)
        self._name, self._migrations = name, migrations
        self._kept: ServerConnection | None = None
        self._using_kept = RLock()

    exists = True

    @contextmanager
    def opened(self) -> Iterator[ServerConnection]:
        with explained_server(self.url):
            with self._using_kept:
                if self._kept is not None and not self._kept.own.closed:
                    yield self._kept
                    return
            connection = open_server_store(self.url, self._name, self._migrations)
            try:
                yield connection
            finally:
                IDLE.give_back(_idle_name(self.url), connection)

    @contextmanager
    def writing(self) -> Iterator[StoreConnection]:
        with self.opened() as connection, server_transaction(connection):
            # The same as SQLite's write lock for processes of one machine.
            connection.execute("SELECT pg_advisory_xact_lock(?)", (lock_key("write", self._name),))
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        with explained_server(self.url):
            self._kept = open_server_store(self.url, self._name, self._migrations)
        try:
            yield
        finally:
            with self._using_kept, closing(self._kept):
                self._kept = None


def open_server_store(url: str, name: str, migrations: Sequence[str]) -> ServerConnection:
    """Opens a durable connection, or takes an idle one, at the schema version of this program for the store `name`.

    Raises psycopg's errors, and UsageError for a schema of a newer version.
    """
    connection = IDLE.take(_idle_name(url)) or _new_session(url)
    try:
        if _server_version(url, connection, name, len(migrations)) < len(migrations):
            _migrate(url, connection, name, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _new_session(url: str) -> ServerConnection:
    connection = TextConnection(open_server(url, busy_seconds=_BUSY_SECONDS))
    try:
        set_session(connection, _SESSION)
    except BaseException:
        connection.close()
        raise
    return connection


def _idle_name(url: str) -> str:
    return f"stores of {url}"  # not those of the events: theirs have other settings


class TextConnection(ServerConnection):
    """A connection that writes `\\x00` for the one letter that a text of PostgreSQL cannot have."""

    def __init__(self, opened: ServerConnection) -> None:
        super().__init__(opened.own)
        self._opened = opened  # the open connection; it would close when it is dropped

    def execute(self, sql: str, values: Sequence[object] = ()) -> Any:
        return super().execute(sql, _without_nul(values))

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        super().executemany(sql, [_without_nul(row) for row in rows])


def _without_nul(values: Sequence[object]) -> list[object]:
    return [value.replace("\0", "\\x00") if isinstance(value, str) and "\0" in value else value for value in values]


@contextmanager
def hold_on_server(url: str, name: str, what: str, *, patience: float) -> Iterator[None]:
    """Holds the lock of this name during the block, against the processes of all machines.

    Raises UsageError (`what` is already under way) where another holds it for longer than `patience` seconds.
    """
    with explained_server(url):
        connection = open_server(url, busy_seconds=patience)
    with closing(connection):
        with explained_server(url):
            try:
                connection.execute("SELECT pg_advisory_lock(?)", (lock_key("turn", name),))
            except load_driver().errors.LockNotAvailable:
                raise UsageError(
                    tr("{what} already, on this computer or another", what=what),
                    hint=tr("end that process first, or read its output"),
                ) from None
        yield


_BUSY_SECONDS = 30.0
# A batch may wait for hours for its window, and must keep its locks.
_SESSION = {**NOTICES_LOST_CLIENTS, "tcp_user_timeout": "10000", "idle_session_timeout": "0"}
_VERSIONS = "store_version"


def _server_version(url: str, connection: ServerConnection, name: str, known: int) -> int:
    (table,) = _first(connection, "SELECT to_regclass(?)", _VERSIONS)
    found = table and connection.execute(f"SELECT version FROM {_VERSIONS} WHERE store = ?", (name,)).fetchone()
    version = int(found[0]) if found else 0
    if version > known:
        raise UsageError(
            tr(
                "{store} was made by a newer version of alovoice"
                " (its schema of {name} is {version}, this version knows {known})",
                store=masked_url(url),
                name=name,
                version=version,
                known=known,
            ),
            hint=tr("upgrade alovoice, or use another store"),
        )
    return version


def _migrate(url: str, connection: ServerConnection, name: str, migrations: Sequence[str]) -> None:
    with server_transaction(connection):
        connection.execute("SELECT pg_advisory_xact_lock(?)", (lock_key("migrate"),))
        connection.execute(
            f'CREATE TABLE IF NOT EXISTS {_VERSIONS} (store TEXT COLLATE "C" PRIMARY KEY, version INTEGER NOT NULL)'
        )
        version = _server_version(url, connection, name, len(migrations))  # again: another process may have been first
        for script in migrations[version:]:
            for statement in statements(script):
                connection.execute(in_server_words(statement))
        connection.execute(
            f"INSERT INTO {_VERSIONS} (store, version) VALUES (?, ?)"
            " ON CONFLICT (store) DO UPDATE SET version = excluded.version",
            (name, len(migrations)),
        )


_SERVER_WORDS = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
    ("INTEGER PRIMARY KEY, ", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "),
    (" WITHOUT ROWID", ""),
)


def in_server_words(statement: str) -> str:
    """Returns a statement that makes a table, in PostgreSQL's words."""
    for sqlite, postgres in _SERVER_WORDS:
        statement = statement.replace(sqlite, postgres)
    return own_types(statement)


def lock_key(*parts: str) -> int:
    """Returns the number of an advisory lock: PostgreSQL names them by 64 bits."""
    digest = hashlib.sha256("\0".join(("alovoice", *parts)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _first(connection: StoreConnection, sql: str, *values: object) -> Any:
    return connection.execute(sql, values).fetchone()
