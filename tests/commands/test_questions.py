"""What cannot be undone is asked on the terminal itself, wherever stdout and stderr go; a script has to say that it is
meant."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
CREATE = (
    *("autorule", "create", "--record", "promo.mp3", "--recipients", "clients.csv", "--name", "Куз oʻ"),
    *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
)
BATCH = ("call", "out", "--batch", "clients.csv", "--inner-phone", "2424", "--night-ok")
MARKS = ("[y/N]", "to go on:")
SECONDS = 30


def _answers(connection: Connection) -> None:
    while (seen := connection.read()) is not None:
        body = {"getMyTrunks": b'["712037006"]', "addAutorule": b'{"id": 124}'}.get(seen.target.split("/")[-1])
        connection.answer("200 OK", body or b"true")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_answers])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "promo.mp3").write_bytes(MP3.read_bytes())
    (alovoice.home / "clients.csv").write_text("number\n998901234567\n998912345678\n", "utf-8")
    yield server
    server.stop()


def _run_on_a_terminal(home: FrontDoor, words: tuple[str, ...], redirected: str, answer: str) -> tuple[int, str]:
    """Runs the words in a shell on a terminal of their own; the answer is typed when a question stands there.

    Returns the exit code, and all that was seen on the terminal.
    """
    import pty

    line = f"{shlex.join([sys.executable, '-m', 'alovoice_cli', *words])} {redirected}"
    child, screen = pty.fork()
    if child == 0:
        os.chdir(home.home)
        os.execve("/bin/bash", ["bash", "-o", "pipefail", "-c", line], home.environ)
    seen, typed, deadline = b"", False, time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            data = os.read(screen, 4096)
        except OSError:
            break  # the last process has left the terminal
        if not data:
            break
        seen += data
        if not typed and any(mark.encode() in seen for mark in MARKS):
            typed = True
            os.write(screen, answer.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    os.close(screen)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


@pytest.mark.parametrize(
    ("words", "redirected", "answer", "code", "sent"),
    [
        ((*CREATE, "--night-ok"), "2>&1 | tee log", "y", 0, 1),
        (BATCH, "2>log >out", "y", 2, 0),
    ],
    ids=["create through tee", "batch not counted"],
)
def test_the_question_stands_on_the_terminal_wherever_the_streams_go(
    alovoice: FrontDoor, pbx: RawServer, words: tuple[str, ...], redirected: str, answer: str, code: int, sent: int
) -> None:
    ended, seen = _run_on_a_terminal(alovoice, words, redirected, answer)
    assert (ended, len(pbx.effects)) == (code, sent), seen
    logged = (alovoice.home / "log").read_text("utf-8")
    assert not any(mark in logged for mark in MARKS), "the log holds no question"


def test_what_the_answer_rests_on_is_shown_where_stderr_is_a_file(alovoice: FrontDoor, pbx: RawServer) -> None:
    night = tuple("22:00" if word == "19:59" else word for word in CREATE)
    ended, seen = _run_on_a_terminal(alovoice, night, "2>log", "n")
    assert (ended, pbx.effects) == (2, [])
    assert "falls into the quiet hours" in seen
    assert "2 numbers" in seen


@pytest.mark.parametrize("words", [(*CREATE, "--night-ok"), BATCH], ids=["create", "batch"])
@pytest.mark.parametrize("own_session", [False, True], ids=["no input", "no controlling terminal"])
def test_where_nobody_can_answer_nothing_is_sent_and_the_flag_is_named(
    alovoice: FrontDoor, pbx: RawServer, words: tuple[str, ...], own_session: bool
) -> None:
    import pty

    screen, end = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "alovoice_cli", *words],
        stdin=end if own_session else subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        env=alovoice.environ,
        cwd=alovoice.home,
        timeout=SECONDS,
        check=False,
    )
    os.close(end)
    os.close(screen)
    assert (done.returncode, pbx.effects) == (2, [])
    assert b"--yes" in done.stderr


def test_a_single_call_never_asks(alovoice: FrontDoor, pbx: RawServer) -> None:
    words = ("call", "out", "--inner-phone", "2424", "--number", "+998901234567")
    called = alovoice(*words, terminal=True)
    assert (called.code, len(pbx.effects)) == (0, 1), called.err
    assert alovoice(*words).code == 0
