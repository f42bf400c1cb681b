"""Imports events of another history into an event store: each once, marked, and without messages to targets.

A listener may write to the same store meanwhile: each batch is one short transaction.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from alovoice_cli.events.answers import StartAnswer, kept_answer
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.duplicates import REPEATABLE, WINDOW_SECONDS
from alovoice_cli.events.event import Delivery, Event, Reading
from alovoice_cli.events.event_assembly import FirstDelivery, NewDelivery, event_of
from alovoice_cli.events.import_lines import ImportedEvent, ImportedUptime, ImportLine
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.stores.event_engine import Connection, marks, opened, store_exists, writing
from alovoice_cli.stores.event_rows import insert_deliveries, insert_events, missing_of
from alovoice_cli.stores.row_values import json_of

_BATCH = 500
_MICRO = 1_000_000
_WINDOW = WINDOW_SECONDS * _MICRO
_LEAST_PAUSE_SECONDS = 0.02
_FIRST = """SELECT fact.received_at, delivery.id, fact.call_id, fact.answer
    FROM fact JOIN delivery ON delivery.seq = fact.seq
    WHERE fact.digest = ? AND fact.received_at BETWEEN ? AND ? AND fact.duplicate_of IS NULL AND fact.part = 0"""
_KEEP_UPTIME = """INSERT INTO uptime (id, began_at, seen_at, ended_at, imported) VALUES (?, ?, ?, ?, 1)
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, ended_at = excluded.ended_at
    WHERE uptime.imported = 1 AND excluded.seen_at > uptime.seen_at"""
_RUNNING = "SELECT began_at, seen_at FROM uptime WHERE ended_at IS NULL AND imported = 0"


class ImportCount(NamedTuple):
    """How many events were imported, how many of these are repetitions, and how many the store had already.

    `differing` counts known events whose content differs from the line with the same id.
    """

    imported: int = 0
    repeated: int = 0
    known: int = 0
    differing: int = 0

    def plus(self, other: "ImportCount") -> "ImportCount":
        """Returns the sum of both."""
        return ImportCount(*(own + more for own, more in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class _KnownFirst:
    """The first delivery of a body, and when it was received (unix microseconds)."""

    received_at: int
    first: FirstDelivery


class EventImport:
    """The import into the store at this URL. Raises UsageError for a file that cannot be opened or written."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rehearse(self, lines: Iterable[ImportLine]) -> ImportCount:
        """Returns how many of these events would be imported, and writes nothing: a missing store stays missing."""
        counted = ImportCount()
        with ExitStack() as stack:
            is_there = store_exists(self._url)
            connection = stack.enter_context(opened(self._url)) if is_there else None
            for batch in _batches(lines):
                deliveries = [line.delivery for line in batch if isinstance(line, ImportedEvent)]
                missing = len(missing_of(connection, deliveries) if connection is not None else deliveries)
                counted = counted.plus(ImportCount(missing, 0, len(deliveries) - missing))
        return counted

    def run(self, lines: Iterable[ImportLine]) -> Iterator[ImportCount]:
        """Imports the lines, a batch in each transaction, and yields each batch's count; creates a missing store.

        Events that the store has are unchanged, so an interrupted import can be repeated.
        """
        with opened(self._url, must_exist=False) as connection:
            for batch in _batches(lines):
                begun = time.monotonic()
                with writing(connection):
                    counted = _import(connection, [line for line in batch if isinstance(line, ImportedEvent)])
                    connection.executemany(_KEEP_UPTIME, _uptime_rows(batch))
                yield counted
                if _is_listener_there(connection):
                    # A listener tries again every few milliseconds: the lock stays free as long as it was held.
                    time.sleep(max(_LEAST_PAUSE_SECONDS, time.monotonic() - begun))


def _batches(lines: Iterable[ImportLine]) -> Iterator[list[ImportLine]]:
    source = iter(lines)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _uptime_rows(batch: Iterable[ImportLine]) -> list[tuple[str, int, int, int]]:
    """Returns the rows of uptimes until now: nobody can have received events of the future."""
    now = time.time_ns() // 1000
    uptimes = [line for line in batch if isinstance(line, ImportedUptime) and line.began_at <= now]
    return [(one.id, one.began_at, min(one.ended_at, now), min(one.ended_at, now)) for one in uptimes]


