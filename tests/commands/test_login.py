"""`login`, `logout`, `status`, and which profile a command ends up with."""

import contextlib
import json
import os
import re
import select
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen
from waiting import wait_until

MASKED = "••••" + TOKEN[-4:]
LINES = b'["712037006", "712037007"]'
OUT = ("call", "out", "--from", "2424", "--to", "901234567", "--call-id", "7")

Act = Callable[[Connection], None]


def _answering(status: str = "200 OK", body: bytes = LINES, *headers: str) -> Act:
    def answer(connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            outcall = status == "200 OK" and seen.target.startswith("/outcall")
            connection.answer(status, b"true" if outcall else body, *headers)

    return answer


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_answering()])
    alovoice.environ["ALOVOICE_BASE_URL"] = server.url
    yield server
    server.stop()


def _stored(home: FrontDoor) -> str:
    path = home.home / "config" / "tokens.toml"
    return path.read_text() if path.exists() else ""


def _lay(home: FrontDoor, name: str, text: str) -> Path:
    path = home.home / "config" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def _sent_token(seen: Seen) -> str:
    return seen.header("authorization")


# --- login -----------------------------------------------------------------------------------------------------------


def test_a_token_from_stdin_is_checked_stored_and_used(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice("login", "--with-token", "-p", "tashkent", stdin=f"  {TOKEN}\r\n")
    assert result.code == 0, result.err
    assert result.out == ""
    assert f'tashkent = "{TOKEN}"' in _stored(alovoice)
    assert "2 lines" in result.err
    assert alovoice("trunks", "-p", "tashkent").code == 0
    assert [_sent_token(seen) for seen in pbx.requests] == [f"Bearer {TOKEN}"] * 2
    assert alovoice("trunks").code == 3, "another profile has no token"


def test_where_the_token_goes_is_said_before_anything_happens(alovoice: FrontDoor, pbx: RawServer) -> None:
    pbx.acts = [_answering("401 Unauthorized", b"")]
    refused = alovoice("login", "--with-token", stdin=TOKEN)
    told, error = (refused.err.index(text) for text in (str(alovoice.home / "config" / "tokens.toml"), "error:"))
    assert told < error
    assert "plain text" in refused.err
    asked = alovoice("login", "--with-token", stdin="")
    assert str(alovoice.home / "config" / "tokens.toml") in asked.err
    assert asked.code == 2


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (_answering("401 Unauthorized", b""), 3),
        (_answering("403 Forbidden", b""), 3),
        (_answering("500 Oops", b""), 7),
        (_answering("200 OK", b"<html>"), 7),
        (lambda connection: connection.reset(), 5),
    ],
    ids=["401", "403", "500", "no JSON", "reset"],
)
def test_a_token_that_was_not_taken_is_not_stored(alovoice: FrontDoor, pbx: RawServer, act: Act, code: int) -> None:
    _lay(alovoice, "tokens.toml", '[tokens]\ndefault = "the-old-one"\n')
    pbx.acts = [act]
    result = alovoice("login", "--with-token", "--timeout", "0.5", stdin=TOKEN)
    assert result.code == code, result.err
    assert _stored(alovoice) == '[tokens]\ndefault = "the-old-one"\n'
    assert not (alovoice.home / "config" / "config.toml").exists()
    assert TOKEN not in result.err


