"""The token is seen by the PBX and by nobody else: a canary goes through every command that talks, into every failure.

The server is as indiscreet as one can be: it echoes the token in reason phrases, headers and bodies.
"""

import base64
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer, Seen

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
BASE64 = base64.b64encode(TOKEN.encode()).decode()
HITS = {TOKEN[:28].encode(), quote(TOKEN, safe="").encode(), BASE64.rstrip("=").encode(), BASE64[:28].encode()}
MASKED = "••••" + TOKEN[-4:]
ECHO = f"{TOKEN} {quote(TOKEN, safe='')} Bearer {TOKEN} {BASE64}"
HEADERS = (f"X-Echo: {ECHO}", f"{TOKEN}: name", f"Date: {TOKEN}", f"Retry-After: {TOKEN}", f"Server: {TOKEN}")

CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--recipient", "901234567", "--from", "tomorrow", "--to", "tomorrow"),
    *("--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", "--night-ok", "--yes", "--allow-duplicate"),
)
TALKING: dict[str, tuple[str, ...]] = {
    "create": CREATE,
    "get": ("autorule", "get", "40"),
    "trunks": ("trunks",),
    "peers": ("peers",),
    "conference": ("call", "conference", "--from", "712037006", "--to", "901234567"),
    "ivr": ("call", "ivr", "--to", "901234567", "--ivr", "222", "--line", "712037006"),
    "out": ("call", "out", "--from", "2424", "--to", "901234567"),
    "send": ("ai", "send", "1", "--again"),
    "send two": ("ai", "send", "1", "2", "--again"),
    "result": ("ai", "result", "1"),
    "audio": ("ai", "audio", "1", "-o", "out.audio", "--force"),
    "api get": ("api", "GET", "/getpeers/{token}", "-i"),
    "api post": ("api", "POST", "/outcall/{token}", "-f", "a={token}", "-i"),
    "login": ("login", "--with-token", "-p", "tashkent"),
    "status": ("status",),
}
RECEIPTS: tuple[tuple[str, ...], ...] = (("call", "receipts", "list", "--json"), ("call", "receipts", "list"))
SILENT: tuple[tuple[str, ...], ...] = (
    *RECEIPTS,
    ("config", "list", "--json"),
    ("config", "get", "token_command"),
    ("status", "--offline", "--json"),
    ("status", "--offline"),
)


def _document(target: str) -> object:
    """A whole answer for what was asked, with the token in values and names."""
    if "getMyTrunks" in target:
        return ["712037006", TOKEN, BASE64]
    if target.startswith("/getpeers"):
        return [{"number": 1, "secret": TOKEN, "windowsapp": f"https://x/{TOKEN}", "username": ECHO, TOKEN: ECHO}]
    if target.startswith("/callgetaireresult"):
        line = {"begin": 0, "end": 1, "direction": TOKEN, "text": ECHO, "fragment_id": TOKEN}
        tags = [{"name": ECHO, "value": TOKEN, "tag_type": "rule"}]
        return {"answer": {"stalk": [line], "tags": tags, "stereoaudio": f"/stereo/{TOKEN}?token={TOKEN}", TOKEN: 1}}
    if target.startswith("/callsendai"):
        return {"answer": {"begin_time": 1, "aicallid": TOKEN, "stereoaudio": f"/stereo/{TOKEN}", TOKEN: ECHO}}
    return {"id": 1, "name": ECHO, TOKEN: [{"deep": ECHO}], "record": f"/play/{TOKEN}"}


def _ok(connection: Connection, seen: Seen) -> None:
    body = b"true" if seen.target.startswith("/outcall") else json.dumps(_document(seen.target)).encode()
    connection.answer(f"200 {ECHO}", body, "Content-Type: application/json", *HEADERS)


def _status(status: str) -> Callable[[Connection, Seen], None]:
    def answer(connection: Connection, seen: Seen) -> None:
        body = f"<pre>Cannot {seen.method} {seen.target} {ECHO}</pre>".encode()
        connection.answer(f"{status} {ECHO}", body, f"Location: https://{TOKEN}.example/{TOKEN}?t={TOKEN}", *HEADERS)

    return answer


