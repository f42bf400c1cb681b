"""What reaches stdout and stderr: in any encoding, any environment, whatever the server says and whoever reads."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer

from alovoice_cli.commands.command_tree import full_tree

posix = pytest.mark.skipif(os.name != "posix", reason="a shell's redirections")

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u2066\r\n\t[red]x[/red] :smile: \x00\x7f"
LETTERS = "oʻzbek қўшиқ Ғўза → 😀 Русский"
ARMED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
OWN_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ENCODINGS = ["cp866", "cp1251", "ascii", "utf-8"]
SHOWING: dict[str, tuple[str, ...]] = {
    "trunks": ("trunks",),
    "peers": ("peers",),
    "get": ("autorule", "get", "1"),
    "result": ("ai", "result", "1"),
    "send": ("ai", "send", "1"),
    "send two": ("ai", "send", "1", "2"),
    "conference": ("call", "conference", "--from", "712037006", "--to", "901234567"),
    "api": ("api", "GET", "/getpeers/{token}", "-i"),
    "receipts": ("call", "receipts", "list", "--columns", "receipt,answer,our_id"),
    "status": ("status",),
}


def _document(target: str, text: str) -> object:
    if "getMyTrunks" in target:
        return ["712037006", text]
    if target.startswith("/getpeers"):
        return [{"number": 1, "username": text, "status": text, text: text, "lastip": [text, {text: text}]}]
    line = {"begin": 0, "end": 1, "direction": text, "text": text}
    analysis = {"aicallid": text, "stalk": [line], "tags": [{"name": text, "value": text}], "stereoaudio": text}
    return {"id": 1, "name": text, text: text, "answer": analysis, "trunks": [text]}


def _saying(text: str, *, status: str = "200 OK", lines: int = 0) -> Any:
    """A server that says this in every place that JSON, or a body that is no JSON, can hold."""

    def serve(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            document: object = _document(seen.target, text)
            if lines:
                document = [f"7{place:08}" for place in range(lines)]
            body = json.dumps(document).encode() if status == "200 OK" else text.encode()
            connection.answer(status, body)

    return serve


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_saying(LETTERS)])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield server
    server.stop()


def _tame(result: Result) -> None:
    for stream in (result.out, result.err):
        found = ARMED.search(OWN_COLOUR.sub("", stream))
        assert not found, repr(stream)


# --- letters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", SHOWING)
def test_every_letter_goes_through_every_encoding(
    alovoice: FrontDoor, pbx: RawServer, name: str, encoding: str
) -> None:
    for terminal in (False, True):
        result = alovoice(*SHOWING[name], "-v", encoding=encoding, terminal=terminal)
        assert result.code == 0, result.err
        as_json = alovoice(*SHOWING[name], "--json", encoding=encoding, terminal=terminal)
        assert as_json.code == 0, as_json.err
        text = as_json.out.partition("\n\n")[2] if name == "api" else as_json.out
        if name not in ("receipts", "status"):
            assert LETTERS in json.dumps(json.loads(text), ensure_ascii=False)
    if name not in ("receipts", "status") and encoding == "utf-8":
        assert LETTERS in alovoice(*SHOWING[name]).out


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "ascii", "utf-8"])
def test_a_process_survives_its_encoding(alovoice: FrontDoor, pbx: RawServer, encoding: str) -> None:
    environ = {"PYTHONIOENCODING": encoding}
    table = alovoice.process("peers", "-v", environ=environ)
    assert table.returncode == 0, table.stderr
    assert (b"Russkiy" if encoding == "ascii" else "Русский".encode(encoding)) in table.stdout
    assert ("қ".encode() if encoding == "utf-8" else b"q") in table.stdout
    as_json = alovoice.process("peers", "--json", environ=environ)
    assert json.loads(as_json.stdout.decode(encoding))[0]["username"] == LETTERS
    wrong = alovoice.process("peers", "--columns", "қ😀", environ=environ)
    assert (wrong.returncode, wrong.stdout) == (2, b"")


@posix
@pytest.mark.parametrize(
    "locale", [{}, {"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_crons_environment_is_enough(alovoice: FrontDoor, locale: dict[str, str]) -> None:
    environ = {"HOME": str(alovoice.home), "PATH": os.environ["PATH"], **locale}
    words = [sys.executable, "-m", "alovoice_cli", "-p", "sandbox"]

    def run(*more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*words, *more], env=environ, cwd=alovoice.home, capture_output=True, timeout=60, check=False
        )

    result = run("ai", "result", "CALL_ID")
    assert result.returncode == 9, result.stderr
    peers = run("peers", "--json")
    assert (peers.returncode, peers.stderr) == (0, b"")
    assert json.loads(peers.stdout)
    assert (alovoice.home / ".local" / "state" / "alovoice" / "sandbox.db").exists()


# --- colour ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terminal", "environ", "flags", "coloured"),
    [
        (True, {}, (), True),
        (True, {"NO_COLOR": "1"}, (), False),
        (True, {"NO_COLOR": ""}, (), True),
        (True, {"TERM": "dumb"}, (), False),
        (True, {}, ("--color", "never"), False),
        (True, {"NO_COLOR": "1"}, ("--color", "always"), True),
        (True, {"TERM": "dumb"}, ("--color", "always"), True),
        (False, {}, (), False),
        (False, {}, ("--color", "never"), False),
    ],
)
@pytest.mark.parametrize("name", ["peers", "get", "trunks"])
def test_colour_is_for_terminals_that_want_it(
    alovoice: FrontDoor,
    pbx: RawServer,
    name: str,
    terminal: bool,
    environ: dict[str, str],
    flags: tuple[str, ...],
    coloured: bool,
) -> None:
    result = alovoice(*SHOWING[name], *flags, terminal=terminal, environ=environ)
    assert result.code == 0, result.err
    assert ("\x1b[" in result.out) == coloured
    error = alovoice("peers", "--columns", "x", *flags, terminal=terminal, environ=environ)
    assert ("\x1b[" in error.err) == coloured


@pytest.mark.parametrize("flags", [("--json",), ("--csv",), ()])
def test_data_in_a_pipe_has_no_colour_even_where_it_is_asked_for(
    alovoice: FrontDoor, pbx: RawServer, flags: tuple[str, ...]
) -> None:
    assert "\x1b" not in alovoice("peers", "--color", "always", *flags).out
    if "--json" in flags:
        assert "\x1b" not in alovoice("peers", "--color", "always", *flags, terminal=True).out


def test_help_on_a_dumb_terminal_has_no_colour(alovoice: FrontDoor) -> None:
    for environ in ({"TERM": "dumb"}, {"NO_COLOR": "1"}):
        assert "\x1b" not in alovoice("peers", "--help", terminal=True, environ=environ).out
    assert "\x1b" not in alovoice("peers", "--help").out


@pytest.mark.parametrize(
    "words",
    [
        ("trunks", "--columns", "x"),
        ("trunks", "--nosuch"),
        ("nosuch",),
        ("autorule", "get"),
        ("trunks", "--timeout", "soon"),
        ("trunks", "--csv"),
        ("autorule", "get", "a/b"),
    ],
)
def test_an_error_in_the_words_is_json_too_wherever_it_was_asked_for(
    alovoice: FrontDoor, pbx: RawServer, words: tuple[str, ...]
) -> None:
    for line in ((*words, "--json"), ("--json", *words)):
        result = alovoice(*line)
        assert (result.code, result.out) == (2, "")
        assert json.loads(result.err)["error"]["kind"] == "usage"


def test_a_bad_colour_is_refused(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("peers", "--color", "sometimes").code == 2
    assert pbx.connections == 0


# --- what the server says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Oops", "404 No", "401 No"])
@pytest.mark.parametrize("name", SHOWING)
def test_nothing_that_the_server_says_drives_the_terminal(
    alovoice: FrontDoor, pbx: RawServer, name: str, status: str
) -> None:
    pbx.acts = [_saying(HOSTILE, status=status)]
    for terminal, flags in (
        (True, ()),
        (True, ("-v",)),
        (False, ("-v",)),
        (False, ("--json", "-v")),
        (True, ("--json",)),
    ):
        result = alovoice(*SHOWING[name], *flags, "--timeout", "5", terminal=terminal)
        _tame(result)
        assert "error in alovoice" not in result.err
    if name in ("trunks", "peers"):
        _tame(alovoice(*SHOWING[name], "--csv"))
    alovoice(*SHOWING["send"])
    for flags in ((), ("--json",)):
        _tame(alovoice("call", "receipts", "list", "--columns", "receipt,answer", *flags))


def test_markup_of_the_server_is_printed_as_it_stands(alovoice: FrontDoor, pbx: RawServer) -> None:
    pbx.acts = [_saying("[red]x[/red] :smile:")]
    for name in ("trunks", "get"):
        assert "[red]x[/red] :smile:" in alovoice(*SHOWING[name], terminal=True).out


def test_an_id_from_the_words_drives_nothing_either(alovoice: FrontDoor, pbx: RawServer) -> None:
    for words in (("ai", "result", HOSTILE), ("config", "get", HOSTILE), ("trunks", "-p", HOSTILE), (HOSTILE,)):
        result = alovoice(*words, terminal=True)
        assert result.code == 2
        _tame(result)


def test_a_formula_of_the_server_is_no_formula_in_csv(alovoice: FrontDoor, pbx: RawServer) -> None:
    pbx.acts = [_saying("=cmd|' /C calc'!A0")]
    out = alovoice("trunks", "--csv").out
    assert out.splitlines()[2] == "'=cmd|' /C calc'!A0"


# --- readers that go away, disks that are full -----------------------------------------------------------------------


def _shell(home: FrontDoor, script: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    return home.run_shell(["bash", "-c", script, "bash", sys.executable, "-m", "alovoice_cli", *words])


@posix
@pytest.mark.parametrize("flags", [(), ("--json",), ("--csv",)])
def test_a_reader_that_leaves_ends_it_quietly(alovoice: FrontDoor, pbx: RawServer, flags: tuple[str, ...]) -> None:
    pbx.acts = [_saying("", lines=100_000)]
    done = _shell(alovoice, '"$@" | head -c 20 >/dev/null; echo ${PIPESTATUS[0]}', "trunks", *flags)
    assert (done.stdout, done.stderr) == (b"0\n", b"")


@posix
def test_help_to_a_reader_that_leaves_is_quiet_too(alovoice: FrontDoor) -> None:
    done = _shell(alovoice, '"$@" | true; echo ${PIPESTATUS[0]}', "autorule", "create", "--help")
    assert (done.stdout, done.stderr) == (b"0\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "words",
    [("trunks",), ("trunks", "--json"), ("peers", "--csv"), ("api", "GET", "/getpeers/{token}"), ("config", "path")],
)
def test_a_full_disk_is_told_in_one_sentence(alovoice: FrontDoor, pbx: RawServer, words: tuple[str, ...]) -> None:
    done = _shell(alovoice, '"$@" > /dev/full', *words)
    assert done.returncode == 7, done.stderr
    (line,) = done.stderr.decode().splitlines()
    message = json.loads(line)["error"]["message"] if "--json" in words else line.removeprefix("error: ")
    assert message.startswith("the output could not be written")


@posix
def test_a_closed_stdout_or_stderr_is_no_crash(alovoice: FrontDoor, pbx: RawServer) -> None:
    for redirection in (">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"):
        done = _shell(alovoice, f'"$@" {redirection}', "trunks", "-v")
        assert done.returncode == 0, (redirection, done)
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr
    wrong = _shell(alovoice, '"$@" 2>&-', "trunks", "--columns", "x")
    assert (wrong.returncode, wrong.stdout) == (2, b"")


@posix
def test_a_full_disk_under_stderr_changes_no_exit_code(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert _shell(alovoice, '"$@" 2>/dev/full', "trunks", "--columns", "x").returncode == 2
    done = _shell(alovoice, '"$@" 2>/dev/full', "call", "out", "--from", "1", "--to", "901234567")
    assert done.returncode == 6, "the server answered neither true nor false"


# --- the rest of the contract ----------------------------------------------------------------------------------------


def test_stdout_is_data_and_stderr_the_rest(alovoice: FrontDoor, pbx: RawServer) -> None:
    verbose = alovoice("trunks", "--json", "-v")
    assert json.loads(verbose.out) == ["712037006", LETTERS]
    assert "GET" in verbose.err
    assert alovoice("trunks", "--json").err == ""
    assert alovoice("nosuch").out == ""
    assert alovoice("trunks", "--columns", "x").out == ""


def test_no_parameter_of_a_command_shares_its_name_with_a_global_option() -> None:
    """Both would be one to the parser, and the later would overwrite the other in silence."""

    def walk(command: Any, path: str) -> Iterator[str]:
        names = [parameter.name for parameter in command.params]
        yield from (f"{path}: {name}" for name in {*names} if names.count(name) > 1)
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{path} {name}")

    assert list(walk(full_tree(), "alovoice")) == []


def test_debug_shows_where_and_nothing_else_does(alovoice: FrontDoor, pbx: RawServer) -> None:
    plain, debug = (alovoice("peers", "--columns", "x", environ=more) for more in ({}, {"ALOVOICE_DEBUG": "1"}))
    assert "Traceback" not in plain.err
    assert "Traceback" in debug.err
    assert (plain.code, plain.out) == (debug.code, debug.out) == (2, "")


def test_the_sandbox_says_which_variables_of_a_real_pbx_it_ignores(alovoice: FrontDoor) -> None:
    alovoice.transport = None
    for named in (["ALOVOICE_TOKEN"], ["ALOVOICE_BASE_URL", "ALOVOICE_TOKEN"]):
        more = {"ALOVOICE_TOKEN": "", "ALOVOICE_BASE_URL": "", **dict.fromkeys(named, "https://pbx.example")}
        told = f"note: the profile sandbox is the simulated PBX and ignores {', '.join(named)}\n"
        assert alovoice("-p", "sandbox", "trunks", environ=more).err == told
        assert alovoice("-p", "sandbox", "trunks", "-q", environ=more).err == ""
    assert alovoice("-p", "sandbox", "trunks").err == ""


# --- files for Excel -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["begun_at", "settled_at"])
def test_excel_gets_its_mark_semicolons_and_local_times(alovoice: FrontDoor, column: str) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    assert alovoice("call", "out", "--from", "2424", "--to", "901234567", "--night-ok").code == 0
    plain = alovoice("call", "receipts", "list", "--csv", "--columns", f"{column},numbers")
    excel = alovoice("call", "receipts", "list", "--csv", "--excel", "--columns", f"{column},numbers")
    assert (plain.code, excel.code) == (0, 0), excel.err
    assert excel.out.startswith(f"\ufeff{column};numbers\n")
    when = datetime.fromisoformat(plain.out.splitlines()[1].split(",")[0])
    local = when.astimezone(timezone(timedelta(hours=5)))
    assert excel.out.splitlines()[1].startswith(f"{local:%Y-%m-%d %H:%M:%S};")


def test_excel_means_something_or_is_refused(alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    refused = alovoice("trunks", "--excel")
    assert (refused.code, "--excel needs --csv" in refused.err) == (2, True)
    assert alovoice("--excel", "trunks", "--csv").out.startswith("\ufefftrunk\n")
    (alovoice.home / "rows.csv").write_text("number;имя\n901234567;Ўктам\n")
    words = ("call", "out", "--batch", "rows.csv", "--from", "2424", "--yes", "--night-ok", "--report", "out.csv")
    assert alovoice(*words, "--excel").code == 0
    assert (alovoice.home / "out.csv").read_text("utf-8").startswith("\ufeffnumber;имя;")
