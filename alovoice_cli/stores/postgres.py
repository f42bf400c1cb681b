"""The edge to PostgreSQL: connections with the methods that the stores use of SQLite's.

The name of a store is `postgresql://[user@]host[:port]/database[?option=value]`, as libpq reads it. Passwords come from
libpq's own sources (`PGPASSWORD`, `~/.pgpass`, a service file), never from a stored URL.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.store_urls import masked_url
from alovoice_cli.stores.row_values import DamagedRowError

if TYPE_CHECKING:
    import psycopg

NOTICES_LOST_CLIENTS = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""Settings of a session whose locks must be free soon after its client has gone."""
_CONNECT_SECONDS = 10
# A cut network must be noticed: a listener then spools, and a batch stops.
_DEFAULTS = {
    "application_name": "alovoice",
    "connect_timeout": str(_CONNECT_SECONDS),
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class ServerConnection:
    """A connection in autocommit mode, with the methods that the stores use of SQLite's: `?` marks a value.

    For one thread at a time. Raises psycopg's errors.
    """

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.own = connection
        # A thread that ends drops its connection, which makes psycopg warn.
        weakref.finalize(self, connection.close)

    def execute(self, sql: str, values: Sequence[object] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Runs one statement and returns its cursor."""
        return self.own.execute(_translated(sql), tuple(values))

    @contextmanager
    def stream(self, sql: str, values: Sequence[object] = ()) -> Iterator[psycopg.ServerCursor[tuple[Any, ...]]]:
        """Runs a query whose rows stay on the server until they are fetched; within a transaction."""
        with self.own.cursor(name="rows") as cursor:
            cursor.execute(_translated(sql), tuple(values), binary=True)
            yield cursor

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Runs a statement for each row, and sends the next row without waiting for an answer."""
        with self.own.cursor() as cursor:
            cursor.executemany(_translated(sql), list(rows))

    def close(self) -> None:
        """Closes the connection; its locks and claims are free at once."""
        self.own.close()


def set_session(connection: ServerConnection, settings: Mapping[str, str]) -> None:
    """Changes settings for as long as the connection lasts; the server's version may not have some of them."""
    each = "CASE WHEN current_setting(?, true) IS NOT NULL THEN set_config(?, ?, false) END"
    values = [part for name, value in settings.items() for part in (name, name, value)]
    connection.execute("SELECT " + ", ".join([each] * len(settings)), values)


@lru_cache(512)
def _translated(sql: str) -> bytes:
    """Returns the statement with psycopg's marks in place of `?`; no statement of ours has a `?` in a string."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def connect(url: str, *, timeout: float | None = None) -> ServerConnection:
    """Opens a connection; `timeout` is the wait for the server in seconds.

    Raises psycopg's OperationalError where the server cannot be reached, and UsageError without the extra
    `alovoice[postgres]` or for a URL that libpq cannot read.
    """
    psycopg = load_driver()
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise UsageError(
            tr("the store's URL {url} is not valid", url=masked_url(url)),
            hint=tr("write it as postgresql://user@host/database"),
            detail=str(error),
        ) from None
    options = {**_DEFAULTS, **{name: text for name, text in given.items() if text is not None}}
    if timeout is not None:
        seconds = max(2, round(timeout))  # libpq takes whole seconds, from 2
        options |= {"connect_timeout": str(seconds), "tcp_user_timeout": str(seconds * 1000)} | _told(given)
    options["client_encoding"] = "UTF8"  # whatever the environment says
    connection = psycopg.connect(**options, autocommit=True, prepare_threshold=5)
    _require_utf8(url, connection)
    connection.adapters.register_loader("numeric", _number_loader())
    return ServerConnection(connection)


def _require_utf8(url: str, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):  # a pooler between may not say
        connection.close()
        raise UsageError(
            tr(
                "the database of {url} cannot store all letters: its encoding is {encoding}",
                url=masked_url(url),
                encoding=encoding,
            ),
            hint=tr("create one with `createdb --encoding UTF8 --template template0 NAME`"),
        )


def _told(given: Mapping[str, Any]) -> dict[str, str]:
    """Returns the times that the URL itself sets."""
    return {name: str(given[name]) for name in ("connect_timeout", "tcp_user_timeout") if given.get(name) is not None}


@cache
def _number_loader() -> type:
    """Returns the reader of sums: a whole sum is an int, as in SQLite."""
    from psycopg.adapt import Loader  # noqa: PLC0415 - only for a store on a server

    class NumberLoader(Loader):
        def load(self, data: bytes | bytearray | memoryview) -> int | float:
            text = bytes(data)
            return int(text) if text.lstrip(b"-").isdigit() else float(text)

    return NumberLoader


def load_driver() -> Any:
    """Returns the module psycopg. Raises UsageError with the command that installs it."""
    try:
        import psycopg  # noqa: PLC0415 - only for a store on a server
        import psycopg.conninfo  # noqa: PLC0415 - same
    except ImportError as error:
        raise UsageError(
            tr("a store on PostgreSQL needs psycopg, which is not installed"),
            hint="python -m pip install 'alovoice[postgres]'",
            detail=str(error),
        ) from None
    return psycopg


@contextmanager
def explained_server(url: str) -> Iterator[None]:
    """Converts the errors of a server to a UsageError that names the store, without its password."""
    driver = load_driver()
    try:
        yield
    except driver.Error as error:
        raise server_error(url, error) from error
    except DamagedRowError as error:
        message = tr("{path} is damaged: a row cannot be read", path=masked_url(url))
        raise UsageError(message, detail=str(error)) from error


_GONE = ("08", "57P")  # the states of a lost connection, and of a server that stops


def server_error(url: str, error: Exception) -> UsageError:
    """Returns the error for a server that cannot be reached, or that refuses."""
    detail, driver = str(error).strip().replace("	", ""), load_driver()
    state = getattr(error, "sqlstate", None)
    is_lost = isinstance(error, (driver.OperationalError, driver.InterfaceError))
    if is_lost and (state is None or state.startswith(_GONE)):
        return UsageError(
            tr("the store {url} cannot be reached", url=masked_url(url)),
            hint=tr("check the server, the URL and the password (PGPASSWORD or ~/.pgpass)"),
            detail=detail,
        )
    return UsageError(
        tr("the store {url} refused: {problem}", url=masked_url(url), problem=detail.splitlines()[0]), detail=detail
    )


@contextmanager
def server_transaction(connection: ServerConnection) -> Iterator[None]:
    """Begins a transaction; commits durably at the end, or rolls back after any exception."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(load_driver().Error):  # the connection is lost: the server rolls back by itself
            connection.execute("ROLLBACK")
        raise
