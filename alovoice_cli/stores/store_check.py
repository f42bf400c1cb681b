"""Checks an event store without changing it: its version, size, contents and integrity."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.events.store_survey import SpoolFile, StoreSurvey, WaitingTarget
from alovoice_cli.language import tr
from alovoice_cli.store_urls import is_server_url
from alovoice_cli.stores.event_engine import (
    Connection,
    ReadOnlyStore,
    explained_store,
    has_table,
    is_damage,
    reading,
    schema_version,
    store_name,
)
from alovoice_cli.stores.event_schema import VERSION
from alovoice_cli.stores.event_sqlite import size as file_size
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.row_values import DamagedRowError, moment_of
from alovoice_cli.stores.spool import Spool

_BUSY_SECONDS = 5.0
_PATIENCE = 60_000_000
"""A delivery without derived data for this long (unix microseconds) was left by a listener that ended."""
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
    """The check of the store at this URL, of either kind; a server's spools are in this machine's state directory."""

    def __init__(self, url: str, state: Path) -> None:
        self._url, self._state, self._is_server = url, state, is_server_url(url)

    def survey(self, now: int) -> StoreSurvey:
        """Returns the state of the store at this moment (unix microseconds).

        A damaged store, or one of another version, is described as far as it can be read. Raises UsageError if the
        store is missing, busy, unreadable or unreachable.
        """
        if not self._is_server and not sqlite_path(self._url).exists():
            raise self._missing()
        store = ReadOnlyStore(self._url, busy_seconds=_BUSY_SECONDS)
        try:
            with explained_store(self._url), store.connected() as connection, reading(connection):
                return self._survey(connection, now)
        except UsageError as error:
            if not is_damage(error) and not isinstance(error.__cause__, DamagedRowError):
                raise
            return StoreSurvey(**self._about(0), faults=(str(error.detail or error.message),))
        finally:
            store.close()

    def _survey(self, connection: Connection, now: int) -> StoreSurvey:
        has_tables = has_table(connection, "schema_version")
        if self._is_server and not has_tables:
            raise self._missing()
        about = self._about(schema_version(connection))
        if self._is_server:
            about |= {"size": connection.execute(_SERVER_SIZE).fetchone()[0], "unsafe": _unsafe_settings(connection)}
        faults = tuple(_server_faults(connection) if self._is_server else _file_faults(connection))
        if faults or about["version"] != VERSION:
            return StoreSurvey(**about, faults=faults)
        return StoreSurvey(**about, **contents(connection, now))

    def _about(self, version: int) -> dict[str, Any]:
        about = {"place": store_name(self._url), "version": version, "known_version": VERSION}
        if self._is_server:
            spools = _spools(Spool.paths_of_server(self._state, self._url))
            aside = tuple(map(str, Spool.set_aside_of_server(self._state, self._url)))
            return {**about, "engine": "postgresql", "size": 0, "spools": spools, "spools_aside": aside}
        path = sqlite_path(self._url)
        spool = Spool.beside(path).path
        beside = {"spools": _spools([spool]), "spools_aside": _set_aside(spool), "set_aside": _set_aside(path)}
        return {**about, "engine": "sqlite", "size": file_size(path), **beside}

    def _missing(self) -> UsageError:
        return UsageError(
            tr("there is no event store in {place}", place=store_name(self._url))
            if self._is_server
            else tr("there is no event store {path}", path=store_name(self._url)),
            hint=tr("`alovoice listen` creates it, and records what the PBX sends"),
        )


def contents(connection: Connection, now: int) -> dict[str, Any]:
    """Returns the fields of a StoreSurvey from the tables of either engine, at this moment (unix microseconds)."""
    events, oldest, newest = connection.execute(_EVENTS).fetchone()
    if events:
        moment_of(oldest)
        moment_of(newest)
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


def _targets(connection: Connection) -> tuple[WaitingTarget, ...]:
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


def _file_faults(connection: Connection) -> list[str]:
    """Returns the faults that SQLite finds in tables and indexes."""
    rows = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
    return [] if rows == [("ok",)] else [line.strip() for row in rows for line in str(row[0]).splitlines()]


_SERVER_SIZE = "SELECT pg_database_size(current_database())"
_BROKEN_INDEXES = """SELECT index.relname FROM pg_index JOIN pg_class AS index ON index.oid = pg_index.indexrelid
    JOIN pg_class AS own ON own.oid = pg_index.indrelid
    WHERE NOT (indisvalid AND indisready) AND pg_table_is_visible(own.oid) ORDER BY index.relname"""
_SETTINGS = ("fsync", "full_page_writes")


def _server_faults(connection: Connection) -> list[str]:
    """Returns the indexes that the server does not use; with --data-checksums the server checks its pages itself."""
    rows = connection.execute(_BROKEN_INDEXES).fetchall()
    return [f"the index {name} is not valid (REINDEX INDEX {name})" for (name,) in rows]


def _unsafe_settings(connection: Connection) -> tuple[str, ...]:
    """Returns the settings under which a crash of the server may lose acknowledged data."""
    values = {name: connection.execute("SELECT current_setting(?)", (name,)).fetchone()[0] for name in _SETTINGS}
    return tuple(f"{name} = {value}" for name, value in values.items() if value == "off")


def _spools(paths: Iterable[Path]) -> tuple[SpoolFile, ...]:
    found = [(path, len(Spool(path).read().deliveries)) for path in paths if path.exists()]
    return tuple(SpoolFile(str(path), deliveries) for path, deliveries in found)


def _set_aside(file: Path) -> tuple[str, ...]:
    found = sorted(file.parent.glob(f"{file.name}.corrupt-*"))
    return tuple(str(path) for path in found if not path.name.endswith(("-wal", "-shm")))