def _is_listener_there(connection: Connection) -> bool:
    now = time.time_ns() // 1000
    return any(Uptime(*row).until(now) >= now for row in connection.execute(_RUNNING))


def _import(connection: Connection, lines: Sequence[ImportedEvent]) -> ImportCount:
    """Stores the missing events with all derived data."""
    by_id = {line.delivery.id: line for line in reversed(lines)}  # of two lines with one id the first counts
    missing = missing_of(connection, [line.delivery for line in reversed(by_id.values())])
    firsts = _Firsts(connection)
    events = [_event(by_id[delivery.id], firsts) for delivery in missing]
    numbers = insert_deliveries(connection, missing, 0)
    numbered = [
        replace(event, delivery=replace(event.delivery, seq=seq)) for event, seq in zip(events, numbers, strict=True)
    ]
    insert_events(connection, numbered, {})
    repeated = sum(event.duplicate_of is not None for event in events)
    chosen = {id(by_id[delivery.id]) for delivery in missing}
    differing = _differing(connection, [line.delivery for line in lines if id(line) not in chosen])
    return ImportCount(len(missing), repeated, len(lines) - len(missing), differing)


def _differing(connection: Connection, known: Sequence[Delivery]) -> int:
    """Counts the deliveries whose content differs from the stored one with their id, as far as both can be read."""
    ids = [delivery.id for delivery in known]
    stored: dict[str, tuple[str, int, str | None]] = {
        own_id: told
        for own_id, *told in connection.execute(
            "SELECT delivery.id, delivery.type, delivery.received_at,"
            " CASE WHEN fact.problem = '' THEN fact.digest END FROM delivery"
            f" JOIN fact ON fact.seq = delivery.seq AND fact.part = 0 WHERE delivery.id IN ({marks(ids)})",
            ids,
        )
    }
    differing = 0
    for one in known:
        if one.id in stored:
            kind, received_at, digest = stored[one.id]
            is_equal = digest in (None, read_delivery(one).digest)
            differing += (kind, received_at) != (one.type, one.received_at) or not is_equal
    return differing


def _event(line: ImportedEvent, firsts: "_Firsts") -> Event:
    reading = read_delivery(line.delivery)
    if line.problem and reading.value is None:
        reading = replace(reading, problem=line.problem)
    callto = line.answer.get("callto")
    answer = StartAnswer(line.call_id or line.delivery.id, callto if isinstance(callto, str) else None)
    own = FirstDelivery(line.delivery.id, answer)
    first = firsts.first(line, reading, own)
    return event_of(NewDelivery(line.delivery, reading, line.answer, line.rule), first)


class _Firsts:
    """The first deliveries of each body, in the store and in this batch.

    A repetition within ten minutes refers to its first.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._own: dict[str, list[_KnownFirst]] = {}
        self._ids: set[str] = set()

    def first(self, line: ImportedEvent, reading: Reading, own: FirstDelivery) -> FirstDelivery:
        """Returns the first delivery with the same content, which may be `own`."""
        delivery = line.delivery
        self._ids.add(delivery.id)
        if line.duplicate_of is not None and self._has(line.duplicate_of):
            return FirstDelivery(line.duplicate_of, own.answer)
        if delivery.type not in REPEATABLE:
            return own
        at, known = delivery.received_at, self._known(reading.digest, delivery)
        near = [one for one in known if abs(at - one.received_at) <= _WINDOW]
        if not near:
            self._own.setdefault(reading.digest, []).append(_KnownFirst(at, own))
            return own
        # Lines may come in any order: one that was received before it counts before one that was received later.
        return min(near, key=lambda one: (one.received_at > at, abs(at - one.received_at))).first

    def _known(self, digest: str, delivery: Delivery) -> list[_KnownFirst]:
        around = (delivery.received_at - _WINDOW, delivery.received_at + _WINDOW)
        stored = [
            _KnownFirst(at, FirstDelivery(own_id, _kept(answer, call_id or own_id)))
            for at, own_id, call_id, answer in self._connection.execute(_FIRST, (digest, *around))
        ]
        return [*stored, *self._own.get(digest, ())]

    def _has(self, own_id: str) -> bool:
        asked = "SELECT 1 FROM delivery WHERE id = ?"
        return own_id in self._ids or self._connection.execute(asked, (own_id,)).fetchone() is not None


def _kept(answer: str | None, call_id: str) -> StartAnswer:
    return kept_answer(json_of(answer) if answer else None, call_id)
