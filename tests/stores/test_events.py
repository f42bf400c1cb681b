"""The event store's reading side: what it finds, in which order, by which index, and beside a writer."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from event_rows import MICRO, Rows, end_of
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import (
    CALL_FIELDS,
    EVENT_FIELDS,
    And,
    Compare,
    Condition,
    EventField,
    Not,
    Or,
    Value,
    holds,
)
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call, Event
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.stores import events as reading
from alovoice_cli.stores.event_engine import opened
from alovoice_cli.stores.event_query import Sql, counting, events_question
from alovoice_cli.stores.events import EventStore

AT = 1_745_571_727.0


@pytest.fixture
def rows(store_url: str) -> Rows:
    return Rows(store_url)


@pytest.fixture
def store(rows: Rows) -> EventStore:
    return EventStore(rows.url)


def _seqs(events: Iterator[Event]) -> list[int]:
    return [event.delivery.seq for event in events]


def _where(field: str, operator: Any, value: Any) -> Filter:
    return Filter(condition=Compare(field, operator, value))


def test_a_store_that_nobody_filled_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no event store"):
        list(EventStore(str(tmp_path / "none.db")).events())
    assert not (tmp_path / "none.db").exists()


def test_events_come_back_as_they_were_stored(rows: Rows, store: EventStore) -> None:
    start = rows.deliver(
        "callstart", AT, {"number": "+998901234567", "type": "inc"}, call_id="Ғ-1", answer={"id": "Ғ-1"}
    )
    again = rows.deliver("callstart", AT + 1, {"number": "+998901234567", "type": "inc"}, call_id="Ғ-1", repeats=start)
    broken = rows.deliver("callend", AT + 2, b"\xff\x00{")
    several = rows.deliver("result", AT + 3, [{"id": 1, "dialstatus": "ANSWER"}, {"id": 2, "dialstatus": "BUSY"}])
    route = rows.deliver(
        "route", AT + 4, {"from_number": "1"}, answer={"step": {"action_type": "hangup"}}, rule="night"
    )
    assert list(store.events()) == [start, again, broken, several, route]
    assert list(store.route_questions()) == [route]
    assert store.event(again.delivery.id) == again
    assert store.event_at(3) == broken
    assert store.event("nosuch") is None


def test_limit_order_and_after_are_the_stores_over_many_pages(
    rows: Rows, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 3)
    for number in range(10):
        rows.deliver("result", AT - number, [{"id": 1, "dialstatus": "B"}, {"id": 2, "dialstatus": "B"}])
    assert _seqs(store.events()) == list(range(1, 11))
    assert _seqs(store.events(newest_first=True, limit=4)) == [10, 9, 8, 7]
    assert _seqs(store.events(after=7)) == [8, 9, 10]
    # Of an event with two facts that fit, one is shown.
    assert _seqs(store.events(_where("status", "=", "B"))) == list(range(1, 11))
    assert _seqs(store.events(_where("status", "=", "B"), newest_first=True, limit=7)) == [10, 9, 8, 7, 6, 5, 4]


def test_a_period_is_in_the_order_of_the_clock_which_may_have_been_set_back(
    rows: Rows, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 2)
    for moment in (AT, AT + 60, AT - 3600, AT + 61, AT + 60):
        rows.deliver("callend", moment, {"call_id": "x"})
    since = Filter(Period(int(AT * MICRO), None))
    assert _seqs(store.events(since)) == [1, 2, 5, 4]
    assert _seqs(store.events(since, newest_first=True, limit=3)) == [4, 5, 2]
    assert _seqs(store.events(Filter(Period(None, int(AT * MICRO))))) == [3]
    assert _seqs(store.events()) == [1, 2, 3, 4, 5]


def test_a_delivery_that_nobody_has_read_yet_is_listed(rows: Rows, store: EventStore) -> None:
    lagging = rows.deliver("callend", AT, end_of("c1", int(AT), 5, "486"), is_read=False)
    (event,) = store.events(Filter(Period(int(AT * MICRO), None), Compare("type", "=", "callend")))
    assert event.delivery == lagging.delivery
    assert (event.fact.status, event.digest) == ("486", "")
    assert _seqs(store.events(_where("rule", "=", None))) == [1]
    assert store.settled(0, int(AT * MICRO)) == 0
    assert store.settled(0, int((AT + 60) * MICRO)) == 1


def test_a_callend_is_found_by_what_its_callstart_said(rows: Rows, store: EventStore) -> None:
    rows.call(AT, "901234567", line="712037006", call_id="a")
    rows.call(AT, "901234568", line="712037007", direction="out", call_id="b")
    for wanted in (
        _where("number", "=", "998901234567"),
        _where("number", "in", ("998901234567", "1")),
        _where("number", "~", "34567"),
        _where("line", "=", "998712037006"),
        _where("direction", "!=", "out"),
        Filter(condition=Not(Compare("number", "=", "998901234568"))),
    ):
        assert _seqs(store.events(wanted)) == [1, 2]
    told = list(store.told(_where("type", "=", "callend")))
    assert [one.call.number for one in told if one.call] == ["998901234567", "998901234568"]


def test_what_shares_an_id_belongs_together(rows: Rows, store: EventStore) -> None:
    rows.call(AT, call_id="a")
    result = rows.deliver("result", AT, [{"id": 7, "externalid": 17}, {"id": "a", "externalid": 18}])
    rows.call(AT, call_id="b")
    assert [event.delivery.seq for event in store.related({"a"}, ())] == [1, 2, 3]
    assert store.related((), {"17"}) == [result]
    assert set(store.calls_by_id({"a", "b", "c"})) == {"a", "b"}


def test_counts_are_made_by_the_database(rows: Rows, store: EventStore) -> None:
    rows.call(AT, status="200", duration=10)
    rows.call(AT + 1, status="200", duration=20)
    rows.call(AT + 2, status="486", direction="out", peer=102)
    rows.call(AT - 86400, status="304")
    rows.deliver("route", AT, {"from_number": "1"}, rule="night")
    rows.deliver("route", AT, {"from_number": "2"})
    today = Filter(Period(int(AT * MICRO), None))
    assert sorted(store.counts(today, "day")) == [
        (int(AT) // 900, "inc", "200", 2, 30),
        (int(AT) // 900, "out", "486", 1, 60),
    ]
    assert sorted(store.counts(today, "peer")) == [("101", "inc", "200", 2, 30), ("102", "out", "486", 1, 60)]
    questions = Filter(today.period, Compare("type", "=", "route"))
    assert {(count.group, count.calls) for count in store.counts(questions, "rule")} == {("night", 1), (None, 1)}


def test_calls_and_uptimes_are_read(rows: Rows, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 2)
    names = [rows.call(AT + number, "901234567" if number % 2 else "901234568") for number in range(5)]
    assert [call.call_id for call in store.calls()] == names
    assert [call.call_id for call in store.calls(newest_first=True, limit=3)] == names[::-1][:3]
    assert [call.call_id for call in store.calls_with({"998901234567"}, int(AT) + 2)] == [names[3]]
    for call_id in ("10", "9", "8"):  # a CRM's own, in one second
        rows.call(AT + 20, "901111111", call_id=call_id)
    assert [call.call_id for call in store.calls_with({"998901111111"})] == ["10", "9", "8"]
    half_past = Filter(Period(int((AT + 2.5) * MICRO), int((AT + 3.5) * MICRO)))
    assert [call.call_id for call in store.calls(half_past)] == [names[3]]
    rows.listened((AT + 9, AT + 10, False), (AT, AT + 1, True))
    assert [uptime.ended_at for uptime in store.uptimes()] == [int((AT + 1) * MICRO), None]
    assert isinstance(store.uptimes()[0], Uptime)


# --- a condition means the same to SQL and to Python

_TEXTS = ("486", "200", "603-S", "a%b", "A_b/", "Ғайрат", "998901234567", "")
_NUMBERS = (0, 1, 5, 60, 1_745_571_727)


def _comparisons(field: EventField) -> st.SearchStrategy[Condition]:
    name = st.just(field.name)
    if field.kind in ("text", "phone"):
        text = st.sampled_from(_TEXTS)
        return st.one_of(
            st.builds(Compare, name, st.sampled_from(("=", "!=")), st.one_of(text, st.none())),
            st.builds(Compare, name, st.sampled_from(("~", "!~")), st.sampled_from(("%", "_", "/", "B", "ғ", "6", ""))),
            st.builds(Compare, name, st.just("in"), st.lists(text, min_size=1, max_size=3).map(tuple)),
        )
    number = st.sampled_from(_NUMBERS)
    return st.one_of(
        st.builds(Compare, name, st.sampled_from(("<", "<=", ">", ">=")), number),
        st.builds(Compare, name, st.sampled_from(("=", "!=")), st.one_of(number, st.none())),
        st.builds(Compare, name, st.just("in"), st.lists(number, min_size=1, max_size=3).map(tuple)),
    )


def _conditions(fields: dict[str, EventField]) -> st.SearchStrategy[Condition]:
    leaves = st.sampled_from(list(fields.values())).flatmap(_comparisons)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        ),
        max_leaves=6,
    )


def _values_of_event(event: Event, call: Call | None) -> dict[str, Value]:
    fact, delivery = event.fact, event.delivery
    whose = {"started": "started_at"} | {
        n: n for n in ("external_id", "pbx_call_id", "number", "line", "peer", "direction")
    }
    known: dict[str, Value] = {name: getattr(fact, of) for name, of in whose.items()}
    if call is not None:
        known |= {name: getattr(call, of) for name, of in whose.items() if known[name] is None}
    plain = {"answered": "answered_at", "ended": "ended_at"}
    plain |= {n: n for n in ("status", "duration", "record", "queue")}
    return {
        **known,
        **{name: getattr(fact, of) for name, of in plain.items()},
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "event_call_id": None if delivery.type == "result" and call is None else fact.call_id,
        "received": delivery.received_at,
        "sender": delivery.peer,
        "rule": event.rule,
        "duplicate_of": event.duplicate_of,
        "problem": event.problem or None,
    }


def _values_of_call(call: Call) -> dict[str, Value]:
    renamed: dict[str, Value] = {"started": call.started_at, "ended": call.ended_at, "received": call.reported_at}
    renamed["event_call_id"] = call.call_id
    plain = ("pbx_call_id", "external_id", "number", "line", "peer", "direction", "status", "duration", "record")
    return renamed | {name: getattr(call, name) for name in plain}


@pytest.fixture(scope="module")
def mixed(new_store: Callable[[str], str], engine: str) -> EventStore:
    """Events and calls of every kind, with values that LIKE or NULL could trip over."""
    rows = Rows(new_store(engine))
    rows.call(AT, "901234567", status="486", duration=5, call_id="a%b")
    rows.call(5, "901234568", status="603-S", duration=0, direction="out", call_id="Ғайрат")
    rows.call(AT, "486", status=None, call_id="200")
    rows.deliver("callend", AT, {"call_id": "A_b/", "status_code": 200, "duration": 60})
    rows.deliver("callend", AT, {"status_code": "A_b/"})
    rows.deliver("result", AT, {"id": "a%b", "externalid": "486", "to_number": "901234567", "dialstatus": "a%b"})
    first = rows.deliver("route", 1, {"from_number": "486", "queue_number": 486}, rule="Ғайрат")
    rows.deliver("callstart", 60, {"number": "901234567"}, repeats=first, call_id="486")
    rows.deliver("callend", AT, b"")
    rows.deliver("callend", AT, {"call_id": "a%b"}, is_read=False)
    return EventStore(rows.url)


def test_letters_beyond_a_to_z_are_compared_as_they_are(mixed: EventStore) -> None:
    names = {event.fact.call_id for event in mixed.events()}
    for text, found in (("Ғай", {"Ғайрат"}), ("ғай", set()), ("a_B", {"A_b/"}), ("A%B", {"a%b"})):
        wanted = _where("event_call_id", "~", text)
        assert {event.fact.call_id for event in mixed.events(wanted)} == found
        assert {name for name in names if holds(wanted.condition, {"event_call_id": name})} == found


@given(condition=_conditions(EVENT_FIELDS))
@examples(30)
def test_sql_and_python_agree_on_events(mixed: EventStore, condition: Condition) -> None:
    told = list(mixed.told())
    expected = []
    for event, call in told:
        # What nobody has read yet is unknown to the database.
        known = event if event.digest else replace(event, facts=())
        if holds(condition, _values_of_event(known, call if event.digest else None)):
            expected.append(event.delivery.seq)
    assert _seqs(mixed.events(Filter(condition=condition))) == expected
    assert sorted(_seqs(mixed.events(Filter(Period(0, None), condition)))) == expected


@given(condition=_conditions(CALL_FIELDS))
@examples(20)
def test_sql_and_python_agree_on_calls(mixed: EventStore, condition: Condition) -> None:
    expected = [call.call_id for call in mixed.calls() if holds(condition, _values_of_call(call))]
    assert [call.call_id for call in mixed.calls(Filter(condition=condition))] == expected


# --- indexes


def _plan(asked: Sql, url: str) -> str:
    with opened(url) as connection:
        return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {asked.text}", asked.values))


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(condition=Compare("type", "!=", "probe")), "SCAN delivery"),  # by its primary key, from the end
        (_where("type", "=", "callend"), "delivery_by_type"),
        (Filter(Period(1, None)), "delivery_by_time"),
        (_where("number", "=", "998901234567"), "fact_by_number"),
        (_where("number", "=", "998901234567"), "fact_by_call"),
        (_where("event_call_id", "=", "a"), "fact_by_call"),
        (_where("status", "=", "486"), "SCAN fact USING INDEX"),  # likewise
    ],
)
def test_the_latest_fifty_are_found_without_reading_all(tmp_path: Path, wanted: Filter, index: str) -> None:
    url = Rows(tmp_path / "events.db").url
    plan = _plan(events_question(wanted).page(newest_first=True, limit=50), url)
    assert index in plan
    if "number" not in str(wanted) and "call_id" not in str(wanted):
        assert "TEMP B-TREE" not in plan  # nothing is sorted: the fiftieth row ends it
    assert "SCAN call" not in plan


def test_a_periods_counts_read_the_periods_calls_alone(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "events.db")
    plan = _plan(counting(Filter(Period(int(AT * MICRO), None)), "day"), rows.url)
    assert "SEARCH call USING INDEX call_by_time" in plan
    questions = Filter(Period(int(AT * MICRO), None), Compare("type", "=", "route"))
    assert "delivery_by_type" in _plan(counting(questions, "rule"), rows.url)


# --- forgetting


def test_old_events_go_with_all_that_was_derived_from_them(rows: Rows, store: EventStore) -> None:
    rows.call(AT - 86400, call_id="old")
    rows.call(AT, call_id="new")
    rows.listened((AT - 86400, AT - 80000, True), (AT, AT + 10, False))
    pruning = store.pruning(int((AT - 3600) * MICRO))
    assert pruning.count() == (2, 1)
    assert [sum(step) for step in pruning.run()] == [3, 0]
    assert [call.call_id for call in store.calls()] == ["new"]
    assert [event.fact.call_id for event in store.events()] == ["new", "new"]
    assert store.related({"old"}, ()) == []
    assert len(store.uptimes()) == 1
    assert pruning.count() == (0, 0)
    with opened(rows.url) as connection:
        left = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("fact", "delivery")]
    assert left == [2, 2]


def test_a_listener_goes_on_writing_while_much_is_forgotten_and_the_file_shrinks(
    rows: Rows, store: EventStore, engine: str
) -> None:
    body = {"call_id": "x" * 2000}
    old = [rows.deliver("callend", AT - 86400, body)]
    for part in range(6):
        rows.store(
            [replace(old[0], delivery=replace(old[0].delivery, id=f"old-{part}-{number}")) for number in range(500)]
        )
    size, stop, waits = store.size(), threading.Event(), []

    def listen() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            rows.deliver("callend", AT, {"call_id": "new"})
            waits.append(time.monotonic() - begun)

    listener = threading.Thread(target=listen)
    listener.start()
    steps = list(store.pruning(int((AT - 3600) * MICRO)).run())
    stop.set()
    listener.join()
    assert sum(step.events for step in steps) == 3001
    assert {event.delivery.received_at for event in store.events()} == {int(AT * MICRO)}
    assert len(list(store.events())) == len(waits) > len(steps)
    assert engine == "postgres" or store.size() < size / 2  # a server keeps the room for the next rows
