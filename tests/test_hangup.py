"""SIGHUP, the end of a terminal, ends the program as SIGTERM does; under `nohup` it goes on."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer


def _ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _hung_up(
    alovoice: FrontDoor, number: int, *words: str, before: Callable[[], None] | None = None, answer: bytes = b""
) -> tuple[int, bytes]:
    """Exit code and stderr of a process that got the signal when its request had come; an `answer` comes afterwards."""
    came, sent = threading.Event(), threading.Event()

    def act(connection: Connection) -> None:
        connection.read()
        came.set()
        sent.wait(60)
        if answer:
            connection.answer("200 OK", answer)
        else:
            connection.hang()

    server = RawServer([act])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    process = subprocess.Popen(
        [sys.executable, "-m", "alovoice_cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=alovoice.environ,
        preexec_fn=before,
    )
    with process:
        assert came.wait(60)
        process.send_signal(number)
        sent.set()
        _, told = process.communicate(timeout=60)
    server.stop()
    return process.returncode, told


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_read_that_is_hung_up_on_ends_with_143(number: int, alovoice: FrontDoor) -> None:
    assert _hung_up(alovoice, number, "trunks")[0] == 143


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_call_that_is_hung_up_on_after_it_left_is_unknown(number: int, alovoice: FrontDoor) -> None:
    code, told = _hung_up(alovoice, number, "call", "out", "--from", "2424", "--to", "+998994412860")
    assert code == 6
    assert b"may have been carried out" in told


def test_under_nohup_a_hangup_changes_nothing(alovoice: FrontDoor) -> None:
    assert _hung_up(alovoice, signal.SIGHUP, "trunks", before=_ignore_hangup, answer=b"[]")[0] == 0
