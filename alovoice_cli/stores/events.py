"""The event store as its readers see it: events and calls as streams, counts, and what belongs together.

Every method reads in short transactions of its own, a chunk at a time: a listener keeps writing and its file does not
grow for a slow reader's sake. Nothing here writes, but `pruning`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, func, or_, select, tuple_

from alovoice_cli.events.conditions import Compare
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call, Event, Fact
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.reading import read
from alovoice_cli.events.result_matching import is_meant
from alovoice_cli.events.statistics import By, CallCount
from alovoice_cli.stores.event_engine import open_engine, sqlite_path, told_plainly, transaction
from alovoice_cli.stores.event_kin import kin_of
from alovoice_cli.stores.event_pruning import EventPruning
from alovoice_cli.stores.event_rows import delivery_from
from alovoice_cli.stores.event_statements import counting_statement, events_statement, in_calls
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT, UPTIME
from alovoice_cli.stores.migrations import explained

EVERYTHING = Filter()
_CHUNK = 500
_MICRO = 1_000_000
_PATIENCE = 30 * _MICRO  # under a flood the listener reads what it stored some time before
_FACT_NAMES = tuple(field.name for field in fields(Fact))
_CALL_NAMES = tuple(field.name for field in fields(Call))


class Told(NamedTuple):
    """An event, and the call that it is of: a callend says neither number nor line, its call does."""

    event: Event
    call: Call | None = None


class EventStore:
    """A store that a listener made. Every method raises UsageError when the file is missing or cannot be read."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: Engine | None = None

    @property
    def exists(self) -> bool:
        """Whether a listener has ever made it."""
        return sqlite_path(self.url).exists()

    def events(
        self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0, after: int = 0
    ) -> Iterator[Event]:
        """The events that are wanted; `limit` 0 is all of them, `after` leaves out those up to that `seq`.

        In the order of the store; where the filter names a period, in the order of the clock.
        """
        return (told.event for told in self.told(wanted, newest_first=newest_first, limit=limit, after=after))

    def told(
        self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0, after: int = 0
    ) -> Iterator[Told]:
        """As `events`, each with its call."""
        for numbers in self._numbers(wanted, newest_first=newest_first, limit=limit, after=after):
            yield from self._load(numbers)

    def event(self, own_id: str) -> Event | None:
        """The event with this id; None if there is none."""
        return next(self.events(Filter(condition=Compare("id", "=", own_id)), limit=1), None)

    def event_at(self, seq: int) -> Event | None:
        """The event of this number; None if there is none."""
        return next(self.events(Filter(condition=Compare("seq", "=", seq)), limit=1), None)

    def related(self, call_ids: Collection[str], external_ids: Collection[str]) -> list[Event]:
        """The events that name one of these calls, in the order of the store; no results of others with its id."""
        named = or_(FACT.c.call_id.in_(call_ids), FACT.c.external_id.in_(external_ids))
        statement = select(FACT.c.seq).where(named).distinct().order_by(FACT.c.seq)
        with self._reading() as connection:
            numbers = list(connection.execute(statement).scalars())
        told = [one for part in _parts(numbers) for one in self._load(part)]
        return [one.event for one in told if is_meant(one.event, one.call, external_ids)]

    def kin(self, events: Iterable[Event]) -> list[Event]:
        """The events that tell of the same calls as these and share no id with them: results, and starts and ends."""
        with self._reading() as connection:
            numbers = {seq for event in events for seq in kin_of(connection, event)}
        return [told.event for part in _parts(sorted(numbers)) for told in self._load(part)]

    def route_questions(self, period: Period | None = None) -> Iterator[Event]:
        """The route questions of the period, oldest first, with what they were answered."""
        return self.events(Filter(period or Period(), Compare("type", "=", "route")))

    def settled(self, after: int, now: int) -> int:
        """Up to which number all has been derived, or is too old (of `now`, unix microseconds) to wait for longer."""
        unread = select(func.min(DELIVERY.c.seq)).select_from(DELIVERY.outerjoin(FACT, DELIVERY.c.seq == FACT.c.seq))
        unread = unread.where(FACT.c.seq.is_(None), DELIVERY.c.seq > after, DELIVERY.c.received_at > now - _PATIENCE)
        with self._reading() as connection:
            first: int | None = connection.execute(unread).scalar()
            newest: int = connection.execute(select(func.max(DELIVERY.c.seq))).scalar() or 0
        return newest if first is None else first - 1

    def calls(self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0) -> Iterator[Call]:
        """The calls that we first heard of in the period and that meet the condition, in order of that time."""
        statement = select(CALL).where(*in_calls(wanted))
        pages = self._pages(statement, (CALL.c.reported_at, CALL.c.call_id), newest_first, limit)
        return map(_call, _limited(pages, limit))

    def calls_by_id(self, call_ids: Collection[str]) -> dict[str, Call]:
        """The calls with these ids."""
        with self._reading() as connection:
            return _calls_by_id(connection, call_ids)

    def calls_with(self, numbers: Collection[str], since: int | None = None) -> list[Call]:
        """All calls with these numbers, of whichever line and direction, in order of time; `since` in unix seconds."""
        found: list[Call] = []
        with self._reading() as connection:
            for part in _parts(list(numbers)):
                statement = select(CALL).where(CALL.c.number.in_(part))
                if since is not None:
                    statement = statement.where(CALL.c.reported_at >= since)
                found.extend(map(_call, connection.execute(statement)))
        # Within a second by the store's order: a CRM's ids need not sort by time.
        return sorted(found, key=lambda call: (call.reported_at, call.start_seq or call.end_seq or 0, call.call_id))

    def counts(self, wanted: Filter, by: By) -> list[CallCount]:
        """Calls counted by quarter (for `hour`, `day`), line, extension or status; for `rule` the route questions."""
        with self._reading() as connection:
            return [CallCount(*row) for row in connection.execute(counting_statement(wanted, by))]

    def uptimes(self) -> list[Uptime]:
        """When listeners were there, oldest first."""
        statement = select(UPTIME.c.began_at, UPTIME.c.seen_at, UPTIME.c.ended_at).order_by(UPTIME.c.began_at)
        with self._reading() as connection:
            return [Uptime(*row) for row in connection.execute(statement)]

    def pruning(self, before: int) -> EventPruning:
        """What would forget all that came before this moment (unix microseconds)."""
        return EventPruning(self.url, before)

    def size(self) -> int:
        """The bytes that the store takes on the disk."""
        path = sqlite_path(self.url)
        parts = [path.with_name(path.name + suffix) for suffix in ("", "-wal")]
        return sum(part.stat().st_size for part in parts if part.exists())

    def _numbers(self, wanted: Filter, *, newest_first: bool, limit: int, after: int) -> Iterator[Sequence[int]]:
        """The numbers of the events that are wanted, in chunks."""
        statement, keys = events_statement(wanted)
        if after:
            statement = statement.where(keys[-1] > after)
        numbers: dict[int, None] = {}  # an event of several facts comes once for each that fits
        for row in _limited(_distinct(self._pages(statement, keys, newest_first, limit)), limit):
            numbers[row.seq] = None
            if len(numbers) == _CHUNK:
                yield list(numbers)
                numbers.clear()
        if numbers:
            yield list(numbers)

    def _pages(self, statement: Select[Any], keys: Sequence[Any], newest_first: bool, limit: int) -> Iterator[Any]:
        """The statement's rows in the order of the keys, which are among its columns; a page a transaction."""
        size = min(limit, _CHUNK) if limit else _CHUNK
        order = [key.desc() if newest_first else key.asc() for key in keys]
        page, key = statement.order_by(*order).limit(size), tuple_(*keys)
        while True:
            with self._reading() as connection:
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < size:
                return
            last = tuple_(*(getattr(rows[-1], column.name) for column in keys))
            page = statement.where(key < last if newest_first else key > last).order_by(*order).limit(size)

    def _load(self, numbers: Sequence[int]) -> list[Told]:
        """The events with these numbers, in that order."""
        with self._reading() as connection:
            deliveries = connection.execute(select(DELIVERY).where(DELIVERY.c.seq.in_(numbers))).all()
            facts = connection.execute(
                select(FACT).where(FACT.c.seq.in_(numbers)).order_by(FACT.c.seq, FACT.c.part)
            ).all()
            calls = _calls_by_id(connection, {row.call_id for row in facts if row.call_id is not None})
        by_number: dict[int, list[Row[Any]]] = {}
        for fact in facts:
            by_number.setdefault(fact.seq, []).append(fact)
        events = {row.seq: _event(row, by_number.get(row.seq, [])) for row in deliveries}
        told = (events[number] for number in numbers if number in events)  # pruned since, where it is missing
        return [Told(event, calls.get(event.fact.call_id or "")) for event in told]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._opened is None:
            self._opened = open_engine(self.url, must_exist=True)
        engine = self._opened
        with (
            explained(sqlite_path(self.url)),
            told_plainly(),
            engine.connect() as connection,
            transaction(connection, writes=False),
        ):
            yield connection


