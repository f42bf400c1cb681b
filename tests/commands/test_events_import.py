"""`events import`, and `events export --with-uptime`: a history moves, whole, and nobody is told of it."""

import io
import json
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from crm import served
from day import listening
from event_lines import AT, callstart_line, event_line, import_events, listed_events
from event_rows import Rows
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples
from waiting import wait_until

from alovoice_cli.batch.resolve import CallSearch
from alovoice_cli.events.event import EVENT_TYPES, EventType
from alovoice_cli.events.event_table import event_as_json
from alovoice_cli.events.import_lines import parse_line
from alovoice_cli.json_text import json_text
from alovoice_cli.session import Session
from alovoice_cli.stores.event_import import EventImport
from alovoice_cli.stores.events import EventStore

FIXTURES = Path(__file__).parents[1] / "events" / "data" / "kpi"
pytestmark = pytest.mark.usefixtures("profile_store")


def _calls(alovoice: FrontDoor) -> list[Any]:
    return list(EventStore(alovoice.store_url).calls())


@pytest.mark.parametrize(("name", "count"), [("campaign_report", 53), ("kpi_day", 79), ("kpi_total", 75)])
def test_each_line_is_imported_once_with_its_own_time(alovoice: FrontDoor, name: str, count: int) -> None:
    path = FIXTURES / f"{name}.jsonl"
    told = json.loads(alovoice("events", "import", str(path), "--json").out)
    assert (told["events"], told["imported"], told["known"]) == (count, count, 0)
    stored = listed_events(alovoice)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(one["type"], one["body"]) for one in stored] == [(line["type"], line["body"]) for line in lines]
    assert [datetime.fromisoformat(one["received_at"]) for one in stored] == [
        datetime.fromisoformat(line["received_at"]) for line in lines
    ]
    assert all(one["imported"] for one in stored)
    again = json.loads(alovoice("events", "import", str(path), "--json").out)
    assert (again["imported"], again["known"]) == (0, count)
    assert listed_events(alovoice) == stored


def test_microseconds_and_zones_are_kept(alovoice: FrontDoor) -> None:
    import_events(alovoice, {**event_line(), "received_at": "2026-11-23T09:00:23.123456+05:00"})
    assert listed_events(alovoice)[0]["received_at"] == "2026-11-23T04:00:23.123456Z"


@pytest.mark.parametrize("call_id", [5, "5", " 5 ", 5.0])
@pytest.mark.parametrize("answer_id", [5, "5"])
def test_a_callend_finds_its_call_by_the_id_that_the_callstart_was_answered(
    alovoice: FrontDoor, answer_id: object, call_id: object
) -> None:
    end = event_line(seconds=20, body={"call_id": call_id, "status_code": 200, "duration": 20})
    import_events(alovoice, end, callstart_line(answer_id=answer_id))  # in any order
    (call,) = _calls(alovoice)
    assert (call.call_id, call.number, call.status, call.is_finished) == ("5", "998901000001", "200", False)
    assert call.reported_at == int(AT.timestamp())


@pytest.mark.parametrize(("apart", "repeats"), [(0.5, True), (600, True), (600.5, False)])
@pytest.mark.parametrize("in_two", [False, True])
def test_equal_bodies_within_ten_minutes_are_one_delivery(
    alovoice: FrontDoor, apart: float, repeats: bool, in_two: bool
) -> None:
    first, second = callstart_line(answer_id="7"), callstart_line(apart, answer_id="8")
    batches = [[first], [second]] if in_two else [[first, second]]
    repeated = sum(import_events(alovoice, *batch)["repeated"] for batch in batches)
    assert repeated == int(repeats)
    assert [call.call_id for call in _calls(alovoice)] == (["7"] if repeats else ["7", "8"])
    assert [one["duplicate_of"] is not None for one in listed_events(alovoice)] == [False, repeats]


