"""A CRM's handlers on a real socket: a good one, which a test can change."""

import itertools
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Asked:
    """One received request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return self.path.rpartition("/")[2]

    def value(self) -> Any:
        """Returns the body by its content: JSON, else form fields."""
        try:
            return json.loads(self.body)
        except ValueError:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Handle = Callable[[Asked], tuple[int, bytes]]


@dataclass
class Crm:
    """The good handler: an id for each call, the same for a repetition; `true`; a step."""

    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    _ids: dict[bytes, int] = field(default_factory=dict)
    _next: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> tuple[int, bytes]:
        if asked.kind == "callstart":
            with self._lock:
                own = self._ids[asked.body] = self._ids.get(asked.body) or next(self._next)
            return 200, str(own).encode()
        if asked.kind == "route":
            return 200, json.dumps({"action_type": "queue", "action_data": "6000"}).encode()
        return 200, b"true"


@contextmanager
def served(handle: Handle | None = None, *, certificate: Path | None = None) -> Iterator[Crm]:
    """Serves the handler (None: the good one) on a free port of this machine; with a certificate, over TLS."""
    crm = Crm()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write for each answer: avoids 40 ms of Nagle's algorithm

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            crm.asked.append(asked)
            try:
                status, answer = (handle or crm)(asked)
            except Exception as error:  # like a web framework after a bug in the handler
                status, answer = 500, f"<h1>{type(error).__name__}</h1>".encode()
            if not status:  # the handler hangs up
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # the default of 5 would lose part of a burst
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    crm.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield crm
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
