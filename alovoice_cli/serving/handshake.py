"""The TLS handshake as a part of the connection: its time counts, and it takes its place in the room.

asyncio's own `ssl=` shows a connection only after its handshake, so silent ones could be neither counted nor evicted.
"""

import asyncio
import ssl
from typing import cast

from alovoice_cli.serving.protocol import GuardedConnection

_GOODBYE_SECONDS = 1.0  # how long a client may take to answer our close


class Handshake(asyncio.Protocol):
    """Shakes hands, then gives the connection's inside to the HTTP protocol. It is never busy."""

    is_busy = False

    def __init__(self, context: ssl.SSLContext, inside: GuardedConnection, seconds: float) -> None:
        self._context = context
        self._inside = inside
        self._seconds = seconds
        self._early: list[bytes] = []
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        outside = cast(asyncio.Transport, transport)
        self._inside.guard.attach(outside, self)
        outside.pause_reading()  # nothing may be read before the layer that reads it is there
        self._task = asyncio.get_running_loop().create_task(self._shake(outside))

    def data_received(self, data: bytes) -> None:
        """Read from inside TLS by the loop before it told us that the handshake is done."""
        self._early.append(data)

    async def _shake(self, outside: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(
                outside,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except OSError:  # no TLS, refused, gone, or out of time: ssl's errors and the loops' are of this class
            transport = None
        if transport is None or transport.is_closing():
            self._inside.guard.release()
            outside.abort()
            return
        transport.set_protocol(self._inside)
        self._inside.connection_made(transport)
        for data in self._early:
            self._inside.data_received(data)