def test_lines_with_the_id_of_another_event_are_left_out_and_counted(alovoice: FrontDoor) -> None:
    first = event_line(id="a1")
    assert import_events(alovoice, first, event_line(id="a1", body={"call_id": 6}), first)["differing"] == 1
    told = import_events(
        alovoice,
        first,
        event_line(id="a1", body={"call_id": 7}),
        event_line(seconds=1, id="a1"),
        callstart_line(id="a1"),
    )
    assert (told["imported"], told["known"], told["differing"]) == (0, 4, 3)
    assert len(listed_events(alovoice)) == 1


def test_what_a_listener_received_is_not_counted_twice(alovoice: FrontDoor) -> None:
    rows = Rows(alovoice.store_url)
    body = {"number": "+998901000001", "line": "712037006", "type": "inc", "start_time": 1795406390}
    rows.deliver("callstart", AT, body, call_id="own")
    import_events(alovoice, event_line("callstart", 2, body=body, answer_id="foreign"))
    assert [call.call_id for call in _calls(alovoice)] == ["own"]


def test_several_files_and_standard_input_are_read_and_a_bad_one_stops_all(alovoice: FrontDoor) -> None:
    (alovoice.home / "a.jsonl").write_text("\ufeff" + json.dumps(callstart_line(answer_id=5)) + "\r\n", "utf-8")
    (alovoice.home / "bad.jsonl").write_text("{\n", "utf-8")
    assert alovoice("events", "import", "a.jsonl", "bad.jsonl").code == 8
    assert alovoice("events", "import", "none.jsonl").code == 2
    done = alovoice("events", "import", "a.jsonl", "-", stdin=json.dumps(event_line(seconds=20)))
    assert done.err.startswith("note: 2 events were imported\n")
    assert [call.status for call in _calls(alovoice)] == ["200"]


def test_a_dry_run_says_what_it_would_do_and_makes_no_store(alovoice: FrontDoor) -> None:
    told = import_events(alovoice, callstart_line(), event_line(), words=("--dry-run",))
    assert (told["imported"], told["known"], told["dry_run"]) == (2, 0, True)
    assert not (alovoice.home / "state" / "events.db").exists()
    import_events(alovoice, callstart_line())
    told = import_events(alovoice, callstart_line(), event_line(), words=("--dry-run",))
    assert (told["imported"], told["known"]) == (1, 1)


def test_a_store_that_cannot_be_written_is_named(alovoice: FrontDoor) -> None:
    (alovoice.home / "lines.jsonl").write_text(json.dumps(event_line()), "utf-8")
    (alovoice.home / "text.db").write_text("no database, but a text that somebody named so" * 20, "utf-8")
    for store in (alovoice.home, alovoice.home / "text.db"):
        done = alovoice("events", "import", "lines.jsonl", "--store", str(store))
        assert (done.code, str(store) in done.err.replace("\n", "")) == (2, True)


def _history(rows: Rows) -> None:
    """A store with an event of every kind that an export tells."""
    at = AT.timestamp()
    rows.call(at, call_id="41")
    rows.call(at + 100, status="304", direction="inc")
    start = {"number": "901234567", "line": "712037006", "type": "inc", "start_time": int(at)}
    first = rows.deliver("callstart", at + 200, start, call_id="77", answer={"id": "77"})
    rows.deliver("callstart", at + 201, start, call_id="77", answer={"id": "77"}, repeats=first)
    rows.deliver("callstart", at + 300, {**start, "number": "2424"}, answer={"callto": "901112233"})
    rows.deliver("callend", at + 310, b"call_id=77&status_code=200&duration=5")
    rows.deliver("callend", at + 320, b"\xff\x00\x01")
    rows.deliver("callend", at + 330, "Ўзбекча матн, no object")
    rows.deliver("callend", at + 331, b"null")
    rows.deliver("callend", at + 332, b"")
    rows.deliver("callend", at + 340, b"", query="call_id=77&status_code=486&status_code=200&x=%D1%91")
    rows.deliver("result", at + 350, [{"id": 1, "to_number": "901"}, {"id": 2, "to_number": "902"}])
    rows.deliver("route", at + 360, {"from_number": "1"}, answer={"step": {"action_type": "queue"}}, rule="тун")
    rows.deliver("callend", at + 380, {"call_id": "trial"}, headers=(("x-alovoice-trial", "1"),))
    rows.listened((at - 60, at + 400, True), (at + 500, at + 600, False))


