"""The event store on a PostgreSQL server.

Writers take one advisory lock in turn, so deliveries become visible in the order of their numbers: a reader that has
seen a number has seen all lower ones. Text is compared and sorted byte by byte, as in SQLite.
"""

from __future__ import annotations

import atexit
import re
import selectors
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from alovoice_cli.stores.postgres import ServerConnection, connect, load_driver, server_transaction

if TYPE_CHECKING:
    from alovoice_cli.stores.event_engine import Connection

WRITERS_LOCK = 0x616C6F76
"""The advisory lock of every process that writes events to a database, or changes its schema ("alov")."""

_TYPES = {
    r"VARCHAR\(\d+\)|TEXT": 'TEXT COLLATE "C"',
    r"INTEGER|BIGINT": "BIGINT",
    r"BLOB": "BYTEA",
}
# Compiling queries over millions of rows takes longer than running them, and all of the rows are needed. A commit is
# durable, whatever the server's default is.
_SET = """SELECT set_config('lock_timeout', ?, false), set_config('default_transaction_read_only', ?, false),
    set_config('jit', 'off', false), set_config('cursor_tuple_fraction', '1.0', false),
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
    THEN set_config('synchronous_commit', 'on', false) END"""
_BUSY_STATES = ("55P03", "40P01", "40001")  # lock not available, deadlock, serialization failure
_REFUSAL_CLASSES = ("22", "23", "54")  # data exception, constraint violation, a value too long for an index
_MOST_IDLE = 8
_FRESH_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


def open_server(
    url: str, *, busy_seconds: float, timeout: float | None = None, reads_only: bool = False
) -> ServerConnection:
    """Opens a connection that waits `busy_seconds` for another's lock, and `timeout` seconds for the server."""
    connection = connect(url, timeout=timeout)
    try:
        values = (str(max(1, round(busy_seconds * 1000))), "on" if reads_only else "off")
        connection.execute(_SET, values)
    except BaseException:
        connection.close()
        raise
    return connection


_UNREACHABLE: dict[str, tuple[float, BaseException]] = {}


def note_unreachable(url: str, error: BaseException) -> None:
    """Remembers that the server is unreachable: for a second, no other caller waits for it."""
    _UNREACHABLE[url] = (time.monotonic(), error)


def raise_lately_unreachable(url: str) -> None:
    """Raises the error of a failed attempt of the last second: a caller is waiting for the answer."""
    at, error = _UNREACHABLE.get(url, (float("-inf"), None))
    if error is not None and time.monotonic() - at < _PAUSE_SECONDS:
        raise load_driver().OperationalError(str(error)) from None


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Runs one writing transaction: it holds the writers' lock from its beginning, and is durable at its end."""
    assert isinstance(connection, ServerConnection)
    with server_transaction(connection):
        connection.execute("SELECT pg_advisory_xact_lock(?)", (WRITERS_LOCK,))
        yield


def chunks(connection: Connection, sql: str, values: Sequence[object], size: int) -> Iterator[list[Any]]:
    """Yields the rows of a query in chunks of this size; the server keeps the others."""
    assert isinstance(connection, ServerConnection)
    with connection.stream(sql, values) as cursor:
        while rows := cursor.fetchmany(size):
            yield rows


def is_refusal(error: BaseException) -> bool:
    """Returns whether the server works and refuses these values, such as a text with a NUL."""
    state = getattr(error, "sqlstate", None)
    if state is None:  # raised before anything was sent
        return isinstance(error, (load_driver().DataError, load_driver().ProgrammingError))
    return state[:2] in _REFUSAL_CLASSES


def is_busy(error: BaseException) -> bool:
    """Returns whether the error, or its cause, means that another transaction held a lock for too long."""
    return any(getattr(told, "sqlstate", None) in _BUSY_STATES for told in (error, error.__cause__))


def is_lost(connection: Connection) -> bool:
    """Returns whether the connection cannot be used any more."""
    assert isinstance(connection, ServerConnection)
    own = connection.own
    # A server that dies within an `executemany` may leave a connection that psycopg does not call broken.
    return own.closed or own.broken or own.info.pipeline_status != load_driver().pq.PipelineStatus.OFF


def own_types(text: str) -> str:
    """Returns the statement with PostgreSQL's column types."""
    for pattern, own in _TYPES.items():
        text = re.sub(rf"\b({pattern})(?=[\s,)]|$)", own, text)
    return text


# --- connections that wait for the next question


class IdleConnections:
    """Connections that were given back: opening one takes several times as long as a question for a few rows.

    They are kept by the URL of their store, or by another name for connections with other settings.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[str, float, ServerConnection]] = []

    def take(self, url: str) -> ServerConnection | None:
        """Returns a connection to this store that still works, or None."""
        while (found := self._pop(url)) is not None:
            since, connection = found
            is_fresh = time.monotonic() - since < _FRESH_SECONDS and _is_silent(connection)
            if is_fresh or _works(connection):
                return connection
            connection.close()
        return None

    def give_back(self, url: str, connection: ServerConnection) -> None:
        """Keeps the connection for the next question, unless a transaction is open or it is lost."""
        status = load_driver().pq.TransactionStatus
        if connection.own.info.transaction_status != status.IDLE:
            connection.close()
            return
        with self._lock:
            self._idle.append((url, time.monotonic(), connection))
            surplus = self._idle[:-_MOST_IDLE]
            self._idle = self._idle[-_MOST_IDLE:]
        for _, _, old in surplus:
            old.close()

    def close(self) -> None:
        """Closes all of them."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, _, connection in idle:
            connection.close()

    def _pop(self, url: str) -> tuple[float, ServerConnection] | None:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == url:
                    _, since, connection = self._idle.pop(place)
                    return since, connection
        return None


def _is_silent(connection: ServerConnection) -> bool:
    """Returns whether nothing has come from the server meanwhile: it announces the end of a session."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.own, selectors.EVENT_READ)
        return not selector.select(0)


def _works(connection: ServerConnection) -> bool:
    with suppress(load_driver().Error):
        connection.execute("SELECT 1")
        return True
    return False


IDLE = IdleConnections()
atexit.register(IDLE.close)
