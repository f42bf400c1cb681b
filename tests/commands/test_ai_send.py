"""`ai send`: an analysis is asked for once; a budget is kept; what may have been sent is not sent again."""

import json
import threading
from collections.abc import Iterator

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer
from speech_cases import VENDOR, kept


class Pbx:
    """Counts the analyses that were asked for; may answer with a status, or hang up on the request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status, self.hangs_up, self.lock = "200 OK", False, threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            call_id = seen.target.rsplit("/", 1)[1]
            with self.lock:
                self.asked.append(call_id)
            if self.hangs_up:
                return
            connection.answer(self.status, json.dumps({"answer": {"aicallid": f"a-{call_id}"}}).encode())


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Pbx]:
    pbx = Pbx()
    server = RawServer([pbx])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield pbx
    server.stop()


def test_a_call_is_sent_once_and_its_answer_told_again(alovoice: FrontDoor, pbx: Pbx) -> None:
    first = alovoice("ai", "send", "1", "--json")
    again = alovoice("ai", "send", "1", "--json")
    assert (first.code, again.code) == (0, 0)
    assert again.out == first.out
    assert pbx.asked == ["1"]
    assert "sent before" in again.err


def test_of_several_only_the_new_ones_are_sent_and_the_order_is_kept(alovoice: FrontDoor, pbx: Pbx) -> None:
    alovoice("ai", "send", "2")
    told = json.loads(alovoice("ai", "send", "1", "2", "3", "--json").out)
    assert [(row["call_id"], row["outcome"]) for row in told] == [("1", "done"), ("2", "already"), ("3", "done")]
    assert pbx.asked == ["2", "1", "3"]


def test_again_sends_anew(alovoice: FrontDoor, pbx: Pbx) -> None:
    alovoice("ai", "send", "1")
    assert alovoice("ai", "send", "1", "--again").code == 0
    assert pbx.asked == ["1", "1"]


def test_another_pbx_has_calls_of_its_own(alovoice: FrontDoor, pbx: Pbx) -> None:
    alovoice("ai", "send", "1")
    alovoice("login", "--with-token", "--no-check", "-p", "samarkand", stdin=TOKEN)
    assert alovoice("ai", "send", "1", "-p", "samarkand").code == 0
    assert pbx.asked == ["1", "1"]


def test_what_was_refused_may_be_sent_again(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.status = "400 Bad Request"
    assert alovoice("ai", "send", "1").code == 1
    pbx.status = "200 OK"
    assert alovoice("ai", "send", "1").code == 0


def test_a_lost_answer_is_never_sent_again_by_itself(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.hangs_up = True
    assert alovoice("ai", "send", "1").code == 6
    pbx.hangs_up = False
    result = alovoice("ai", "send", "1", "--json")
    assert (result.code, result.out, pbx.asked) == (6, "", ["1"])
    assert "ai result 1" in json.loads(result.err)["error"]["hint"]
    kept(alovoice, "default").keep("1", VENDOR)  # it had been carried out after all
    assert alovoice("ai", "send", "1").code == 0
    assert pbx.asked == ["1"]


def test_a_budget_holds_for_a_day_and_sends_all_or_nothing(alovoice: FrontDoor, pbx: Pbx) -> None:
    assert alovoice("ai", "send", "1", "2", "--budget", "3").code == 0
    over = alovoice("ai", "send", "3", "4", "--budget", "3")
    assert over.code == 8
    assert "room for 1 more" in over.err
    assert alovoice("ai", "send", "1", "2", "--budget", "0").code == 0, "what was sent before costs nothing"
    assert pbx.asked == ["1", "2"]
    alovoice.later(hours=25)
    assert alovoice("ai", "send", "3", "4", "--budget", "3").code == 0


def test_two_at_once_send_it_once(alovoice: FrontDoor, pbx: Pbx) -> None:
    both = [alovoice.start("ai", "send", "1", "--json") for _ in range(2)]
    outs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outs[0] == outs[1]
    assert pbx.asked == ["1"]


def test_a_dry_run_of_one_sends_and_notes_nothing(alovoice: FrontDoor, pbx: Pbx) -> None:
    result = alovoice("ai", "send", "1", "--dry-run")
    assert "callsendai" in result.out
    assert pbx.asked == []