def _error_object(connection: Connection, seen: Seen) -> None:
    body = json.dumps({"error": ECHO, "token": TOKEN, TOKEN: {"a": [TOKEN]}}).encode()
    connection.answer(f"400 {TOKEN}", body, "Content-Type: application/json", *HEADERS)


def _bad_json(connection: Connection, seen: Seen) -> None:
    connection.answer(f"200 {TOKEN}", f'{{"id": "{ECHO}", "{TOKEN}"'.encode(), *HEADERS)


def _no_text(connection: Connection, seen: Seen) -> None:
    connection.answer(f"200 {TOKEN}", b"\xff\xfe" + ECHO.encode() + b"\xff", *HEADERS)


def _cut(connection: Connection, seen: Seen) -> None:
    connection.write(f"HTTP/1.1 200 {TOKEN}\r\nContent-Length: 9999\r\n\r\n{ECHO}".encode())


def _no_http(connection: Connection, seen: Seen) -> None:
    connection.write(f"{ECHO}\r\n\r\n".encode())


ACTS: dict[str, Callable[[Connection, Seen], None]] = {
    "ok": _ok,
    "400": _error_object,
    "401": _status("401"),
    "404": _status("404"),
    "500": _status("500"),
    "redirect": _status("302"),
    "bad JSON": _bad_json,
    "no text": _no_text,
}
SLOW_ACTS: dict[str, Callable[[Connection, Seen], None]] = {
    "reset": lambda connection, seen: connection.reset(),
    "time-out": lambda connection, seen: connection.hang(),
    "cut": _cut,
    "no HTTP": _no_http,
}
CODES = {
    "ok": {0},
    "401": {3},
    "404": {4},
    "500": {6, 7},
    "redirect": {7},
    "400": {1},
    "bad JSON": {0, 6, 7},
    "no text": {0, 6, 7},
    "reset": {5, 6},
    "time-out": {5, 6},
    "cut": {5, 6, 7},
    "no HTTP": {5, 6},
}


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url}
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    (alovoice.home / "token.txt").write_text(TOKEN + "\n")
    yield server
    server.stop()


