"""A running `alovoice listen`, spoken to over real sockets, and handlers that it forwards to."""

import contextlib
import http.client
import http.server
import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from front_door import FrontDoor
from waiting import wait_until
from warm_start import start_alovoice

from alovoice_cli.stores.event_engine import open_event_store, opened

START: dict[str, Any] = {
    "inner_phone": 2000,
    "number": "+998901234567",
    "line": 712037006,
    "type": "inc",
    "start_time": 1716209468,
}


def store_of(alovoice: FrontDoor) -> str:
    """The URL of the profile's event store."""
    named = json.loads(alovoice("config", "get", "store", "--json").out)["value"]
    return named or f"sqlite:///{alovoice.home / 'state' / 'events.db'}"


def outbox_entries(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    """Returns what `events outbox list` lists."""
    listed: list[dict[str, Any]] = json.loads(alovoice("events", "outbox", "list", "--json", *words).out)
    return listed


def sql(alovoice: FrontDoor, statement: str) -> list[Any]:
    """Runs a statement on the profile's event store, of either kind, and returns its rows."""
    with opened(store_of(alovoice)) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if statement.startswith("SELECT") else []


@contextlib.contextmanager
def locked(alovoice: FrontDoor) -> Iterator[None]:
    """Keeps all writers from the profile's event store."""
    with contextlib.closing(open_event_store(store_of(alovoice))) as connection:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("BEGIN EXCLUSIVE")
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE delivery IN EXCLUSIVE MODE")
        yield
        connection.execute("ROLLBACK")


@dataclass
class Listening:
    """One listener process: its URLs, the events that it printed, its errors."""

    process: subprocess.Popen[bytes]
    urls: dict[str, str] = field(default_factory=dict)
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    errors: list[str] = field(default_factory=list)
    pid: int = 0
    admin: str = ""

    def post(
        self, kind: str, body: bytes | dict[str, Any], *, timeout: float = 60, **headers: str
    ) -> tuple[int, bytes]:
        """POSTs to one of the four URLs, or to any path; a dict goes as JSON."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        return self.request("POST", self.urls.get(kind, kind), raw, headers, timeout)

    def request(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None, timeout: float = 60
    ) -> tuple[int, bytes]:
        """Any request on a connection of its own."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, named)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def event(self, seconds: float = 60) -> dict[str, Any]:
        """The next event that it prints."""
        return self.lines.get(timeout=seconds)

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """The first line on stderr that holds the text."""
        return wait_until(
            lambda: next((line for line in list(self.errors) if text in line), ""),
            lambda: f"no {text!r} in {self.errors}",
            seconds=seconds,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal, and returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                self.lines.put(json.loads(line))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.decode().rstrip())

    def watch(self) -> None:
        """Reads both streams from now on; returns when the listener is ready, or has ended."""
        for target in (self._read, self._read_errors):
            threading.Thread(target=target, daemon=True).start()
        deadline, early = time.monotonic() + 300, []
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                ready = self.lines.get(timeout=0.1)
                if "urls" not in ready:  # a sender that knew the port was faster than the ready line
                    early.append(ready)
                    continue
                for event in early:
                    self.lines.put(event)
                self.urls, self.pid, self.admin = ready["urls"], ready["pid"], ready.get("admin", "")
                return
            if self.process.poll() is not None:
                return
        raise AssertionError("the listener was never ready")


@pytest.fixture
def listen(alovoice: FrontDoor) -> Iterator[Callable[..., Listening]]:
    """Starts listeners in this test's home: `listen("--forward", url)`; those that still run at the end are killed."""
    started: list[Listening] = []

    def start(*words: str, wrapper: tuple[str, ...] = (), **more: Any) -> Listening:
        more |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        more |= {"env": alovoice.environ, "cwd": alovoice.home}
        own = ("listen", "--port", "0", "--json", *words)
        process = (
            subprocess.Popen([*wrapper, sys.executable, "-m", "alovoice_cli", *own], **more)
            if wrapper
            else start_alovoice(*own, **more)
        )
        listening = Listening(process)
        started.append(listening)
        listening.watch()
        return listening

    yield start
    for listening in started:
        if listening.process.poll() is None:
            # A killed process tells no coverage; only where that is measured may its end take some seconds.
            listening.process.send_signal(signal.SIGTERM if "COVERAGE_PROCESS_START" in os.environ else signal.SIGKILL)
        listening.process.wait(60)
        for stream in (listening.process.stdout, listening.process.stderr):
            if stream is not None:
                stream.close()


@dataclass
class Handler:
    """A CRM: what it was sent, in order, and what it answers."""

    url: str = ""
    answer: Callable[[bytes], tuple[int, bytes]] = lambda _: (200, b"true")
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    server: http.server.ThreadingHTTPServer | None = None
    port: int = 0

    def start(self) -> None:
        """Listens; on the same port as before where it was stopped."""
        handler = self

        class Answering(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                handler.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, answer = handler.answer(body)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    for name, value in handler.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Listens no more."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def wait(self, count: int, seconds: float = 60) -> list[tuple[dict[str, str], bytes]]:
        """What it was sent, once there is so much of it."""
        wait_until(lambda: len(self.seen) >= count, lambda: f"{len(self.seen)} of {count} posts", seconds=seconds)
        return list(self.seen)


@pytest.fixture
def crm() -> Iterator[Handler]:
    """A CRM that listens on loopback."""
    handler = Handler()
    handler.start()
    yield handler
    handler.stop()
