"""The TLS handshake as a part of the connection: its time counts, and it takes its place in the room.

`create_server(ssl=…)` shows a connection only after its handshake, so silent ones could be neither counted nor evicted.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable

from alovoice_cli.serving.protocol import GuardedConnection

_GOODBYE_SECONDS = 1.0  # how long a client may take to answer our close
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door:
    """Accepts connections, and shakes hands with all of them at once, as long as it is open."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        connection: Callable[[], GuardedConnection],
        seconds: float,
        complain: Callable[[str], None],
    ) -> None:
        self._socket = listening
        self._context = context
        self._connection = connection
        self._seconds = seconds
        self._complain = complain
        self._shaking: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accepts no more; handshakes go on."""
        self._accepting.cancel()
        self._socket.close()

    async def _accept(self) -> None:
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._socket)
            except OSError as error:
                if error.errno in _FULL:
                    self._complain(f"a connection could not be accepted: {error.strerror}")
                if error.errno == errno.ECONNABORTED:
                    continue
                await asyncio.sleep(1)  # else this would spin; whether the socket lives is looked at elsewhere
                continue
            task = loop.create_task(self._shake(accepted))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake(self, accepted: socket.socket) -> None:
        inside = self._connection()
        inside.guard.attach(_Outside(accepted), None)
        try:
            # It calls connection_made of the inside, which attaches itself to the guard in place of the outside.
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: inside,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except OSError:  # no TLS, refused, gone, or out of time: ssl's errors and the loops' are of this class
            inside.guard.release()
            accepted.close()


class _Outside:
    """A connection whose handshake is not done, as its guard sees it."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted

    def abort(self) -> None:
        """Ends both directions: then the handshake fails."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return True
