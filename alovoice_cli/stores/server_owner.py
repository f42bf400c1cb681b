"""Ownership on a server: a process's database session, which others see, and which ends with the process.

An owner's name is in the rows that it has claimed. It lives while a session holds the advisory lock of that name: the
server ends the session when the process dies, and some seconds after the network is cut.
"""

import os
import secrets
import select
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.store_urls import masked_url
from alovoice_cli.stores.event_engine import Connection, marks
from alovoice_cli.stores.postgres import (
    NOTICES_LOST_CLIENTS,
    ServerConnection,
    connect,
    explained_server,
    load_driver,
    set_session,
)

OUTBOX_CHANNEL = "alovoice_outbox"
"""The channel on which a commit tells forwarders that something is queued."""
FORWARDERS_LOCK = "alovoice forwarders"
"""The name of the lock that all forwarding listeners share."""
SPOOL_LOCK = "alovoice spools"
"""The name of the lock that all listeners share while they move their spools to the store."""
TELLER_LOCK = "alovoice notices"
"""The name of the lock of the one listener that sends messages about missed calls."""

_CONNECT_SECONDS = 5.0
_OF_NAME = """locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = hashtextextended({}, 0)"""
_START_SECONDS = 5
"""For this long after the server's start, some listeners have not reconnected yet."""
_DEAD = f"""SELECT name FROM unnest(ARRAY[{{}}]::text[]) AS names(name)
    WHERE now() - pg_postmaster_start_time() > interval '{_START_SECONDS} seconds'
    AND NOT EXISTS (SELECT 1 FROM pg_locks WHERE {_OF_NAME.format("name")})"""
_SETTLED = f"""SELECT now() - pg_postmaster_start_time() > interval '{_START_SECONDS} seconds'
    AND NOT EXISTS (SELECT 1 FROM pg_locks WHERE {_OF_NAME.format("?")})"""
_HELD_BY = f"SELECT 1 FROM pg_locks WHERE {_OF_NAME.format('?')} AND pid = ?"
_HELD = f"SELECT 1 FROM pg_locks WHERE {_OF_NAME.format('?')} LIMIT 1"


def new_owner() -> str:
    """Returns a unique name for this process: host, process id and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"


def dead_owners(connection: Connection, names: Collection[str]) -> list[str]:
    """Returns those of these owners that have no session any more."""
    if not names:
        return []
    return [row[0] for row in connection.execute(_DEAD.format(marks(names)), tuple(names)).fetchall()]


def is_settled(connection: Connection) -> bool:
    """Returns whether the store has all deliveries that came while the server was down, as far as known."""
    return bool(connection.execute(_SETTLED, (SPOOL_LOCK,)).fetchone()[0])


def is_locked(connection: Connection, name: str, pid: int | None = None) -> bool:
    """Returns whether a session holds the lock of this name; with `pid`, whether that backend's session does."""
    row = connection.execute(_HELD, (name,)) if pid is None else connection.execute(_HELD_BY, (name, pid))
    return row.fetchone() is not None


class OwnerSession:
    """The session of one owner, for several threads. `hold` opens it, also again after it was lost.

    Methods raise UsageError if the server cannot be reached, or there is no session.
    """

    def __init__(self, url: str, channel: str, shared_lock: str) -> None:
        self.name, self._url = new_owner(), url
        self._channel, self._shared_lock = channel, shared_lock
        self._lock = threading.RLock()
        self._connection: ServerConnection | None = None
        self._held: set[str] = set()

    @property
    def pid(self) -> int | None:
        """Returns the process id of the session's backend; None without a session."""
        connection = self._connection
        return connection.own.info.backend_pid if connection is not None and not connection.own.closed else None

    def hold(self) -> None:
        """Opens the session, if there is none."""
        if self._connection is not None:
            return
        with explained_server(self._url):
            connection = connect(self._url, timeout=_CONNECT_SECONDS)
            try:
                set_session(connection, NOTICES_LOST_CLIENTS)
                connection.execute("SELECT pg_advisory_lock(hashtextextended(?, 0))", (self.name,))
                connection.execute("SELECT pg_advisory_lock_shared(hashtextextended(?, 0))", (self._shared_lock,))
                connection.execute(f"LISTEN {self._channel}")
            except BaseException:
                connection.close()
                raise
        with self._lock:
            self._connection = connection

    @contextmanager
    def connected(self) -> Iterator[ServerConnection]:
        """Yields the session's connection to one thread at a time; a failed connection is closed."""
        with self._lock:
            connection = self._connection
            if connection is None:
                raise UsageError(tr("there is no connection to the event store {url}", url=masked_url(self._url)))
            try:
                with explained_server(self._url):
                    yield connection
            finally:
                if connection.own.closed or connection.own.broken:
                    self._drop()

    def check(self) -> None:
        """Asks the server whether the session still exists."""
        with self.connected() as connection:
            connection.execute("SELECT 1")

    def take(self, name: str) -> bool:
        """Takes the lock of this name for this session; returns whether it is held."""
        with self.connected() as connection:
            if name in self._held:
                connection.execute("SELECT 1")  # raises if the session is lost
            else:
                asked = "SELECT pg_try_advisory_lock(hashtextextended(?, 0))"
                if connection.execute(asked, (name,)).fetchone() == (True,):
                    self._held.add(name)
            return name in self._held

    def has(self, name: str) -> bool:
        """Returns whether this session has taken the lock of this name, as far as known here."""
        return name in self._held

    def wait(self, seconds: float) -> bool:
        """Waits this many seconds for a notification; returns whether one came."""
        connection = self._connection
        if connection is None:
            return False
        with suppress(OSError, ValueError, UsageError, load_driver().Error):
            # Without the lock: others use the connection meanwhile.
            if select.select([connection.own.fileno()], [], [], seconds)[0]:
                with self.connected():
                    return bool(list(connection.own.notifies(timeout=0)))
        return False

    def close(self) -> None:
        """Ends the session: all its claims and locks are free."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            connection.close()
