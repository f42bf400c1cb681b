"""`ai result` and `ai show`: what is ready, what is waited for, what is kept; on a terminal and in a pipe."""

import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer
from speech_cases import VENDOR, answer, kept
from waiting import wait_until

READY = json.dumps(VENDOR).encode()
OPEN = b'{"answer": {"begin_time": 1, "stereoaudio": "/stereo/1"}}'


@pytest.fixture
def sandbox(alovoice: FrontDoor) -> FrontDoor:
    """A home whose sandbox has analysed 903 and CALL_ID."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    alovoice("ai", "send", "903", "CALL_ID")
    alovoice.later(minutes=10)
    return alovoice


class Pbx:
    """A PBX whose analyses are ready from the n-th question on; None: never."""

    def __init__(self, **ready_at: int | None) -> None:
        self.ready_at, self.asked, self.lock = ready_at, dict.fromkeys(ready_at, 0), threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            call_id = seen.target.rsplit("/", 1)[1]
            if call_id not in self.ready_at:
                connection.answer("404 Not Found", b"")
                continue
            with self.lock:
                self.asked[call_id] += 1
            at = self.ready_at[call_id]
            connection.answer("200 OK", READY if at is not None and self.asked[call_id] >= at else OPEN)


@pytest.fixture
def serve(alovoice: FrontDoor) -> Iterator[Any]:
    servers = []

    def start(pbx: Pbx) -> Pbx:
        servers.append(RawServer([pbx]))
        alovoice.environ |= {"ALOVOICE_BASE_URL": servers[-1].url, "ALOVOICE_TOKEN": TOKEN}
        return pbx

    yield start
    for server in servers:
        server.stop()


def test_one_call_with_json_is_the_servers_answer(sandbox: FrontDoor) -> None:
    assert json.loads(sandbox("ai", "result", "CALL_ID", "--json").out)["answer"]["stalk"] == VENDOR["answer"]["stalk"]


def test_several_calls_with_json_are_one_list_in_the_order_given(sandbox: FrontDoor) -> None:
    result = sandbox("ai", "result", "903", "CALL_ID", "903", "--json")
    told = json.loads(result.out)
    assert [one["call_id"] for one in told] == ["903", "CALL_ID"]
    assert told[1]["answer"]["answer"]["stalk"] == VENDOR["answer"]["stalk"]


def test_a_pipe_gets_lines_and_a_terminal_a_dialogue(sandbox: FrontDoor) -> None:
    piped = sandbox("ai", "result", "CALL_ID")
    assert piped.out == ("time\tdirection\ttext\n0:01\toperator\tassalomu alaykum\n0:04\tclient\tassalomu alaykum\n")
    assert "tags: Нет представления компании" in piped.err
    shown = sandbox("ai", "result", "CALL_ID", terminal=True, environ={"NO_COLOR": "1"}).out.splitlines()
    assert shown == [
        "Call CALL_ID, 2024-05-20 17:20, 0:05, operator 54%",
        "",
        "0:01 operator",
        "[assalomu alaykum]",
        "# Приветствие",
        "",
        " " * 64 + "0:04 client",
        " " * 64 + "assalomu alaykum",
        "",
        "Tags: Нет представления компании; Нет дополнительной информации; Приветствие",
        "0:01; Прощание 3:53",
    ]


def test_a_narrow_terminal_has_both_sides_on_the_left(sandbox: FrontDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")  # rich asks the process
    shown = sandbox("ai", "result", "903", terminal=True, environ={"NO_COLOR": "1"}).out
    assert max(map(len, shown.splitlines())) <= 30
    assert "\n0:06 client\n" in shown


def test_with_colour_a_phrase_is_underlined_and_without_set_in_brackets(sandbox: FrontDoor) -> None:
    assert "\x1b[4;36massalomu alaykum" in sandbox("ai", "result", "CALL_ID", terminal=True).out
    assert "[assalomu" in sandbox("ai", "result", "CALL_ID", "--color", "never", terminal=True).out


def test_what_is_not_ready_is_9_and_prints_nothing(alovoice: FrontDoor, serve: Any) -> None:
    serve(Pbx(a=None))
    result = alovoice("ai", "result", "a", "--json")
    assert (result.code, result.out) == (9, "")
    assert json.loads(result.err)["error"]["kind"] == "not_ready"


def test_waiting_asks_until_it_is_ready_and_asks_no_finished_call_again(alovoice: FrontDoor, serve: Any) -> None:
    pbx = serve(Pbx(a=1, b=3))
    result = alovoice("ai", "result", "--wait", "--interval", "0.1", "a", "b", "--json")
    assert result.code == 0, result.err
    assert pbx.asked == {"a": 1, "b": 3}
    assert [one["answer"]["answer"]["aicallid"] for one in json.loads(result.out)] == ["664b400cccc3235a7cd17f"] * 2


def test_waiting_ends_with_9_and_shows_what_came(alovoice: FrontDoor, serve: Any) -> None:
    pbx = serve(Pbx(a=1, b=None))
    result = alovoice("ai", "result", "a", "b", "--wait=1s", "--interval", "0.3", "--json")
    assert result.code == 9
    assert "b" in json.loads(result.err)["error"]["message"]
    assert [bool(one["answer"]) for one in json.loads(result.out)] == [True, False]
    assert 3 <= pbx.asked["b"] <= 5, "the pauses grow"
    assert kept(alovoice, "default").get("a") is not None


@pytest.mark.parametrize("words", [("--wait=0.5",), ("--wait=soon",), ("--wait", "--interval", "0")])
def test_a_wait_that_is_no_span_sends_nothing(alovoice: FrontDoor, serve: Any, words: tuple[str, ...]) -> None:
    pbx = serve(Pbx(a=1))
    assert alovoice("ai", "result", "a", *words).code == 2
    assert pbx.asked == {"a": 0}


def test_a_call_that_is_not_there_keeps_the_others_not_back(alovoice: FrontDoor, serve: Any) -> None:
    serve(Pbx(a=1))
    result = alovoice("ai", "result", "nosuch", "a", "--json")
    assert result.code == 4
    assert [one["error"] and one["error"]["kind"] for one in json.loads(result.out)] == ["not_found", None]


def test_the_result_is_kept_privately_and_shown_again_without_the_pbx(alovoice: FrontDoor, serve: Any) -> None:
    pbx = serve(Pbx(a=1))
    fetched = alovoice("ai", "result", "a", "--json")
    assert alovoice("ai", "show", "a", "--json").out == fetched.out
    assert pbx.asked == {"a": 1}
    for path in (alovoice.home / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_store_keeps_nothing(alovoice: FrontDoor, serve: Any) -> None:
    serve(Pbx(a=1))
    alovoice("ai", "result", "a", "--no-store")
    result = alovoice("ai", "show", "a")
    assert (result.code, "ai result a" in result.err) == (2, True)
    assert not (alovoice.home / "state" / "analyses.db").exists()


def test_a_store_that_cannot_be_written_hides_no_result(alovoice: FrontDoor, serve: Any) -> None:
    serve(Pbx(a=1))
    (alovoice.home / "state").mkdir(mode=0o700)
    (alovoice.home / "state" / "analyses.db").write_bytes(b"no database at all" * 100)
    result = alovoice("ai", "result", "a", "--json")
    assert result.code == 0
    assert json.loads(result.out) == VENDOR
    assert "was not stored" in result.err


def test_a_later_result_replaces_the_earlier_one_and_keeps_the_extension(alovoice: FrontDoor) -> None:
    store = kept(alovoice)
    store.keep("1", answer((0, 1, "client", "birinchi")), peer="2424")
    store.keep("1", answer((0, 1, "client", "ikkinchi")))
    (one,) = store.all()
    assert (one.talk.fragments[0].text, one.peer) == ("ikkinchi", "2424")
    assert list(store.candidates(["birinchi"])) == []


def test_forms_that_exclude_each_other_are_told_before_anything_is_sent(alovoice: FrontDoor, serve: Any) -> None:
    pbx = serve(Pbx(a=1))
    for words in (("--format", "srt", "--json"), ("-o", "file"), ("--format", "md", "--columns", "text")):
        assert alovoice("ai", "result", "a", *words).code == 2
    assert pbx.asked == {"a": 0}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_wait_is_130_and_loses_nothing_that_came(alovoice: FrontDoor, serve: Any) -> None:
    pbx = serve(Pbx(a=1, b=None))
    waiting = alovoice.start("ai", "result", "a", "b", "--wait", "--interval", "60", "--json")
    wait_until(lambda: pbx.asked["b"] and kept(alovoice, "default").get("a"), "a's answer in the store")
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out, err) == (130, b"", b"")
    assert kept(alovoice, "default").get("a") is not None
