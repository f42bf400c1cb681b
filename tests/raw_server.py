"""A PBX on a raw socket: it counts whole requests and answers, or fails, as it is told."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One whole request."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


Act = Callable[["Connection"], None]


class Connection:
    """What an act may do with one connection."""

    def __init__(self, sock: socket.socket, server: "RawServer") -> None:
        self.sock, self.server = sock, server
        self._file = sock.makefile("rb")

    def read(self) -> Seen | None:
        """The next whole request, counted; None when the client has gone."""
        line = self._file.readline().decode("latin-1").split()
        if len(line) != 3:
            return None
        headers = []
        while (text := self._file.readline().strip().decode("utf-8")) != "":
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        seen = Seen(line[0], line[1], headers, b"")
        length = int(seen.header("content-length") or 0)
        seen.body = self._file.read(length)
        if len(seen.body) < length:
            return None
        self.server.requests.append(seen)
        return seen

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, status: str = "200 OK", body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.write("\r\n".join(lines).encode() + body)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self.sock.close()

    def hang(self) -> None:
        self.server.stopped.wait(120)


def answers(status: str = "200 OK", body: bytes = b"") -> Callable[[Connection], None]:
    """An act: reads one request and answers it so."""

    def act(connection: Connection) -> None:
        connection.read()
        connection.answer(status, body)

    return act


@dataclass
class RawServer:
    """Plays its acts, one a connection; the last one again and again."""

    acts: list[Act]
    context: ssl.SSLContext | None = None
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def effects(self) -> list[Seen]:
        """The requests but the looks at the lines: each creation is preceded by one."""
        return [seen for seen in self.requests if not seen.target.endswith("getMyTrunks")]

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            if self.stopped.is_set():
                sock.close()
                return
            sock.settimeout(20)
            act = self.acts[min(self.connections, len(self.acts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, act), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, act: Act) -> None:
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
        connection = Connection(sock, self)
        try:
            act(connection)
        except (OSError, ValueError):  # the client has gone, or the server was stopped
            pass
        finally:
            connection.close()

    def stop(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._threads[0].join(5)
        self.listener.close()
        for thread in self._threads[1:]:
            thread.join(5)
