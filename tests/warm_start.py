"""`alovoice` processes that are forked from one that has imported the program, at a third of the processor time.

A `WarmProcess` is a `subprocess.Popen` of `python -m alovoice_cli`: a process with its own streams, environment and
folder. A parent in between starts it and waits for it, one for all workers of a run; this file is its program.
"""

import contextlib
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

_MODULES = """alovoice_cli.process alovoice_cli.commands.listen.plan alovoice_cli.commands.listen.narrator
alovoice_cli.commands.listen.deploy alovoice_cli.commands.sandbox alovoice_cli.commands.help_page
alovoice_cli.listening.listener alovoice_cli.listening.metrics alovoice_cli.api.poster alovoice_cli.config.settings
alovoice_cli.output.data_formats alovoice_cli.output.display alovoice_cli.stores.event_server
alovoice_cli.stores.event_postgres alovoice_cli.stores.event_migrations alovoice_cli.stores.server_outbox
alovoice_cli.stores.history alovoice_cli.sandbox.app alovoice_cli.sandbox.opening
alovoice_cli.sandbox.callback.switchboard alovoice_cli.serving.server uvicorn.protocols.http.httptools_impl
uvicorn.lifespan.off anyio.to_thread encodings.idna h11 httpcore httpx phonenumbers phonenumbers.data.region_UZ
prometheus_client psycopg python_multipart.multipart sqlite3 starlette.routing stringprep"""
"""What a listener or sandbox would import: only a matter of speed."""
_FOREIGN = ("PYTHON", "LD_", "LC_", "LANG")
"""Variables that act when Python starts: a process with one of them is started the plain way."""
_PRELOAD = "LD_PRELOAD"
"""Foreign only where it differs from that of the tests, which the parent has too."""


def start_alovoice(*words: str, env: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """Starts `alovoice` with Popen's options, by a fork where that does what a start would do."""
    differing = [name for name in env if name != _PRELOAD or env[name] != os.environ.get(name)]
    is_foreign = "preexec_fn" in options or any(name.startswith(_FOREIGN) for name in differing)
    ignores = any(signal.getsignal(number) is signal.SIG_IGN for number in (signal.SIGHUP, signal.SIGINT))
    if sys.platform != "linux" or is_foreign or ignores:
        return subprocess.Popen([sys.executable, "-m", "alovoice_cli", *words], env=env, **options)
    return WarmProcess(list(words), env=env, **options)


class WarmProcess(subprocess.Popen[bytes]):
    """A process of these words; `options` are those of Popen, with `env` and `cwd`."""

    def __init__(self, words: list[str], **options: Any) -> None:
        self._parent: socket.socket | None = None
        super().__init__(words, **options)

    def _execute_child(self, *given: Any) -> None:
        """What Popen calls once its pipes are open: the words, …, folder, environment, …, both ends of three pipes."""
        words, folder, environ = given[0], given[5], given[6]
        stdin, _, _, stdout, _, stderr = given[10:16]
        streams = [own if own != -1 else inherited for inherited, own in enumerate((stdin, stdout, stderr))]
        self._parent = socket.socket(socket.AF_UNIX)
        if _ADDRESS not in os.environ:
            begin_parent()
        self._parent.connect(f"\0{os.environ[_ADDRESS]}")
        request = json.dumps({"words": words, "cwd": str(folder), "environ": environ}).encode()
        socket.send_fds(self._parent, [len(request).to_bytes(4, "big")], streams)
        self._parent.sendall(request)
        self.pid = int.from_bytes(_read(self._parent, 4), "big")
        self._child_created = True
        self._close_pipe_fds(*given[10:16])  # type: ignore[attr-defined]  # Popen's own

    def _internal_poll(self, *_: object, **__: object) -> int | None:
        return self._wait(0)

    def _wait(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._parent is not None:
            self._parent.settimeout(timeout)
            try:
                self.returncode = int.from_bytes(_read(self._parent, 4), "big", signed=True)
            except (BlockingIOError, TimeoutError):
                if timeout == 0:
                    return None
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._parent.close()
        return self.returncode


def _read(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        block = connection.recv(count - len(read))
        if not block:
            raise EOFError("the parent of the tests' processes has ended")
        read += block
    return read


_ADDRESS = "ALOVOICE_TEST_PARENT"
"""The variable that tells the workers of a run where the parent of their processes is."""
_parents: list[subprocess.Popen[bytes]] = []


def begin_parent() -> None:
    """Starts the parent process: it answers once it has imported the program, and ends with this process."""
    address = f"alovoice-tests-{os.getpid()}-{time.monotonic_ns()}"
    foreign = ("ALOVOICE_", *_FOREIGN)
    plain = {key: value for key, value in os.environ.items() if key == _PRELOAD or not key.startswith(foreign)}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        words = [sys.executable, __file__, str(listener.fileno())]
        _parents.append(
            subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                env=plain,
                cwd="/",
            )
        )
    os.environ[_ADDRESS] = address


def end_parent() -> None:
    """Ends the parent process, if this one has started it."""
    for parent in _parents:
        os.environ.pop(_ADDRESS, None)
        parent.communicate()
    _parents.clear()


# --- the parent process


class _Parent:
    """Forks for each connection, and tells each of its child's end."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.children: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for source in (self.listener, self.woken, sys.stdin.buffer):
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """Serves until its stdin ends, and returns None; returns the request in each child."""
        while True:
            ready = {key.fileobj for key, _ in self.selector.select()}
            if sys.stdin.buffer in ready:
                return None
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self.woken.recv(4096)
            self._tell_of_ends()
            if self.listener in ready and (request := self._start(self.listener.accept()[0])):
                return request

    def _tell_of_ends(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                connection = self.children.pop(ended[0])
                with contextlib.suppress(OSError):
                    connection.sendall(os.waitstatus_to_exitcode(ended[1]).to_bytes(4, "big", signed=True))
                connection.close()

    def _start(self, connection: socket.socket) -> dict[str, Any] | None:
        head, streams, _, _ = socket.recv_fds(connection, 4, 3)
        request: dict[str, Any] = json.loads(_read(connection, int.from_bytes(head, "big")))
        pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            self.children[pid] = connection
            connection.sendall(pid.to_bytes(4, "big"))
            return None
        connection.close()
        self._forget()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return request

    def _forget(self) -> None:
        """Makes a child of this process as if it were started: its descriptors and signals."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        for own in (self.listener, self.woken, self.waker, *self.children.values()):
            own.close()


def _become(request: dict[str, Any]) -> None:
    """Makes this process what `python -m alovoice_cli` would be in that environment and folder."""
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.argv = [import_module("alovoice_cli.__main__").__file__ or "", *request["words"]]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        raw = open(number, "rb" if number == 0 else "wb", closefd=False)  # noqa: SIM115 - open until the process ends
        is_line_buffered = number == 2 or raw.isatty()
        new = io.TextIOWrapper(raw, old.encoding, old.errors, line_buffering=is_line_buffered)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _main() -> None:
    for name in _MODULES.split():
        with contextlib.suppress(ImportError):
            import_module(name)
    request = _Parent(socket.socket(fileno=int(sys.argv[1]))).serve()
    if request is None:
        return
    _become(request)
    from alovoice_cli.__main__ import main
    from alovoice_cli.events import answers

    answers._random.seed()  # or two listeners would draw the same ids from what they inherited

    main()


if __name__ == "__main__":
    _main()
