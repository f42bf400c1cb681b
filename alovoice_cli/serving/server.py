"""Binds the socket, says when it truly accepts, and ends by a signal with that signal's exit code."""

import ipaddress
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from alovoice_cli.errors import UsageError
from alovoice_cli.serving.limits import App, Limits
from alovoice_cli.serving.protocol import GuardedConfig

_BACKLOG = 512


def serve(
    app: App,
    *,
    ready: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    allow_public: bool = False,
    limits: Limits | None = None,
    complain: Callable[[str], None] | None = None,
) -> int:
    """Serves the app until SIGINT or SIGTERM, and returns 130 or 143 after the requests in flight are answered.

    Port 0 is a free one. `ready` gets the real base URL once connections are accepted; `complain` a line for each
    failure of the app. Raises UsageError when the address cannot be bound, or is not loopback without `allow_public`.
    """
    server = SocketServer(app, host=host, port=port, allow_public=allow_public, limits=limits, complain=complain)
    return server.run(ready)


class SocketServer:
    """A bound socket with an app behind it; parameters as those of `serve`. It binds at once, and `run` closes it."""

    def __init__(
        self,
        app: App,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_public: bool = False,
        limits: Limits | None = None,
        complain: Callable[[str], None] | None = None,
        started: Callable[[], Awaitable[None]] | None = None,
        finished: Callable[[], Awaitable[None]] | None = None,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self._socket = _bind(host, port, allow_public=allow_public)
        address, bound_port = self._socket.getsockname()[:2]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://[{address}]:{bound_port}" if ":" in address else f"{scheme}://{address}:{bound_port}"
        self._server = _SignalledServer(GuardedConfig(app, limits or Limits(), complain or _say_nothing, tls))
        self._server.started_hook, self._server.finished_hook = started, finished

    def run(self, ready: Callable[[str], None]) -> int:
        """Serves until a signal (in the main thread) or `stop`; returns 128 + the signal, or 0."""
        self._server.when_started = lambda: ready(self.url)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
        return self._server.code or (128 + self._server.caught if self._server.caught else 0)

    def stop(self, code: int = 0) -> None:
        """Ends `run` as a signal does, with this exit code; from any thread."""
        self._server.code = self._server.code or code
        self._server.should_exit = True


class _SignalledServer(uvicorn.Server):
    """uvicorn's server, which remembers the signal in place of raising it again, and says when it has started."""

    caught = 0
    code = 0
    started_hook: Callable[[], Awaitable[None]] | None = None
    finished_hook: Callable[[], Awaitable[None]] | None = None

    def __init__(self, config: GuardedConfig) -> None:
        super().__init__(config)
        self.when_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            if self.started_hook is not None:
                await self.started_hook()
            self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self.finished_hook is not None:
            await self.finished_hook()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second ends at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self.caught = self.caught or sig


def _bind(host: str, port: int, *, allow_public: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(f"the address {host} port {port} cannot be resolved", hint="use 127.0.0.1") from error
    if not (allow_public or ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback):
        raise UsageError(f"{host} can be reached from other machines", hint="use 127.0.0.1")
    listening = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror or error}", hint="use port 0 for a free one"
        ) from error
    return listening


def _say_nothing(_: str) -> None:
    pass
