"""Faults to order: how they are written, and that each does what it says and no more."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.sandbox.faults import ENDPOINTS, KINDS, Fault, parse_faults
from alovoice_cli.stores.pbx import PbxStore

from .conftest import Mounted

CALL = {"call_id": "c1", "inner_phone": 2424, "number": "+998994412860"}


def test_the_documents_own_example_is_read() -> None:
    assert parse_faults("outcall:503@10%,*:reset@1%,getpeers:delay=2s") == (
        Fault("outcall", "status", 10.0, status=503),
        Fault("*", "reset", 1.0),
        Fault("getpeers", "delay", delay_seconds=2.0),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" outcall : 429/7 @ 0.5 ", Fault("outcall", "status", 0.5, status=429, retry_after_seconds=7)),
        ("stereo:delay=250ms", Fault("stereo", "delay", delay_seconds=0.25)),
        ("*:delay=1.5m@50%", Fault("*", "delay", 50.0, delay_seconds=90.0)),
    ],
)
def test_every_spelling_is_read(text: str, fault: Any) -> None:
    assert parse_faults(text) == (fault,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("outcall", "colon"),
        ("outcal:503", "did you mean outcall?"),
        (":503", "endpoint ''"),
        ("outcall:200", "between 400 and 599"),
        ("outcall:600", "between 400 and 599"),
        ("outcall:explode", "no kind 'explode'"),
        ("outcall:", "no kind ''"),
        ("outcall:delay=2", "not a length of time"),
        ("outcall:delay=", "not a length of time"),
        ("outcall:503@0%", "not a percentage"),
        ("outcall:503@101%", "not a percentage"),
        ("outcall:503@", "not a percentage"),
        ("outcall:503@٥%", "not a percentage"),
        ("*:reset,,*:lost", "fault 2"),
        ("*:reset,getpeers:nope", "fault 2"),
    ],
)
def test_a_bad_fault_is_refused_by_its_place_with_the_allowed_words(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults(text)
    assert why in caught.value.message
    assert all(word in caught.value.hint for word in (*ENDPOINTS, *KINDS))


kinds = st.sampled_from([*KINDS, "503", "404/30", "delay=2s", "delay=10ms"])
specs = st.builds("{}:{}@{}%".format, st.sampled_from(["*", *ENDPOINTS]), kinds, st.integers(1, 100))


@examples(150)
@given(st.lists(specs, min_size=1, max_size=5))
def test_every_well_formed_text_gives_its_faults_in_order(parts: Any) -> None:
    faults = parse_faults(",".join(parts))
    assert [fault.endpoint for fault in faults] == [part.split(":")[0] for part in parts]


@examples(300)
@given(st.text(max_size=60) | st.lists(specs | st.text(max_size=9), max_size=4).map(",".join))
def test_any_text_is_read_or_refused_as_usage(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert all(0 < fault.percent <= 100 for fault in parse_faults(text))


def faulty(pbx: Mounted, spec: str) -> Any:
    pbx.faults = spec
    pbx.reopen()
    return pbx


def was_rung(pbx: Mounted) -> Any:
    return PbxStore(pbx.path).find_call("c1") is not None


def test_a_status_answers_without_acting(pbx: Mounted) -> None:
    answer = faulty(pbx, "outcall:503/9").ask("POST", "/outcall/{token}", json=CALL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
    assert answer.headers["x-alovoice-sandbox"] == "1"
    assert not was_rung(pbx)


@pytest.mark.parametrize(("kind", "acts"), [("reset", False), ("lost", True)])
def test_a_dropped_connection_is_raised_before_or_after_acting(pbx: Mounted, kind: str, acts: Any) -> None:
    with pytest.raises(ConnectionResetError):
        faulty(pbx, f"outcall:{kind}").ask("POST", "/outcall/{token}", json=CALL)
    assert was_rung(pbx) is acts


def test_garbage_acts_and_answers_what_no_one_can_read(pbx: Mounted) -> None:
    answer = faulty(pbx, "outcall:garbage").ask("POST", "/outcall/{token}", json=CALL)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        answer.json()
    assert was_rung(pbx)


def test_a_fault_concerns_its_own_endpoint_alone(pbx: Mounted) -> None:
    faulty(pbx, "getMyTrunks:500,stereo:500,callsendai:418")
    statuses = {
        path: pbx.ask("GET", path).status_code
        for path in (
            "/mapi/getMyTrunks",
            "/mapi/getAutorule/123",
            "/stereo/1",
            "/callsendai/{token}/1",
            "/getpeers/{token}",
        )
    }
    assert list(statuses.values()) == [500, 200, 500, 418, 200]


def test_a_percentage_is_kept_and_repeats_with_the_seed(pbx: Mounted) -> None:
    def day() -> Any:
        faulty(pbx, "*:503@30%")
        return [pbx.ask("GET", "/mapi/getMyTrunks").status_code for _ in range(200)]

    first = day()
    assert 35 <= first.count(503) <= 85
    assert day() == first


def test_delays_come_on_top_of_other_faults(pbx: Mounted) -> None:
    faulty(pbx, "*:delay=30ms,*:delay=30ms,*:502")
    began = time.perf_counter()
    assert pbx.ask("GET", "/mapi/getMyTrunks").status_code == 502
    assert time.perf_counter() - began >= 0.06
