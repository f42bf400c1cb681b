"""Deliveries and events as rows: the statements that write them."""

import json
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, bindparam, func, or_, select

from alovoice_cli.events.event import Delivery, Event, EventType, Fact
from alovoice_cli.events.result_matching import APART_SECONDS, parties
from alovoice_cli.phones import canonical
from alovoice_cli.stores.event_engine import Execute, ManyInsert, insert_new, upsert
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT, OUTBOX

_MOST_PARAMETERS = 500
_STRETCH = 100_000
_FACT_NAMES = tuple(field.name for field in fields(Fact))
_START_NAMES = ("number", "line", "peer", "direction", "started_at", "start_seq")
_END_NAMES = ("status", "duration", "ended_at", "record", "end_seq")
_NEWEST = str(select(func.max(DELIVERY.c.seq)))
_INSERT_DELIVERY = ManyInsert(DELIVERY.insert(), DELIVERY.c.keys())
_INSERT_FACT = ManyInsert(insert_new(FACT), FACT.c.keys())
_INSERT_OUTBOX = ManyInsert(insert_new(OUTBOX), OUTBOX.c.keys())


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to be done with an event after it is stored: `target` says what, `queue` what it must follow."""

    target: str
    queue: str


class Stretch(NamedTuple):
    """Deliveries with these numbers, both of them included."""

    first: int
    last: int


def _told(column: Any, new: Any) -> Any:
    """What was told last, or what was known before."""
    return func.coalesce(new, column)


def _telling(names: Sequence[str]) -> ManyInsert:
    """The insert of a call of which these columns are told now; what was told before stays where they say nothing."""
    statement = upsert(CALL, ["call_id"], lambda new: {name: _told(CALL.c[name], new[name]) for name in names})
    return ManyInsert(statement, ["call_id", "reported_at", *names])


_UPSERT_START, _UPSERT_END = _telling(_START_NAMES), _telling(_END_NAMES)
_UPDATE_RESULT = (
    CALL.update()
    .where(
        CALL.c.call_id == bindparam("known_id"),
        # As `events.result_matching` judges: two calls may have one id, where a CRM counts its own.
        or_(
            CALL.c.number.is_(None),
            CALL.c.number.in_([bindparam("its_number"), bindparam("its_caller")]),
            CALL.c.started_at.between(bindparam("earliest"), bindparam("latest")),
            bindparam("is_mute", type_=Boolean()),
        ),
    )
    .values(
        external_id=func.coalesce(CALL.c.external_id, bindparam("its_external_id")),
        record=func.coalesce(CALL.c.record, bindparam("its_record")),
        result_seq=bindparam("its_seq"),
    )
)


def newest(execute: Execute) -> int:
    """The highest `seq` of the store; 0 where it is empty."""
    return int(execute(_NEWEST, ()).fetchone()[0] or 0)


def insert_some(execute: Execute, deliveries: Sequence[Delivery], last: int) -> range:
    """Stores the first of the deliveries, by one statement; returns their `seq`, which rise from `last`.

    They are all there or none: outside of a transaction the statement is one. Raises sqlite3.IntegrityError where
    somebody else has used the numbers.
    """
    rows = list(map(_delivery_row, count(last + 1), deliveries))
    return range(last + 1, last + 1 + _INSERT_DELIVERY.run_some(execute, rows))


def insert_deliveries(connection: Connection, deliveries: Sequence[Delivery], last: int) -> range:
    """Stores all of the deliveries in their order, within a write transaction; returns their `seq`.

    It rises without a gap, from the highest in the store or from `last`.
    """
    execute = connection.exec_driver_sql
    first = max(newest(execute), last) + 1
    _INSERT_DELIVERY.run_tuples(execute, list(map(_delivery_row, count(first), deliveries)))
    return range(first, first + len(deliveries))


def _delivery_row(seq: int, delivery: Delivery) -> tuple[object, ...]:
    return (
        seq,
        delivery.id,
        delivery.type,
        delivery.received_at,
        delivery.peer,
        delivery.content_type,
        _headers_text(delivery.headers),
        delivery.body,
    )


@lru_cache(256)  # one sender's headers are the same again and again
def _headers_text(headers: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(headers)


def load_deliveries(connection: Connection, first: int, last: int) -> list[Delivery]:
    """The deliveries whose number is between these two, in their order."""
    rows = connection.execute(select(DELIVERY).where(DELIVERY.c.seq.between(first, last)).order_by(DELIVERY.c.seq))
    return [delivery_from(row) for row in rows]


def unread(connection: Connection) -> list[Stretch]:
    """The deliveries of which nothing was derived, in their order.

    Things are derived nearly in that order, so a long stretch in which nothing is missing ends the search.
    """
    numbers: list[int] = []
    top = (connection.execute(select(func.max(DELIVERY.c.seq))).scalar() or 0) + 1
    found = True
    while found:
        bottom = top - _STRETCH
        missing = (
            select(DELIVERY.c.seq)
            .outerjoin(FACT, DELIVERY.c.seq == FACT.c.seq)
            .where(FACT.c.seq.is_(None), DELIVERY.c.seq >= bottom, DELIVERY.c.seq < top)
            .order_by(DELIVERY.c.seq.desc())
        )
        before = len(numbers)
        numbers += connection.execute(missing).scalars()
        found, top = len(numbers) > before, bottom
    stretches: list[Stretch] = []
    for number in reversed(numbers):
        add_number(stretches, number)
    return stretches


def add_number(waiting: MutableSequence[Any], number: int) -> None:
    """Adds a number: to the stretch that stands last, where it follows it, else as a stretch of its own."""
    last = waiting[-1] if waiting else None
    if isinstance(last, Stretch) and last.last + 1 == number:
        waiting[-1] = Stretch(last.first, number)
    else:
        waiting.append(Stretch(number, number))


def missing_of(connection: Connection, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Those of the deliveries that the store does not have: a spool may have been emptied before a crash."""
    ids = [delivery.id for delivery in deliveries]
    there: set[str] = set()
    for start in range(0, len(ids), _MOST_PARAMETERS):
        found = select(DELIVERY.c.id).where(DELIVERY.c.id.in_(ids[start : start + _MOST_PARAMETERS]))
        there.update(connection.execute(found).scalars())
    return [delivery for delivery in deliveries if delivery.id not in there]


