"""Binds the socket, says when it truly accepts, and ends by a signal with that signal's exit code."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from alovoice_cli.serving.binding import bind, tls_context, url_of
from alovoice_cli.serving.engine import FASTEST, Engine
from alovoice_cli.serving.life import Hook, Life
from alovoice_cli.serving.limits import App, Limits
from alovoice_cli.serving.protocol import GuardedConfig

_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


def serve(
    app: App,
    *,
    ready: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    allow_public: bool = False,
    limits: Limits | None = None,
    complain: Callable[[str], None] | None = None,
    started: Hook | None = None,
    finished: Hook | None = None,
    tls: tuple[str, str] | None = None,
) -> int:
    """Serves the app until SIGINT, SIGTERM or SIGHUP (which `nohup` ignores), and returns 130 or 143 after the requests in flight are answered.

    Port 0 is a free one. `ready` gets the real base URL once connections are accepted and `started` is done; `complain`
    a line for each failure of the app; `finished` runs after the last answer. `tls` names the certificate's file and
    the key's. Raises UsageError when the address cannot be bound, is not loopback without `allow_public`, or when one
    of the files is bad.
    """
    server = SocketServer(
        app,
        host=host,
        port=port,
        allow_public=allow_public,
        limits=limits,
        complain=complain,
        started=started,
        finished=finished,
        tls=tls,
    )
    return server.run(ready)


class SocketServer:
    """A bound socket with an app behind it; parameters as those of `serve`. It binds at once, and `run` closes it.

    `overfull` may answer a request whose body is over the cap, in place of 413: an app that gets no body.
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
        engine: Engine = FASTEST,
    ) -> None:
        context = tls_context(*tls) if tls else None
        self._engine = engine
        self._socket = bind(host, port, allow_public=allow_public)
        self.url = url_of(self._socket, is_secure=context is not None)
        config = GuardedConfig(app, limits or Limits(), complain or _say_nothing, self._engine.connection, overfull)
        self._life = Life(config, self._socket, context, started, finished)

    def run(self, ready: Callable[[str], None]) -> int:
        """Serves until a signal (in the main thread) or `stop`; returns 128 + the signal, or the code of `stop`.

        Where the listening socket is closed behind our back, it complains and returns 7. What `started`, `ready` or
        `finished` raise comes out of here, after the drain.
        """
        try:
            with self._signals(), asyncio.Runner(loop_factory=self._engine.new_loop) as runner:
                runner.run(self._life.live(lambda: ready(self.url)))
        finally:
            self._life.close_socket()
        return self._life.exit_code

    def stop(self, code: int = 0) -> None:
        """Ends `run` as a signal does, with this exit code; from any thread. The first code that is not 0 stays."""
        self._life.end(code)

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
        self._life.hear(signal.SIGTERM if number == _HANGUP else number)


def _say_nothing(_: str) -> None:
    pass
