"""Handlers that are down, slow or wrong cost the sandbox nothing but the messages; what is sent is mixed, by lot."""

import http.client
import json
import threading
import time
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ports import free_port
from strength import examples
from waiting import wait_until

from alovoice_cli.errors import UsageError
from alovoice_cli.sandbox.callback import posting
from alovoice_cli.sandbox.callback.messages import Wording
from alovoice_cli.sandbox.callback.posting import Chaos, Fate, Timetable, parse_chaos
from alovoice_cli.serving.server import SocketServer
from alovoice_cli.stores.pbx_traffic import UNANSWERED, CallCourse

from .conftest import Calling, Handler


def test_a_handler_that_is_down_loses_its_messages_and_nothing_is_sent_again(small_day: Calling) -> None:
    accounts = small_day.play(f"http://127.0.0.1:{free_port()}/h/secret")
    sent = [one for account in accounts for one in account.deliveries]
    assert {one.status for one in sent} == {None}
    assert all("refused" in one.error for one in sent)
    assert not any(account.imbalance for account in accounts)
    assert {account.course.status_code for account in accounts if account.kind == "inbound"} == {"OTHER"}
    assert small_day.totals[0].failed == len(sent)
    assert len(small_day.said) == len({one.type for one in sent}), "one line for each type, however many were lost"
    assert not any("secret" in line for line in small_day.said)


def test_a_handler_that_hangs_holds_up_neither_the_others_nor_the_pbx(
    small_day: Calling, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_day.rate = small_day.day = None
    released = threading.Event()
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 60)
    handler.answers["callstart"] = lambda got: (released.wait(60) and b"1") or b"2"
    sandbox, board, poster = small_day.open()
    server = SocketServer(sandbox.app)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=[lambda _: ready.set()])
    thread.start()
    with poster:
        board.start()
        assert ready.wait(30)
        for key in range(8):
            line = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
            call = {"call_id": f"c{key}", "inner_phone": 2424, "number": "+998994412860"}
            line.request("POST", "/outcall/t", json.dumps(call))
            assert line.getresponse().read() == b"true", "the PBX answers while its own messages hang"
            line.close()
        wait_until(lambda: len(handler.of("result")) == 8, "the results, which wait for no callstart,")
        assert handler.of("callend") == [], "a call has no end before it has a name"
        released.set()
        wait_until(lambda: len(handler.of("callend")) == 8, "the ends")
        assert {str(got.fields["call_id"]) for got in handler.of("callend")} == {"1"}
        board.stop()
    server.stop()
    thread.join(30)


def test_what_is_under_way_at_the_end_is_known_as_such(
    small_day: Calling, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_day.rate, small_day.day = 1000, None
    arrived, released = threading.Event(), threading.Event()
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 60)

    def hang(_: object) -> Any:
        arrived.set()
        released.wait(60)
        return b""

    handler.answers["route"] = hang
    _, board, poster = small_day.open()
    with poster:
        board.start()
        assert arrived.wait(30)
        totals = board.stop()  # it does not wait for the handler's own time: nothing releases that before
        released.set()
    assert totals.unbalanced >= 1
    assert UNANSWERED in {one.error for account in small_day.accounts() for one in account.deliveries}
    assert small_day.said == []


def test_content_types_and_numbers_are_mixed_and_each_message_is_always_the_same() -> None:
    course = CallCourse("inc", "+998901234567", "712037006", 2000, 1_772_392_933)
    starts = [json.loads(Wording(7, "callstart", call).callstart(course)) for call in range(200)]
    for name in ("inner_phone", "line", "start_time"):
        assert {type(start[name]) for start in starts} == {int, str}
    assert {type(start["number"]) for start in starts} == {str}
    types = [Wording(7, "callend", call).content_type for call in range(200)]
    assert {*types} >= {"application/json", None, "application/x-www-form-urlencoded"}
    ends = [json.loads(Wording(7, "callend", call).callend("007", 1, 0, "603-S", "")) for call in range(200)]
    assert {(end["call_id"], end["status_code"]) for end in ends} == {("007", "603-S")}, "what is no number stays text"
    results = [Wording(7, "result", call).result({"id": call, "begin_time": 1}, []) for call in range(200)]
    assert {body[:4] for body in results} >= {b'{"id', b'[{"i', b'{"[]'}
    assert results == [Wording(7, "result", call).result({"id": call, "begin_time": 1}, []) for call in range(200)]


def test_chaos_happens_as_often_as_ordered_and_never_to_a_caller_who_waits() -> None:
    chaos = parse_chaos("dup=3%,late=5%, reorder=1.5%")
    assert chaos == Chaos(3, 5, 1.5)
    fates = [chaos.fate(7, "callend", call) for call in range(20_000)]
    assert 0.025 < sum(fate.again_seconds > 0 for fate in fates) / 20_000 < 0.035
    assert 0.043 < sum(fate.late_seconds > 0 for fate in fates) / 20_000 < 0.057
    assert 0.011 < sum(fate.reorder for fate in fates) / 20_000 < 0.019
    assert Chaos(100, 100, 100).fate(7, "route", 1) == Fate()


@examples(60)
@given(st.text(max_size=20) | st.from_regex(r"(dup|late|reorder|dub)=\d{1,4}%?(,late=5%)?", fullmatch=True))
def test_a_chaos_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    refused = None
    try:
        chaos = parse_chaos(text)
    except UsageError as error:
        refused = error
    if refused is not None:
        assert "--chaos" in refused.message
        assert "dup" in refused.hint
    else:
        assert all(0 <= share <= 100 for share in (chaos.dup, chaos.late, chaos.reorder))


def test_actions_run_in_order_of_their_moments_and_one_that_fails_stops_no_other() -> None:
    said: list[str] = []
    ran: list[str] = []
    ended = threading.Event()
    table = Timetable(said.append)
    now = table.now()
    for name, due in (("c", now + 0.02), ("a", now - 1), ("b", now), ("d", now + 0.02)):
        table.at(due, partial(ran.append, name))
    table.at(now + 0.01, lambda: [][0])
    table.at(now + 0.03, ended.set)
    table.start()
    assert ended.wait(30)
    table.stop(30)
    assert ran == ["a", "b", "c", "d"]
    assert said == ["error in a simulated call: IndexError: list index out of range"]


@pytest.mark.parametrize("most", [1, 3])
def test_handlers_are_never_asked_more_at_once_than_allowed(
    small_day: Calling, handler: Handler, monkeypatch: pytest.MonkeyPatch, most: Any
) -> None:
    monkeypatch.setattr(posting, "_AT_ONCE", most)
    monkeypatch.setattr(posting, "_PATIENCE_SECONDS", 0.001)
    at_work, highest, lock = 0, 0, threading.Lock()

    def work(_: object) -> Any:
        nonlocal at_work, highest
        with lock:
            at_work += 1
            highest = max(highest, at_work)
        time.sleep(0.02)
        with lock:
            at_work -= 1
        return b""

    handler.answers = dict.fromkeys(handler.answers, work)
    accounts = small_day.play()
    assert highest == most
    assert not any(account.imbalance for account in accounts)
