"""`--dry-run`: nothing is sent, and what it prints sends the very bytes that the command itself would."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_server import Connection, RawServer, Seen, answers
from strength import examples

needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="curl or sh is missing")

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
NASTY = "@a\"b\\c $HOME ${PATH} `id` $(id) 'q' oʻzbek қўнғироқ 😀 \\n %41 {a,b} & ; | < > line\nline"
NASTY_IN_A_PATH = 'a"b\\'.replace("\\", "") + "$HOME`id`$(id)'q' қ😀%41{a,b}[1-2]&;|<>@"
NASTY_FILE = "қ \"q\" $HOME `id` 'x'.mp3"
ENCODINGS = ("json", "multipart", "form", "vendor-curl")
_BOUNDARY = re.compile(rb"boundary=(\S+)")

CONFERENCE = ("call", "conference", "--from", "712037006:uz", "--to", "901234567", "--to", "+998977076909:ru")
IVR = ("call", "ivr", "--to", "901234567", "--ivr", "222", "--line", "712037006", "--lang", "uz")
OUT = ("call", "out", "--from", "2424", "--to", "+998901234567")
CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--recipient", "901234567", "--name", "n", "--from", "tomorrow"),
    *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--night-ok", "--yes", "--trunks", "712037006"),
)
FILES = (
    *("autorule", "create", "--record", NASTY_FILE, "--recipients", "рўйхат $HOME.csv", "--name", NASTY, "--paused"),
    *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006"),
    *("--maxline", "3", "--goodtime", "4", "--tryes", "5", "--timezone", "Asia/Tashkent", "--night-ok", "--yes"),
)
ENCODED: dict[str, tuple[str, ...]] = {
    "conference": (*CONFERENCE, "--extid", NASTY),
    "queue": ("call", "conference", "--from", "712037006", "--queue", "6000", "--extid", "1"),
    "ivr": (*IVR, "--extid", NASTY),
    "out": (*OUT, "--call-id", NASTY, "--user-id", "$HOME'`\"\\"),
}
PLAIN: dict[str, tuple[str, ...]] = {
    "create": CREATE,
    "create with files": FILES,
    "send": ("ai", "send", NASTY_IN_A_PATH),
    "api fields": ("api", "POST", "/outcall/{token}", "-f", f"a={NASTY}", "-F", "inner_phone=2424", "-f", "b[]=@x"),
    "api bearer": ("api", "POST", "/mapi/other", "-f", f"a={NASTY}", "-H", 'X-Note: "q" $HOME `id` \\ \''),
    "api upload": ("api", "POST", "/mapi/addAutorule", "-F", f"record=@{NASTY_FILE}", "-f", f"name={NASTY}"),
    "api input": ("api", "PUT", "/x/{token}", "--input", "body.txt"),
    "api unknown": ("api", "DELETE", "/x?t={token}&a=қ$HOME"),
}


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home with the files that the commands name, and no token."""
    for name in ("a.mp3", NASTY_FILE):
        (alovoice.home / name).write_bytes(MP3.read_bytes())
    (alovoice.home / "рўйхат $HOME.csv").write_text("исм;тел\n$HOME;998901234567\n", "utf-8")
    (alovoice.home / "body.txt").write_text(NASTY, "utf-8")
    return alovoice


def _accepts(connection: Connection) -> None:
    seen = connection.read()
    if seen is not None:
        connection.answer("200 OK", b"true" if "outcall" in seen.target else b'{"id": 1, "answer": {}}')


@pytest.fixture
def pbx(home: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_accepts])
    home.environ["ALOVOICE_BASE_URL"] = server.url
    yield server
    server.stop()


def _essence(seen: Seen) -> tuple[object, ...]:
    """What must be equal, multipart boundaries aside."""
    kind, body = seen.header("content-type").encode(), seen.body
    if found := _BOUNDARY.search(kind):
        kind, body = kind.replace(found[1], b"B"), body.replace(found[1], b"B")
    given = sorted((name.lower(), value) for name, value in seen.headers if name.lower().startswith("x-"))
    return (seen.method, seen.target, kind, seen.header("authorization"), seen.header("token"), given, body)


