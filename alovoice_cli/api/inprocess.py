"""A transport that runs an ASGI app in this process: no socket, no server. The caller supplies the app.

An app that raises ConnectionResetError drops the connection; half a body before that arrives as half a body.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import unquote

import httpx

Message = MutableMapping[str, Any]  # as the ASGI specification types it
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class InProcess(httpx.BaseTransport):
    """Runs the app once a request, in the caller's thread. The request's body is streamed, the answer is collected."""

    def __init__(self, app: App) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ReadError for a dropped connection, RemoteProtocolError for a broken answer."""
        exchange = _Exchange(request)
        error: httpx.TransportError | None = None
        try:
            asyncio.run(_run(self._app, exchange))
        except ConnectionResetError:
            error = httpx.ReadError("the connection was reset", request=request)
        except Exception as trouble:
            error = httpx.RemoteProtocolError(f"the application failed: {type(trouble).__name__}", request=request)
        return exchange.response(error)


async def _run(app: App, exchange: "_Exchange") -> None:
    await app(exchange.scope(), exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer in ASGI's terms."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._chunks: Iterator[bytes] = (
            iter(request.stream) if isinstance(request.stream, httpx.SyncByteStream) else iter(())
        )
        self._sent_all = False
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._complete = False

    def scope(self) -> Message:
        url = self._request.url
        path, _, query = url.raw_path.partition(b"?")
        port = url.port or (443 if url.scheme == "https" else 80)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": (url.host, port),
        }

    async def receive(self) -> Message:
        if self._sent_all:
            await asyncio.Event().wait()  # the client stays until the answer; the app may wait and be cancelled
        chunk = next(self._chunks, None)
        self._sent_all = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            self._complete = not message.get("more_body", False)

    def response(self, error: httpx.TransportError | None) -> httpx.Response:
        if self._status is None or (error is None and not self._complete):
            raise error or httpx.RemoteProtocolError("the application gave no answer", request=self._request)
        return httpx.Response(
            self._status, headers=self._headers, stream=_Body(self._parts, None if self._complete else error)
        )


class _Body(httpx.SyncByteStream):
    """The parts of the body, then the error that ended it, if any."""

    def __init__(self, parts: list[bytes], error: httpx.TransportError | None) -> None:
        self._parts, self._error = parts, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._error is not None:
            raise self._error