def _play(server: RawServer, act: Callable[[Connection, Seen], None]) -> None:
    def serve(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            act(connection, seen)

    server.acts = [serve]


def _lay_token(home: FrontDoor, source: str) -> None:
    config = home.home / "config"
    config.mkdir(mode=0o700, exist_ok=True)
    for name in ("tokens.toml", "config.toml"):
        (config / name).unlink(missing_ok=True)
    home.environ.pop("ALOVOICE_TOKEN", None)
    profile = f"[profiles.default]\nbase_url = {json.dumps(home.environ['ALOVOICE_BASE_URL'])}\n"
    (config / "config.toml").write_text(profile)
    if source == "environment":
        home.environ["ALOVOICE_TOKEN"] = TOKEN
    elif source == "tokens.toml":
        (config / "tokens.toml").write_text(f'[tokens]\ndefault = "{TOKEN}"\n')
        (config / "tokens.toml").chmod(0o600)
    else:
        command = f"cat {shlex.quote(str(home.home / 'token.txt'))}"
        (config / "config.toml").write_text(f"{profile}token_command = {json.dumps(command)}\n")


def _found(data: bytes) -> list[bytes]:
    return [hit for hit in HITS if hit in data]


def _check(result: Result, what: str) -> None:
    for stream in (result.out, result.err):
        assert not _found(stream.encode("utf-8", "surrogateescape")), f"{what}: {stream}"


def _check_files(home: FrontDoor) -> None:
    kept = ("tokens.toml", "token.txt", "out.audio")
    files = [path for path in home.home.rglob("*") if path.is_file() and path.name not in kept]
    for path in files:
        assert not _found(path.read_bytes()), path
        assert not _found(path.name.encode())


@pytest.mark.parametrize("name", TALKING)
@pytest.mark.parametrize("act", ACTS)
def test_no_stream_and_no_file_shows_the_token(alovoice: FrontDoor, pbx: RawServer, name: str, act: str) -> None:
    _play(pbx, ACTS[act])
    debug = {"ALOVOICE_DEBUG": "1"}
    for source, flags, terminal, environ in (
        ("environment", (), False, {}),
        ("environment", ("--json", "-v"), False, debug),
        ("tokens.toml", ("-v",), True, debug),
        ("token_command", ("-v",), False, debug),
    ):
        _lay_token(alovoice, source)
        pbx.requests.clear()
        if act == "no text" and name.startswith("api"):
            flags, terminal = ("-v",), True  # bytes are not for a terminal: see the test of them below
        result = alovoice(*TALKING[name], *flags, stdin=TOKEN, terminal=terminal, environ=environ)
        _check(result, f"{name}, {act}, {source} {flags}")
        codes = {2, 6} if act == "no text" and name.startswith("api") else CODES[act]
        assert result.code in codes, result.err
        assert any(TOKEN in f"{seen.target} {seen.headers}" for seen in pbx.requests), "the PBX got no token"
        if "-v" in flags:
            assert MASKED in result.err
    # What shows no receipts knows nothing of the answer: asked after one of them.
    for words in SILENT if act == next(iter(ACTS)) else RECEIPTS:
        result = alovoice(*words)
        assert result.code == 0, result.err
        _check(result, f"{words} after {name}, {act}")
    _check_files(alovoice)


@pytest.mark.parametrize("name", TALKING)
@pytest.mark.parametrize("act", SLOW_ACTS)
def test_no_stream_and_no_file_shows_the_token_when_nothing_comes(
    alovoice: FrontDoor, pbx: RawServer, name: str, act: str
) -> None:
    _play(pbx, SLOW_ACTS[act])
    _lay_token(alovoice, "environment")
    environ = {"ALOVOICE_DEBUG": "1"}
    result = alovoice(*TALKING[name], "-v", "--timeout", "0.5", stdin=TOKEN, environ=environ)
    _check(result, f"{name}, {act}")
    assert result.code in CODES[act], result.err
    assert "Traceback" in result.err
    pbx.stop()  # what still was on its way has arrived by now
    assert pbx.requests, "the PBX was not asked"
    _check_files(alovoice)


@pytest.mark.parametrize("act", [*ACTS, *SLOW_ACTS])
def test_no_stream_and_no_file_shows_the_token_of_a_telegram_bot(alovoice: FrontDoor, pbx: RawServer, act: str) -> None:
    _play(pbx, (ACTS | SLOW_ACTS)[act])
    _lay_token(alovoice, "environment")
    alovoice.environ.pop("ALOVOICE_TOKEN")
    command = f"cat {shlex.quote(str(alovoice.home / 'token.txt'))}"
    for key, value in (("api_url", pbx.url), ("token_command", command)):
        assert alovoice("config", "set", f"notify.telegram.{key}", value).code == 0
    for words in (("notify", "test", "--to", "telegram:1"), ("notify", "login", "--with-token")):
        for flags in (("-v",), ("-v", "--json")):
            patience = ("--timeout", "0.5") if act in SLOW_ACTS else ()
            environ = {"ALOVOICE_DEBUG": "1"}
            result = alovoice(*words, *flags, *patience, stdin=TOKEN, environ=environ)
            _check(result, f"{words}, {act}")
            assert result.code in {0, 1, 3, 5, 7}, result.err
            assert MASKED in result.err
    assert any(TOKEN in seen.target for seen in pbx.requests), "the bot's server got no token"
    _check_files(alovoice)


@pytest.mark.parametrize("shape", ["a/b", "a b", "a%41", "қ", "a?b", "x" * 200])
def test_a_malformed_token_is_not_repeated(alovoice: FrontDoor, pbx: RawServer, shape: str) -> None:
    _play(pbx, _ok)
    token = TOKEN + shape
    for words in (("trunks",), ("status", "--offline"), ("login", "--with-token"), TALKING["out"]):
        _lay_token(alovoice, "environment")
        alovoice.environ["ALOVOICE_TOKEN"] = token
        result = alovoice(*words, "-v", stdin=token, environ={"ALOVOICE_DEBUG": "1"})
        _check(result, f"{words}")
        assert result.code == 2, result.err
    assert pbx.connections == 0
    _check_files(alovoice)


def test_trunks_that_the_pbx_names_bring_no_token_into_the_ledger(alovoice: FrontDoor, pbx: RawServer) -> None:
    _play(pbx, _ok)
    _lay_token(alovoice, "environment")
    result = alovoice(*CREATE, "--trunks", "all", "-v")
    _check(result, "create --trunks all")
    assert len(pbx.requests) == 2
    _check_files(alovoice)


def test_an_id_that_is_the_token_is_masked_where_it_is_kept(alovoice: FrontDoor, pbx: RawServer) -> None:
    """Pasted into the wrong place, as it happens."""
    _play(pbx, _ok)
    _lay_token(alovoice, "environment")
    for words in (
        (*TALKING["out"], "--call-id", TOKEN),
        (*TALKING["conference"], "--extid", TOKEN),
        (*CREATE, "--name", TOKEN),
    ):
        for flags in ((), ("--json",), ("-v",)):
            result = alovoice(*words, *flags, environ={"ALOVOICE_DEBUG": "1"})
            assert result.code == 0, result.err
            _check(result, f"{words}")
    _check(alovoice("ai", "send", TOKEN, "-v"), "ai send")
    _check(alovoice("call", "receipts", "list", "--json"), "receipts")
    _check_files(alovoice)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
@pytest.mark.parametrize(
    ("source", "name"),
    [
        *(("environment", name) for name in ("create", "out", "login")),
        *(("tokens.toml", name) for name in ("peers", "send", "status")),
        *(("token_command", name) for name in ("trunks", "login", "api post")),
    ],
)
def test_no_process_has_the_token_in_its_arguments(alovoice: FrontDoor, pbx: RawServer, name: str, source: str) -> None:
    arguments: list[bytes] = []

    def look(connection: Connection, seen: Seen) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.fsencode(alovoice.home) in (process / "environ").read_bytes():  # none of another test's
                    arguments.append((process / "cmdline").read_bytes())
            except OSError:  # the process has ended meanwhile
                continue
        _ok(connection, seen)

    _play(pbx, look)
    _lay_token(alovoice, source)
    words = TALKING[name] if source != "token_command" or name != "login" else _login_by_command(alovoice)
    done = alovoice.process(*words, "-v", stdin=TOKEN.encode(), environ={"ALOVOICE_DEBUG": "1"})
    assert done.returncode == 0, done.stderr
    assert not _found(done.stdout + done.stderr), done
    assert any(b"alovoice_cli" in argument for argument in arguments)
    assert not any(_found(argument) for argument in arguments)
    _check_files(alovoice)


def _login_by_command(home: FrontDoor) -> tuple[str, ...]:
    return ("login", "-p", "tashkent", "--token-command", f"cat {shlex.quote(str(home.home / 'token.txt'))}")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
def test_a_command_that_waits_for_its_token_shows_none_meanwhile(alovoice: FrontDoor, pbx: RawServer) -> None:
    """The token command's own arguments are the user's; its environment holds no token of another profile."""
    _play(pbx, _ok)
    _lay_token(alovoice, "token_command")
    script = alovoice.home / "ask.sh"
    script.write_text(f"env > {alovoice.home}/environ.txt; cat {alovoice.home}/token.txt\n")
    config = alovoice.home / "config" / "config.toml"
    profile = f"[profiles.default]\nbase_url = {json.dumps(alovoice.environ['ALOVOICE_BASE_URL'])}\n"
    config.write_text(f"{profile}token_command = {json.dumps(f'sh {script}')}\n")
    done = alovoice.process("trunks", "-v")
    assert done.returncode == 0, done.stderr
    assert not _found((alovoice.home / "environ.txt").read_bytes())
    assert not _found(done.stdout + done.stderr)


def test_an_answer_that_is_no_text_keeps_its_bytes_but_for_the_token(alovoice: FrontDoor, pbx: RawServer) -> None:
    _play(pbx, _no_text)
    _lay_token(alovoice, "environment")
    done = alovoice.process("api", "GET", "/getpeers/{token}", "-v")
    assert done.returncode == 0, done.stderr
    assert (done.stdout[:2], done.stdout[-1:]) == (b"\xff\xfe", b"\xff")
    assert MASKED.encode() in done.stdout
    assert not _found(done.stdout + done.stderr)


def test_the_canary_would_be_seen() -> None:
    for text in (f"x{TOKEN}x", TOKEN[:28], BASE64, f"Basic {BASE64[:30]}"):
        assert _found(text.encode())
    assert not _found(MASKED.encode())
    assert re.fullmatch(r"[0-9a-f-]{36}", TOKEN)
