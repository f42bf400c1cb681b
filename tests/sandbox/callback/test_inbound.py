"""Inbound calls: the route is asked and obeyed, the answer to a callstart names the call or leads it elsewhere."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.posts import Posted
from alovoice_cli.sandbox.callback.messages import StartReply, read_start_reply, read_step
from alovoice_cli.sandbox.scenario import shipped

from .conftest import Calling, Handler


def step(kind: str, data: Any = None) -> Any:
    return json.dumps({"action_type": kind, **({} if data is None else {"action_data": data})}).encode()


def slow_refusal(_: object) -> tuple[int, bytes]:
    """Answers 503 after a while."""
    time.sleep(0.05)
    return 503, b""


def inbound(small_day: Calling) -> Any:
    return [account for account in small_day.play() if account.kind == "inbound"]


@pytest.mark.parametrize(
    ("answer", "said", "inner", "went_to"),
    [
        (step("peer", "2000"), "peer:2000", {2000}, {"2000"}),
        (step("queue", "6001"), "queue:6001", {100, 2000, 2001, 2003, 2424}, {"100", "2000", "2001", "2003", "2424"}),
        (step("ivr", "222"), "ivr:222", {222}, {"ivr 222"}),
        (step("trunk", "998765432"), "trunk:998765432", {0}, {"998765432"}),
        (step("hangup", "123"), "hangup:123", {0}, {""}),
        (step("hangup"), "hangup", {0}, {""}),
    ],
)
def test_the_step_is_obeyed(
    small_day: Calling, handler: Handler, answer: bytes, said: str, inner: Any, went_to: Any
) -> None:
    handler.answers["route"] = lambda _: answer
    calls = inbound(small_day)
    assert len(handler.of("route")) == len(calls) > 5
    assert {call.course.step for call in calls} == {said}
    assert {call.course.inner_phone for call in calls} <= inner
    assert {call.course.went_to for call in calls} <= went_to
    codes = {call.course.status_code for call in calls}
    assert codes == {"603"} if "hangup" in said else "200" in codes
    told = {int(got.fields["inner_phone"]) for got in handler.of("callstart") if got.fields["type"] == "inc"}
    assert told == {call.course.inner_phone for call in calls}


@pytest.mark.parametrize(
    "answer",
    [
        b'{action_type: "queue", action_data: "6000"}',
        step("queue", 6000),
        step("queue", "9999"),
        step("peer", "1"),
        step("ivr", "333"),
        step("transfer", "2000"),
        step("queue"),
        b"",
        b"\xff",
        b"[" * 5000,
        (500, step("queue", "6000")),
        (302, step("queue", "6000")),
    ],
    ids=lambda answer: str(answer)[:40],
)
def test_a_wrong_step_ends_the_call_at_once(answer: bytes) -> None:
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    assert read_step(Posted(status, body), shipped()) is None


def test_a_call_without_a_step_is_over_and_is_told_of_all_the_same(small_day: Calling, handler: Handler) -> None:
    handler.answers["route"] = lambda _: b"let me see"
    calls = inbound(small_day)
    for call in calls:
        course = call.course
        assert (course.step, course.status_code, course.answered_at) == ("none", "OTHER", None)
        assert course.ended_at - course.started_at == 1
        assert not call.imbalance
    assert {str(got.fields["status_code"]) for got in handler.of("callend")} >= {"OTHER"}


def test_the_question_says_who_calls_which_line_and_the_department_only_where_there_is_one(
    small_day: Calling, handler: Handler
) -> None:
    small_day.rate = 4
    calls = inbound(small_day)
    asked = [got.fields for got in handler.of("route")]
    assert {frozenset(fields) for fields in asked} == {
        frozenset({"from_number", "line_number", "direction"}),
        frozenset({"from_number", "line_number", "queue_number", "direction"}),
    }
    for fields, call in zip(asked, calls, strict=True):
        assert f"+998{fields['from_number']}" == call.course.number
        assert fields["line_number"] == call.course.line
        assert fields["direction"] == "inc"


def test_a_redirect_is_obeyed_and_such_a_call_has_no_id(small_day: Calling, handler: Handler) -> None:
    handler.answers["callstart"] = lambda got: b'{"callto": "2003"}' if got.fields["type"] == "inc" else b"77"
    accounts = small_day.play()
    for account in accounts:
        if account.kind == "inbound":
            assert (account.course.went_to, account.course.call_id) == ("2003", None)
        else:
            assert account.course.call_id == "77"
    assert {"call_id" in got.fields for got in handler.of("callend")} == {True, False}


def test_a_redirect_may_lead_outside(small_day: Calling, handler: Handler) -> None:
    handler.answers["callstart"] = lambda _: b'{"callto": "99 123-45 67"}'
    assert {call.course.went_to for call in inbound(small_day)} == {"991234567"}


@pytest.mark.parametrize(
    ("body", "call_id"),
    [
        (b"1", "1"),
        (b" 123456789012\n", "123456789012"),
        (b"1234567890123", None),
        (b"a" * 32, "a" * 32),
        (b"a" * 33, None),
        ("қўнғироқ-7".encode(), "қўнғироқ-7"),
        (b'"abc"', "abc"),
        (b"007", "007"),
        (b"", None),
        (b"a\nb", None),
        (b"[1]", "[1]"),
        (b'{"id": 7}', None),
        (b"{callto: 1}", None),
    ],
)
def test_an_id_is_taken_as_the_document_allows_it(body: bytes, call_id: str) -> None:
    assert read_start_reply(Posted(200, body)) == StartReply(call_id=call_id)
    assert read_start_reply(Posted(500, body)) == StartReply()


@examples(80)
@given(st.one_of(st.none(), st.integers(100, 599)), st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_answer_breaks_the_pbx(status: int, body: bytes) -> None:
    answer = Posted(status, body)
    reply = read_start_reply(answer)
    assert reply.call_id is None or 0 < len(reply.call_id) <= 32
    read_step(answer, shipped())


def test_no_answer_at_all_ends_the_call(small_day: Calling, handler: Handler) -> None:
    handler.answers["route"] = slow_refusal
    assert {call.course.step for call in inbound(small_day)} == {"none"}
    assert small_day.said == [
        "a route event was not accepted (status 503); the PBX sends each event once, and continues"
    ]
