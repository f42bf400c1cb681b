"""What an operator sees: `listen` on a terminal of 80 columns."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from front_door import FrontDoor
from waiting import wait_until

from .conftest import START

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")


class Screen:
    """A pseudo-terminal, and all that was written on it."""

    def __init__(self) -> None:
        import pty

        self._own, self.end = pty.openpty()
        self._written = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while data := os.read(self._own, 4096):
                self._written += data
        except OSError:
            pass  # the other end is closed

    def lines(self) -> list[str]:
        return self._written.decode(errors="replace").replace("\r\n", "\n").splitlines()

    def wait_for(self, text: str) -> list[str]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(text in line for line in self.lines()):
                return self.lines()
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not written, but {self.lines()}")


def post(url: str, body: object) -> str:
    with urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(body).encode(), method="POST"), timeout=10
    ) as answer:
        return str(answer.read().decode())


def test_a_terminal_gets_the_urls_and_a_line_an_event_that_fits_and_ctrl_c_ends_it(alovoice: FrontDoor) -> None:
    screen = Screen()
    words = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--fallback", "queue:6000"]
    environ = {**alovoice.environ, "TZ": "America/New_York"}
    ends = {"stdin": subprocess.DEVNULL, "stdout": screen.end, "stderr": screen.end}
    with subprocess.Popen(words, env=environ, cwd=alovoice.home, **ends) as process:  # type: ignore[call-overload] # three of one type
        try:
            heading = screen.wait_for("Event")
            assert "AloVoice must be able to reach these URLs" in heading[0]
            assert "only this computer can reach them" in heading[5]
            urls = dict(line.split() for line in heading[1:5])
            call_id = post(urls["callstart"], START)
            post(urls["callstart"], START)
            post(urls["callend"], {"call_id": call_id, "duration": 31, "status_code": "603-S"})
            post(urls["route"], {"from_number": "974244100", "line_number": "712037006", "queue_number": 6000})
            post(urls["callend"], {"status_code": "\x1b[31mЎзбек"})
            post(urls["result"], [{"id": 1, "dialstatus": "ANSWER", "to_number": "901234567"}, {"id": 2}])
            table = screen.wait_for("ANSWER")[8:]
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert [line[17:].split() for line in table] == [
        ["callstart", "998901234567", "998712037006", "2000", "inbound"],
        ["callstart", "998901234567", "998712037006", "2000", "again"],
        ["callend", "998901234567", "998712037006", "2000", "\x1b[31mhung", "up", "31s\x1b[0m"],
        ["route", "998974244100", "998712037006", "queue", "6000"],
        ["callend", "^[[31mЎзбек"],
        ["result", "998901234567", "ANSWER", "(+1)"],
    ]
    assert [line.split()[0] for line in table] == ["e2", "e3", "e4", "e5", "e6", "e7"]
    assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in screen.lines()[6:]) <= 80
    (listed,) = alovoice("events", "list", "--where", "seq = 2", "--no-headers", "--columns", "when").out.split("\n")[
        :1
    ]
    assert listed.endswith(table[0].split()[1]), "both in the profile's zone"


def _own_terminal() -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


def test_a_terminal_that_is_closed_ends_the_listener_as_sigterm_does(alovoice: FrontDoor, tmp_path: Path) -> None:
    import pty

    own, end = pty.openpty()
    ready = tmp_path / "ready"
    words = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(
        words, stdin=end, stdout=end, stderr=end, env=alovoice.environ, cwd=alovoice.home, preexec_fn=_own_terminal
    ) as process:
        os.close(end)
        wait_until(ready.exists, "the ready file")
        url = json.loads(ready.read_text())["urls"]["callend"]
        assert post(url, {"call_id": "kept"}) == "true"
        os.close(own)
        assert process.wait(60) == 143
    assert [event["event_call_id"] for event in json.loads(alovoice("events", "list", "--json").out)] == ["kept"]
