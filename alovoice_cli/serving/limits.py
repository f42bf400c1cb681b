"""What a client may cost the server, and the cap on bodies."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_MOST_FORGOTTEN = 64 << 20
_TOO_LARGE = b'{"error": "the body is too large"}'


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server.

    A whole request must have arrived `request_deadline` after the connection was made (or its first byte, where the
    connection is used again), plus one second for each `bytes_per_extra_second` that did arrive: long uploads are
    served, dripping ones are not. `drain` is how long requests in flight may take after a signal.
    """

    body_bytes: int = 1 << 20
    request_deadline: timedelta = timedelta(seconds=10)
    bytes_per_extra_second: int = 1 << 20
    idle: timedelta = timedelta(seconds=5)
    connections: int = 512
    drain: timedelta = timedelta(seconds=5)


def with_body_cap(app: App, most: int) -> App:
    """The app, with 413 for bodies over `most` bytes: at once by Content-Length, else as soon as they are counted.

    The rest of such a body is read and forgotten, within the request's deadline: a client that is still writing would
    otherwise see a reset in place of the answer.
    """

    async def capped(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if _claimed_length(scope) > most:
            await _refuse(receive, send, more=True)
            return
        counted = _Counted(receive, send, most)
        try:
            await app(scope, counted.receive, counted.send)
        except Exception:
            if not counted.is_over:
                raise
        if counted.is_over and not counted.has_answered:
            await _refuse(receive, send, more=counted.has_more)

    return capped


class _TooLargeError(Exception):
    """Unwinds an app that is reading a body over the cap."""


class _Counted:
    """One request's two directions: counts what is read, and keeps back what an app says of our own exception."""

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
        if self.is_over and not self.has_answered:
            return
        self.has_answered = True
        await self._send(message)


def _claimed_length(scope: MutableMapping[str, Any]) -> int:
    # h11 has refused lengths that are no numbers, or that contradict each other.
    return max((int(value) for name, value in scope["headers"] if name == b"content-length"), default=0)


async def _refuse(receive: Receive, send: Send, *, more: bool) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(_TOO_LARGE)).encode()),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE, "more_body": True})
    forgotten = 0
    while more and forgotten < _MOST_FORGOTTEN:
        message = await receive()
        forgotten += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.body"})
