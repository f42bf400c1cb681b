"""Every wait ends: by the deadline, by Ctrl-C. What was given up before it left can never leave."""

import _thread
import threading
import time
from typing import Any

import httpx
import pytest
from waiting import ends_soon

from alovoice_cli.api.deadline import Budget, Lost, TransportAttempt
from alovoice_cli.errors import OutcomeUnknownError, UnreachableError


@pytest.mark.parametrize("act", ["headers", "body", "silence"])
def test_a_read_ends_by_the_deadline_whatever_drips(act: str, serve: Any, client: Any) -> None:
    def drip(c: Any) -> None:
        c.read()
        c.write({"headers": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\n\r\n", "silence": b""}[act])
        while not c.server.stopped.wait(0.03):
            if act != "silence":
                c.write(b"x")

    started = time.monotonic()
    with pytest.raises(UnreachableError):
        client(serve(drip), timeout=0.4).trunks.list()
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize("try_number", range(4))
def test_a_body_that_the_deadline_cut_is_never_taken_for_whole(
    try_number: int, serve: Any, client: Any, unsafe: Any
) -> None:
    def true_and_more_to_come(c: Any) -> None:
        c.read()
        c.write(b"HTTP/1.1 200 OK\r\n\r\ntrue")  # no length: the end of the connection is the end of the body
        c.hang()

    with pytest.raises(OutcomeUnknownError, match="no complete response"):
        unsafe["outcall"](client(serve(true_and_more_to_come), timeout=1.0))


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_ends_the_wait_at_once(when: str, serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    def hang(c: Any) -> None:
        c.read()
        c.hang()

    server = serve(hang)
    pbx = client(server, timeout=600)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    if when == "before":
        pbx = client(f"https://localhost:{server.port}", timeout=600)  # it hangs in the handshake
    timer.start()
    with ends_soon("the wait"), pytest.raises(KeyboardInterrupt):
        unsafe["outcall"](pbx)
    timer.join()
    assert pbx.send_guard.guard(130) == (130 if when == "before" else 6)
    assert [outcome.state for outcome in book.outcomes.values()] == (["unsent"] if when == "before" else [])


def test_a_request_given_up_before_it_left_never_leaves(serve: Any, client: Any, unsafe: Any, tls: Any) -> None:
    given_up, wrapped = threading.Event(), threading.Event()

    def slow_handshake(c: Any) -> None:
        given_up.wait(60)  # then the handshake would succeed
        try:
            c.sock = tls.wrap_socket(c.sock, server_side=True)
            c.server.requests.append(c.sock.recv(10))
        except OSError:
            wrapped.set()

    server = serve(slow_handshake)
    with pytest.raises(UnreachableError):
        unsafe["outcall"](client(f"https://localhost:{server.port}", timeout=0.3))
    given_up.set()
    assert wrapped.wait(60)
    assert server.requests == []


class LateTransport(httpx.BaseTransport):
    """Comes to the moment of leaving only when it is let; says whether it was allowed to go."""

    def __init__(self) -> None:
        self.let, self.told = threading.Event(), threading.Event()
        self.went = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.let.wait(60)
        try:
            request.extensions["trace"]("http11.send_request_headers.started", {"request": request})
            self.went = True
        finally:
            self.told.set()
        return httpx.Response(200)


@pytest.mark.parametrize("late", [True, False])
def test_at_the_moment_of_leaving_the_worker_asks_whether_anybody_waits(late: bool) -> None:
    transport, left = LateTransport(), []
    if not late:
        transport.let.set()
    attempt = TransportAttempt(
        transport, httpx.Request("POST", "http://h"), Budget(0.2), announces=True, on_left=lambda: left.append(1)
    )
    if late:
        with pytest.raises(Lost) as caught:
            attempt.run()
        assert (caught.value.left, caught.value.expired) == (False, True)
    else:
        assert attempt.run().status == 200
    transport.let.set()
    assert transport.told.wait(60)
    assert (transport.went, left) == ((False, []) if late else (True, [1]))


def test_the_budget_grows_by_what_a_file_moved() -> None:
    now = [100.0]
    budget = Budget(2.0, lambda: now[0])
    now[0] += 1.5
    assert budget.remaining() == 0.5
    budget.moved(64 * 1024)
    assert budget.remaining() == 2.5
