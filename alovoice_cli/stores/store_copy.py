"""Copies the history of an event store to another one, also while a listener writes to either.

The source is only read. A delivery is recognised by its id and keeps its number if that is free; rows that refer to it
get its number in the target. Each batch is one transaction, so an interrupted copy can be run again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from alovoice_cli.events.outbox import DUE
from alovoice_cli.stores.copied_rows import (
    CALL_NUMBERS,
    OPEN_DELIVERIES,
    OPEN_NOTICES,
    CopyCount,
    CopyStep,
    Numbers,
    Row,
    later_uptime,
    merged_call,
    message_numbers,
    numbered_call,
    resting_delivery,
    settled_delivery,
    settled_notice,
    storable_row,
)
from alovoice_cli.stores.event_engine import Connection, marks, opened, reading, store_exists, writing
from alovoice_cli.stores.event_rows import newest
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.outbox import outbox_lock

_BATCH = 500
_KEYS: Mapping[str, tuple[str, ...]] = {
    "delivery": ("seq",),
    "fact": ("seq", "part"),
    "call": ("call_id",),
    "uptime": ("id",),
    "outbox_target": ("name",),
    "outbox": ("target", "seq"),
    "notice_message": ("target", "id"),
    "notice": ("target", "seq"),
    "notice_chat": ("target",),
}
TABLES = ("delivery", "call", "uptime", "outbox_target", "outbox", "notice_message", "notice", "notice_chat")
"""The tables of a copy, in its order."""

Merge = Callable[[Row, Row], dict[str, Any]]
"""Returns the new row of the target from its own and the source's row."""


