"""Binds the socket, says when it accepts connections, serves, drains, and ends with a signal's exit code."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import ssl
import stat
import threading
from collections.abc import Awaitable, Callable, Iterator
from email.utils import formatdate
from types import FrameType
from typing import Any

from uvicorn.server import ServerState

from alovoice_cli.errors import ExitCode
from alovoice_cli.language import tr
from alovoice_cli.serving.binding import BACKLOG, bind, is_alive, tls_context, url_of
from alovoice_cli.serving.limits import Answered, App, Limits
from alovoice_cli.serving.protocol import GuardedConfig, GuardedConnection

Hook = Callable[[], Awaitable[None]]

_new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with contextlib.suppress(ImportError):  # an extra
    import uvloop

    _new_loop = uvloop.new_event_loop

_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
_TICK_SECONDS = 0.1
_LAST_LOOK_SECONDS = 0.05  # bytes that have reached this machine are read before silent connections close
_GOODBYE_SECONDS = 1.0  # how long a TLS client may take to confirm the close


class SocketServer:
    """A bound socket with an app behind it. It binds at once, and `run` closes it.

    Port 0 is a free one. `complain` gets a line for each failure of the app; `started` is done before the server is
    ready, `finished` runs after the last answer. `tls` names the certificate's file and the key's. `overfull` may
    answer a request whose body is over the cap, in place of 413: an app that gets no body. `answered` hears of each
    answer, also of those to requests over a cap. Raises UsageError when the address cannot be bound, is not loopback
    without `allow_public`, or when one of the files is bad.
    """

    def __init__(
        self,
        app: App,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_public: bool = False,
        limits: Limits | None = None,
        complain: Callable[[str], None] | None = None,
        started: Hook | None = None,
        finished: Hook | None = None,
        tls: tuple[str, str] | None = None,
        overfull: App | None = None,
        answered: Answered | None = None,
    ) -> None:
        context = tls_context(*tls) if tls else None
        self._is_hung_up = False
        self._socket = bind(host, port, allow_public=allow_public)
        self.url = url_of(self._socket, is_secure=context is not None)
        config = GuardedConfig(app, limits or Limits(), complain or _say_nothing, overfull, answered)
        self._server_run = ServerRun(config, self._socket, context, started, finished)

    def run(self, ready: Callable[[str], None]) -> int:
        """Serves until a signal (in the main thread) or `stop`; returns 128 + the signal, or the code of `stop`.

        `ready` gets the real base URL once connections are accepted. Requests in flight are answered before the end.
        Where the listening socket is closed behind our back, it complains and returns 7. What `started`, `ready` or
        `finished` raise comes out of here, after the drain.
        """
        try:
            with self._signals(), asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._server_run.live(lambda: ready(self.url)))
        finally:
            self._server_run.close_socket()
        return self._server_run.exit_code

    @property
    def is_ending(self) -> bool:
        """Whether a signal or `stop` has come."""
        return self._server_run.must_end

    def stop(self, code: int = 0) -> None:
        """Ends `run` as a signal does, with this exit code; from any thread. The first code that is not 0 stays."""
        self._server_run.end(code)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        heard = [number for number in _SIGNALS if number != _HANGUP or signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._hear) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if number == _HANGUP:
            if self._is_hung_up:
                return  # shell and system both send it: the second one must not end the program at once
            self._is_hung_up, number = True, signal.SIGTERM
        self._server_run.hear(number)


def _say_nothing(_: str) -> None:
    pass


class ServerRun:
    """One run of a server: start, tick, drain, end. `hear` and `end` may be called from any thread, at any time."""

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
        self.must_end = False
        self._must_hurry = False
        self._is_deaf = False

    @property
    def exit_code(self) -> int:
        # A closed terminal sends a signal and closes the reader: the signal counts.
        if self._signal and self._code in (0, ExitCode.READER_GONE):
            return 128 + self._signal
        return self._code

    def hear(self, number: int) -> None:
        """Takes a signal: the first one drains, the second one ends at once."""
        self._must_hurry = self._must_hurry or bool(self._signal)
        self._signal = self._signal or number
        self.must_end = True

    def end(self, code: int) -> None:
        """Drains as a signal does."""
        self._code = self._code or code
        self.must_end = True

    async def live(self, ready: Callable[[], None]) -> None:
        """Serves until it must end. What a hook raises comes out after the drain."""
        asyncio.get_running_loop().set_exception_handler(self._tell)
        self._set_date()
        server = await self._accept()
        try:
            await self._unless(lambda: self.must_end, self._started)
            if not self.must_end:
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

    async def _accept(self) -> asyncio.Server:
        config = self._config

        def connection() -> GuardedConnection:
            return GuardedConnection(config, self._state)

        tls: dict[str, Any] = {}
        if self._context is not None:
            # A silent handshake ends by the request's deadline; it is counted among the connections when it is done.
            tls["ssl"] = self._context
            tls["ssl_handshake_timeout"] = config.limits.request_deadline.total_seconds()
            tls["ssl_shutdown_timeout"] = _GOODBYE_SECONDS
        return await asyncio.get_running_loop().create_server(connection, sock=self._socket, backlog=BACKLOG, **tls)

    async def _tick(self) -> None:
        while not self.must_end:
            await asyncio.sleep(_TICK_SECONDS)
            self._set_date()
            if not is_alive(self._socket, self._address):
                self._is_deaf = True
                self._config.complain(
                    tr("the listening socket was closed from outside: nobody can connect; the server stops")
                )
                self.end(ExitCode.SERVER)

    def _set_date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]

    async def _drain(self, server: asyncio.Server) -> None:
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
    def _refuse(server: asyncio.Server) -> None:
        """Accepts no more; a second time, nothing."""
        with contextlib.suppress(OSError):  # what is closed already cannot be closed
            server.close()

    def _is_ours(self) -> bool:
        """Returns whether the socket's number is still ours: otherwise closing waits until the app is done."""
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
        """Reports what the loop would have written to stderr; a client's lost connection is not reported."""
        error = context.get("exception")
        if self._is_deaf or (isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE)):
            return
        what = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        self._config.complain(
            tr(
                "the server failed: {problem}",
                problem=f"{context['message']}: {what}" if "message" in context else what,
            )
        )
