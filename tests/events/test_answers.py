"""Our ids, the CRM's answers, repeated deliveries, and the times of trying again: the pure parts of receiving."""

import asyncio
import json
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.events import duplicates
from alovoice_cli.events.answers import StartAnswer, kept_answer, new_id, read_crm_answer
from alovoice_cli.events.duplicates import WINDOW_SECONDS, Recent
from alovoice_cli.events.event import EVENT_TYPES
from alovoice_cli.events.outbox import next_delay, pause
from alovoice_cli.events.receiver import Door, Receiver


def test_ids_fit_into_a_callstart_s_answer_and_sort_by_time() -> None:
    ids = [new_id(1_700_000_000_000 + step) for step in range(200)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 200
    assert {len(identity) for identity in ids} == {26}
    assert len({new_id(1) for _ in range(1000)}) == 1000


@given(st.integers(0, 999) | st.just(200), st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_whatever_a_crm_answers_what_goes_out_is_what_the_pbx_takes(status: int, body: bytes) -> None:
    told = read_crm_answer(status, body, "OWN")
    assert told.is_settled == (200 <= status < 300)
    assert bool(told.reason) == (told.is_settled and told.start is None)
    if told.start is None:
        return
    answer = told.start
    if answer.callto is not None:
        assert json.loads(answer.as_bytes()) == {"callto": answer.callto}
        return
    text = answer.as_bytes().decode()
    assert 0 < len(text) <= (12 if text.isdigit() else 32)


@pytest.mark.parametrize(
    "body",
    [
        '{"callto": "99 123 45 67"}',
        '{\n  callto: "99 123 45 67"\n}',
        "{callto: '99 123 45 67',}",
        "{'callto': '99 123 45 67'}",
        '\ufeff{ "callto" : "99 123 45 67" , }',
    ],
)
def test_a_redirect_is_read_in_the_vendor_s_own_notation(body: str) -> None:
    told = read_crm_answer(200, body.encode(), "OWN")
    assert told.start == StartAnswer("OWN", "99 123 45 67")
    assert json.loads(told.start.as_bytes()) == {"callto": "99 123 45 67"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no body"),
        (b" \n", "no body"),
        (b"<!doctype html><p>log in", "a web page"),
        (b'{"id":77}', "an object without `callto`"),
        (b"{callto: 'call me'}", "not a phone number"),
        (b"{callto: ", "neither JSON nor an id"),
        (b"[77]", "neither an id nor an object"),
        (b"true", "the word true"),
        (b"1234567890123", "more than 12 digits"),
        (b"x" * 33, "more than 32 characters"),
        (b"a\nb", "several lines"),
        (b"\xff\xff", "an unreadable body"),
    ],
)
def test_an_answer_of_no_use_settles_the_delivery_and_has_a_reason(body: bytes, reason: str) -> None:
    told = read_crm_answer(204, body, "OWN")
    assert (told.start, told.is_settled) == (None, True)
    assert reason in told.reason
    assert told.reason.startswith("204")


def test_an_answer_that_was_kept_is_the_same_again() -> None:
    for answer in (StartAnswer("4711"), StartAnswer("OWN", "99 123 45 67"), StartAnswer("OWN")):
        assert kept_answer(json.loads(json.dumps(answer.as_values())), "OWN") == answer
    odds: tuple[object, ...] = (None, [], {"id": 3}, {"callto": None})
    for odd in odds:
        assert kept_answer(odd, "OWN") == StartAnswer("OWN")


def test_a_repetition_is_one_within_ten_minutes_of_the_first() -> None:
    clock = [0.0]
    recent: Recent[str] = Recent(lambda: clock[0])
    assert recent.first("digest", "a") is None
    clock[0] = WINDOW_SECONDS - 1
    assert recent.first("digest", "b") == "a"
    clock[0] = WINDOW_SECONDS + 1
    assert recent.first("digest", "c") is None
    assert recent.first("old", "d", age=WINDOW_SECONDS - 10) is None
    clock[0] += 11
    assert recent.first("old", "e") is None


@given(st.integers(0, 5000), st.floats(0, 1))
def test_pauses_grow_and_end(attempts: int, chance: float) -> None:
    assert 0 <= next_delay(attempts, chance) <= 3600 * 1.21
    assert next_delay(attempts, 0.5) <= next_delay(attempts + 1, 0.5)
    assert 0 < pause(attempts + 1, chance) <= 60 * 1.21


def test_a_flood_of_firsts_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_KNOWN", 10)
    recent: Recent[int] = Recent(lambda: 0.0)
    assert [recent.first(str(number), number) for number in range(50)] == [None] * 50
    assert len(recent._first) == 10
    assert [recent.first(str(number), -1) for number in (49, 41)] == [49, 41]
    assert recent.first("40", -1) is None  # forgotten


def _status(door: Door, path: str) -> int:
    """What a GET of the path is answered: 405 where a POST would be let in."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nobody reads the body of a GET")

    duties = cast(Any, None)
    receiver = Receiver(door, duties, lambda: datetime.now(UTC))
    asyncio.run(receiver({"path": path, "method": "GET", "headers": [], "client": ("127.0.0.1", 1)}, receive, send))
    return int(sent[0]["status"])


@given(st.text(max_size=60))
def test_no_path_but_the_secret_one_is_let_in(path: str) -> None:
    door = Door("0123456789abcdef0123456789abcdef")
    meant = {door.path(kind) for kind in EVENT_TYPES}
    assert _status(door, path) == 404
    within = "/h/0123456789abcdef0123456789abcdef" + path
    assert _status(door, within) == (405 if within.removesuffix("/") in meant else 404)


def test_each_kind_has_its_path_with_and_without_a_slash() -> None:
    for door in (Door("0123456789abcdef0123456789abcdef"), Door(None)):
        for kind in EVENT_TYPES:
            assert _status(door, door.path(kind)) == _status(door, door.path(kind) + "/") == 405
        assert _status(door, door.path("callend") + "//") == 404