def test_an_export_is_the_same_after_it_was_imported(alovoice: FrontDoor) -> None:
    """On a server too: the same lines come out of it as went in from a file."""
    now = alovoice.clock()
    alovoice.clock = lambda: now  # the last gap lasts until now
    _history(Rows(alovoice.home / "first.db"))
    words = ("events", "export", "--with-uptime", "--with-trials", "--since", "all")
    exported = alovoice(*words, "--store", "first.db").out
    (alovoice.home / "history.jsonl").write_text(exported, "utf-8")
    assert alovoice("events", "import", "history.jsonl").code == 0
    assert alovoice(*words).out == exported
    first, second = EventStore(str(alovoice.home / "first.db")), EventStore(alovoice.store_url)
    assert list(second.calls()) == list(first.calls())
    assert [event.rule for event in second.events()] == [event.rule for event in first.events()]
    gaps = [alovoice("events", "gaps", "--json", "--since", "all", "--store", one.url).out for one in (first, second)]
    assert gaps[0] == gaps[1]


def test_an_uptime_is_exported_within_the_period_and_never_with_some_events_alone(alovoice: FrontDoor) -> None:
    rows = Rows(alovoice.store_url)
    rows.listened((AT.timestamp(), AT.timestamp() + 7200, True))
    period = ("--since", "2026-11-23 09:30", "--until", "2026-11-23 10:00")
    (told,) = map(json.loads, alovoice("events", "export", "--with-uptime", *period).out.splitlines())
    assert told == {
        "type": "uptime",
        "began_at": "2026-11-23T04:30:00.000000Z",
        "ended_at": "2026-11-23T05:00:00.000000Z",
    }
    for words in (("--type", "callend"), ("--limit", "5"), ("--csv",), ("--where", "status = 486")):
        assert alovoice("events", "export", "--with-uptime", *words).code == 2


def test_imported_events_count_as_complete_where_somebody_says_so_alone(alovoice: FrontDoor) -> None:
    import_events(alovoice, callstart_line(answer_id=5), event_line(seconds=20))
    told = alovoice("events", "gaps", "--since", "2026-11-23", "--json")
    assert [row["what"] for row in json.loads(told.out)] == ["imported"]
    assert "2 events imported from 2026-11-23 09:00" in told.err
    assert "perhaps not all" in told.err
    assert alovoice("events", "import", "lines.jsonl", "--since", "2026-11-23").code == 2
    period = ("--since", "2026-11-23 08:00", "--until", "2026-11-23 10:00")
    assert alovoice("events", "import", "lines.jsonl", "--complete", *period).code == 0
    told = alovoice("events", "gaps", "--since", "2026-11-23", "--until", "2026-11-23 10:00", "--json")
    assert json.loads(told.out) == []
    assert told.err == "note: events from 2026-11-23 08:00 to 2026-11-23 10:00; 2 events imported\n"


