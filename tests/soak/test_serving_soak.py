"""The server's promises with the deadline that it has by itself.

The server runs in a process of its own, whose memory is read from Linux's /proc.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_talk import post, status_of
from siege import SAYINGS, besiege

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from http_talk import counting
from alovoice_cli.serving.server import SocketServer
SocketServer(counting).run(lambda url: print(url, flush=True))
"""


@pytest.fixture
def served() -> Iterator[Any]:
    """A server with the limits that it has by itself: its process and its address."""
    words = [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[1])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().strip().removeprefix("http://").split(":")
        yield process, (host, int(port))
        process.terminate()


def resident(process: subprocess.Popen[str]) -> Any:
    """Its memory in bytes."""
    text = Path(f"/proc/{process.pid}/status").read_text("ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.parametrize("kind", SAYINGS)
def test_300_connections_of_each_kind_are_closed_by_the_deadline_and_hold_up_nobody(served: Any, kind: str) -> None:
    process, address = served
    besiege(address, [kind], 1, patience=0)  # what is loaded at first use is loaded
    before = resident(process)
    siege = besiege(address, [kind], 300, patience=120, drip=1)
    growth, slowest = resident(process) - before, max(siege.good)
    print(
        f"\n{kind}: last closed after {max(siege.lives):.1f} s; {len(siege.good)} good, slowest {slowest:.3f} s; ",
        end="",
    )
    print(f"memory +{growth / 2**20:.1f} MiB")
    assert len(siege.lives) == 300
    assert min(siege.lives) > 9.5
    assert slowest < min(siege.lives)  # no good request waited for the deadline of the silent ones
    assert growth < 10 << 20


@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_bodies_of_2_mib_are_413_and_leave_no_memory_behind(served: Any, chunked: bool) -> None:
    process, address = served

    def refused() -> Any:
        with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(ConnectionResetError):
            connection.sendall(post(b"x" * (2 << 20), chunked=chunked))
            return status_of(connection.recv(65536))

    refused()
    before = resident(process)
    assert [refused() for _ in range(100)] == [413] * 100
    growth = resident(process) - before
    print(f"\n{'chunked' if chunked else 'fixed'}: memory +{growth / 2**20:.1f} MiB")
    assert growth < 10 << 20
