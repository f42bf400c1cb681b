"""Requests as bytes, and small apps to send them to."""

import re
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HALF_HEADER = b"POST / HTTP/1.1\r\nHost: localh"
HALF_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"


async def answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how many bytes the body had."""
    total, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        total += len(message["body"])
        more = message["more_body"]
    await answer(send, 200, str(total).encode(), [(b"content-type", b"text/plain")])


async def unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading the body."""
    await answer(send, 200, b"unread")


def post(body: bytes, *, chunked: bool = False, close: bool = True) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\n" + (b"Connection: close\r\n" if close else b"")
    if chunked:
        return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def status_of(text: bytes) -> int:
    found = re.match(rb"HTTP/1.1 (\d+)", text)
    assert found is not None, text
    return int(found[1])


def one_answer(connection: socket.socket, end: bytes) -> bytes:
    """Returns the received bytes up to and including this end."""
    read = b""
    while not read.endswith(end):
        block = connection.recv(65536)
        assert block, read
        read += block
    return read