def test_a_time_to_come_is_covered_by_no_import(alovoice: FrontDoor) -> None:
    import_events(alovoice, {"type": "uptime", "began_at": "2020-01-01T00:00:00Z", "ended_at": "9999-01-01T00:00:00Z"})
    store = EventStore(alovoice.store_url)
    assert [uptime.seen_at <= time.time_ns() // 1000 for uptime in store.uptimes()] == [True]


def test_an_event_of_the_future_is_named_for_an_import_cannot_be_taken_back(alovoice: FrontDoor) -> None:
    path = alovoice.home / "typo.jsonl"
    path.write_text(json.dumps(event_line() | {"received_at": "2926-11-23T09:00:00+05:00"}) + "\n", "utf-8")
    for words in (("--dry-run",), ()):
        done = alovoice("events", "import", str(path), *words)
        assert done.code == 0
        assert "typo.jsonl: the time of an event is in the future (2926-11-23 09:00): check its received_at" in done.err


def test_complete_files_are_each_complete_from_their_first_line_to_their_last(alovoice: FrontDoor) -> None:
    (alovoice.home / "a.jsonl").write_text(
        json.dumps(event_line()) + "\n" + json.dumps(event_line(seconds=60)), "utf-8"
    )
    (alovoice.home / "b.jsonl").write_text(
        json.dumps(event_line(seconds=1200)) + "\n" + json.dumps(event_line(seconds=1260)), "utf-8"
    )
    assert alovoice("events", "import", "a.jsonl", "b.jsonl", "--complete").code == 0
    told = alovoice("events", "gaps", "--since", "2026-11-23", "--until", "2026-11-23 09:21", "--json")
    (gap,) = json.loads(told.out)
    assert (gap["what"], gap["begin_utc"], gap["seconds"]) == ("no listener", "2026-11-23T04:01:00.000000Z", 1140)


def test_what_an_operator_states_makes_no_call_of_ours_certain(alovoice: FrontDoor) -> None:
    """A call counts as not rung, and may be placed again, by what a listener of this store heard alone."""
    rows = Rows(alovoice.store_url)
    import_events(alovoice, event_line(), words=("--complete", "--since", "2026-11-01", "--until", "now"))
    text = io.StringIO
    session = Session([], stdin=text(), stdout=text(), stderr=text(), environ=alovoice.environ)
    finder = CallSearch(session)
    assert finder.uptimes == []
    rows.listened((AT.timestamp(), AT.timestamp() + 60, True))
    assert len(finder.uptimes) == 1


def test_nobody_is_told_of_imported_events_while_a_listener_goes_on(alovoice: FrontDoor) -> None:
    now = datetime.now(UTC)
    with served() as crm, listening(alovoice, "--forward", crm.url, "--forward", f"missed={crm.url}") as heard:
        lines = [
            callstart_line((now - AT).total_seconds() + number / 10, answer_id=f"f{number}") for number in range(40)
        ]
        for number, line in enumerate(lines):
            line["body"] = {**line["body"], "number": f"9012300{number:02}"}
        ends = [
            event_line(seconds=(now - AT).total_seconds() + 9, body={"call_id": f"f{n}", "status_code": 304})
            for n in range(40)
        ]
        assert import_events(alovoice, *lines, *ends)["imported"] == 80
        body = json.dumps({"number": "909998877", "line": "712037006", "type": "inc", "start_time": 1}).encode()
        request = urllib.request.Request(f"{heard.base}/callstart", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200
        wait_until(lambda: crm.asked, "the forward")
        assert len(heard.lines(1)) == 1
    assert {asked.value()["number"] for asked in crm.asked} == {"909998877"}
    told = json.loads(alovoice("events", "outbox", "list", "--json").out)
    assert not [row for row in told if "9012300" in json.dumps(row)]
    assert [one.get("imported", False) for one in listed_events(alovoice, "--type", "callstart,callend")].count(
        True
    ) == 80


_BODIES = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(["call_id", "number", "x"]), st.text(max_size=5), min_size=1).map(
        lambda fields: urlencode(fields).encode()
    ),
)


@examples(25)
@given(received=st.lists(st.tuples(st.sampled_from(EVENT_TYPES), _BODIES), min_size=1, max_size=12))
def test_whatever_was_received_is_exported_and_imported_alike(
    new_store: Callable[[str], str],
    emptied_store: Callable[[str], str],
    engine: str,
    received: list[tuple[EventType, bytes]],
) -> None:
    rows = Rows(emptied_store(engine))
    for number, (kind, body) in enumerate(received):
        rows.deliver(kind, AT.timestamp() + number * 1000, body)  # none repeats another
    first, second = EventStore(rows.url), EventStore(new_store("sqlite"))
    exported = [event_as_json(event) for event in first.events()]
    lines = [parse_line(json_text(line)) for line in exported]
    assert sum(part.imported for part in EventImport(second.url).run(lines)) == len(received)
    assert not any(part.imported or part.differing for part in EventImport(first.url).run(lines))
    again = [json_text(event_as_json(event)) for event in second.events()]
    assert again == [json_text({**line, "imported": True}) for line in exported]