def _calls_by_id(connection: Connection, call_ids: Collection[str]) -> dict[str, Call]:
    found = {}
    for part in _parts(list(call_ids)):
        for row in connection.execute(select(CALL).where(CALL.c.call_id.in_(part))):
            found[row.call_id] = _call(row)
    return found


def _event(delivery: Any, facts: Sequence[Any]) -> Event:
    own = delivery_from(delivery)
    reading = read(own.type, own.body, own.content_type)
    if not facts:
        # Stored this moment: the writer will say more of it, such as the id that a callstart was answered with.
        return Event(own, reading.facts, value=reading.value, problem=reading.problem)
    first = facts[0]
    answer = json.loads(first.answer) if first.answer else {}
    return Event(
        own,
        () if first.problem else tuple(Fact(**{name: getattr(fact, name) for name in _FACT_NAMES}) for fact in facts),
        first.duplicate_of,
        reading.value,
        first.problem,
        answer if isinstance(answer, Mapping) else {},
        first.rule,
        first.digest,
    )


def _call(row: Any) -> Call:
    return Call(**{name: getattr(row, name) for name in _CALL_NAMES})


def _parts(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (things[start : start + _CHUNK] for start in range(0, len(things), _CHUNK))


def _limited(things: Iterable[Any], limit: int) -> Iterator[Any]:
    for number, thing in enumerate(things, start=1):
        yield thing
        if number == limit:
            return


def _distinct(rows: Iterable[Any]) -> Iterator[Any]:
    """Rows of one event follow each other: the order ends with its number."""
    last = None
    for row in rows:
        if row.seq != last:
            last = row.seq
            yield row
