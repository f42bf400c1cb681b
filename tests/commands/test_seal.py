"""The seal: once a request that dials has left, no trouble of this machine may look like "nothing happened"."""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer
from saboteur import Saboteur, Step
from strength import IS_SOAK

from alovoice_cli import main
from alovoice_cli.commands.command_tree import build_tree

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
MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"


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


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder where writing is quick, if the system has one: hundreds of runs wait for the disk ten times each."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


class Wire(httpx.BaseTransport):
    """A PBX in this process, without a socket: it keeps the requests that came, and answers as it is told."""

    def __init__(self) -> None:
        self.answer: bytes | None = b"true"
        self.arrived: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if request.url.path.endswith("getMyTrunks"):
            return httpx.Response(200, content=b'["712037006"]')
        self.arrived.append(request.url.raw_path + body)
        if self.answer is None:
            raise httpx.ReadError("the connection was reset", request=request)
        return httpx.Response(200, content=self.answer)


WALKS: dict[str, tuple[tuple[str, ...], bytes | None, int]] = {
    "api": (DIALS["api"], b"true", 0),
    "out": (DIALS["out"], b"true", 0),
    "ivr": (DIALS["ivr"], ANSWER, 0),
    "conference": (DIALS["conference"], ANSWER, 0),
    "out refused": (DIALS["out"], b"false", 1),
    "ivr without an answer": (DIALS["ivr"], None, 6),
    "send with a wrong answer": (DIALS["send"], b"<html>", 6),
    "send": (DIALS["send"], ANSWER, 0),
    "create": (DIALS["create"], ANSWER, 0),
}
"""Words, what the PBX answers, and the exit code of an unbroken run; cheap commands first."""
TROUBLES: tuple[Callable[[], BaseException], ...] = (
    KeyboardInterrupt,
    RuntimeError,
    MemoryError,
    lambda: OSError(28, "No space left on device"),
)


def _walk(alovoice: FrontDoor, wire: Wire) -> Iterator[tuple[str, Step, Callable[[], BaseException]]]:
    """Yields where to strike, and with what.

    The suite strikes each line that runs after a send, once, with Ctrl-C, in the first walk that comes there, and a
    sample of these lines with the other troubles. The lines of the client are left to tests/api/test_send_guard.py,
    but for a sample. The soak strikes each step of each walk with all troubles.
    """
    known: set[tuple[str, int]] = set()
    for name, (words, wire.answer, code) in WALKS.items():
        alovoice(*words)  # what is loaded, compiled or migrated once is no step
        watcher = Saboteur()
        assert watcher.run(partial(alovoice, *words)).code == code
        new = [step for step in watcher.steps if step.turn == 1 and step[:2] not in known]
        known.update(step[:2] for step in new)
        for number, step in enumerate(watcher.steps if IS_SOAK else new):
            if IS_SOAK or "/api/" not in step.file or number % 24 == 0:
                yield name, step, KeyboardInterrupt
            if IS_SOAK or number % 48 == 0:
                yield from ((name, step, trouble) for trouble in TROUBLES[1:])


def _truth(requests: list[Any], unbroken: int) -> int:
    """The only right exit code: the outcome if it was noted before the trouble or in spite of it, else 6."""
    (request,) = requests
    if request.outcome is None:
        return 6
    assert request.outcome.exit_code in (unbroken, 6)
    return int(request.outcome.exit_code)


@pytest.mark.filterwarnings("ignore")  # what a struck line was about to close stays open; its thread dies of it
def test_trouble_at_any_line_after_leaving_ends_with_the_outcome_or_with_6(
    alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch, in_memory: Path
) -> None:
    alovoice.environ["ALOVOICE_STATE_DIR"] = str(in_memory)
    wire = alovoice.transport = Wire()
    alovoice.environ |= {"ALOVOICE_BASE_URL": "http://localhost:1", "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    monkeypatch.setattr(main, "build_tree", cache(build_tree))  # hundreds of runs: the words are read by one tree
    codes: dict[str, int] = {}
    missed = 0
    for number, (name, step, trouble) in enumerate(_walk(alovoice, wire)):
        words, wire.answer, unbroken = WALKS[name]
        marker = f"call-{number}-"
        saboteur = Saboteur(step, trouble())
        code = saboteur.run(partial(alovoice, *(word.replace(ID, marker) for word in words))).code
        missed += not saboteur.struck
        assert code == _truth(saboteur.requests, unbroken), f"{name}: {saboteur.trouble!r} at {step} became {code}"
        codes[marker] = code
        del saboteur
    gc.collect()  # while the warnings of this test are not errors
    assert len(codes) > 200, "the saboteur never struck deep enough to prove anything"
    assert missed < len(codes) // 20  # lines that only a slow answer reaches
    _compare_with_wire_and_ledger(alovoice, wire, codes)


def _compare_with_wire_and_ledger(alovoice: FrontDoor, wire: Wire, codes: dict[str, int]) -> None:
    """Each request came at most once, and before it was told as done; the ledger claims no more than the exit code."""
    listed = json.loads(alovoice("call", "receipts", "list", "--limit", "0", "--json").out)
    receipts = {entry["our_id"]: entry for entry in listed}
    for marker, code in codes.items():
        arrived = sum(marker.encode() in seen for seen in wire.arrived)
        assert arrived <= 1, f"{marker} was sent {arrived} times"
        assert arrived or code == 6, f"{marker} was told as done, and never arrived"
        if marker in receipts and receipts[marker]["outcome"] != "unknown":
            assert receipts[marker]["exit_code"] == code


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


LOSSES = {
    "a full disk": '"$0" -m alovoice_cli "$@" >/dev/full',
    "a closed stdout": '"$0" -m alovoice_cli "$@" >&-',
    "a reader that went": '("$0" -m alovoice_cli "$@"; echo "code $?" >&2) | true; exit 0',
}
_PAIRS = [(name, loss) for name in DIALS for loss in LOSSES]


@pytest.mark.parametrize(("name", "loss"), _PAIRS if IS_SOAK else _PAIRS[::4])  # each loss and each second command
def test_an_answer_that_cannot_be_shown_costs_nothing(
    alovoice: FrontDoor, pbx: RawServer, name: str, loss: str
) -> None:
    done = alovoice.run_shell(["sh", "-c", LOSSES[loss], sys.executable, *DIALS[name]])
    assert (done.returncode, len(pbx.effects)) == (0, 1), done.stderr
    assert "went" not in loss or b"code 0" in done.stderr, done.stderr


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
