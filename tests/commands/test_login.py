"""`login` and `logout`: a token is checked, stored and forgotten."""

import contextlib
import os
import select
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from front_door import TOKEN, FrontDoor
from login_server import OUT, Act, answering, write_config
from raw_server import RawServer, Seen
from waiting import wait_until


@pytest.fixture
def pbx(login_pbx: RawServer) -> RawServer:
    return login_pbx


def _stored(home: FrontDoor) -> str:
    path = home.home / "config" / "tokens.toml"
    return path.read_text() if path.exists() else ""


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
    pbx.acts = [answering("401 Unauthorized", b"")]
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
        (answering("401 Unauthorized", b""), 3),
        (answering("403 Forbidden", b""), 3),
        (answering("500 Oops", b""), 7),
        (answering("200 OK", b"<html>"), 7),
        (lambda connection: connection.reset(), 5),
    ],
    ids=["401", "403", "500", "no JSON", "reset"],
)
def test_a_token_that_was_not_taken_is_not_stored(alovoice: FrontDoor, pbx: RawServer, act: Act, code: int) -> None:
    write_config(alovoice, "tokens.toml", '[tokens]\ndefault = "the-old-one"\n')
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
