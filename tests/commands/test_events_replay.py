"""`alovoice events replay`: the very bytes again, in their order, marked."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from crm import Crm, served
from event_rows import Rows
from front_door import FrontDoor

AT = 1_750_000_000
ODD = '{"number": "+998901234567", "line": "Тошкент", }\n'.encode()


@pytest.fixture
def crm() -> Iterator[Crm]:
    with served() as crm:
        yield crm


@pytest.fixture
def ids(alovoice: FrontDoor, profile_store: str) -> list[str]:
    """Four events of one minute, the last of them stored first, and a probe of our own."""
    rows = Rows(alovoice.store_url)
    late = rows.deliver("callend", AT + 0.3, {"call_id": "1", "status_code": 486})
    start = rows.deliver("callstart", AT, ODD, call_id="1")
    result = rows.deliver("result", AT + 0.2, b"[]id=5&to_number=901234567")
    route = rows.deliver("route", AT + 0.1, b"\xff not text")
    probe = rows.deliver("probe", AT + 0.15, {"nonce": "x"})
    return [event.delivery.id for event in (start, route, result, late, probe)]


def test_a_packed_event_and_its_query_go_again_as_they_came(alovoice: FrontDoor, crm: Crm) -> None:
    packed = gzip.compress(b'{"call_id": 1}')
    rows = Rows(alovoice.store_url)
    event = rows.deliver("callend", AT, packed, headers=(("content-encoding", "gzip"),), query="status_code=486&a=%20")
    assert alovoice("events", "replay", event.delivery.id, "--to", f"{crm.url}/h/x").code == 0
    (asked,) = crm.asked
    assert (asked.body, asked.headers["content-encoding"]) == (packed, "gzip")
    assert asked.path == "/h/x/callend?status_code=486&a=%20"


def test_events_go_again_untouched_marked_and_in_order(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    result = alovoice("events", "replay", *reversed(ids[:4]), "--to", f"{crm.url}/h/x", "--json")
    assert result.code == 0, result.err
    assert [asked.kind for asked in crm.asked] == ["callstart", "route", "result", "callend"]
    assert [asked.body for asked in crm.asked[:3]] == [ODD, b"\xff not text", b"[]id=5&to_number=901234567"]
    assert [asked.headers["webhook-id"] for asked in crm.asked] == ids[:4]
    assert {asked.headers["x-alovoice-replay"] for asked in crm.asked} == {"1"}
    rows: list[dict[str, Any]] = [json.loads(line) for line in result.out.splitlines()]
    assert [(row["n"], row["event"], row["status"]) for row in rows] == [(i + 1, ids[i], 200) for i in range(4)]


def test_an_event_is_named_as_the_lists_show_it(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    assert alovoice("events", "replay", "e2", ids[0].lower(), "--to", crm.url).code == 0
    assert [asked.body for asked in crm.asked] == [ODD]  # twice the same event is one


def test_filters_choose_and_our_own_probes_stay_here(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    assert alovoice("events", "replay", "--since", "2025-01-01", "--to", crm.url).code == 0
    assert [asked.headers["webhook-id"] for asked in crm.asked] == ids[:4]
    crm.asked.clear()
    assert alovoice("events", "replay", "--where", "status = 486", "--to", crm.url).code == 0
    assert [asked.headers["webhook-id"] for asked in crm.asked] == [ids[3]]


def test_a_probe_is_never_sent_even_by_its_name(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    result = alovoice("events", "replay", ids[0], ids[4], "--to", crm.url)
    assert (result.code, crm.asked) == (2, [])
    assert f"{ids[4]} is a probe, which the PBX did not send" in result.err


def test_filters_that_choose_nothing_send_nothing_and_say_so(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    result = alovoice("events", "replay", "--status", "603", "--to", crm.url)
    assert (result.code, crm.asked) == (0, [])
    assert "nothing was sent" in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "say which events"),
        (("e1", "--type", "callend"), "say which events"),
        (("e9",), "there is no event 'e9'"),
        (("e1", "--speed", "fast"), "is not a valid speed"),
        (("e1", "--speed", "-1"), "is not a valid speed"),
        (("--where", "nosuch = 1"), "nosuch"),
    ],
)
def test_wrong_words_send_nothing(
    alovoice: FrontDoor, crm: Crm, ids: list[str], words: tuple[str, ...], message: str
) -> None:
    result = alovoice("events", "replay", *words, "--to", crm.url)
    assert (result.code, crm.asked) == (2, [])
    assert message in result.err


def test_an_unknown_event_among_known_ones_stops_all_of_them(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    assert alovoice("events", "replay", ids[0], "NOSUCH", "--to", crm.url).code == 2
    assert crm.asked == []


def test_a_rehearsal_shows_marks_and_bodies_and_sends_nothing(alovoice: FrontDoor, crm: Crm, ids: list[str]) -> None:
    result = alovoice("events", "replay", *ids[:4], "--to", crm.url, "--dry-run", "--json")
    assert (result.code, crm.asked) == (0, [])
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["headers"]["webhook-id"] for row in rows] == ids[:4]
    assert "# x-alovoice-replay: 1" in alovoice("events", "replay", "e1", "--to", crm.url, "--dry-run").out


def test_events_that_are_not_taken_are_counted(alovoice: FrontDoor, ids: list[str]) -> None:
    with served(lambda asked: (503 if asked.kind == "route" else 200, b"true")) as crm:
        result = alovoice("events", "replay", *ids[:4], "--to", crm.url)
        assert len(crm.asked) == 4
    assert result.code == 7
    assert "1 of 4 events was not taken: the handler answered 503" in result.err


def test_an_empty_condition_does_not_replay_all_that_there_is(alovoice: FrontDoor, ids: list[str], crm: Crm) -> None:
    result = alovoice("events", "replay", "--where", "", "--to", crm.url)
    assert (result.code, crm.asked) == (2, [])
    assert "--where is empty" in result.err
