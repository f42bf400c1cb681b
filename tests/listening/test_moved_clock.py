"""A listener whose wall clock is set while it works: nothing is joined, parted, held back or hurried by that."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from front_door import FrontDoor
from moved_clock import MovedClock, needs_faketime
from waiting import wait_until

from .conftest import START, Handler, Listening, sql

pytestmark = [needs_faketime, pytest.mark.soak]

Listen = Callable[..., Listening]
JUMPS: tuple[dict[str, float], ...] = ({"hours": -1}, {"days": 1}, {"days": -5}, {"minutes": 30}, {"days": 6})


@pytest.fixture
def clock(alovoice: FrontDoor) -> MovedClock:
    return MovedClock(alovoice)


def _start(number: int) -> dict[str, Any]:
    return START | {"number": f"99890{number:07}"}


def _numbers(crm: Handler) -> list[str]:
    return [json.loads(body)["number"] for _, body in crm.seen]


def test_jumps_neither_reorder_join_part_nor_hold_back(
    listen: Listen, crm: Handler, alovoice: FrontDoor, clock: MovedClock
) -> None:
    listening = listen("--forward", crm.url)
    answers: dict[int, bytes] = {}
    for place, jump in enumerate(({}, *JUMPS)):
        clock.move(**jump)
        for number in range(5 * place, 5 * place + 5):
            answers[number] = listening.post("callstart", _start(number))[1]
        assert listening.post("callstart", _start(0))[1] == answers[0], "a repetition is one after every jump"
        crm.wait(5 * place + 5)
    assert sorted(_numbers(crm)) == [_start(number)["number"] for number in answers], "each once"
    assert len(set(answers.values())) == len(answers)
    rows = sql(alovoice, "SELECT seq FROM delivery ORDER BY rowid")
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    told = json.loads(alovoice("events", "list", "--json", "--limit", "0").out)
    assert len([event for event in told if event["duplicate_of"] is None]) == len(answers)


@pytest.mark.parametrize("jump", [{"hours": -1}, {"days": -5}, {"days": 5}], ids=["back", "far back", "far ahead"])
def test_a_failed_forward_is_tried_again_after_a_jump_and_not_given_up(
    listen: Listen, crm: Handler, alovoice: FrontDoor, clock: MovedClock, jump: dict[str, float]
) -> None:
    crm.answer = lambda body: (500, b"")
    listening = listen("--forward", crm.url)
    listening.post("callstart", _start(1))
    crm.wait(1)
    clock.move(**jump)
    listening.post("callstart", _start(2))
    crm.wait(3)  # the new one, and the old one again after its own time
    crm.answer = lambda body: (200, b"")
    wait_until(
        lambda: json.loads(alovoice("events", "outbox", "list", "--json").out) == [], "an empty outbox", pause=0.1
    )
    assert {_start(1)["number"], _start(2)["number"]} == set(_numbers(crm))
    assert not [line for line in listening.errors if "given up" in line]


@pytest.mark.parametrize("wrong", [{"days": 5}, {"days": -5}], ids=["ahead", "behind"])
def test_what_waits_from_a_time_with_a_wrong_clock_goes_out_after_a_restart(
    listen: Listen, crm: Handler, alovoice: FrontDoor, clock: MovedClock, wrong: dict[str, float]
) -> None:
    clock.move(**wrong)
    crm.answer = lambda body: (503, b"")
    crm.headers = {"Retry-After": "3600"}
    listening = listen("--forward", crm.url)
    listening.post("callstart", _start(1))
    crm.wait(1)
    listening.post("callstart", _start(2))  # tried at most once: the target is paused
    listening.stop()
    clock.move(**{unit: -many for unit, many in wrong.items()})
    clock.move(hours=2)
    crm.answer, crm.headers = (lambda body: (200, b"")), {}
    listen("--forward", crm.url)
    wait_until(
        lambda: json.loads(alovoice("events", "outbox", "list", "--json").out) == [], "an empty outbox", pause=0.1
    )
    assert _numbers(crm)[-2:] == [_start(1)["number"], _start(2)["number"]]
