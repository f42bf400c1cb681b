"""A simulated Bot API on a real socket: chats with their messages, edits, and ordered faults."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from waiting import wait_until

BOT_TOKEN = "7000111222:AAcanary-dead_beef-0123456789abcdefXYZ"
CHAT = -100200300
PATIENCE = 120

Fault = Callable[[dict[str, Any]], "tuple[int, dict[str, Any]] | None"]
"""The answer in place of the good one; None: the message is taken, and the answer is lost."""


@dataclass
class Bot:
    """One bot. Each request uses up one of the `faults`; `messages` are the texts by message id."""

    url: str = ""
    messages: dict[int, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    accepted_at: list[float] = field(default_factory=list)
    first_texts: dict[int, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    moved_to: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        with self.lock:
            self.requests.append((method, body))
            fault = self.always or (self.faults.pop(0) if self.faults else None)
            if method == "getMe":
                return 200, {"ok": True, "result": {"username": "alo_test_bot"}}
            refused = fault(body) if fault is not None else None
            if refused is not None:
                return refused
            chat = self.moved_to or CHAT
            if body.get("chat_id") != chat:
                return refusal(400, "Bad Request: chat not found")(body)
            if len(body["text"].encode("utf-16-le")) // 2 > 4096:
                return refusal(400, "Bad Request: message is too long")(body)
            number = self._taken(method, body)
            if number is None:
                return refusal(400, "Bad Request: message is not modified")(body)
            self.accepted_at.append(time.monotonic())
            return None if fault is not None else (200, {"ok": True, "result": {"message_id": number}})

    def _taken(self, method: str, body: dict[str, Any]) -> int | None:
        if method == "sendMessage":
            number = 100 + len(self.messages)
            self.first_texts[number] = body["text"]
        else:
            number = body["message_id"]
            if self.messages[number] == body["text"]:
                return None
        self.messages[number] = body["text"]
        return number

    def texts(self) -> list[str]:
        return list(self.messages.values())

    def wait(self, is_so: Callable[[], object], what: str = "it") -> None:
        wait_until(is_so, lambda: f"{self.texts()} and not yet {what}", seconds=PATIENCE, pause=0.02)


def refusal(status: int, description: str, **parameters: int) -> Fault:
    """Returns a fault in the Bot API's form."""
    said: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return lambda _: (status, said | ({"parameters": parameters} if parameters else {}))


def lost_answer(_: dict[str, Any]) -> None:
    """Takes the message, and closes the connection without an answer."""


@contextmanager
def served() -> Iterator[Bot]:
    """Serves a bot on a free port of this machine; another token than BOT_TOKEN gets 401."""
    bot = Bot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw) if raw else {}
            _, name, method = self.path.split("/")
            known = name == f"bot{BOT_TOKEN}"
            answered = bot.answer(method, body) if known else refusal(401, f"Unauthorized {name}")(body)
            if answered is None:
                self.close_connection = True
                self.connection.close()
                return
            status, value = answered
            told = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bot.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield bot
    finally:
        server.shutdown()
        server.server_close()
