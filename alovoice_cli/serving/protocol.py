"""uvicorn's HTTP protocols with what they lack: a deadline for a whole request, room for the living, real resets."""

import asyncio
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from alovoice_cli.serving.cork import Corked
from alovoice_cli.serving.guard import Guard, Room
from alovoice_cli.serving.limits import App, Limits, Receive, Send, with_caps

if TYPE_CHECKING:
    _Parsing = H11Protocol  # the two parsers' protocols are alike in what is used here
else:
    _Parsing = object

# Linger on, for zero seconds: closing then sends RST. Windows has shorts where POSIX has ints.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_HEAD_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class GuardedConfig(Config):
    """uvicorn's settings, with ours, and the connections that are open now."""

    def __init__(
        self,
        app: App,
        limits: Limits,
        complain: Callable[[str], None],
        connection: "type[GuardedConnection]",
        overfull: App | None = None,
    ) -> None:
        super().__init__(
            with_caps(app, limits, overfull),
            http=connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=max(round(limits.idle.total_seconds()), 1),
            # Ours is met first, and answered with 431; this one would end in a 400.
            h11_max_incomplete_event_size=limits.header_bytes + (1 << 20),
        )
        self.limits = limits
        self.complain = complain
        self.connection = connection
        self.room = Room(limits)


class GuardedConnection(_Parsing):
    """One connection. An app that raises ConnectionResetError has its connection dropped, without an answer.

    To be mixed into one of uvicorn's protocols, which it makes tell the guard what goes on.
    """

    def __init__(self, config: GuardedConfig, state: ServerState) -> None:
        super().__init__(config, state, {})
        self.guard = Guard(config.room)
        self._limits = config.limits
        self._complain = config.complain
        self._guarded: App = self.app
        self.app = self._serve
        # The request that the app is at work on: with httptools, `cycle` is the newest that a client has pipelined.
        self._current: Any = None
        self._is_leaving = False

    @property
    def is_arriving(self) -> bool:
        """Whether a request has begun to arrive, and has not wholly arrived."""
        raise NotImplementedError

    @property
    def unparsed(self) -> int:
        """How many bytes the parser holds that are no whole head, chunk or trailer yet."""
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        """Whether a request has wholly arrived, and the app is at work on it."""
        return any(
            cycle is not None and not cycle.more_body and not cycle.response_complete
            for cycle in (self.cycle, self._current)
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type]  # all that uvicorn uses of one
        self.client = _unmapped(self.client)
        self.guard.attach(transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.guard.release()
        super().connection_lost(exc)
        if self._current is not None:
            self._current.disconnected = not self._current.response_complete
            self._current.message_event.set()

    def data_received(self, data: bytes) -> None:
        self.guard.count(len(data))
        super().data_received(data)
        if self.transport.is_closing():
            self.guard.expect()
        elif self.unparsed > self._limits.header_bytes:
            self._refuse_head()
        elif self.cycle is None or self.cycle.response_complete or self.is_arriving:
            self.guard.expect()
            if self._is_leaving and not self.is_arriving:
                self.shutdown()  # that was the rest of what had its answer already
        else:
            self.guard.rest()

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
        """What has begun to arrive is answered; whoever is silent goes."""
        self._is_leaving = True
        if not self.is_arriving:
            super().shutdown()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Tells of an error, but not in the midst of an answer, nor in place of one: that is given, and then ends."""
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
            await self._guarded(scope, receive, send)
        except ConnectionResetError:
            self._drop(cycle)
        except Exception as error:
            self._complain(f"the answer to {scope['method']} failed: {type(error).__name__}")
            raise

    def _drop(self, cycle: Any) -> None:
        cycle.disconnected = True  # so that uvicorn does not answer 500
        if cycle.response_started:
            self.transport.close()  # lets what was written arrive
            self.guard.expect()
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class GuardedH11(GuardedConnection, H11Protocol):
    """A guarded connection, read by h11."""

    @property
    def is_arriving(self) -> bool:
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    @property
    def unparsed(self) -> int:
        return len(self.conn.trailing_data[0]) if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) else 0

    def data_received(self, data: bytes) -> None:
        if self.cycle is not None and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.guard.expect_anew()
        super().data_received(data)


def _unmapped(client: tuple[str, int] | None) -> tuple[str, int] | None:
    """A client's address as itself, where a socket for both families shows IPv4 as ::ffff:192.0.2.1."""
    if client is None or not client[0].startswith("::ffff:"):
        return client
    address = ipaddress.ip_address(client[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (str(mapped), client[1]) if mapped else client