def insert_events(connection: Connection, events: Sequence[Event], errands: Mapping[str, Sequence[Errand]]) -> None:
    """Stores what was read of the events, joins their calls, and notes the errands of each (by the event's id)."""
    execute = connection.exec_driver_sql
    _INSERT_FACT.run(execute, [row for event in events for row in _fact_rows(event)])
    first_told = [event for event in events if event.duplicate_of is None]
    # Each statement with all its rows at once; a call's end may stand before its start, and then waits for it.
    for kind, insert, make in (("callstart", _UPSERT_START, _start_row), ("callend", _UPSERT_END, _end_row)):
        insert.run(execute, [make(event, fact) for event, fact in _of_calls(first_told, kind)])
    results = [_result_row(event, fact) for event, fact in _of_calls(first_told, "result")]
    if results:
        connection.execute(_UPDATE_RESULT, results)
    outgoing = [row for event in events for row in _errand_rows(event, errands.get(event.delivery.id, ()))]
    _INSERT_OUTBOX.run(execute, outgoing)


def _of_calls(events: Iterable[Event], kind: str) -> Iterable[tuple[Event, Fact]]:
    return ((event, fact) for event in events if event.delivery.type == kind for fact in event.facts if fact.call_id)


def _fact_rows(event: Event) -> list[dict[str, object]]:
    delivery = event.delivery
    shared: dict[str, object] = {
        "seq": delivery.seq,
        "type": delivery.type,
        "received_at": delivery.received_at,
        "digest": event.digest,
        "duplicate_of": event.duplicate_of,
        "problem": event.problem,
        "answer": json.dumps(event.answer) if event.answer else None,
        "rule": event.rule,
    }
    return [
        {**shared, "part": part, **{name: getattr(fact, name) for name in _FACT_NAMES}}
        for part, fact in enumerate(event.facts or (Fact(),))
    ]


def _start_row(event: Event, fact: Fact) -> dict[str, object]:
    return {
        "call_id": fact.call_id,
        "reported_at": event.delivery.received_at // 1_000_000,
        "number": fact.number,
        "line": fact.line,
        "peer": fact.peer,
        "direction": fact.direction,
        "started_at": fact.started_at,
        "start_seq": event.delivery.seq,
    }


def _end_row(event: Event, fact: Fact) -> dict[str, object]:
    return {
        "call_id": fact.call_id,
        "reported_at": event.delivery.received_at // 1_000_000,
        "status": fact.status,
        "duration": fact.duration,
        "ended_at": fact.ended_at,
        "record": fact.record,
        "end_seq": event.delivery.seq,
    }


def _result_row(event: Event, fact: Fact) -> dict[str, object]:
    return {
        "known_id": fact.call_id,
        "its_external_id": fact.external_id,
        "its_record": fact.record,
        "its_seq": event.delivery.seq,
        "its_number": fact.number,
        "its_caller": canonical(fact.peer or ""),
        "earliest": None if fact.started_at is None else fact.started_at - APART_SECONDS,
        "latest": None if fact.started_at is None else fact.started_at + APART_SECONDS,
        "is_mute": not parties(fact),
    }


def _errand_rows(event: Event, errands: Sequence[Errand]) -> list[dict[str, object]]:
    at = event.delivery.received_at
    return [
        {
            "target": errand.target,
            "seq": event.delivery.seq,
            "queue": errand.queue,
            "state": "due",
            "attempts": 0,
            "due_at": at,
            "born_at": at,
            "trouble": "",
        }
        for errand in errands
    ]


def delivery_from(row: Any) -> Delivery:
    """A row of `delivery` (all columns, by name) as a value."""
    kind: EventType = row.type
    headers = tuple((str(name), str(value)) for name, value in json.loads(row.headers))
    return Delivery(row.id, kind, row.received_at, row.body, row.content_type, row.peer, headers, row.seq)
