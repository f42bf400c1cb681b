"""`top`: the running day, live, on each kind of terminal and in a pipe."""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from event_rows import Rows
from front_door import FrontDoor
from waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")
_PATIENCE = 60


@pytest.fixture
def rows(profile_store: str) -> Rows:
    """A store in which one caller is on the line."""
    rows = Rows(profile_store)
    rows.call(time.time() - 5, "901234567", status=None)
    return rows


class Terminal:
    """A pseudo-terminal with a process on it, and all that was written on it."""

    def __init__(self, home: FrontDoor, *words: str, term: str) -> None:
        import pty

        self._own, end = pty.openpty()
        self.resize(24, 80)
        environ = {name: value for name, value in home.environ.items() if name != "COLUMNS"} | {"TERM": term}
        command = [sys.executable, "-m", "alovoice_cli", *words]
        ends = {"stdin": subprocess.DEVNULL, "stdout": end, "stderr": end}
        self.process = subprocess.Popen(command, env=environ, cwd=home.home, **ends)  # type: ignore[call-overload] # three of one type
        os.close(end)
        self.written = ""
        threading.Thread(target=self._read, daemon=True).start()

    def resize(self, height: int, width: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _read(self) -> None:
        try:
            while data := os.read(self._own, 65536):
                self.written += data.decode(errors="replace")
        except OSError:
            pass  # the other end is closed

    def wait_for(self, pattern: str, *, after: int = 0) -> str:
        """Returns what was written from `after` on, once the pattern is in it."""
        wait_until(lambda: re.search(pattern, self.written[after:]), lambda: self.written[after:])
        return self.written[after:]

    def interrupt(self) -> int:
        """Sends Ctrl-C, and returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return int(self.process.wait(_PATIENCE))


@contextmanager
def terminal(home: FrontDoor, *words: str, term: str = "xterm-256color") -> Iterator[Terminal]:
    shown = Terminal(home, *words, term=term)
    try:
        yield shown
    finally:
        shown.process.kill()
        shown.process.wait(60)


def _fits(written: str, width: int) -> bool:
    """Whether the last screen that was drawn is whole, and no wider than this."""
    _, *screens = written.split("\x1b[H")
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screens[-1]).replace("\r", "").split("\n") if screens else []
    return any("Now: 1" in line for line in lines) and max(map(len, lines)) <= width


def test_a_terminal_shows_the_day_draws_it_again_and_is_left_as_it_was(alovoice: FrontDoor, rows: Rows) -> None:
    with terminal(alovoice, "top") as shown:
        first = shown.wait_for(r"Now: 1 in, 0 out")
        assert "\x1b[?1049h" in first
        assert "NO LISTENER IS RUNNING" in first
        assert "outbox: 0 waiting" in first
        assert "Service level" in first
        seen = len(shown.written)
        rows.call(time.time() - 5, "901234568", status=None, direction="out")
        shown.wait_for(r"Now: 1 in, 1 out", after=seen)
        seen = len(shown.written)
        shown.resize(12, 40)
        wait_until(lambda: _fits(shown.written[seen:], 40), lambda: shown.written[seen:])
        assert shown.interrupt() == 130
        shown.wait_for(r"\x1b\[\?1049l")
        assert "Traceback" not in shown.written


def test_a_terminal_that_cannot_be_drawn_over_gets_a_line_a_change(alovoice: FrontDoor, rows: Rows) -> None:
    with terminal(alovoice, "top", term="dumb") as shown:
        shown.wait_for(r"now in 1, out 0; .*outbox 0")
        rows.call(time.time() - 5, "901234568", status=None)
        shown.wait_for(r"now in 2, out 0")
        assert shown.interrupt() == 130
        assert "\x1b" not in shown.written
        assert len(re.findall(r"now in \d", shown.written)) == 2


def test_a_pipe_gets_an_object_a_change(alovoice: FrontDoor, rows: Rows) -> None:
    process = alovoice.start("top")
    assert process.stdout is not None
    try:
        first = json.loads(process.stdout.readline())
        rows.call(time.time() - 5, "901234568", status=None)
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=_PATIENCE)
    finally:
        process.kill()
        process.wait(60)
    assert (process.returncode, rest) == (130, b"")
    assert b"Traceback" not in err
    assert [line["now"]["calls_in"] for line in (first, second)] == [1, 2]
    assert first["now"] == {"calls_in": 1, "calls_out": 0, "listener": False, "outbox_waiting": 0, "outbox_dead": 0}
    assert first["figures"].keys() == second["figures"].keys()


def test_without_a_store_it_says_what_is_missing(alovoice: FrontDoor) -> None:
    result = alovoice("top")
    assert (result.code, result.out) == (2, "")
    assert "alovoice listen" in result.err


def test_once_shows_it_once(alovoice: FrontDoor, rows: Rows) -> None:
    shown = alovoice("top", "--once", terminal=True, environ={"NO_COLOR": "1"})
    assert shown.code == 0
    assert "Now: 1 in" in shown.out
    assert len(shown.out.splitlines()) <= 23
    assert json.loads(alovoice("top", "--once").out)["now"]["calls_in"] == 1
