"""From the first connection to the exit code: hooks, signals, and ends that nobody asked for."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from http_talk import GET, Receive, Scope, Send, counting, one_answer, post, status_of
from waiting import wait_until

from alovoice_cli.serving.limits import Limits
from alovoice_cli.serving.server import SocketServer

from .conftest import Serving

PROGRAM = """
import asyncio, signal, sys
from datetime import timedelta
from alovoice_cli.serving.limits import Limits
from alovoice_cli.serving.server import SocketServer

async def app(scope, receive, send):
    if scope["method"] == "GET":
        print("begun", flush=True)
    await asyncio.sleep(float(scope["path"][1:] if scope["method"] == "GET" else 0))
    size, more = 0, scope["method"] == "POST" and scope["path"] != "/unread"
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"whole answer %d" % size})

async def finished():
    print("finished", flush=True)

drain = timedelta(seconds=float(sys.argv[1]))
server = SocketServer(app, finished=finished, limits=Limits(drain=drain))
sys.exit(server.run(lambda url: print(url, flush=True)))
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals to processes are POSIX's")


@contextlib.contextmanager
def program(drain: float = 5.0) -> Iterator[Any]:
    """The program, running: its process and its address."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(drain)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().strip().removeprefix("http://").split(":")
            yield process, (host, int(port))
        finally:
            process.kill()


def begin(process: Any, connection: socket.socket, request: bytes) -> None:
    """Sends a request, and returns when the app has it."""
    connection.sendall(request)
    assert process.stdout.readline() == "begun\n"


def is_refused(address: tuple[str, int]) -> bool:
    """Whether nobody accepts connections at the address any more."""
    with contextlib.suppress(ConnectionResetError):
        try:
            socket.create_connection(address, timeout=30).close()
        except ConnectionRefusedError:
            return True
    return False


def rest(connection: socket.socket) -> Any:
    read = b""
    with contextlib.suppress(ConnectionResetError):
        while block := connection.recv(65536):
            read += block
    return read


@posix
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (getattr(signal, "SIGHUP", signal.SIGTERM), 143)]
)
def test_a_signal_lets_the_request_in_flight_be_answered_and_gives_its_exit_code(number: int, code: str) -> None:
    with program() as (process, address), socket.create_connection(address, timeout=45) as connection:
        begin(process, connection, b"GET /0.6 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        process.send_signal(number)
        assert b"whole answer" in rest(connection)
        assert (*process.communicate(timeout=45), process.returncode) == ("finished\n", "", code)


@posix
def test_a_request_that_has_begun_to_arrive_at_the_signal_is_answered_and_the_silent_are_sent_away() -> None:
    text = post(b"abc", close=False)
    with program(drain=60) as (process, address), contextlib.ExitStack() as stack:
        head, body, late, idle, silent = (
            stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(5)
        )
        head.sendall(text[:20])
        body.sendall(text[:-1])
        late.sendall(text[:-1].replace(b"/", b"/unread", 1))
        for _ in range(2):  # what came before these has been read
            idle.sendall(text)
            one_answer(idle, b"0\r\n\r\n")
        process.send_signal(signal.SIGTERM)
        assert (rest(idle), rest(silent)) == (b"", b"")
        head.sendall(text[20:])
        body.sendall(text[-1:])
        late.sendall(text[-1:])
        assert b"whole answer 0" in rest(late)
        assert b"whole answer 3" in rest(head)
        assert b"whole answer 3" in rest(body)
        assert (*process.communicate(timeout=45), process.returncode) == ("finished\n", "", 143)


@posix
def test_the_drain_has_an_end() -> None:
    with program(drain=0.3) as (process, address), socket.create_connection(address, timeout=45) as connection:
        begin(process, connection, b"GET /60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        process.send_signal(signal.SIGTERM)
        assert rest(connection) == b""
        assert (*process.communicate(timeout=45), process.returncode) == ("finished\n", "", 143)


@posix
def test_a_second_signal_ends_at_once_and_waits_for_no_hook() -> None:
    with program(drain=60) as (process, address), socket.create_connection(address, timeout=45) as connection:
        begin(process, connection, b"GET /60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(address), "the end of accepting")
        process.send_signal(signal.SIGTERM)
        assert (*process.communicate(timeout=45), process.returncode) == ("", "", 143)


def run(server: SocketServer, ready: Callable[[str], None] = lambda _: None) -> Any:
    """The code that the server ends with, in a thread as an embedding program has it; what it raises comes out."""
    ends: list[Any] = []

    def target() -> None:
        try:
            ends.append(server.run(ready))
        except Exception as error:
            ends.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    if isinstance(ends[0], Exception):
        raise ends[0]
    return ends[0]


def test_started_can_reach_the_server_before_it_is_called_ready_and_finished_comes_last() -> None:
    order: list[object] = []

    async def started() -> None:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET)
        order.append(status_of(await reader.read()))
        writer.close()

    async def finished() -> None:
        order.append("finished")

    def ready(_: object) -> None:
        order.append("ready")
        server.stop()

    server = SocketServer(counting, started=started, finished=finished)
    assert run(server, ready) == 0
    assert order == [200, "ready", "finished"]


def test_a_start_that_stops_the_server_is_never_called_ready() -> None:
    async def started() -> None:
        server.stop(8)

    server = SocketServer(counting, started=started)
    assert run(server, lambda _: pytest.fail("ready")) == 8


@pytest.mark.parametrize("where", ["started", "ready", "finished"])
def test_what_a_hook_raises_comes_out_after_the_end_and_frees_the_port(where: Any) -> None:
    order: list[str] = []

    async def started() -> None:
        if where == "started":
            raise RuntimeError(where)

    def ready(_: object) -> None:
        if where == "ready":
            raise RuntimeError(where)
        server.stop()

    async def finished() -> None:
        order.append("finished")
        if where == "finished":
            raise RuntimeError(where)

    server = SocketServer(counting, started=started, finished=finished)
    with pytest.raises(RuntimeError, match=where):
        run(server, ready)
    assert order == ["finished"]
    SocketServer(counting, port=int(server.url.rpartition(":")[2]))._socket.close()


def test_a_start_that_hangs_is_given_up_when_the_server_must_end() -> None:
    async def started() -> None:
        threading.Timer(0.1, server.stop).start()
        await asyncio.sleep(60)

    server = SocketServer(counting, started=started)
    assert run(server, lambda _: pytest.fail("ready")) == 0


def test_the_apps_own_end_has_its_code_and_answers_first(serving: Serving) -> None:
    async def ending(scope: Scope, receive: Receive, send: Send) -> None:
        running.server.stop(7)
        running.server.stop(1)
        await asyncio.sleep(0.3)
        await counting(scope, receive, send)

    running = serving(ending)
    assert status_of(running.say(GET)) == 200
    assert running.server._server_run.exit_code == 7


@posix
@pytest.mark.parametrize(("code", "ends_with"), [(141, 143), (0, 143), (7, 7)])
@pytest.mark.parametrize("signal_first", [True, False])
def test_a_hangup_that_takes_the_reader_away_ends_with_the_signals_code(
    code: int, ends_with: int, signal_first: bool
) -> None:
    def hang_up(_: object) -> None:
        deeds: list[Callable[[], object]] = [lambda: signal.raise_signal(signal.SIGHUP), lambda: server.stop(code)]
        for deed in deeds if signal_first else deeds[::-1]:
            deed()

    server = SocketServer(counting, limits=Limits(drain=timedelta(0)))
    assert server.run(hang_up) == ends_with


def test_each_answer_is_told_with_its_status_those_to_refused_requests_included(serving: Serving) -> None:
    told = []
    running = serving(counting, body_bytes=10, answered=lambda scope, status: told.append((scope["path"], status)))
    running.say(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody")
    running.say(b"POST /b HTTP/1.1\r\nContent-Length: 11\r\nConnection: close\r\n\r\nlonger body")
    assert told == [("/a", 200), ("/b", 413)]


@pytest.mark.parametrize("deed", ["close", "close and reuse", "shut"])
def test_a_listening_socket_that_dies_behind_our_back_ends_the_server(
    deed: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    complaints: list[str] = []
    strangers: list[int] = []

    def kill() -> None:
        number = server._socket.fileno()
        if deed == "shut":
            server._socket.shutdown(socket.SHUT_RDWR)
        else:
            os.close(number)
        if deed == "close and reuse":
            strangers.append(os.open(tmp_path / "strange", os.O_CREAT | os.O_RDWR))
            assert strangers[0] == number

    async def finished() -> None:
        for stranger in strangers:
            os.fstat(stranger)  # still open

    server = SocketServer(counting, complain=complaints.append, finished=finished, limits=Limits(drain=timedelta(0)))
    assert run(server, lambda _: threading.Timer(0.15, kill).start()) == 7
    assert complaints == ["the listening socket was closed from outside: nobody can connect; the server stops"]
    for stranger in strangers:
        with contextlib.suppress(OSError):
            os.close(stranger)
    assert capfd.readouterr() == ("", "")


def test_stop_ends_a_server_in_another_thread_and_frees_its_port() -> None:
    server = SocketServer(counting)
    assert run(server, lambda _: server.stop()) == 0
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_without_uvloop_the_loop_is_pythons_own() -> None:
    code = """
import sys
sys.modules["uvloop"] = None
from alovoice_cli.serving import server
print(server._new_loop.__module__)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "asyncio.events"
