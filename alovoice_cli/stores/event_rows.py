"""Deliveries and events as rows: the statements that write them within a writing transaction."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import count
from operator import attrgetter
from typing import Any, Protocol

from alovoice_cli.events.call_ids import read_record_link
from alovoice_cli.events.event import APART_SECONDS, TRIAL_PREFIX, Call, Delivery, Event, EventType, Fact, parties
from alovoice_cli.events.event_assembly import LateAnswer
from alovoice_cli.events.outbox import queue_of_call
from alovoice_cli.phones import canonical
from alovoice_cli.stores.event_engine import Connection, marks
from alovoice_cli.stores.event_schema import DELIVERY_COLUMNS, FACT_COLUMNS
from alovoice_cli.stores.row_values import (
    NUMBER,
    TEXT,
    DamagedRowError,
    Kinds,
    json_of,
    kinds_of,
    moment_of,
    require_kinds,
)

_MOST_PARAMETERS = 500
_STRETCH = 100_000
_MICRO = 1_000_000
_CALL_KINDS, _FACT_KINDS = kinds_of(Call), kinds_of(Fact)
_DELIVERY_KINDS: Kinds = (TEXT, TEXT, NUMBER, (bytes,), TEXT, TEXT, TEXT, NUMBER, TEXT, NUMBER)

_INSERT_DELIVERY = f"INSERT INTO delivery ({DELIVERY_COLUMNS}) VALUES ({marks(DELIVERY_COLUMNS.split())})"
_FACT_NAMES = f"seq, part, type, received_at, digest, duplicate_of, trial, problem, answer, rule, {FACT_COLUMNS}"
_INSERT_FACT = f"INSERT INTO fact ({_FACT_NAMES}) VALUES ({marks(_FACT_NAMES.split())}) ON CONFLICT DO NOTHING"
_fact_values = attrgetter(*(field.name for field in fields(Fact)))
_INSERT_OUTBOX = """INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble)
    VALUES (?, ?, ?, 'due', 0, ?, ?, '') ON CONFLICT DO NOTHING"""

# An end has no number. If a proxy removed its header, the header of the start counts.
_TRIAL_OR_NOT = f"CASE WHEN call.number LIKE '{TRIAL_PREFIX}%' THEN 1 ELSE excluded.trial END"

# An import may bring a call's start after its end.
_FIRST_REPORT = (
    "reported_at = CASE WHEN excluded.reported_at < call.reported_at"
    " THEN excluded.reported_at ELSE call.reported_at END"
)


def _upsert_call(names: Sequence[str]) -> str:
    """Returns the insert of a call with these new columns; a column without a new value keeps the old one.

    A trial changes no real call, even with the call's id; a call with one real event is no trial.
    """
    changes = ", ".join((_FIRST_REPORT, *(f"{name} = coalesce(excluded.{name}, call.{name})" for name in names)))
    columns = ["call_id", "reported_at", "trial", *names]
    return (
        f"INSERT INTO call ({', '.join(columns)}) VALUES ({marks(columns)})"
        f" ON CONFLICT (call_id) DO UPDATE SET trial = {_TRIAL_OR_NOT}, {changes} WHERE excluded.trial <= call.trial"
    )


_UPSERT_START = _upsert_call(("number", "line", "peer", "direction", "started_at", "start_seq"))
_UPSERT_END = _upsert_call(("status", "duration", "ended_at", "record", "end_seq", "pbx_call_id"))
# As in `events.event.is_of_another`: two calls may have one id if a CRM uses its own ids.
_UPDATE_RESULT = """UPDATE call
    SET external_id = coalesce(external_id, ?), record = coalesce(record, ?), pbx_call_id = coalesce(pbx_call_id, ?),
        result_seq = ?
    WHERE call_id = ? AND trial >= ? AND (number IS NULL OR number IN (?, ?) OR started_at BETWEEN ? AND ? OR ? = 1)"""


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """One action for an event after it is stored: `target` names the action, `queue` the order in which it must stay.

    It is due `after_seconds`.
    """

    target: str
    queue: str
    after_seconds: float = 0.0


class QueueMoment(Protocol):
    """Returns when a delivery that was received then begins to wait, by the clock of whoever sends it on (unix µs)."""

    def __call__(self, received_at: int, /) -> int: ...


# --- deliveries


def newest(connection: Connection) -> int:
    """Returns the highest `seq` of the store; 0 for an empty store."""
    return int(connection.execute("SELECT max(seq) FROM delivery").fetchone()[0] or 0)


def insert_deliveries(connection: Connection, deliveries: Sequence[Delivery], last: int) -> range:
    """Stores the deliveries in their order and returns their `seq`.

    It rises without a gap, from the highest number in the store or from `last`.
    """
    first = max(newest(connection), last) + 1
    connection.executemany(_INSERT_DELIVERY, map(_delivery_row, deliveries, count(first)))
    return range(first, first + len(deliveries))


def _delivery_row(delivery: Delivery, seq: int) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.type,
        delivery.received_at,
        delivery.body,
        delivery.content_type,
        delivery.peer,
        _headers_text(delivery.headers),
        seq,
        delivery.query,
        int(delivery.imported),
    )


@lru_cache(256)  # one sender always sends the same headers
def _headers_text(headers: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(headers)


def delivery_from(row: Sequence[Any]) -> Delivery:
    """Returns the delivery in a row of `delivery`, whose first columns are DELIVERY_COLUMNS.

    Raises DamagedRowError.
    """
    require_kinds(row, _DELIVERY_KINDS)
    own_id, name, received_at, body, content_type, peer, headers, seq, query, imported = row[:10]
    kind: EventType = name
    pairs = _headers_from(headers)
    return Delivery(own_id, kind, moment_of(received_at), body, content_type, peer, pairs, seq, query, bool(imported))


@lru_cache(256)
def _headers_from(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(header), str(value)) for header, value in json_of(text))
    except (ValueError, TypeError) as error:
        raise DamagedRowError(f"headers: {error}") from error


def call_from(row: Sequence[Any]) -> Call:
    """Returns the call in a row of `call`, with CALL_COLUMNS. Raises DamagedRowError."""
    require_kinds(row, _CALL_KINDS)
    return Call(*row)


def fact_from(row: Sequence[Any]) -> Fact:
    """Returns the fact in a row of `fact`, with FACT_COLUMNS. Raises DamagedRowError."""
    require_kinds(row, _FACT_KINDS)
    return Fact(*row)


def missing_of(connection: Connection, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Returns the deliveries that the store does not have: a spool may have been copied before a crash."""
    ids = [delivery.id for delivery in deliveries]
    there: set[str] = set()
    for start in range(0, len(ids), _MOST_PARAMETERS):
        part = ids[start : start + _MOST_PARAMETERS]
        there.update(row[0] for row in connection.execute(f"SELECT id FROM delivery WHERE id IN ({marks(part)})", part))
    return [delivery for delivery in deliveries if delivery.id not in there]


