"""uvicorn's httptools protocol with additions: a deadline for a whole request, limits, and real resets."""

import asyncio
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from alovoice_cli.language import tr
from alovoice_cli.serving.guard import Guard, Room
from alovoice_cli.serving.limits import Answered, App, Limits, Message, Receive, Send, with_caps

# Linger on, for zero seconds: closing then sends RST. Windows has shorts where POSIX has ints.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_MOST_PIPELINED = 100
_HEAD_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class UpgradeTolerantProtocol(HttpToolsProtocol):
    """uvicorn's protocol, without its loss of a body after an upgrade offer.

    Measured with httptools 0.9: for `Upgrade: h2c`, as Java's HttpClient and `curl --http2` send it with each request,
    the app gets an empty body, and the real one is dropped as bytes of another protocol. So such a head is parsed again
    by a new parser, without its offer.
    """

    _is_offer = False

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            while data:
                data = self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _feed(self, data: bytes) -> bytes:
        """Parses the data, and returns what must be parsed again."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            head = self._head_without_offer()
            self._is_offer = False
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
            return head + data[upgrade.args[0] :]
        return b""

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise ValueError("no proxy")  # the parser turns it into its own error
            self._is_offer = True
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._is_offer:
            super().on_message_complete()

    def _head_without_offer(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                value = b", ".join(
                    token for token in value.split(b",") if token.strip().lower() not in (b"upgrade", b"http2-settings")
                )
            if value and name not in (b"upgrade", b"http2-settings"):
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join(lines) + b"\r\n\r\n"


class GuardedConfig(Config):
    """uvicorn's settings, with ours, and the open connections."""

    def __init__(
        self,
        app: App,
        limits: Limits,
        complain: Callable[[str], None],
        overfull: App | None = None,
        answered: Answered | None = None,
    ) -> None:
        super().__init__(
            with_caps(app, limits, overfull),
            http=GuardedConnection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=max(round(limits.idle.total_seconds()), 1),
        )
        self.limits = limits
        self.complain = complain
        self.answered = answered
        self.room = Room(limits)


class GuardedConnection(UpgradeTolerantProtocol):
    """One connection. An app that raises ConnectionResetError has its connection dropped, without an answer.

    httptools bounds neither heads nor trailers nor the number of pipelined requests; this class does.
    """

    def __init__(self, config: GuardedConfig, state: ServerState) -> None:
        super().__init__(config, state, {})
        self._room = config.room
        self._limits = config.limits
        self._complain = config.complain
        self._answered = config.answered
        self._guarded: App = self.app
        self.app = self._serve
        # The request that the app is at work on: `cycle` is the newest request that the client has pipelined.
        self._current: Any = None
        self._has_begun = False
        self._unparsed = 0
        self._is_leaving = False

    @property
    def is_arriving(self) -> bool:
        """Returns whether a request has begun to arrive, and is incomplete."""
        return self._has_begun

    @property
    def unparsed(self) -> int:
        """Returns the number of bytes in the parser that are no whole head, chunk or trailer yet."""
        return self._unparsed if self._has_begun else 0

    @property
    def is_busy(self) -> bool:
        """Returns whether a request has fully arrived, and the app works on it."""
        return any(
            cycle is not None and not cycle.more_body and not cycle.response_complete
            for cycle in (self.cycle, self._current)
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.client = _unmapped(self.client)
        self.guard = Guard(self._room, transport, lambda: self.is_busy)

    def connection_lost(self, exc: Exception | None) -> None:
        self.guard.release()
        super().connection_lost(exc)
        if self._current is not None:
            self._current.disconnected = not self._current.response_complete
            self._current.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        self.guard.count(len(data))
        super().data_received(data)
        if self.transport.is_closing():
            self.guard.expect()
        elif self.unparsed > self._limits.header_bytes:
            self._refuse_head()
        elif self.cycle is None or self.cycle.response_complete or self.is_arriving:
            self.guard.expect()
            if self._is_leaving and not self.is_arriving:
                self.shutdown()  # this was the rest of an answered request
        else:
            self.guard.rest()

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MOST_PIPELINED:  # one read may hold thousands, each with a task to come
            raise ValueError("too many requests at once")  # the parser turns it into its own error
        if self.cycle is not None:
            self.guard.expect_anew()
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        super().on_headers_complete()
        if not self._is_offer:
            self.headers = []  # trailers follow: they must not count as headers

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_begun = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.guard.answered()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.guard.stall()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.guard.resume()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.guard.expect()

    def shutdown(self) -> None:
        """Answers arriving requests; closes silent connections."""
        self._is_leaving = True
        if not self.is_arriving:
            super().shutdown()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Sends an error, but not in the middle or in place of an answer, which is finished first."""
        if self.is_busy:
            for cycle in (self.cycle, self._current):
                if cycle is not None:
                    cycle.keep_alive = False
            self.flow.pause_reading()
        elif self._is_speaking:
            self.transport.close()
        else:
            super().send_400_response(msg)

    @property
    def _is_speaking(self) -> bool:
        return any(
            cycle is not None and cycle.response_started and not cycle.response_complete
            for cycle in (self.cycle, self._current)
        )

    def _refuse_head(self) -> None:
        if not self._is_speaking:
            self.transport.write(_HEAD_TOO_LONG)
        self.transport.close()

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        cycle = self._current = cast(Any, receive).__self__  # uvicorn's cycle: what it gives are its bound methods
        if self._is_leaving:
            cycle.keep_alive = False
        try:
            await self._guarded(
                scope, receive, send if self._answered is None else _observed(self._answered, scope, send)
            )
        except ConnectionResetError:
            self._drop(cycle)
        except Exception as error:
            self._complain(
                tr("the answer to {method} failed: {problem}", method=scope["method"], problem=type(error).__name__)
            )
            raise

    def _drop(self, cycle: Any) -> None:
        cycle.disconnected = True  # so that uvicorn does not answer 500
        if cycle.response_started:
            self.transport.close()  # lets the written bytes arrive
            self.guard.expect()
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


def _observed(answered: Answered, scope: Any, send: Send) -> Send:
    """Returns a `send` that reports the status of the answer before sending it."""

    async def observed(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered(scope, message["status"])
        await send(message)

    return observed


def _unmapped(client: tuple[str, int] | None) -> tuple[str, int] | None:
    """Returns a client's plain address, where a socket for both families shows IPv4 as ::ffff:192.0.2.1."""
    if client is None or not client[0].startswith("::ffff:"):
        return client
    address = ipaddress.ip_address(client[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (str(mapped), client[1]) if mapped else client
