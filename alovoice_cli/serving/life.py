"""From the first accepted connection to the last answer."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import stat
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from uvicorn.server import ServerState

from alovoice_cli.errors import ExitCode
from alovoice_cli.serving.binding import BACKLOG, is_alive
from alovoice_cli.serving.handshake import Door
from alovoice_cli.serving.protocol import GuardedConfig, GuardedConnection

Hook = Callable[[], Awaitable[None]]

_TICK_SECONDS = 0.1
_LAST_LOOK_SECONDS = 0.05  # in which bytes that have reached this machine are read before the silent are sent away


class Life:
    """One server's run: start, tick, drain, end. `hear` and `end` may be called from anywhere, at any time."""

    def __init__(
        self,
        config: GuardedConfig,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        started: Hook | None,
        finished: Hook | None,
    ) -> None:
        self._config = config
        self._socket = listening
        self._address = listening.getsockname()
        self._context = context
        self._started, self._finished = started, finished
        self._state = ServerState()
        self._signal = 0
        self._code = 0
        self._must_end = False
        self._must_hurry = False
        self._is_deaf = False

    @property
    def exit_code(self) -> int:
        return self._code or (128 + self._signal if self._signal else 0)

    def hear(self, number: int) -> None:
        """The first signal drains, the second ends at once."""
        self._must_hurry = self._must_hurry or bool(self._signal)
        self._signal = self._signal or number
        self._must_end = True

    def end(self, code: int) -> None:
        """Drains as a signal does."""
        self._code = self._code or code
        self._must_end = True

    async def live(self, ready: Callable[[], None]) -> None:
        """Serves until it must end. What a hook raises comes out after the drain."""
        asyncio.get_running_loop().set_exception_handler(self._tell)
        self._set_date()
        server = await self._accept()
        try:
            await self._unless(lambda: self._must_end, self._started)
            if not self._must_end:
                ready()
            await self._tick()
        finally:
            await self._drain(server)
            try:
                await self._unless(lambda: self._must_hurry, self._finished)
            finally:
                self._refuse(server)

    def close_socket(self) -> None:
        """Closes the listening socket, but not a stranger's that has its number by now."""
        if self._is_deaf:
            self._socket.detach()
        self._socket.close()

    async def _accept(self) -> asyncio.Server | Door:
        config = self._config

        def connection() -> GuardedConnection:
            return config.connection(config, self._state)

        if self._context is not None:
            seconds = config.limits.request_deadline.total_seconds()
            return Door(self._socket, self._context, connection, seconds, config.complain)
        return await asyncio.get_running_loop().create_server(connection, sock=self._socket, backlog=BACKLOG)

    async def _tick(self) -> None:
        while not self._must_end:
            await asyncio.sleep(_TICK_SECONDS)
            self._set_date()
            if not is_alive(self._socket, self._address):
                self._is_deaf = True
                self._config.complain("the listening socket is gone: nobody can connect; ending")
                self.end(ExitCode.SERVER)

    def _set_date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]

    async def _drain(self, server: asyncio.Server | Door) -> None:
        """Accepts no more, lets what has begun end in time, and cuts the rest."""
        if self._is_ours():
            self._refuse(server)
        loop = asyncio.get_running_loop()
        last = loop.time() + self._config.limits.drain.total_seconds()
        if not self._must_hurry:
            await asyncio.sleep(_LAST_LOOK_SECONDS)
        for connection in list(self._state.connections):
            connection.shutdown()
        while (self._config.room or self._state.tasks) and loop.time() < last and not self._must_hurry:
            await asyncio.sleep(_LAST_LOOK_SECONDS)
        self._config.room.clear()
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.sleep(0)

    @staticmethod
    def _refuse(server: asyncio.Server | Door) -> None:
        """Accepts no more; a second time, nothing."""
        with contextlib.suppress(OSError):  # what is closed already cannot be closed
            server.close()

    def _is_ours(self) -> bool:
        """Not where our socket's number is a stranger's file by now: closing that must wait until the app is done."""
        try:
            return not self._is_deaf or stat.S_ISSOCK(os.fstat(self._socket.fileno()).st_mode)
        except OSError:
            return True

    async def _unless(self, is_over: Callable[[], bool], hook: Hook | None) -> None:
        """Awaits the hook, but not longer than until it is over."""
        if hook is None or is_over():
            return
        task = asyncio.ensure_future(hook())
        while not task.done() and not is_over():
            await asyncio.wait({task}, timeout=_LAST_LOOK_SECONDS)
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return
        task.result()

    def _tell(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop would have written to stderr; a client's own loss is not worth a line."""
        error = context.get("exception")
        if self._is_deaf or (isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE)):
            return
        what = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        self._config.complain(f"{context.get('message', 'the server failed')}: {what}")