def underived(connection: Connection) -> list[int]:
    """Returns the numbers of deliveries without derived data, rising.

    An older version derived data nearly in order, so a long stretch without a missing one ends the search.
    """
    numbers: list[int] = []
    top, found = newest(connection) + 1, True
    while found:
        rows = connection.execute(
            "SELECT delivery.seq FROM delivery LEFT JOIN fact ON delivery.seq = fact.seq"
            " WHERE fact.seq IS NULL AND delivery.seq >= ? AND delivery.seq < ? ORDER BY delivery.seq DESC",
            (top - _STRETCH, top),
        ).fetchall()
        numbers += [row[0] for row in rows]
        found, top = bool(rows), top - _STRETCH
    return numbers[::-1]


def load_deliveries(connection: Connection, numbers: Sequence[int]) -> list[Delivery]:
    """Returns the deliveries with these numbers, in the order of the store."""
    rows = connection.execute(
        f"SELECT {DELIVERY_COLUMNS} FROM delivery WHERE seq IN ({marks(numbers)}) ORDER BY seq", numbers
    )
    return [delivery_from(row) for row in rows]


# --- events


def insert_events(
    connection: Connection,
    events: Sequence[Event],
    queued: Mapping[str, Sequence[QueuedDelivery]],
    moment_of: QueueMoment = int,
) -> None:
    """Stores the facts of events, joins their calls, and queues actions for each event (by its id)."""
    connection.executemany(_INSERT_FACT, [row for event in events for row in _fact_rows(event)])
    first_told = [event for event in events if event.duplicate_of is None]
    # Each statement gets all its rows at once. A call's end may precede its start, and then waits for it.
    statements = (
        (_UPSERT_START, "callstart", _start_row),
        (_UPSERT_END, "callend", _end_row),
        (_UPDATE_RESULT, "result", _result_row),
    )
    for statement, kind, make in statements:
        rows = [make(event, fact) for event, fact in _of_calls(first_told, kind)]
        if rows:
            connection.executemany(statement, rows)
    outgoing = [row for event in events for row in _outbox_rows(event, queued.get(event.delivery.id, ()), moment_of)]
    if outgoing:
        connection.executemany(_INSERT_OUTBOX, outgoing)


