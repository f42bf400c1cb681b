"""A server in a thread, and sockets that speak to it byte by byte."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from alovoice_cli.serving.limits import App, Limits
from alovoice_cli.serving.server import SocketServer

Serving = Callable[..., "Running"]
"""Starts a server of an app, with its limits."""


@dataclass
class Running:
    """One running server: its address, what it complained of, and a way to reach it."""

    server: SocketServer
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.server.url.partition("://")[2].rpartition(":")
        return host.strip("[]"), int(port)

    @contextlib.contextmanager
    def connected(self, text: bytes = b"") -> Iterator[socket.socket]:
        """A connection on which the text has been written; reading gives up after a minute."""
        with socket.create_connection(self.address, timeout=60) as connection:
            if text:
                connection.sendall(text)
            yield connection

    def say(self, text: bytes) -> bytes:
        """All that comes back for the text until the server closes."""
        with self.connected(text) as connection:
            return self.rest(connection)

    @staticmethod
    def rest(connection: socket.socket) -> bytes:
        """What comes until the other side closes, in whichever way."""
        read = b""
        with contextlib.suppress(ConnectionResetError):
            while block := connection.recv(65536):
                read += block
        return read


@pytest.fixture
def serving() -> Iterator[Callable[..., Running]]:
    """Starts servers: `serving(app, request_deadline=…)`; all are stopped at the end."""
    threads: list[tuple[SocketServer, threading.Thread]] = []

    def start(
        app: App,
        *,
        tls: tuple[str, str] | None = None,
        host: str = "127.0.0.1",
        overfull: App | None = None,
        answered: Callable[[MutableMapping[str, Any], int], None] | None = None,
        **limits: Any,
    ) -> Running:
        complaints: list[str] = []
        server = SocketServer(
            app,
            limits=Limits(**limits),
            complain=complaints.append,
            tls=tls,
            host=host,
            allow_public=host.startswith("::ffff:127."),  # loopback, but Python 3.11 does not know
            overfull=overfull,
            answered=answered,
        )
        started = threading.Event()
        thread = threading.Thread(target=server.run, args=[lambda _: started.set()])
        thread.start()
        threads.append((server, thread))
        assert started.wait(60)
        return Running(server, complaints)

    yield start
    for server, _ in threads:
        server.stop()
    for _, thread in threads:
        thread.join(60)
        assert not thread.is_alive()
