"""Lets ordered faults happen to an ASGI app, from outside of it.

A dropped connection is said by raising ConnectionResetError: the server (or the in-process transport) drops the line.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

from alovoice_cli.sandbox.faults import Fault

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_MOST_DRAINED = 1 << 20
_LONGEST_HANG_SECONDS = 3600
_GARBAGE = b'\xff\xfe{"answer": [1,,\x00'


def with_faults(app: App, faults: Sequence[Fault], *, seed: int) -> App:
    """The app, with the first fault that concerns a request and whose chance comes up; delays come on top of others.

    The same seed and the same order of requests give the same faults.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose

    async def faulty(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        concerned = [fault for fault in faults if fault.concerns(_endpoint(scope["path"]))]
        due = [fault for fault in concerned if chance.random() * 100 < fault.percent]
        await asyncio.sleep(sum(fault.delay_seconds for fault in due))
        mishap = next((fault for fault in due if fault.kind != "delay"), None)
        if mishap is None:
            await app(scope, receive, send)
        else:
            await _happen(mishap, app, scope, receive, send)

    return faulty


def _endpoint(path: str) -> str:
    """The API's name of a path: its first segment, or the second one behind /mapi."""
    segments = path.strip("/").split("/")
    return segments[1] if segments[0] == "mapi" and len(segments) > 1 else segments[0]


async def _happen(fault: Fault, app: App, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    match fault.kind:
        case "status":
            await _drain(receive)
            await _answer_status(fault, send)
        case "reset":
            raise ConnectionResetError("a fault to order: dropped before anything was done")
        case "hang":
            await _hang(receive)
            raise ConnectionResetError("a fault to order: never answered")
        case "lost":
            await _act(app, scope, receive)
            raise ConnectionResetError("a fault to order: done, and the answer lost")
        case "cut":
            await _cut(await _act(app, scope, receive), send)
            raise ConnectionResetError("a fault to order: done, and the answer cut")
        case _:
            await _act(app, scope, receive)
            await _answer(send, 200, [(b"content-type", b"application/json; charset=utf-8")], _GARBAGE)


async def _act(app: App, scope: MutableMapping[str, Any], receive: Receive) -> list[Message]:
    """Lets the app do its work, and keeps what it would have sent."""
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return sent


async def _cut(sent: list[Message], send: Send) -> None:
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    await send(next(message for message in sent if message["type"] == "http.response.start"))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _hang(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_HANG_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _drain(receive: Receive) -> None:
    """Reads a small body to its end, so that the answer is not overtaken by the reset of an unread one."""
    read = 0
    while read <= _MOST_DRAINED:
        message = await receive()
        read += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _answer_status(fault: Fault, send: Send) -> None:
    headers = [(b"content-type", b"application/json; charset=utf-8")]
    if fault.retry_after_seconds is not None:
        headers.append((b"retry-after", str(fault.retry_after_seconds).encode()))
    await _answer(send, fault.status, headers, b'{"error": "a fault to order"}')


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