def test_without_a_check_nothing_is_asked(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", "--no-check", stdin=TOKEN).code == 0
    assert TOKEN in _stored(alovoice)
    assert pbx.connections == 0


def test_a_command_is_stored_in_place_of_the_token(alovoice: FrontDoor, pbx: RawServer) -> None:
    (alovoice.home / "secret.txt").write_text(TOKEN + "\n")
    command = f"cat {alovoice.home}/secret.txt"
    result = alovoice("login", "-p", "tashkent", "--token-command", command)
    assert result.code == 0, result.err
    config = (alovoice.home / "config" / "config.toml").read_text()
    assert command in config
    assert TOKEN not in config + _stored(alovoice) + result.err
    assert alovoice("trunks", "-p", "tashkent").code == 0
    assert [_sent_token(seen) for seen in pbx.requests] == [f"Bearer {TOKEN}"] * 2


def test_a_later_login_wins_over_what_was_stored_before(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", stdin="an-old-token-of-mine").code == 0
    command = f"echo {TOKEN}"
    assert alovoice("login", "--token-command", command).code == 0
    pbx.requests.clear()
    assert alovoice("trunks").code == 0
    assert _sent_token(pbx.requests[0]) == f"Bearer {TOKEN}"
    assert alovoice("login", "--with-token", stdin="yet-another-token").code == 0
    assert alovoice("trunks").code == 0
    assert _sent_token(pbx.requests[-1]) == "Bearer yet-another-token"


@pytest.mark.parametrize("command", ["false", "true", "/nosuch/program", "echo two words"])
def test_a_command_that_gives_no_token_is_not_stored(alovoice: FrontDoor, pbx: RawServer, command: str) -> None:
    result = alovoice("login", "--token-command", command)
    assert result.code in (2, 3), result.err
    assert pbx.connections == 0
    assert not (alovoice.home / "config" / "config.toml").exists()


def test_a_base_url_given_at_login_is_the_profiles_from_then_on(alovoice: FrontDoor, pbx: RawServer) -> None:
    del alovoice.environ["ALOVOICE_BASE_URL"]
    result = alovoice("login", "--with-token", "-p", "tashkent", "--base-url", pbx.url, stdin=TOKEN)
    assert result.code == 0, result.err
    assert alovoice("trunks", "-p", "tashkent").code == 0
    assert len(pbx.requests) == 2


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (("--with-token",), ""),
        (("--with-token",), "a token with spaces"),
        (("--with-token",), "a/b"),
        (("--with-token", "--token-command", "echo x"), TOKEN),
        (("--with-token", "-p", "sandbox"), TOKEN),
        (("--with-token", "-p", "no such name"), TOKEN),
        ((), TOKEN),
        (("--token", TOKEN), ""),
    ],
)
def test_wrong_words_store_nothing_and_ask_nothing(
    alovoice: FrontDoor, pbx: RawServer, words: tuple[str, ...], stdin: str
) -> None:
    result = alovoice("login", *words, stdin=stdin)
    assert result.code == 2, result.err
    assert (_stored(alovoice), pbx.connections) == ("", 0)