class EventCopy:
    """The copy of the store in one file to the store at another URL. Raises UsageError if either fails.

    After the copy, `is_at_rest` says whether no listener of the source was forwarding: only then are waiting entries
    copied. `waiting` is the number of entries that wait in the target because of this copy.
    """

    def __init__(self, source: str, target: str) -> None:
        self._source_url, self._target_url = source, target
        self._columns: dict[str, tuple[str, ...]] = {}
        self.is_at_rest, self.waiting = True, 0

    def rehearse(self) -> CopyCount:
        """Returns how many events would be copied, and writes nothing: a missing target stays missing."""
        counted, is_there = CopyCount(), store_exists(self._target_url)
        with ExitStack() as stack:
            source = stack.enter_context(opened(self._source_url))
            target = stack.enter_context(opened(self._target_url)) if is_there else None
            for rows in self._pages(source, "delivery"):
                ids = [row["id"] for row in rows]
                known = len(_known_ids(target, ids)) if target is not None else 0
                counted = counted.plus(CopyCount(len(rows) - known, 0, known))
        return counted

    def total(self) -> int:
        """Returns how many rows the source has."""
        with opened(self._source_url) as source:
            counted = [source.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]
        return sum(counted)

    def run(self) -> Iterator[CopyStep]:
        """Copies batch by batch, and creates a missing target; yields the result of each batch."""
        with ExitStack() as stack:
            target = stack.enter_context(opened(self._target_url, must_exist=False))
            source = stack.enter_context(opened(self._source_url))
            settled = EventStore(self._source_url).settled(0, time.time_ns() // 1000)
            yield from self._copy_events(source, target, settled)
            yield from self._copy_calls(source, target, settled)
            yield from self._copy_plain(source, target, "uptime", later_uptime)
            with self._outbox_held() as self.is_at_rest:
                yield from self._copy_plain(source, target, "outbox_target", _kept)
                yield from self._copy_outbox(source, target, settled)
                yield from self._copy_notices(source, target, settled)
                yield from self._copy_plain(source, target, "notice_chat", _kept)

    @contextmanager
    def _outbox_held(self) -> Iterator[bool]:
        """Holds the source's outbox, so that no listener starts to forward from it; yields whether it is held."""
        lock = outbox_lock(sqlite_path(self._source_url))
        is_held = lock.acquire()
        try:
            yield is_held
        finally:
            if is_held:
                lock.release()

    # --- events and calls

    def _copy_events(self, source: Connection, target: Connection, settled: int) -> Iterator[CopyStep]:
        for rows in self._pages(source, "delivery"):
            coming, new = [row for row in rows if row["seq"] <= settled], 0
            if coming:
                facts = self._facts(source, coming)
                with writing(target):
                    new = self._insert_events(target, coming, facts)
            yield CopyStep("delivery", CopyCount(new, 0, len(coming) - new, len(rows) - len(coming)))

    def _facts(self, source: Connection, deliveries: Sequence[Row]) -> list[Row]:
        names = self._names(source, "fact")
        span = (deliveries[0]["seq"], deliveries[-1]["seq"])
        asked = f"SELECT {', '.join(names)} FROM fact WHERE seq BETWEEN ? AND ? ORDER BY seq, part"
        return [dict(zip(names, row, strict=True)) for row in source.execute(asked, span).fetchall()]

    def _insert_events(self, target: Connection, deliveries: Sequence[Row], facts: Sequence[Row]) -> int:
        """Stores the missing deliveries with their facts; returns how many."""
        known = _known_ids(target, [row["id"] for row in deliveries])
        last, numbers = newest(target), {}
        for row in deliveries:
            if row["id"] not in known:
                last = numbers[row["seq"]] = max(row["seq"], last + 1)
        for table, rows in (("delivery", deliveries), ("fact", facts)):
            new = [{**row, "seq": numbers[row["seq"]]} for row in rows if row["seq"] in numbers]
            self._insert(target, table, new)
        return len(numbers)

    def _copy_calls(self, source: Connection, target: Connection, settled: int) -> Iterator[CopyStep]:
        numbers = Numbers(source, target)
        for rows in self._pages(source, "call"):
            named = {row[name] for row in rows for name in CALL_NUMBERS if row[name] is not None}
            there = numbers.in_target(named)
            calls = [numbered_call(row, there, settled) for row in rows]
            coming = [call for call in calls if call is not None]

            def merge(own: Row, call: Row) -> dict[str, Any]:
                return merged_call(own, call, numbers.of_source([own[name] for name in CALL_NUMBERS if own[name]]))

            counted = self._bring(target, "call", coming, merge)
            yield CopyStep("call", counted.plus(CopyCount(left=len(rows) - len(coming))))

    # --- waiting entries

    def _copy_outbox(self, source: Connection, target: Connection, settled: int) -> Iterator[CopyStep]:
        for rows in self._pages(source, "outbox"):
            resting = [row for row in rows if self.is_at_rest or row["state"] not in OPEN_DELIVERIES]
            coming = self._renumbered(source, target, [resting_delivery(row) for row in resting], settled)
            self.waiting += sum(row["state"] == DUE for row in coming)
            counted = self._bring(target, "outbox", coming, settled_delivery)
            yield CopyStep("outbox", counted.plus(CopyCount(left=len(rows) - len(coming))))

    def _copy_notices(self, source: Connection, target: Connection, settled: int) -> Iterator[CopyStep]:
        messages = [row for rows in self._pages(source, "notice_message") for row in rows]
        there = [row for rows in self._pages(target, "notice_message") for row in rows]
        numbers = message_numbers(there, messages)
        moved = [{**row, "id": numbers[row["target"], row["id"]]} for row in messages]
        resting = [row for row in moved if self.is_at_rest or row["state"] != "sending"]
        counted = self._bring(target, "notice_message", resting, _kept)
        yield CopyStep("notice_message", counted.plus(CopyCount(left=len(messages) - len(resting))))
        for rows in self._pages(source, "notice"):
            open_ones = frozenset() if self.is_at_rest else OPEN_NOTICES
            coming = self._renumbered(source, target, [row for row in rows if row["state"] not in open_ones], settled)
            coming = [{**row, "message": numbers.get((row["target"], row["message"]), 0)} for row in coming]
            counted = self._bring(target, "notice", coming, settled_notice)
            yield CopyStep("notice", counted.plus(CopyCount(left=len(rows) - len(coming))))

    def _renumbered(
        self, source: Connection, target: Connection, rows: Sequence[Row], settled: int
    ) -> list[dict[str, Any]]:
        """Returns the rows whose events are in the target, with their numbers there."""
        numbers = Numbers(source, target).in_target({row["seq"] for row in rows if row["seq"] <= settled})
        return [{**row, "seq": numbers[row["seq"]]} for row in rows if row["seq"] in numbers]

    # --- any table

    def _copy_plain(self, source: Connection, target: Connection, table: str, merge: Merge) -> Iterator[CopyStep]:
        for rows in self._pages(source, table):
            yield CopyStep(table, self._bring(target, table, rows, merge))

    def _pages(self, connection: Connection, table: str) -> Iterator[Sequence[Row]]:
        """Yields the rows of a table in the order of its key, one page in each transaction."""
        names, keys = self._names(connection, table), _KEYS[table]
        after: tuple[Any, ...] = ()
        while True:
            where = f"WHERE ({', '.join(keys)}) > ({marks(keys)})" if after else ""
            asked = f"SELECT {', '.join(names)} FROM {table} {where} ORDER BY {', '.join(keys)} LIMIT {_BATCH}"
            with reading(connection):
                found = connection.execute(asked, after).fetchall()
            rows: list[Row] = [dict(zip(names, row, strict=True)) for row in found]
            if rows:
                yield rows
            if len(rows) < _BATCH:
                return
            after = tuple(rows[-1][name] for name in keys)

    def _bring(self, target: Connection, table: str, rows: Sequence[Row], merge: Merge) -> CopyCount:
        """Inserts missing rows in the target, and replaces rows that `merge` changes, in one transaction."""
        keys = _KEYS[table]
        coming = {tuple(row[name] for name in keys): storable_row(row) for row in rows}
        if not coming:
            return CopyCount()
        with writing(target):
            there = self._there(target, table, list(coming))
            new = [row for key, row in coming.items() if key not in there]
            differing = {key: row for key, row in coming.items() if key in there and there[key] != row}
            merged = {key: merge(there[key], row) for key, row in differing.items()}
            changed = [row for key, row in merged.items() if row != there[key]]
            self._insert(target, table, new)
            self._update(target, table, changed)
        return CopyCount(len(new), len(changed), len(coming) - len(new) - len(changed))

    def _there(self, target: Connection, table: str, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
        names, of_key = self._names(target, table), _KEYS[table]
        places = ", ".join([f"({marks(of_key)})"] * len(keys))
        asked = f"SELECT {', '.join(names)} FROM {table} WHERE ({', '.join(of_key)}) IN (VALUES {places})"
        values = [part for key in keys for part in key]
        rows = [dict(zip(names, row, strict=True)) for row in target.execute(asked, values).fetchall()]
        return {tuple(row[name] for name in of_key): row for row in rows}

    def _insert(self, target: Connection, table: str, rows: Sequence[Row]) -> None:
        if rows:
            names = self._names(target, table)
            statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})"
            values = [storable_row(row) for row in rows]
            target.executemany(statement, [tuple(row[name] for name in names) for row in values])

    def _update(self, target: Connection, table: str, rows: Sequence[Row]) -> None:
        if rows:
            keys = _KEYS[table]
            names = [name for name in self._names(target, table) if name not in keys]
            changes, place = ", ".join(f"{name} = ?" for name in names), " AND ".join(f"{name} = ?" for name in keys)
            values = [tuple(row[name] for name in (*names, *keys)) for row in rows]
            target.executemany(f"UPDATE {table} SET {changes} WHERE {place}", values)

    def _names(self, connection: Connection, table: str) -> tuple[str, ...]:
        """Returns the table's columns; both stores have the same version and columns."""
        if table not in self._columns:
            cursor: Any = connection.execute(f"SELECT * FROM {table} LIMIT 0")
            self._columns[table] = tuple(column[0] for column in cursor.description)
        return self._columns[table]


def _known_ids(target: Connection, ids: Sequence[str]) -> set[str]:
    return {row[0] for row in target.execute(f"SELECT id FROM delivery WHERE id IN ({marks(ids)})", ids)}


def _kept(there: Row, coming: Row) -> dict[str, Any]:
    """Returns the target's row unchanged."""
    return dict(there)