def _run_as_it_is(script: str, home: FrontDoor) -> None:
    """The script on the standard input of a shell in which only the token is set."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home.home), "ALOVOICE_TOKEN": TOKEN}
    done = subprocess.run(
        ["sh"], input=script.encode(), cwd=home.home, env=environ, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b""), done


def _rehearse(home: FrontDoor, pbx: RawServer, words: tuple[str, ...]) -> str:
    """What `--dry-run` prints, and that it was nothing but printing."""
    result = home(*words, "--dry-run")
    assert result.code == 0, result.err
    assert pbx.connections == 0, "a dry run made a connection"
    assert home("call", "receipts", "list", "--json").out == "[]\n"
    return result.out


def _check_the_same_is_sent(home: FrontDoor, pbx: RawServer, words: tuple[str, ...]) -> None:
    script = _rehearse(home, pbx, words)
    shown = json.loads(home(*words, "--dry-run", "--json").out)
    assert shown["curl"] in script
    result = home(*words, environ={"ALOVOICE_TOKEN": TOKEN})
    assert result.code == 0, result.err
    _run_as_it_is(script, home)
    _run_as_it_is(shown["curl"] + "\n", home)
    ours, printed, from_json = pbx.effects
    assert TOKEN in f"{ours.target} {ours.headers}"
    assert _essence(printed) == _essence(from_json) == _essence(ours)
    assert TOKEN not in script + json.dumps(shown)


@needs_curl
@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_call_of_every_encoding_is_sent_alike_by_the_printed_curl(
    home: FrontDoor, pbx: RawServer, name: str, encoding: str
) -> None:
    _check_the_same_is_sent(home, pbx, (*ENCODED[name], "--encoding", encoding))


@needs_curl
@pytest.mark.parametrize("name", PLAIN)
def test_what_has_no_choice_of_encoding_is_sent_alike_by_the_printed_curl(
    home: FrontDoor, pbx: RawServer, name: str
) -> None:
    _check_the_same_is_sent(home, pbx, PLAIN[name])


@needs_curl
@settings(examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    encoding=st.sampled_from(ENCODINGS),
)
def test_any_id_is_sent_alike(home: FrontDoor, pbx: RawServer, text: str, encoding: str) -> None:
    pbx.requests.clear()
    words = (*CONFERENCE, f"--extid=x{text}", "--encoding", encoding)
    script = home(*words, "--dry-run").out
    assert home(*words, environ={"ALOVOICE_TOKEN": TOKEN}).code == 0
    _run_as_it_is(script, home)
    ours, printed = pbx.requests
    assert _essence(printed) == _essence(ours)


@needs_curl
def test_the_profiles_encoding_holds_in_a_dry_run_too(home: FrontDoor, pbx: RawServer) -> None:
    assert home("config", "set", "encoding", "vendor-curl").code == 0
    _check_the_same_is_sent(home, pbx, ENCODED["out"])
    assert pbx.requests[0].header("content-type") == "application/x-www-form-urlencoded"
    assert json.loads(pbx.requests[0].body)["inner_phone"] == 2424


@needs_curl
def test_a_pipe_into_a_shell_is_all_it_takes(home: FrontDoor, pbx: RawServer) -> None:
    words = (sys.executable, "-m", "alovoice_cli", *ENCODED["conference"], "--dry-run")
    home.environ["ALOVOICE_TOKEN"] = TOKEN
    piped = home.run_shell(["sh", "-c", '"$@" | sh', "sh", *words])
    said = [line for line in piped.stderr.splitlines() if b"quiet hours" not in line]  # by the hour of the day
    assert (piped.returncode, said) == (0, []), piped
    assert home(*ENCODED["conference"]).code == 0
    printed, ours = pbx.requests
    assert _essence(printed) == _essence(ours)


@needs_curl
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
@pytest.mark.parametrize("name", ["conference", "create", "send", "api bearer"])
def test_no_argument_of_curl_holds_the_token(home: FrontDoor, pbx: RawServer, name: str) -> None:
    arguments: list[bytes] = []

    def look(connection: Connection) -> None:
        seen = connection.read()
        assert seen is not None
        assert TOKEN in f"{seen.target} {seen.headers}"
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # a process that has ended meanwhile
                if str(home.home).encode() in (process / "environ").read_bytes():  # not one of another test
                    arguments.append((process / "cmdline").read_bytes())
        connection.answer("200 OK", b"{}")

    pbx.acts = [look]
    _run_as_it_is(_rehearse(home, pbx, (ENCODED | PLAIN)[name]), home)
    assert any(b"curl\0" in argument for argument in arguments)
    assert not any(TOKEN[:28].encode() in argument for argument in arguments)


@pytest.mark.parametrize("name", [*ENCODED, *PLAIN])
def test_the_json_form_says_what_would_go(home: FrontDoor, pbx: RawServer, name: str) -> None:
    words = (ENCODED | PLAIN)[name]
    for encoding in ("utf-8", "cp866", "ascii"):
        result = home(*words, "--dry-run", "--json", encoding=encoding)
        assert result.code == 0, result.err
        shown = json.loads(result.out)
        assert list(shown) == ["method", "url", "headers", "body", "curl"]
        assert shown["curl"].splitlines()[-1] == "EOF"
        assert "curl -q -sS -K - <<EOF" in shown["curl"]
        assert "$ALOVOICE_TOKEN" in shown["url"] + json.dumps(shown["headers"])
        assert shown["url"].startswith(pbx.url + "/")


def test_a_terminal_shows_the_command_without_what_drives_it(home: FrontDoor, pbx: RawServer) -> None:
    result = home(*OUT, "--call-id", "a\x1b[31m\u202eb", "--dry-run", terminal=True, environ={"TERM": "dumb"})
    assert result.code == 0, result.err
    assert "$ALOVOICE_TOKEN" in result.out
    assert not {"\x1b", "\u202e"} & set(result.out)


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "ascii"])
def test_a_stream_that_changes_letters_of_the_command_is_warned_of(
    home: FrontDoor, pbx: RawServer, encoding: str
) -> None:
    changed = home(*OUT, "--call-id", "қ", "--dry-run", encoding=encoding)
    assert changed.code == 0
    assert "warning" in changed.err
    assert "UTF-8" in changed.err
    assert "warning" not in home(*OUT, "--call-id", "қ", "--dry-run").err
    assert "warning" not in home(*OUT, "--call-id", "7", "--dry-run", encoding=encoding).err
    assert "warning" not in home(*OUT, "--call-id", "қ", "--dry-run", "--json", encoding=encoding).err


def test_what_only_reads_or_cannot_be_rehearsed_refuses_a_dry_run(home: FrontDoor, pbx: RawServer) -> None:
    for words in (("trunks",), ("call", "batches", "resume", "BATCH"), ("call", "batches", "forget", "BATCH")):
        result = home(*words, "--dry-run", environ={"ALOVOICE_TOKEN": TOKEN})
        assert (result.code, result.out) == (2, "")
        assert f"alovoice {' '.join(words[:3])} does not use --dry-run" in result.err
    assert pbx.connections == 0


def test_all_lines_are_asked_for_and_then_rehearsed(home: FrontDoor, pbx: RawServer) -> None:
    pbx.acts = [answers("200 OK", b'["712037006", "712037007"]')]
    words = (*CREATE[:-1], "all", "--dry-run", "--json")
    result = home(*words, environ={"ALOVOICE_TOKEN": TOKEN})
    assert result.code == 0, result.err
    parts = {part["name"]: part.get("value") for part in json.loads(result.out)["body"]}
    assert parts["trunks"] == "712037006,712037007"
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks"]


def test_wrong_words_are_wrong_in_a_dry_run_too(home: FrontDoor, pbx: RawServer) -> None:
    for words in ((*CREATE, "--record", "nosuch.mp3"), (*OUT, "--number", "operator"), ("ai", "send", "a/b")):
        result = home(*words, "--dry-run")
        assert (result.code, result.out) == (2, ""), result
    assert pbx.connections == 0


def test_the_sandbox_rehearses_too(home: FrontDoor) -> None:
    home.environ["ALOVOICE_PROFILE"] = "sandbox"
    result = home(*OUT, "--dry-run", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["url"].endswith("/outcall/$ALOVOICE_TOKEN")
    assert home("call", "receipts", "list", "--json").out == "[]\n"


def test_a_token_pasted_into_the_words_is_not_printed_again(home: FrontDoor, pbx: RawServer) -> None:
    for form in ((), ("--json",)):
        result = home(*OUT, "--call-id", TOKEN, "--dry-run", *form, environ={"ALOVOICE_TOKEN": TOKEN})
        assert result.code == 0, result.err
        assert TOKEN[:28] not in result.out + result.err
