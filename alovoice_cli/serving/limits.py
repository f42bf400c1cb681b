"""The limits of a client's cost for the server, and of the size of heads and bodies."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Answered = Callable[[MutableMapping[str, Any], int], None]
"""Hears of each answer: the request's scope, and the status."""

MOST_FORGOTTEN = 64 << 20
_TOO_LARGE = b'{"error": "the body is too large"}'
_TOO_LONG = b'{"error": "the headers are too long"}'


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server.

    A whole request must arrive within `request_deadline` of the connection (or of its first byte on a kept connection),
    TLS handshake included, plus one second for each `bytes_per_extra_second` received: long uploads are served, very
    slow ones are not. A client has the same time to read its answer. `drain` is how long running requests may take
    after a signal.
    """

    body_bytes: int = 1 << 20
    header_bytes: int = 16 << 10
    request_deadline: timedelta = timedelta(seconds=10)
    bytes_per_extra_second: int = 1 << 20
    idle: timedelta = timedelta(seconds=5)
    connections: int = 512
    drain: timedelta = timedelta(seconds=5)


def with_caps(app: App, limits: Limits, overfull: App | None = None) -> App:
    """Returns the app, with 413 for bodies over the cap: at once by Content-Length, else while they are counted.

    `overfull` may answer such a request, without its body; if it sends nothing, 413 is sent.

    The rest of such a body is read and ignored, within the request's deadline: a client that still writes would
    otherwise see a reset instead of the answer. A head over its cap that came in one piece is 431 (in several pieces
    the connection cuts it off earlier).
    """
    most_body, most_head = limits.body_bytes, limits.header_bytes

    async def capped(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        head, claimed = _sizes(scope)
        if head > most_head:
            await _refuse(send, 431, _TOO_LONG)
            return
        if claimed > most_body:
            await _refuse_body(scope, receive, send, overfull, more=True)
            return
        counted = _Counted(receive, send, most_body)
        try:
            await app(scope, counted.receive, counted.send)
        except Exception:
            if not counted.is_over:
                raise
        if counted.is_over and not counted.has_answered:
            await _refuse_body(scope, receive, send, overfull, more=counted.has_more)

    return capped


def _sizes(scope: MutableMapping[str, Any]) -> tuple[int, int]:
    """Returns the approximate length of the head, and the announced length of the body."""
    head, body = len(scope["raw_path"]) + len(scope["query_string"]), 0
    for name, value in scope["headers"]:
        head += len(name) + len(value)
        if name == b"content-length":  # a number: the parsers have refused other values, and contradictions
            body = int(value)
    return head, body


class _TooLargeError(Exception):
    """Ends an app's reading of a body over the cap."""


class _Counted:
    """One request's two directions: counts the read bytes, and drops an app's answer to our own exception."""

    __slots__ = ("_left", "_receive", "_send", "has_answered", "has_more")

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._left = most
        self.has_answered = False
        self.has_more = True

    @property
    def is_over(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.has_more = message.get("more_body", False)
        if self.is_over:
            raise _TooLargeError
        return message

    async def send(self, message: Message) -> None:
        if self._left < 0 and not self.has_answered:
            return
        self.has_answered = True
        await self._send(message)


async def _refuse_body(
    scope: MutableMapping[str, Any], receive: Receive, send: Send, overfull: App | None, *, more: bool
) -> None:
    has_answered = False

    async def unended(message: Message) -> None:
        nonlocal has_answered
        has_answered = True
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    if overfull is not None:
        await overfull(scope, receive, unended)
    if not has_answered:
        await _refuse(unended, 413, _TOO_LARGE)
    forgotten = 0
    while more and forgotten < MOST_FORGOTTEN:
        message = await receive()
        forgotten += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.body"})


async def _refuse(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
