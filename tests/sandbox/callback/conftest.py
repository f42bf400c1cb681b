"""A handler behind a real socket that keeps what it gets, and a PBX that calls it back in a hurry."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alovoice_cli.api.poster import Poster
from alovoice_cli.sandbox.callback.messages import parse_handlers
from alovoice_cli.sandbox.callback.posting import parse_chaos
from alovoice_cli.sandbox.callback.switchboard import Callbacks, Switchboard
from alovoice_cli.sandbox.opening import Sandbox, open_sandbox
from alovoice_cli.stores.pbx_traffic import CallAccount, Totals, Traffic

DAY = date(2026, 3, 2)
QUEUE = b'{"action_type": "queue", "action_data": "6000"}'


@dataclass(frozen=True)
class Got:
    """One message as it arrived."""

    kind: str
    content_type: str | None
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body's object, with plain names where they have brackets."""
        value = json.loads(self.body)
        return {name.strip("[]"): item for name, item in (value[0] if isinstance(value, list) else value).items()}


class Handler:
    """What a customer runs: answers each type by a function of the message, and keeps all that came, in order."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        ids = itertools.count(1001)
        self.answers: dict[str, Callable[[Got], bytes | tuple[int, bytes]]] = {
            "callstart": lambda _: str(next(ids)).encode(),
            "callend": lambda _: b"true",
            "result": lambda _: b"true",
            "route": lambda _: QUEUE,
        }
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._protocol())
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}/h/secret"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def of(self, kind: str) -> list[Got]:
        return [got for got in self.got if got.kind == kind]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _protocol(self) -> type[BaseHTTPRequestHandler]:
        handler = self

        class Protocol(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = Got(self.path.removeprefix("/h/secret/"), self.headers["Content-Type"], body)
                with handler._lock:
                    handler.got.append(got)
                answer = handler.answers[got.kind](got)
                status, content = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Protocol


@dataclass
class Calling:
    """A PBX that calls back."""

    path: Path
    base: str
    speed: float = 1_000_000
    seed: int = 7
    chaos: str = ""
    rate: float | None = None
    day: date | None = None
    said: list[str] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.over = threading.Event()

    def open(self, *events_to: str) -> tuple[Sandbox, Switchboard, Poster]:
        sandbox = open_sandbox(self.path, token="t", speed=self.speed, seed=self.seed, now=lambda: datetime.now(UTC))
        callbacks = Callbacks(
            parse_handlers(events_to or [self.base]), parse_chaos(self.chaos), rate=self.rate, day=self.day
        )
        poster = Poster()
        board = Switchboard(sandbox.pbx, callbacks, poster, complain=self.said.append, over=self._end)
        return sandbox, board, poster

    def play(self, *events_to: str) -> list[CallAccount]:
        """Plays the day to its end, and gives its account."""
        _, board, poster = self.open(*events_to)
        with poster:
            board.start()
            assert self.over.wait(60)
            board.stop()
        return self.accounts()

    def accounts(self) -> list[CallAccount]:
        with Traffic(self.path) as traffic:
            return traffic.accounts()

    def _end(self, totals: Totals) -> None:
        self.totals.append(totals)
        self.over.set()


@pytest.fixture
def handler() -> Iterator[Handler]:
    """A customer's handler."""
    running = Handler()
    yield running
    running.close()


@pytest.fixture
def small_day(tmp_path: Path, handler: Handler) -> Calling:
    """A quiet day, and nothing else: about 25 calls."""
    return Calling(tmp_path / "sandbox.db", handler.base, rate=1.5, day=DAY)