def test_a_rehearsed_login_stores_nothing(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice("login", "--with-token", "--dry-run", stdin=TOKEN)
    assert (result.code, _stored(alovoice), pbx.connections) == (0, "", 0)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_files_are_closed_to_others_whatever_the_umask(alovoice: FrontDoor, pbx: RawServer, umask: int) -> None:
    for words in (("login", "--with-token"), OUT, ("-p", "sandbox", *OUT)):
        done = alovoice.process(*words, stdin=TOKEN.encode(), umask=umask)
        assert done.returncode == 0, done.stderr
    found = [
        path
        for folder in ("config", "state")
        for path in [alovoice.home / folder, *(alovoice.home / folder).rglob("*")]
    ]
    assert {path.name for path in found} >= {"tokens.toml", "config.toml", "ledger.db", "sandbox.db"}
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


# --- the prompt ------------------------------------------------------------------------------------------------------


class _Terminal:
    """A process on a terminal of its own, and everything that this terminal showed."""

    def __init__(self, home: FrontDoor, *words: str) -> None:
        import pty  # POSIX only

        self._ours, theirs = pty.openpty()
        self.before = self._settings(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_A_TERMINAL, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=home.environ,
            cwd=home.home,
            start_new_session=True,
        )
        self.shown = b""

    @staticmethod
    def _settings(descriptor: int) -> list[object]:
        import termios

        return termios.tcgetattr(descriptor)

    def after(self) -> list[object]:
        return self._settings(self._theirs)

    def wait_for(self, text: bytes) -> None:
        def is_shown() -> bool:
            if text not in self.shown and select.select([self._ours], [], [], 0.2)[0]:
                self.shown += os.read(self._ours, 4096)
            return text in self.shown

        wait_until(is_shown, lambda: self.shown)

    def echoes(self) -> bool:
        import termios

        return bool(termios.tcgetattr(self._theirs)[3] & termios.ECHO)

    def type(self, text: bytes) -> None:
        os.write(self._ours, text)

    def end(self) -> int:
        code = self.process.wait(90)
        while select.select([self._ours], [], [], 0.1)[0]:
            self.shown += os.read(self._ours, 4096)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        for descriptor in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(descriptor)


# Makes the terminal the controlling one, as a login shell does, so that Ctrl-C arrives as SIGINT.
_ON_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from alovoice_cli.__main__ import main
sys.argv = ["alovoice", *sys.argv[1:]]
main()
"""


@pytest.fixture
def terminal(alovoice: FrontDoor) -> Iterator[Callable[..., _Terminal]]:
    pytest.importorskip("pty")
    opened: list[_Terminal] = []

    def start(*words: str) -> _Terminal:
        opened.append(_Terminal(alovoice, *words))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_the_token_is_asked_for_without_echo(
    alovoice: FrontDoor, pbx: RawServer, terminal: Callable[..., _Terminal]
) -> None:
    screen = terminal("login", "-p", "tashkent")
    screen.wait_for(b"Token: ")
    assert b"tokens.toml" in b"".join(screen.shown.split()), "where it goes is said before it is asked for"
    assert not screen.echoes()
    screen.type(TOKEN.encode() + b"\n")
    assert screen.end() == 0, screen.shown
    assert TOKEN[:6].encode() not in screen.shown
    assert screen.after() == screen.before
    assert TOKEN in _stored(alovoice)


def test_ctrl_c_at_the_prompt_leaves_terminal_and_files_as_they_were(
    alovoice: FrontDoor, pbx: RawServer, terminal: Callable[..., _Terminal]
) -> None:
    screen = terminal("login")
    screen.wait_for(b"Token: ")
    screen.type(b"half-a-tok\x03")
    assert screen.end() == 130, screen.shown
    assert screen.after() == screen.before
    assert b"half" not in screen.shown
    assert (_stored(alovoice), pbx.connections) == ("", 0)


# --- logout ----------------------------------------------------------------------------------------------------------


def test_logout_forgets_one_token_and_keeps_the_rest(alovoice: FrontDoor, pbx: RawServer) -> None:
    for name in ("tashkent", "samarkand"):
        assert alovoice("login", "--with-token", "-p", name, stdin=TOKEN).code == 0
    assert alovoice("config", "set", "tashkent.timeout", "9").code == 0
    result = alovoice("logout", "tashkent")
    assert result.code == 0, result.err
    assert (("tashkent" in _stored(alovoice)), ("samarkand" in _stored(alovoice))) == (False, True)
    assert alovoice("config", "get", "tashkent.timeout").out.strip() == "9.0"
    assert alovoice("trunks", "-p", "tashkent").code == 3
    assert alovoice("trunks", "-p", "samarkand").code == 0
    assert alovoice("logout", "-p", "samarkand").code == 0
    assert TOKEN not in _stored(alovoice)
    assert alovoice("logout", "samarkand").code == 0, "nothing left to forget is no fault"


def test_logout_of_an_unknown_profile_names_the_nearest(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", "-p", "tashkent", stdin=TOKEN).code == 0
    result = alovoice("logout", "tashkemt")
    assert result.code == 2
    assert "did you mean tashkent?" in result.err
    assert TOKEN in _stored(alovoice)


def test_a_rehearsed_logout_forgets_nothing(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", stdin=TOKEN).code == 0
    assert alovoice("logout", "--dry-run").code == 0
    assert TOKEN in _stored(alovoice)


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_says_what_is_in_force_and_that_it_works(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    date = format_datetime(datetime.now(UTC), usegmt=True)
    pbx.acts = [_answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert shown["token"] == MASKED
    assert shown["token_from"] == "environment ALOVOICE_TOKEN"
    assert shown["server"] == pbx.url
    assert (shown["profile"], shown["profile_from"], shown["server_from"]) == (
        *("default", "default"),
        "environment ALOVOICE_BASE_URL",
    )
    assert shown["reachable"] is True
    assert abs(shown["clock_ahead_seconds"]) <= 5
    assert (shown["proxy"], shown["authorities"]) == (None, None)
    assert shown["config_file"].startswith(str(alovoice.home))
    assert shown["version"]
    assert shown["python"]
    for words in ((), ("-v",)):
        seen = alovoice("status", *words, terminal=True)
        assert seen.code == 0
        assert MASKED in seen.out
        assert TOKEN[:28] not in seen.out + seen.err


def _told(alovoice: FrontDoor, *words: str) -> list[str]:
    shown = alovoice("status", *words, "--color", "never", "--timeout", "1", terminal=True)
    return [" ".join(line.split()) for line in shown.out.splitlines()]


def test_status_on_a_terminal_is_three_lines_in_words(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [_answering(), _answering(), _answering("401 Unauthorized", b"")]
    profile, server, token = _told(alovoice)
    assert profile == "Profile default"
    assert re.fullmatch(rf"Server {pbx.url}: answers in \d+ ms", server)
    assert token == f"Token {MASKED} (from ALOVOICE_TOKEN), accepted; nothing waits to be forwarded"
    assert len(_told(alovoice, "-v")) > 15, "the rest with --verbose"
    _, server, token = _told(alovoice)
    assert "answers in" in server, "a refusal is an answer"
    assert token == f"Token {MASKED} (from ALOVOICE_TOKEN), refused; nothing waits to be forwarded"
    assert _told(alovoice, "--offline")[1] == f"Server {pbx.url}: not asked"
    pbx.stop()
    assert _told(alovoice)[1:] == [
        f"Server {pbx.url}: not reachable",
        f"Token {MASKED} (from ALOVOICE_TOKEN); nothing waits to be forwarded",
    ]


def test_status_on_a_terminal_says_that_a_token_is_missing_and_that_the_sandbox_needs_none(
    alovoice: FrontDoor, pbx: RawServer
) -> None:
    assert _told(alovoice)[2] == "Token none; nothing waits to be forwarded"
    profile, server, token = _told(alovoice, "-p", "sandbox")
    assert profile == "Profile sandbox (from -p)"
    assert server.startswith("Server the sandbox, a PBX inside this program: answers in")
    assert token == "Token not needed; nothing waits to be forwarded"


@pytest.mark.parametrize("hours", [-1, 1])
def test_status_warns_of_a_clock_that_differs(alovoice: FrontDoor, pbx: RawServer, hours: int) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
    pbx.acts = [_answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0
    assert abs(json.loads(result.out)["clock_ahead_seconds"] - hours * 3600) <= 5
    assert "warning" in result.err
    assert "clock" in result.err


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 22 May 2024", "Wed, 22 May 2024 06:20:56 -0000"])
def test_a_server_that_does_not_tell_its_time_is_no_fault(alovoice: FrontDoor, pbx: RawServer, date: str) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [_answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["clock_ahead_seconds"] is None


def test_status_without_a_token_is_three(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice("status", "--json")
    assert result.code == 3, result.err
    assert json.loads(result.out)["token"] is None
    assert "alovoice login" in json.loads(result.err)["error"]["hint"]
    assert pbx.connections == 0


def test_status_with_a_refused_token_is_three_and_still_shows_all(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [_answering("401 Unauthorized", b"")]
    result = alovoice("status", "--json")
    assert result.code == 3
    shown = json.loads(result.out)
    assert (shown["token"], shown["reachable"]) == (MASKED, True)


def test_status_of_a_server_out_of_reach_is_five(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.stop()
    result = alovoice("status", "--json", "--timeout", "1")
    assert result.code == 5, result.err
    shown = json.loads(result.out)
    assert (shown["reachable"], shown["answer_ms"]) == (False, None)


def test_status_offline_asks_nobody(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    result = alovoice("status", "--offline", "--json")
    assert result.code == 0, result.err
    assert "reachable" not in json.loads(result.out)
    assert pbx.connections == 0


def test_status_shows_proxy_and_authorities_without_the_proxys_password(alovoice: FrontDoor) -> None:
    environ = {
        "ALOVOICE_TOKEN": TOKEN,
        "ALOVOICE_BASE_URL": "https://pbx.example",
        "HTTPS_PROXY": "http://me:hush-hush@127.0.0.1:9",
        "SSL_CERT_FILE": "/etc/ours.pem",
    }
    result = alovoice("status", "--offline", "--json", "-v", environ=environ)
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert (shown["proxy"], shown["authorities"]) == ("http://127.0.0.1:9", "/etc/ours.pem")
    assert "hush-hush" not in result.out + result.err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[profiles.a]\ntimeout = \n", "line 2, column 11"),
        ('x = "y\n', "line 1, column"),
        ("[profiles.a]\n\n  timeuot = 3\n", "line 3, column 3"),
        ('profile = "a"\n[profiles.a]\ntimeout = "soon"\n', "line 3, column 1"),
    ],
)
def test_status_works_with_a_broken_file_and_names_the_place(
    alovoice: FrontDoor, pbx: RawServer, text: str, place: str
) -> None:
    path = _lay(alovoice, "config.toml", text)
    result = alovoice("status", "--json")
    assert result.code == 8, result.err
    error = json.loads(result.err)["error"]
    assert error["kind"] == "check_failed"
    assert str(path) in error["message"]
    assert place in error["message"]
    assert json.loads(result.out)["config_problem"] == error["message"]
    assert alovoice("trunks").code == 2, "every other command refuses to guess"
    assert pbx.connections == 0
    shown = alovoice("status", terminal=True)
    assert shown.code == 8
    assert "line" in shown.err


def test_status_works_with_a_broken_token_file(alovoice: FrontDoor, pbx: RawServer) -> None:
    _lay(alovoice, "tokens.toml", "[tokens\n")
    result = alovoice("status", "--json")
    assert result.code in (2, 8), result.err
    assert "tokens.toml" in result.err
    assert json.loads(result.out)["tokens_file"].endswith("tokens.toml")


def test_status_of_an_open_token_file_warns(alovoice: FrontDoor, pbx: RawServer) -> None:
    path = _lay(alovoice, "tokens.toml", f'[tokens]\ndefault = "{TOKEN}"\n[origins]\ndefault = "{pbx.url}"\n')
    assert "warning" not in alovoice("status").err
    path.chmod(0o644)
    result = alovoice("status")
    assert result.code == 0
    assert "chmod 600" in result.err


def test_status_of_the_sandbox_needs_nothing(alovoice: FrontDoor) -> None:
    result = alovoice("status", "-p", "sandbox", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["reachable"] is True


# --- which profile ---------------------------------------------------------------------------------------------------


def test_an_unknown_profile_is_two_with_the_list_and_the_nearest(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", "-p", "tashkent", stdin=TOKEN).code == 0
    pbx.requests.clear()
    for given in ({"words": ("-p", "tashkemt")}, {"environ": {"ALOVOICE_PROFILE": "tashkemt"}}):
        for command in (("trunks",), OUT, ("config", "get", "timeout")):
            result = alovoice(*command, *given.get("words", ()), environ=given.get("environ"))  # type: ignore[arg-type] # one of two shapes
            assert result.code == 2, result.err
            assert "did you mean tashkent?" in result.err
            assert "default, sandbox, tashkent" in result.err
    assert pbx.requests == []


def test_a_dial_says_in_one_line_which_profile_won(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    _lay(alovoice, "config.toml", "[profiles.tashkent]\n[profiles.samarkand]\n")
    environ = {"ALOVOICE_PROFILE": "samarkand"}
    result = alovoice(*OUT, "-p", "tashkent", environ=environ)
    assert result.code == 0, result.err
    told = [line for line in result.err.splitlines() if "samarkand" in line]
    assert len(told) == 1
    assert "tashkent" in told[0]
    assert "samarkand" not in alovoice("trunks", "-p", "tashkent", environ=environ).err, "reading harms nobody"
    assert "samarkand" not in alovoice(*OUT, "-p", "samarkand", environ=environ).err
    assert "samarkand" in alovoice(*OUT, "-p", "tashkent", "--quiet", environ=environ).err


@pytest.mark.parametrize("where", ["top", "profile"])
def test_a_profile_that_must_be_named_is_not_dialled_by_without(
    alovoice: FrontDoor, pbx: RawServer, where: str
) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    top, inner = ("require_profile = true\n", "") if where == "top" else ("", "require_profile = true\n")
    _lay(alovoice, "config.toml", f'profile = "tashkent"\n{top}[profiles.tashkent]\n{inner}')
    for environ in ({}, {"ALOVOICE_PROFILE": "tashkent"}):
        result = alovoice(*OUT, environ=environ)
        assert result.code == 2, result.err
        assert "-p tashkent" in result.err
    assert pbx.connections == 0
    assert json.loads(alovoice("call", "receipts", "list", "--json").out) == []
    assert alovoice("trunks").code == 0
    assert alovoice(*OUT, "-p", "tashkent").code == 0
    assert alovoice("--profile", "tashkent", *OUT).code == 0


def test_a_question_names_the_pbx(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    _lay(alovoice, "config.toml", "[profiles.tashkent]\n")
    mp3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
    words = (
        *("autorule", "create", "--record", str(mp3), "--recipient", "901234567", "--from", "tomorrow"),
        *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", "-p", "tashkent"),
    )
    result = alovoice(*words, stdin="n\n", terminal=True)
    assert (result.code, pbx.effects) == (2, []), result.err
    assert "PBX tashkent?" in " ".join(result.err.split())
