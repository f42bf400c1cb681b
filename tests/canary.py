"""A canary: a token that goes through every command that talks, and that nobody but the PBX may see.

The server is as indiscreet as one can be: it echoes the token in reason phrases, headers and bodies.
"""

import base64
import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from command_lines import RULES
from event_rows import Rows
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer, Seen, answers

MP3 = Path(__file__).parents[1] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
BASE64 = base64.b64encode(TOKEN.encode()).decode()
HITS = {TOKEN[:28].encode(), quote(TOKEN, safe="").encode(), BASE64.rstrip("=").encode(), BASE64[:28].encode()}
MASKED = "••••" + TOKEN[-4:]
ECHO = f"{TOKEN} {quote(TOKEN, safe='')} Bearer {TOKEN} {BASE64}"
HEADERS = (f"X-Echo: {ECHO}", f"{TOKEN}: name", f"Date: {TOKEN}", f"Retry-After: {TOKEN}", f"Server: {TOKEN}")

CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--recipient", "901234567", "--from", "tomorrow", "--to", "tomorrow"),
    *("--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", "--night-ok", "--yes", "--allow-duplicate"),
)
_BATCH = ("--batch", "rows.csv", "--night-ok", "--yes")
TALKING: dict[str, tuple[str, ...]] = {
    "create": CREATE,
    "check": ("autorule", "check", *(word for word in CREATE[2:] if word not in ("--yes", "--allow-duplicate"))),
    "get": ("autorule", "get", "40"),
    "list": ("autorule", "list", "--refresh"),
    "watch": ("autorule", "watch", "40", "--wait", "1s"),
    "trunks": ("trunks",),
    "peers": ("peers",),
    "conference": ("call", "conference", "--from", "712037006", "--to", "901234567"),
    "conference batch": ("call", "conference", "--from", "712037006", "--map", "callto=number", *_BATCH),
    "ivr": ("call", "ivr", "--to", "901234567", "--ivr", "222", "--line", "712037006"),
    "ivr batch": ("call", "ivr", "--ivr", "222", "--line", "712037006", "--map", "callto=number", *_BATCH),
    "out": ("call", "out", "--from", "2424", "--to", "901234567"),
    "out batch": ("call", "out", "--from", "2424", *_BATCH),
    "out and wait": ("call", "out", "--from", "2424", "--to", "901234567", "--wait=1s"),
    "resume": ("call", "batches", "resume", "BATCH", "--retry-refused", "--night-ok", "--yes"),
    "send": ("ai", "send", "1", "--again"),
    "send two": ("ai", "send", "1", "2", "--again"),
    "send batch": ("ai", "send", "--again", "--batch", "rows.csv", "--map", "call_id=number", "--yes"),
    "result": ("ai", "result", "1"),
    "audio": ("ai", "audio", "1", "-o", "out.audio", "--force"),
    "route check": ("route", "check", "rules.toml", "--online"),
    "api get": ("api", "GET", "/getpeers/{token}", "-i"),
    "api post": ("api", "POST", "/outcall/{token}", "-f", "a={token}", "-i"),
    "login": ("login", "--with-token", "-p", "tashkent"),
    "status": ("status",),
}
"""Everything that sends the token to the PBX."""
TOLERANT: dict[str, set[int]] = {
    "check": {0},  # without the PBX's lines it checks the rest
    "list": {0},  # shows what it knows
    "watch": {0, 9},
    "out and wait": {6},  # no event tells of the call
    "route check": {0},
}
"""Exit codes that a command may have too, whatever the PBX does."""
QUIET: dict[str, tuple[str, ...]] = {
    "autorule export": ("1",),
    "autorule report": ("1",),
    "numbers check": ("rows.csv",),
    "call receipts list": (),
    "call receipts show": ("RECEIPT",),
    "call batches list": (),
    "call batches show": ("BATCH",),
    "call resolve": ("--all",),
    "call batches forget": ("BATCH", "--yes"),
    "events list": (),
    "events show": ("e1",),
    "events tail": (),
    "events stats": (),
    "events missed": (),
    "events gaps": (),
    "events export": (),
    "events trigger": ("callstart", "--to", "CRM"),
    "events replay": ("e1", "--to", "CRM"),
    "events certify": ("CRM", "--only", "route-out"),
    "events outbox list": (),
    "events outbox retry": ("--all",),
    "events outbox drop": ("--all", "--yes"),
    "store check": (),
    "day": (),
    "top": ("--once",),
    "route init": ("new-rules.toml",),
    "route test": ("rules.toml", "--from", "974244100", "--line", "712037006"),
    "route diff": ("rules.toml", "rules.toml"),
    "route override": ("--off",),
    "ai show": ("1",),
    "ai list": (),
    "ai grep": ("Bearer",),
    "ai report": (),
    "ai prune": ("--older-than", "999w"),
    "notify test": ("--to", "exec:true"),
    "notify login": ("--with-token", "--no-check"),
    "notify logout": (),
    "config list": (),
    "config get": ("timeout",),
    "config path": (),
    "config set": ("timeout", "20"),
    "config unset": ("timeout",),
    "config use": ("default",),
    "events prune": ("--older-than", "90d", "--yes"),
    "sandbox path": (),
    "sandbox sample": ("sample",),
    "sandbox reset": ("--yes",),
    "help": (),
    "version": (),
    "skill": (),
    "completion": ("bash",),
    "logout": (),
}
"""Commands that ask nothing of the PBX, in an order in which they all can be run."""
ELSEWHERE = {
    "listen": "a test of its own, below",
    "listen check": "asks a URL of a listener, without the token",
    "sandbox serve": "a PBX, with tokens of its own",
    "demo": "a tour on a sandbox of its own",
    "events import": "reads a file",
    "store copy": "needs a server of PostgreSQL",
    "ai score": "reads what `ai list` reads",
}
"""Commands that are in neither table, with the reason."""
RECEIPTS: tuple[tuple[str, ...], ...] = (("call", "receipts", "list", "--json"), ("call", "receipts", "list"))
OFFLINE: tuple[tuple[str, ...], ...] = (
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
    return {"id": 1, "status": "finished", "name": ECHO, TOKEN: [{"deep": ECHO}], "record": f"/play/{TOKEN}"}


def answer_well(connection: Connection, seen: Seen) -> None:
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


def answer_no_text(connection: Connection, seen: Seen) -> None:
    connection.answer(f"200 {TOKEN}", b"\xff\xfe" + ECHO.encode() + b"\xff", *HEADERS)


def _cut(connection: Connection, seen: Seen) -> None:
    connection.write(f"HTTP/1.1 200 {TOKEN}\r\nContent-Length: 9999\r\n\r\n{ECHO}".encode())


def _no_http(connection: Connection, seen: Seen) -> None:
    connection.write(f"{ECHO}\r\n\r\n".encode())


ACTS: dict[str, Callable[[Connection, Seen], None]] = {
    "ok": answer_well,
    "400": _error_object,
    "401": _status("401"),
    "404": _status("404"),
    "500": _status("500"),
    "redirect": _status("302"),
    "bad JSON": _bad_json,
    "no text": answer_no_text,
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


def play(server: RawServer, act: Callable[[Connection, Seen], None]) -> None:
    def serve(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            act(connection, seen)

    server.acts = [serve]


def lay_token(home: FrontDoor, source: str) -> None:
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


def found(data: bytes) -> list[bytes]:
    return [hit for hit in HITS if hit in data]


def check(result: Result, what: str) -> None:
    for stream in (result.out, result.err):
        assert not found(stream.encode("utf-8", "surrogateescape")), f"{what}: {stream}"


def check_files(home: FrontDoor) -> None:
    kept = ("tokens.toml", "token.txt", "out.audio")
    files = [path for path in home.home.rglob("*") if path.is_file() and path.name not in kept]
    for path in files:
        assert not found(path.read_bytes()), path
        assert not found(path.name.encode())


def prepare(home: FrontDoor, name: str, turn: int) -> tuple[str, ...]:
    """Makes what a command of TALKING needs, anew for each turn, and returns its words."""
    (home.home / "rows.csv").write_text(f"number\n9012345{turn:02}\n")
    if name == "out and wait":
        Rows(home.store_url).listened((time.time() - 99, time.time() + 999, True))
    if name == "resume":
        _run_elsewhere(home, ("call", "out", "--from", "2424", *_BATCH, "--journal", f"BATCH-{turn}"), b"false", 1)
    if name == "list":
        _run_elsewhere(home, CREATE, b'{"id": 40}', 0)
    return tuple(f"BATCH-{turn}" if word == "BATCH" else word for word in TALKING[name])


def _run_elsewhere(home: FrontDoor, words: tuple[str, ...], answer: bytes, code: int) -> None:
    """Runs the words with another PBX, which answers so."""
    pbx = RawServer([answers("200 OK", answer)])
    done = home(*words, environ={"ALOVOICE_BASE_URL": pbx.url, "ALOVOICE_TOKEN": TOKEN})
    pbx.stop()
    assert done.code == code, done.err


def write_files(home: FrontDoor) -> None:
    """Writes the files that the command lines name."""
    (home.home / "a.mp3").write_bytes(MP3.read_bytes())
    (home.home / "token.txt").write_text(TOKEN + "\n")
    (home.home / "rows.csv").write_text("number\n901234567\n")
    (home.home / "rules.toml").write_text(RULES, "utf-8")
