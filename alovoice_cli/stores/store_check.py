"""Looks an event store over, and changes nothing in it: its version, its size, what it holds, whether it is whole."""

import sqlite3
from pathlib import Path
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.events.store_survey import SpoolFile, StoreSurvey, WaitingTarget
from alovoice_cli.stores.event_engine import ReadOnlyStore, is_damage, sqlite_path
from alovoice_cli.stores.event_schema import VERSION
from alovoice_cli.stores.migrations import explained
from alovoice_cli.stores.spool import Spool

_BUSY_SECONDS = 5.0
_PATIENCE = 60_000_000
"""A delivery of which nothing is derived for so long (unix microseconds) is one that a listener left."""
_MOST_FAULTS = 100

_EVENTS = "SELECT count(*), min(received_at), max(received_at) FROM delivery"
_CALLS = "SELECT count(*) FROM call"
_UP = "SELECT max(seen_at) FROM uptime WHERE imported = 0 AND ended_at IS NULL"
_WAITING = """SELECT target, state, count(*), min(born_at) FROM outbox WHERE state <> 'done'
    GROUP BY target, state ORDER BY target, state"""
_TARGETS = "SELECT name, label, state FROM outbox_target ORDER BY name"
_NOTICES = "SELECT count(*), min(born_at) FROM notice WHERE state IN ('waiting', 'telling')"
_NO_EVENT = "SELECT count(*) FROM {} AS own WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.seq = own.seq)"
_UNDERIVED = """SELECT count(*) FROM delivery WHERE received_at < ?
    AND NOT EXISTS (SELECT 1 FROM fact WHERE fact.seq = delivery.seq)"""


class StoreCheck:
    """The check of the store at this URL."""

    def __init__(self, url: str) -> None:
        self._url, self._path = url, sqlite_path(url)

    def survey(self, now: int) -> StoreSurvey:
        """Returns what the store is like at this moment (unix microseconds).

        A damaged store, or one of another version, is described as far as it can be read. Raises UsageError where there
        is none, or where it is busy or unreadable.
        """
        if not self._path.exists():
            raise UsageError(
                f"there is no event store {self._path}",
                hint="`alovoice listen` makes it, and fills it with what the PBX sends",
            )
        store = ReadOnlyStore(self._url, busy_seconds=_BUSY_SECONDS)
        beside = {"spools": _spools(self._path), "set_aside": _set_aside(self._path)}
        try:
            with explained(self._path), store.connected() as connection:
                return _survey(connection, self._about(_version(connection), beside), now)
        except UsageError as error:
            if not is_damage(error):
                raise
            return StoreSurvey(**self._about(0, beside), faults=(str(error.detail or error.message),))
        finally:
            store.close()

    def _about(self, version: int, beside: dict[str, Any]) -> dict[str, Any]:
        parts = [self._path.with_name(self._path.name + suffix) for suffix in ("", "-wal")]
        size = sum(part.stat().st_size for part in parts if part.exists())
        about = {"place": str(self._path), "engine": "sqlite", "version": version}
        return {**about, "known_version": VERSION, "size": size, **beside}


def _survey(connection: sqlite3.Connection, about: dict[str, Any], now: int) -> StoreSurvey:
    connection.execute("BEGIN")  # one picture; ended with the connection
    faults = tuple(_faults(connection))
    if faults or about["version"] != VERSION:
        return StoreSurvey(**about, faults=faults)
    return StoreSurvey(**about, **contents(connection, now))


def contents(connection: Any, now: int) -> dict[str, Any]:
    """Returns the fields of a StoreSurvey that either engine's tables tell, at this moment (unix microseconds)."""
    events, oldest, newest = connection.execute(_EVENTS).fetchone()
    notices, notices_oldest = connection.execute(_NOTICES).fetchone()
    return {
        "events": events,
        "oldest_at": oldest,
        "newest_at": newest,
        "calls": connection.execute(_CALLS).fetchone()[0],
        "listener_seen_at": connection.execute(_UP).fetchone()[0],
        "targets": _targets(connection),
        "notices_waiting": notices,
        "notices_oldest_at": notices_oldest,
        "queued_without_event": connection.execute(_NO_EVENT.format("outbox")).fetchone()[0],
        "facts_without_event": connection.execute(_NO_EVENT.format("fact")).fetchone()[0],
        "underived": connection.execute(_UNDERIVED, (now - _PATIENCE,)).fetchone()[0],
    }


def _targets(connection: Any) -> tuple[WaitingTarget, ...]:
    known = {name: (label, state) for name, label, state in connection.execute(_TARGETS).fetchall()}
    counted: dict[str, WaitingTarget] = {name: WaitingTarget(*told, 0, 0, None) for name, told in known.items()}
    for name, state, number, oldest in connection.execute(_WAITING).fetchall():
        target = counted.get(name) or WaitingTarget(name, "taking", 0, 0, None)
        if state == "dead":
            counted[name] = target._replace(dead=number)
        else:
            oldest = min(oldest, target.oldest_at if target.oldest_at is not None else oldest)
            counted[name] = target._replace(waiting=target.waiting + number, oldest_at=oldest)
    return tuple(counted[name] for name in sorted(counted))


def _faults(connection: sqlite3.Connection) -> list[str]:
    """Returns what SQLite finds wrong in tables and indexes."""
    rows = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
    return [] if rows == [("ok",)] else [line.strip() for row in rows for line in str(row[0]).splitlines()]


def _version(connection: sqlite3.Connection) -> int:
    """Returns the schema's version; 0 for a file without the tables of an event store."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
    row = connection.execute("SELECT version FROM schema_version").fetchone() if known.fetchone() else None
    return int(row[0]) if row else 0


def _spools(store: Path) -> tuple[SpoolFile, ...]:
    spool = Spool.beside(store)
    return (SpoolFile(str(spool.path), len(spool.read())),) if spool.path.exists() else ()


def _set_aside(store: Path) -> tuple[str, ...]:
    found = sorted(store.parent.glob(f"{store.name}.corrupt-*"))
    return tuple(str(path) for path in found if not path.name.endswith(("-wal", "-shm")))
