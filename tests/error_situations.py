"""Errors that people meet, each as a real command line in its own home."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, answers


def _close(connection: Connection) -> None:
    connection.read()
    connection.close()


class Situation(NamedTuple):
    """A command line and its surroundings.

    `server` answers all requests; without it the PBX is the sandbox, or unreachable. `files` are written into the home
    before.
    """

    name: str
    words: str
    code: int
    files: Mapping[str, str] = {}
    environ: Mapping[str, str] = {}
    server: Callable[[Connection], None] | None = None
    stdin: str = ""
    terminal: bool = False
    before: Sequence[str] = ()

    def run(self, home: FrontDoor, language: str, *more: str) -> tuple[int, str]:
        """Returns the exit code and what a person reads, in which nothing differs from run to run."""
        for name, text in self.files.items():
            path = home.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for words in self.before:
            assert home(*words.split()).code == 0
        server = RawServer([self.server] * 9) if self.server else None
        environ = {"ALOVOICE_LANG": language, "NO_COLOR": "1", **self.environ}
        if server is not None:
            environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
        try:
            result = home(*self.words.split(), *more, stdin=self.stdin, terminal=self.terminal, environ=environ)
        finally:
            if server is not None:
                server.stop()
        text = (result.out if self.terminal else "") + result.err.replace(str(home.home), "HOME")
        text = re.sub(r"\b[0-9]{15}\b", "CALL-ID", re.sub(r"\bR-[0-9A-Z]{4}\b", "R-XXXX", text))
        return result.code, text if server is None else text.replace(server.url.partition("://")[2], "HOST")


NO_PBX = {"ALOVOICE_BASE_URL": "http://127.0.0.1:1", "ALOVOICE_TOKEN": TOKEN}
CALL = "call out --inner-phone 2424 --number 998901234567 --night-ok"
SANDBOX = "-p sandbox"
CONFIG = "config/config.toml"

SITUATIONS = (
    Situation("no token", "trunks", 3),
    Situation("token refused", "trunks", 3, server=answers("401 Unauthorized")),
    Situation("nothing at the address", "api GET /mapi/getAutorule/7", 4, server=answers("404 Not Found")),
    Situation("no campaign", "autorule get 999", 4, server=answers("404 Not Found")),
    Situation("nobody listens", "trunks", 5, environ=NO_PBX),
    Situation("nobody listens at a call", CALL, 5, environ=NO_PBX),
    Situation("server error", "trunks --timeout 1", 7, server=answers("500 Internal Server Error")),
    Situation("redirect", "trunks", 7, server=answers("302 Found")),
    Situation("not JSON", "trunks", 7, server=answers(body=b"<html>")),
    Situation("a list of something else", "trunks", 7, server=answers(body=b"{}")),
    Situation("call refused", CALL, 1, server=answers(body=b"false")),
    Situation("call refused by status", CALL, 1, server=answers("400 Bad Request", b"no such extension")),
    Situation("outcome unknown", CALL, 6, server=_close),
    Situation("outcome unknown by status", CALL, 6, server=answers("502 Bad Gateway")),
    Situation("answer to a call not readable", CALL, 6, server=answers(body=b"maybe")),
    Situation("read only", CALL, 2, environ={**NO_PBX, "ALOVOICE_READONLY": "1"}),
    Situation("profile must be named", CALL, 2, {CONFIG: "require_profile = true\n"}, NO_PBX),
    Situation("prefix not allowed", CALL, 8, {CONFIG: '[profiles.default]\nallowed_prefixes = ["99897"]\n'}, NO_PBX),
    Situation("no such command", "trunk", 2),
    Situation("no such option", "trunks --colour never", 2),
    Situation("options missing", "call out", 2),
    Situation("not a choice", "peers --status maybe", 2),
    Situation("not a number", "events list --limit many", 2),
    Situation("no such column", "trunks --columns lines", 2),
    Situation("two forms", "trunks --excel", 2),
    Situation("no such profile", "trunks -p tashkend", 2, {CONFIG: "[profiles.tashkent]\n"}),
    Situation("bad URL", "trunks --base-url ftp://pbx.example", 2, environ={"ALOVOICE_TOKEN": TOKEN}),
    Situation("unencrypted URL", "trunks --base-url http://pbx.example", 2, environ={"ALOVOICE_TOKEN": TOKEN}),
    Situation("bad time-out", "trunks --timeout 0", 2),
    Situation("broken configuration", "trunks", 2, {CONFIG: "[profiles.default\n"}),
    Situation("unknown key", "trunks", 2, {CONFIG: "[profiles.default]\ntimeuot = 3\n"}),
    Situation("bad value", "config set timeout soon", 2),
    Situation("bad language", "config set lang fr", 2),
    Situation("unknown setting", "config get timeuot", 2),
    Situation("no terminal for a token", "login", 2),
    Situation("empty token", "login --with-token", 2, stdin="\n"),
    Situation(
        "token of another server",
        "trunks -p a --base-url https://other.example",
        2,
        {
            CONFIG: '[profiles.a]\nbase_url = "https://one.example"\n',
            "config/tokens.toml": f'[tokens]\na = "{TOKEN}"\n[origins]\na = "https://one.example"\n',
        },
    ),
    Situation("token command fails", "trunks", 3, {CONFIG: '[profiles.default]\ntoken_command = "false"\n'}),
    Situation("question answered no", f"sandbox reset {SANDBOX}", 2, stdin="n\n", terminal=True),
    Situation("question not answered", f"sandbox reset {SANDBOX}", 2, terminal=True),
    Situation("no such list", "numbers check clients.csv", 2),
    Situation("empty list", "numbers check clients.csv", 2, {"clients.csv": ""}),
    Situation(
        "bad numbers",
        "numbers check clients.csv",
        8,
        {"clients.csv": "number\n998901234567\n12\n9.98901E+11\n"},
        terminal=True,
    ),
    Situation("file is there already", "sandbox sample here", 2, before=("sandbox sample here",)),
    Situation("unknown receipt", "call receipts show R-0000", 2),
    Situation("analysis not ready", f"ai result 1745571727.1 {SANDBOX}", 9),
    Situation("bad period", "events list --since someday", 2),
    Situation("bad day", "day 2026-02-30", 2),
    Situation("bad path", "api GET getMyTrunks", 2, environ=NO_PBX),
    Situation("broken rules", "route check rules.toml", 8, {"rules.toml": "[[rule]]\nthen = 5\n"}, terminal=True),
)


def cleared(home: FrontDoor) -> FrontDoor:
    """Returns the home as new."""
    shutil.rmtree(home.home)
    home.home.mkdir()
    return home
