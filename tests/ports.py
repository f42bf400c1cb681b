"""Ports for servers that tests start."""

import contextlib
import random
import socket

_BELOW_EPHEMERAL = range(10_240, 32_768)
_CHANCE = random.SystemRandom()


def free_port() -> int:
    """Returns a port of loopback on which nobody listens.

    It is none of those that the system gives to a connection, or for port 0: another test would have it by the time
    that a server asks for it.
    """
    for port in _CHANCE.sample(_BELOW_EPHEMERAL, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
