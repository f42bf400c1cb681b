"""uvicorn's HTTP protocol with what it lacks: a deadline for a whole request, room for the living, real resets.

Measured with uvicorn 0.54: a connection that sends nothing, half a header or half a body is held open for ever, and no
ASGI middleware can see it. So the deadline stands here, at the socket.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from alovoice_cli.serving.limits import App, Limits, Receive, Send, with_body_cap

# Linger on, for zero seconds: closing then sends RST. Windows has shorts where POSIX has ints.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class GuardedConfig(Config):
    """uvicorn's settings, with ours, and the connections that are open now, oldest first."""

    def __init__(
        self, app: App, limits: Limits, complain: Callable[[str], None], tls: tuple[str, str] | None = None
    ) -> None:
        super().__init__(
            with_body_cap(app, limits.body_bytes),
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
            timeout_keep_alive=max(round(limits.idle.total_seconds()), 1),
            timeout_graceful_shutdown=max(round(limits.drain.total_seconds()), 1),
        )
        self.limits = limits
        self.complain = complain
        self.open: dict[GuardedProtocol, None] = {}


class GuardedProtocol(H11Protocol):
    """One connection. An app that raises ConnectionResetError has its connection dropped, without an answer."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config, GuardedConfig)
        self._limits = config.limits
        self._complain = config.complain
        self._open = config.open
        self._guarded: App = self.app
        self.app = self._serve
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._open[self] = None
        self._start_timer()
        if len(self._open) > self._limits.connections:
            # The one that has kept us waiting longest goes; if all are being answered, the newcomer.
            next((other for other in self._open if not other.is_being_answered), self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.pop(self, None)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        is_arriving = self.conn.their_state is h11.SEND_BODY or (
            self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        )
        if not is_arriving:
            self._stop_timer()
        elif self._timer is None:
            self._start_timer()

    @property
    def is_being_answered(self) -> bool:
        """Whether a request has wholly arrived, and the app is at work on it."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def _start_timer(self) -> None:
        self._began = self.loop.time()
        self._received = 0
        self._timer = self.loop.call_later(self._limits.request_deadline.total_seconds(), self._time_is_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        earned = self._received / self._limits.bytes_per_extra_second
        left = self._began + self._limits.request_deadline.total_seconds() + earned - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._time_is_up)
        else:
            self.transport.abort()

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            await self._guarded(scope, receive, send)
        except ConnectionResetError:
            self._drop()
            await asyncio.sleep(0)  # the loop tells uvicorn of the loss, which then does not answer 500
        except Exception as error:
            self._complain(f"the answer to {scope['method']} failed: {type(error).__name__}")
            raise

    def _drop(self) -> None:
        if self.cycle.response_started:
            self.transport.close()  # lets what was written arrive
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()
