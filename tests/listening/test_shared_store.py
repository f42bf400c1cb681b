"""Several listeners on one store on a server: one history, each delivery made by one of them, nothing lost."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from front_door import FrontDoor
from postgres_server import Cluster

from .conftest import START, Handler, Listening

Listen = Callable[..., Listening]
PATIENCE = 40


@pytest.fixture
def server_url(alovoice: FrontDoor, postgres: Cluster) -> str:
    """The profile's store: an empty database."""
    url = postgres.event_store()
    assert alovoice("config", "set", "store", url).code == 0
    return url


def _until(is_so: Callable[[], object], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.1)


def _rows(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    done = alovoice("events", *words, "--json")
    assert done.code == 0, done.err
    rows: list[dict[str, Any]] = json.loads(done.out)
    return rows


def test_a_call_that_starts_at_one_listener_and_ends_at_the_other_is_one_call(
    listen: Listen, alovoice: FrontDoor, server_url: str
) -> None:
    one, other = listen(), listen()
    status, call_id = one.post("callstart", START)
    assert status == 200
    assert other.post("callend", {"call_id": call_id.decode(), "status": "200", "duration": 7}) == (200, b"true")
    (call,) = _rows(alovoice, "stats", "--by", "status")
    assert call["calls"] == 1
    assert [event["type"] for event in _rows(alovoice, "list")] == ["callend", "callstart"]


def test_a_repeated_delivery_to_the_other_listener_gets_the_first_one_s_answer_and_is_passed_on_once(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    one, other = listen("--forward", crm.url), listen("--forward", crm.url)
    first = one.post("callstart", START)
    assert other.post("callstart", START) == first
    assert one.post("callend", {"call_id": first[1].decode(), "status": "200"}) == (200, b"true")
    assert other.post("callend", {"call_id": first[1].decode(), "status": "200"}) == (200, b"true")
    crm.wait(2)
    _until(lambda: _rows(alovoice, "outbox", "list") == [])
    assert len(crm.seen) == 2
    events = _rows(alovoice, "list")
    assert [event["duplicate_of"] is None for event in events] == [False, True, False, True]


def test_a_repetition_waits_for_what_the_crm_answers_the_other_listener(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    def slowly(_: bytes) -> tuple[int, bytes]:
        time.sleep(0.6)
        return 200, b"4711"

    crm.answer = slowly
    words = ("--forward", f"callstart={crm.url}", "--forward-timeout", "5")
    one, other = listen(*words), listen(*words)
    answers: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(one.post("callstart", START)))
    thread.start()
    crm.wait(1)
    assert other.post("callstart", START) == (200, b"4711")
    thread.join()
    assert answers == [(200, b"4711")]
    assert len(crm.seen) == 1
