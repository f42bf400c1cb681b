"""`call resolve`, and `call … --wait`: a PBX on a raw socket, and an event store as a listener fills it."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from event_rows import Rows
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, answers

from alovoice_cli.commands.call import spell_out

IVR = ("call", "ivr", "--to", "901234567", "--ivr", "222", "--line", "712037006", "--extid", "170")
OUT = ("call", "out", "--from", "101", "--to", "+998901234567", "--call-id", "170")
Happen = Callable[[Connection], None]


class Pbx:
    """What the PBX does when it is asked to call: tells the listener, or not; then answers, or not."""

    def __init__(self, alovoice: FrontDoor) -> None:
        self.rows = Rows(alovoice.store_url)
        self.status: str | None = None
        self.answer: bytes | None = b"true"
        self.has_result = True
        self.server = RawServer([self._act])

    def up(self, *, since: float = 99, until: float = 999) -> None:
        """A listener was there, so many seconds ago, and will be."""
        self.rows.listened((time.time() - since, time.time() + until, True))

    def call(self, status: str = "486", duration: int = 0, extid: str = "170", **more: Any) -> None:
        """The events of a call that began now."""
        now = int(time.time())
        self.rows.call(now, status=status, duration=duration, direction="out", **more)
        result = {"id": 5, "externalid": int(extid), "to_number": "901234567", "trunk_number": 712037006}
        if self.has_result:
            self.rows.deliver("result", now + 1, {**result, "begin_time": now, "duration": duration, "dialstatus": "?"})

    def _act(self, connection: Connection) -> None:
        if connection.read() is None:
            return
        if self.status is not None:
            self.call(self.status, 0 if self.status != "200" else 32)
        if self.answer is not None:
            connection.answer("200 OK", self.answer)


@pytest.fixture
def pbx(alovoice: FrontDoor, profile_store: str) -> Iterator[Pbx]:
    there = Pbx(alovoice)
    alovoice.environ |= {"ALOVOICE_BASE_URL": there.server.url, "ALOVOICE_TOKEN": TOKEN}
    yield there
    there.server.stop()


def _receipts(alovoice: FrontDoor) -> list[str]:
    return [entry["receipt"] for entry in json.loads(alovoice("call", "receipts", "list", "--json").out)]


@pytest.mark.parametrize("answer", [b"true", None])
def test_a_call_is_followed_to_its_end_also_when_the_answer_is_lost(
    alovoice: FrontDoor, pbx: Pbx, answer: bytes | None
) -> None:
    pbx.up()
    pbx.status, pbx.answer = "200", answer
    result = alovoice(*IVR, "--wait=5s", "--json")
    said = json.loads(result.out)
    assert result.code == 0
    assert said["said"] == "it rang: 200 answered, 32 s, answered by 998901234567 (e1, e2)"
    assert (said["extid"], said["resolution"]["answer"], said["resolution"]["basis"]) == ("170", "rang", "id")
    assert said["answer"] == (True if answer else None)
    assert len(pbx.server.requests) == 1


@pytest.mark.parametrize("answer", [b"true", None])
def test_a_call_that_ended_without_ringing_is_a_refusal(alovoice: FrontDoor, pbx: Pbx, answer: bytes | None) -> None:
    pbx.up()
    pbx.status, pbx.answer = "404", answer
    result = alovoice(*IVR, "--wait", "5s", "--json")
    assert result.code == 1
    assert json.loads(result.out)["resolution"]["resend_safe"] is True
    error = json.loads(result.err.splitlines()[-1])["error"]
    assert (error["kind"], error["message"]) == (
        "refused",
        "it did not ring: the call ended with 404 invalid number (e1, e2)",
    )
    assert alovoice("call", "resolve", "170").code == 1


@pytest.mark.parametrize("answer", [b"true", None])
def test_a_wait_that_runs_out_forbids_to_run_the_line_again(
    alovoice: FrontDoor, pbx: Pbx, answer: bytes | None
) -> None:
    pbx.up()
    pbx.answer = answer
    result = alovoice(*OUT, "--wait=1s", "--json")
    assert result.code == 6
    error = json.loads(result.err.splitlines()[-1])["error"]
    assert (error["kind"], error["retry_safe"]) == ("unknown_outcome", False)
    assert "This is not proof." in error["message"]
    assert len(pbx.server.requests) == 1
    (receipt,) = _receipts(alovoice)
    asked = alovoice("call", "resolve", receipt, "--wait", "1s", "--json")
    assert (asked.code, json.loads(asked.out)["answer"]) == (9, "no_trace_yet")
    assert alovoice("call", "resolve", receipt).code == 6


def test_where_nobody_listens_any_more_there_is_nothing_to_wait_for(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.up(until=9000)
    alovoice(*IVR)
    alovoice.ahead = timedelta(hours=3)
    result = alovoice("call", "resolve", "170", "--wait", "60s", "--json")
    assert (result.code, json.loads(result.out)["answer"]) == (6, "no_trace_yet")


def test_a_call_that_rang_and_has_not_ended_is_not_taken_for_over(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.up()
    result = alovoice(*OUT)
    pbx.has_result = False
    pbx.rows.call(time.time(), status=None, direction="out")
    assert result.code == 0
    (receipt,) = _receipts(alovoice)
    shown = alovoice("call", "resolve", receipt, "--json")
    said = json.loads(shown.out)
    assert (shown.code, said["answer"], said["why"], said["basis"]) == (0, "rang", "begun", "number_and_time")
    assert "its end is not known yet" in said["said"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ctrl_c_ends_the_waiting_and_tells_what_is_known(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.up()
    running = alovoice.start(*OUT, "--wait", "30s", "--json")
    try:
        assert running.stderr is not None
        said = iter(running.stderr.readline, b"")
        assert any(b"the PBX accepted the call" in line for line in said)  # a note of quiet hours may come first
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, json.loads(out)["resolution"]["answer"]) == (6, "no_trace_yet")


@pytest.mark.parametrize("words", [IVR, OUT])
def test_nothing_is_sent_where_nobody_would_hear_the_end(alovoice: FrontDoor, pbx: Pbx, words: tuple[str, ...]) -> None:
    pbx.up(since=300, until=-100)
    down = alovoice(*words, "--wait")
    assert (down.code, "the listener is not running" in down.err) == (2, True)
    assert alovoice("config", "set", "store", f"sqlite:///{alovoice.home / 'other.db'}").code == 0
    never = alovoice(*words, "--wait")
    assert (never.code, "none has run for this PBX" in never.err) == (2, True)
    embedded = alovoice(*words, "--wait", "-p", "sandbox")
    assert (embedded.code, "does not work with the built-in PBX" in embedded.err) == (2, True)
    assert pbx.server.requests == []
    assert _receipts(alovoice) == []
    assert alovoice(*words, "--wait", "--dry-run", environ={"ALOVOICE_STATE_DIR": str(alovoice.home / "x")}).code == 0


def test_without_a_listeners_store_it_cannot_be_known_but_what_never_left_did_not_ring(
    alovoice: FrontDoor, pbx: Pbx
) -> None:
    alovoice.environ["ALOVOICE_STATE_DIR"] = str(alovoice.home / "other")
    pbx.answer = None
    lost = alovoice(*IVR)
    assert lost.code == 6
    (receipt,) = _receipts(alovoice)
    assert f"`alovoice call resolve {receipt}`" in lost.err
    result = alovoice("call", "resolve", receipt, terminal=True)
    assert result.code == 6
    assert "no listener has run for this PBX" in " ".join(result.out.split())
    assert alovoice(*OUT[:-1], "171", "--base-url", "http://127.0.0.1:9").code == 5
    unsent = alovoice("call", "resolve", "171", "--json")
    assert (unsent.code, json.loads(unsent.out)["why"]) == (1, "never_left")


def test_all_unknown_calls_are_a_list_that_ends_with_its_worst(alovoice: FrontDoor, pbx: Pbx) -> None:
    assert alovoice("call", "resolve", "--all", "--json").out == "[]\n"
    pbx.up()
    pbx.answer = None
    alovoice(*IVR)
    assert alovoice("call", "resolve", "--all").code == 6
    pbx.call()
    result = alovoice("call", "resolve", "--all", "--json")
    (said,) = json.loads(result.out)
    assert (result.code, said["answer"], said["status"]) == (0, "rang", "486")
    table = alovoice("call", "resolve", "--all", "--columns", "answer,status,resend_safe").out
    assert table == "answer\tstatus\tresend_safe\nrang\t486\tfalse\n"
    alovoice(*IVR[:-1], "171")
    assert alovoice("call", "resolve", "--all").code == 6


def test_the_unknown_rows_of_a_batch_are_asked_after_by_its_name(alovoice: FrontDoor, pbx: Pbx) -> None:
    rows = [{"to": f"90{number}", "extid": str(number)} for number in range(1_000_000, 1_000_004)]
    words = ("call", "ivr", "--batch", "rows.jsonl", "--ivr", "222", "--line", "712037006", "--night-ok", "--yes")
    (alovoice.home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pbx.up()
    answers = iter((None, b"true", None, None, b"true"))

    def act(connection: Connection) -> None:
        if connection.read() is not None and (answer := next(answers)) is not None:
            connection.answer("200 OK", answer)

    pbx.server.acts = [act]
    assert alovoice(*IVR).code == 6  # of no batch
    batch = alovoice(*words)
    (name,) = [each["name"] for each in json.loads(alovoice("call", "batches", "list", "--json").out)]
    assert batch.code == 6
    assert f"`alovoice call resolve --batch {name}`" in batch.err
    asked = alovoice("call", "resolve", "--batch", name, "--json")
    said = json.loads(asked.out)
    assert (asked.code, [each["our_id"] for each in said]) == (6, ["1000001", "1000002"])
    assert {each["answer"] for each in said} == {"no_trace_yet"}
    pbx.rows.call(time.time(), "901000001", status="200", direction="out", duration=32)
    pbx.rows.call(time.time(), "901000002", status="486", direction="out")
    found = alovoice("call", "resolve", "--batch", name, "--columns", "our_id,answer,status")
    assert (found.code, found.out.splitlines()[1:]) == (0, ["1000001\trang\t200", "1000002\trang\t486"]), found.err
    assert alovoice("call", "resolve", "--all").code == 6
    assert len(pbx.server.requests) == 5  # it sends nothing


def test_a_batch_without_unknown_rows_or_without_a_name_there_is_said_so(alovoice: FrontDoor, pbx: Pbx) -> None:
    words = ("call", "out", "--batch", "-", "--night-ok", "--yes", "--journal", "evening")
    row = json.dumps({"inner_phone": "101", "number": "901234567"}) + "\n"
    assert alovoice(*words, stdin=row).code == 0
    nothing = alovoice("call", "resolve", "--batch", "evening", "--json")
    assert (nothing.code, nothing.out) == (0, "[]\n")
    missing = alovoice("call", "resolve", "--batch", "morning")
    assert (missing.code, "there is no batch morning" in missing.err) == (2, True)
    both = alovoice("call", "resolve", "--batch", "evening", "--all")
    assert (both.code, "name a call, or give --all" in both.err) == (2, True)


def test_a_token_that_is_revoked_afterwards_changes_nothing(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.up()
    pbx.answer = None
    alovoice(*IVR)
    before = json.loads(alovoice("call", "resolve", "170", "--json").out)
    pbx.server.acts = [answers("401 Unauthorized")]
    assert alovoice(*IVR[:-1], "171").code == 3
    after = json.loads(alovoice("call", "resolve", "170", "--json").out)
    assert before["answer"] == after["answer"] == "no_trace_yet"
    assert after["rivals"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a call, or give --all"),
        (("170", "--all"), "name a call, or give --all"),
        (("R-0000",), "there is no receipt R-0000"),
        (("170", "--wait", "3x"), "not a valid length of time"),
        (("170", "-p", "tashkent"), "was sent to PBX default"),
    ],
)
def test_words_that_name_no_call_are_refused(alovoice: FrontDoor, pbx: Pbx, words: tuple[str, ...], said: str) -> None:
    alovoice("login", "--with-token", "--no-check", "-p", "tashkent", stdin="token-1234\n")
    alovoice.share_store("tashkent")
    alovoice(*IVR)
    result = alovoice("call", "resolve", *words)
    assert (result.code, said in result.err) == (2, True), result.err


def test_an_id_that_several_requests_bear_has_to_be_told_apart(alovoice: FrontDoor, pbx: Pbx) -> None:
    alovoice(*IVR)
    alovoice(*IVR)
    result = alovoice("call", "resolve", "170")
    assert (result.code, "2 requests have the id 170" in result.err) == (2, True)
    assert all(receipt in result.err for receipt in _receipts(alovoice))


def test_what_is_no_call_is_not_asked_after(alovoice: FrontDoor) -> None:
    alovoice("ai", "send", "1", "-p", "sandbox")
    (receipt,) = _receipts(alovoice)
    result = alovoice("call", "resolve", receipt, "-p", "sandbox")
    assert (result.code, "belongs to `ai send`, not to a call" in result.err) == (2, True)


def test_the_slowest_call_of_thirty_days_is_learned_from_this_pbx(alovoice: FrontDoor, pbx: Pbx) -> None:
    pbx.up(until=99_999)
    alovoice(*IVR)
    now = int(time.time())
    pbx.rows.call(now + 41, status="200", direction="out", call_id="late")
    alovoice.ahead = timedelta(hours=3)
    alovoice(*OUT[:-1], "171")
    said = json.loads(alovoice("call", "resolve", "171", "--json").out)
    assert (said["answer"], said["delays"]["n"]) == ("no_trace_yet", 1)
    assert 40 <= said["delays"]["slowest_seconds"] <= 42


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["--wait"], ["--wait=90s"]),
        (["--wait", "5m", "R-1"], ["--wait", "5m", "R-1"]),
        (["--wait", "R-1"], ["--wait=90s", "R-1"]),
        (["--wait", "--json"], ["--wait=90s", "--json"]),
        (["--wait=7s", "--wait"], ["--wait=7s", "--wait=90s"]),
        (["--", "--wait"], ["--", "--wait"]),
        ([], []),
    ],
)
def test_the_span_may_be_left_out(words: list[str], read: list[str]) -> None:
    assert spell_out(words) == read
