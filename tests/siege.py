"""Many connections that never finish a request, and a good request now and then."""

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from http_talk import HALF_BODY, HALF_HEADER, post, status_of

SAYINGS = {"nothing": b"", "half a header": HALF_HEADER, "half a body": HALF_BODY, "a byte at a time": b"POST /x"}


@dataclass
class Siege:
    """The result: how long each bad connection was open, and how long each good request took, in seconds."""

    lives: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)


def besiege(address: tuple[str, int], kinds: Sequence[str], count: int, *, patience: float, drip: float = 0.2) -> Any:
    """Opens so many connections of these kinds in turn, and watches until the last is closed, or patience ends."""
    siege, opened = Siege(), {}
    with contextlib.ExitStack() as stack:
        for number in range(count):
            kind = kinds[number % len(kinds)]
            connection = stack.enter_context(socket.create_connection(address, timeout=60))
            opened[connection] = (time.perf_counter(), kind)
            connection.sendall(SAYINGS[kind])
            connection.setblocking(False)
        until, next_drip = time.perf_counter() + patience, 0.0
        while opened and time.perf_counter() < until:
            siege.good.append(_good_request(address))
            is_dripping = time.perf_counter() > next_drip
            next_drip = time.perf_counter() + drip if is_dripping else next_drip
            for connection, (began, kind) in list(opened.items()):
                if _is_closed(connection, says_more=is_dripping and kind == "a byte at a time"):
                    siege.lives.append(time.perf_counter() - began)
                    del opened[connection]
            time.sleep(0.02)
    return siege


def _good_request(address: tuple[str, int]) -> Any:
    began = time.perf_counter()
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(post(b"good"))
        assert status_of(connection.recv(65536)) == 200
    return time.perf_counter() - began


def _is_closed(connection: socket.socket, *, says_more: bool) -> Any:
    try:
        if says_more:
            connection.send(b"x")
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True