def _of_calls(events: Iterable[Event], kind: str) -> Iterator[tuple[Event, Fact]]:
    return ((event, fact) for event in events if event.delivery.type == kind for fact in event.facts if fact.call_id)


def _fact_rows(event: Event) -> Iterator[tuple[object, ...]]:
    delivery = event.delivery
    answer = json.dumps(event.answer) if event.answer else None
    for part, fact in enumerate(event.facts or (Fact(),)):
        shared = (delivery.seq, part, delivery.type, delivery.received_at, event.digest, event.duplicate_of)
        yield (*shared, int(event.is_trial), event.problem, answer, event.rule, *_fact_values(fact))


def _start_row(event: Event, fact: Fact) -> tuple[object, ...]:
    at, seq = event.delivery.received_at // _MICRO, event.delivery.seq
    told = (fact.number, fact.line, fact.peer, fact.direction, fact.started_at, seq)
    return (fact.call_id, at, int(event.is_trial), *told)


def _end_row(event: Event, fact: Fact) -> tuple[object, ...]:
    at, seq = event.delivery.received_at // _MICRO, event.delivery.seq
    told = (fact.status, fact.duration, fact.ended_at, fact.record, seq, fact.pbx_call_id)
    return (fact.call_id, at, int(event.is_trial), *told)


def _result_row(event: Event, fact: Fact) -> tuple[object, ...]:
    of_link = read_record_link(fact.record)  # not the result's own `id`: another call may have it
    told = (fact.external_id, fact.record, of_link, event.delivery.seq, fact.call_id, int(event.is_trial))
    earliest = None if fact.started_at is None else fact.started_at - APART_SECONDS
    latest = None if fact.started_at is None else fact.started_at + APART_SECONDS
    return (*told, fact.number, canonical(fact.peer or ""), earliest, latest, int(not parties(fact)))


def _outbox_rows(
    event: Event, queued: Sequence[QueuedDelivery], moment_of: QueueMoment
) -> Iterator[tuple[object, ...]]:
    at, seq = moment_of(event.delivery.received_at), event.delivery.seq
    return ((one.target, seq, one.queue, at + int(one.after_seconds * _MICRO), at) for one in queued)


# --- later answers


def store_answer(connection: Connection, late: LateAnswer) -> None:
    """Stores the answer to a stored delivery; does nothing if the delivery is not stored."""
    row = connection.execute("SELECT seq FROM delivery WHERE id = ?", (late.delivery_id,)).fetchone()
    if row is None:
        return
    (seq,) = row
    answer = json.dumps(late.answer) if late.answer else None
    connection.execute("UPDATE fact SET answer = ?, rule = ? WHERE seq = ?", (answer, late.rule, seq))
    if late.call_id is not None:
        _rename_call(connection, seq, late.call_id)
    if late.asked is not None:
        # The CRM that answered knows the event; otherwise it is a target like the others.
        change = "state = 'done', attempts = attempts + 1" if late.is_answered else "due_at = born_at"
        connection.execute(
            f"UPDATE outbox SET {change} WHERE target = ? AND seq = ? AND state = 'due' AND owner = ''",
            (late.asked, seq),
        )


def _rename_call(connection: Connection, seq: int, call_id: str) -> None:
    """Gives the call of a callstart the id that the CRM answered; an end with that id may be stored already."""
    before = connection.execute("SELECT call_id, duplicate_of FROM fact WHERE seq = ?", (seq,)).fetchone()
    if before is None or before[0] == call_id:
        return
    own_id, duplicate_of = before
    connection.execute("UPDATE fact SET call_id = ? WHERE seq = ?", (call_id, seq))
    queues = (queue_of_call(call_id), seq, queue_of_call(own_id))
    connection.execute("UPDATE outbox SET queue = ? WHERE seq = ? AND queue = ?", queues)
    if duplicate_of is not None:
        return
    names = "reported_at, trial, number, line, peer, direction, started_at, start_seq"
    row = connection.execute(f"SELECT {names} FROM call WHERE call_id = ? AND start_seq = ?", (own_id, seq)).fetchone()
    if row is not None:
        connection.execute("DELETE FROM call WHERE call_id = ?", (own_id,))
        connection.execute(_UPSERT_START, (call_id, *row))
