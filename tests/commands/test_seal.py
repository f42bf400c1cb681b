"""The seal: once a request that dials has left, no trouble of this machine may look like "nothing happened"."""

import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

# The suite strikes at a sample of the steps, another one for each command; ALOVOICE_SOAK strikes at every one.
_EVERY_STEP, _STRIDE = (10_000, 1) if os.environ.get("ALOVOICE_SOAK") else (8, 29)
PACKAGE = str(Path(__file__).parents[2] / "alovoice_cli")
ID = "id-of-the-call"
DIALS = {
    "conference": ("call", "conference", "--from", "712037006", "--to", "901234567", "--extid", ID),
    "ivr": ("call", "ivr", "--to", "901234567", "--ivr", "222", "--line", "712037006", "--extid", ID),
    "out": ("call", "out", "--from", "2424", "--to", "901234567", "--call-id", ID),
    "send": ("ai", "send", ID, "--again"),
    "api": ("api", "POST", "/outcall/{token}", "-F", "inner_phone=2424", "-f", f"call_id={ID}"),
    "create": (
        *("autorule", "create", "--record", "a.mp3", "--recipient", "901234567", "--name", ID, "--from", "tomorrow"),
        *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006"),
        *("--night-ok", "--yes", "--allow-duplicate"),
    ),
}
ANSWER = json.dumps({"id": 1, "name": "oʻzbek қ → 😀", "answer": {"aicallid": "a"}}).encode()
MP3 = Path(PACKAGE) / "sandbox" / "scenarios" / "announcement.mp3"


def _accepts(connection: Connection) -> None:
    seen = connection.read()
    if seen is not None:
        outcall = seen.target.startswith("/outcall")
        connection.answer("200 OK", b"true" if outcall else ANSWER, "Content-Type: application/json")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_accepts])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    yield server
    server.stop()


class Saboteur:
    """Raises once, at the n-th line of our own code that runs after the request has left."""

    def __init__(self, step: int, trouble: BaseException) -> None:
        self.left = step
        self.trouble = trouble
        self.armed = self.struck = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if frame.f_code.co_name == "mark_left" and event == "return":
            self.armed = True
        elif self.armed and not self.struck and event == "line":
            if self.left == 0:
                self.struck = True
                raise self.trouble
            self.left -= 1
        return self


def _sabotage(alovoice: FrontDoor, words: tuple[str, ...], saboteur: Saboteur) -> int:
    before, before_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(saboteur)
    sys.settrace(saboteur)
    try:
        return alovoice(*words).code
    finally:
        sys.settrace(before)
        threading.settrace(before_threads)


@pytest.mark.filterwarnings("ignore")  # what a struck line was about to close stays open; its thread dies of it
@pytest.mark.parametrize("name", DIALS)
def test_trouble_at_any_step_after_leaving_is_never_told_as_not_done(
    alovoice: FrontDoor, pbx: RawServer, name: str
) -> None:
    troubles = (KeyboardInterrupt, RuntimeError, MemoryError, lambda: OSError(28, "No space left on device"))
    codes: dict[str, int] = {}
    step = 0
    while True:
        saboteur = Saboteur(step, troubles[step % len(troubles)]())
        marker = f"call-{step}-"
        code = _sabotage(alovoice, tuple(word.replace(ID, marker) for word in DIALS[name]), saboteur)
        if not saboteur.struck:
            break
        assert code in (0, 6), f"step {step}: {saboteur.trouble!r} became exit code {code}"
        codes[marker] = code
        step += 1 if step < _EVERY_STEP else _STRIDE
        del saboteur
    gc.collect()  # while the warnings of this test are not errors
    assert step > 40, "the saboteur never struck deep enough to prove anything"
    pbx.stop()  # what still was on its way has arrived by now
    for marker, code in codes.items():
        arrived = sum(marker in seen.target or marker.encode() in seen.body for seen in pbx.requests)
        assert arrived <= 1, f"{marker} was sent {arrived} times"
        assert arrived or code == 6, f"{marker} was told as done, and never arrived"


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "ascii", "utf-8"])
@pytest.mark.parametrize("name", ["create", "send", "conference"])
def test_a_letter_that_the_terminal_lacks_costs_nothing(
    alovoice: FrontDoor, pbx: RawServer, name: str, encoding: str
) -> None:
    for form in ([], ["--json"]):
        pbx.requests.clear()
        result = alovoice(*DIALS[name], *form, encoding=encoding)
        assert (result.code, len(pbx.effects)) == (0, 1), result.err
        if form:
            json.loads(result.out)
    assert alovoice(*DIALS[name], "--yes", encoding=encoding, terminal=True, environ={"TERM": "dumb"}).code == 0


@pytest.mark.parametrize("name", DIALS)
def test_a_full_disk_and_a_closed_stdout_cost_nothing(alovoice: FrontDoor, pbx: RawServer, name: str) -> None:
    shell = ["sh", "-c", '"$0" -m alovoice_cli "$@" >/dev/full', sys.executable, *DIALS[name]]
    full = alovoice.run_shell(shell)
    assert (full.returncode, len(pbx.effects)) == (0, 1), full.stderr
    shell[2] = '"$0" -m alovoice_cli "$@" >&-'
    closed = alovoice.run_shell(shell)
    assert (closed.returncode, len(pbx.effects)) == (0, 2), closed.stderr
    shell[2] = '("$0" -m alovoice_cli "$@"; echo "code $?" >&2) | true'
    gone = alovoice.run_shell(shell)
    assert "code 0" in gone.stderr.decode(), gone.stderr
    assert len(pbx.effects) == 3


@pytest.mark.parametrize("name", DIALS)
def test_every_send_is_in_the_ledger_with_its_outcome(alovoice: FrontDoor, pbx: RawServer, name: str) -> None:
    assert alovoice(*DIALS[name]).code == 0
    (entry,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    assert (entry["outcome"], entry["exit_code"], entry["sent"]) == ("done", 0, "yes")
    shown = json.loads(alovoice("call", "receipts", "show", entry["receipt"].lower(), "--json").out)
    assert shown["receipt"] == entry["receipt"]


def test_a_ledger_that_cannot_be_written_stops_the_call_before_it_leaves(alovoice: FrontDoor, pbx: RawServer) -> None:
    state = alovoice.home / "state"
    state.mkdir()
    (state / "ledger.db").write_bytes(b"this is no database" * 100)
    result = alovoice(*DIALS["out"])
    assert (result.code, pbx.requests) == (2, [])
    assert "ledger" in result.err


def test_a_kill_in_flight_leaves_an_unknown_receipt(alovoice: FrontDoor) -> None:
    def hangs(connection: Connection) -> None:
        connection.read()
        connection.hang()

    server = RawServer([hangs])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    process = alovoice.start(*DIALS["out"])
    try:
        while not server.requests:
            assert process.poll() is None, process.communicate()
        process.kill()
    finally:
        process.communicate()
        server.stop()
    (entry,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    assert entry["outcome"] == "unknown"


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_a_signal_in_flight_ends_as_unknown(alovoice: FrontDoor, signal_name: str) -> None:
    import signal

    def hangs(connection: Connection) -> None:
        connection.read()
        connection.hang()

    server = RawServer([hangs])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    process = alovoice.start(*DIALS["out"])
    try:
        while not server.requests:
            assert process.poll() is None, process.communicate()
        process.send_signal(getattr(signal, signal_name))
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        server.stop()
    assert process.returncode == 6
    assert b"may have been carried out" in err
