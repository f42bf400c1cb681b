"""The hardened server: deadlines, caps, resets, and a clean end."""

import asyncio
import json
import re
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from http_talk import GET, HALF_BODY, HALF_HEADER, Receive, Scope, Send, answer, counting, one_answer, post, status_of
from waiting import wait_until

from alovoice_cli.errors import UsageError
from alovoice_cli.serving.server import SocketServer

from .conftest import Serving

SOON = timedelta(seconds=0.4)


def test_the_url_that_is_reported_accepts_at_once_on_a_free_port() -> None:
    seen = []

    def look(url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), timeout=30).close()
        seen.append((host, int(port)))
        server.stop()

    server = SocketServer(counting)
    assert server.run(look) == 0
    assert seen[0][0] == "127.0.0.1"
    assert seen[0][1] > 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_public_address_is_refused_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(UsageError, match="other computers"):
        SocketServer(counting, host=host)


def test_a_public_address_can_be_allowed() -> None:
    server = SocketServer(counting, host="0.0.0.0", allow_public=True)
    assert server.url.startswith("http://0.0.0.0:")
    assert server.run(lambda _: server.stop()) == 0


def test_a_taken_port_and_a_name_without_address_are_usage_errors(serving: Serving) -> None:
    port = serving(counting).address[1]
    with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}"):
        SocketServer(counting, port=port)
    with pytest.raises(UsageError, match="cannot be resolved"):
        SocketServer(counting, host="no\0host")


@pytest.mark.parametrize(
    "silence",
    [b"", HALF_HEADER, HALF_BODY, post(b"half", chunked=True)[:-5], post(b"half", chunked=True)[:-9]],
)
def test_a_silent_connection_is_closed_at_the_deadline(serving: Serving, silence: bytes) -> None:
    running = serving(counting, request_deadline=SOON)
    began = time.perf_counter()
    with running.connected(silence) as connection:
        assert running.rest(connection) == b""
    assert time.perf_counter() - began > 0.3


def still_open(connection: socket.socket) -> Any:
    try:
        connection.sendall(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_a_dripping_request_is_closed_at_the_deadline(serving: Serving) -> None:
    running = serving(counting, request_deadline=SOON)
    began = time.perf_counter()
    with running.connected(HALF_BODY) as connection:
        wait_until(lambda: not still_open(connection), "the end", pause=0.05)
    assert time.perf_counter() - began > 0.3


def test_the_second_request_of_a_connection_has_its_deadline_too(serving: Serving) -> None:
    running = serving(counting, request_deadline=SOON, idle=timedelta(seconds=30))
    with running.connected(post(b"abc", close=False)) as connection:
        one_answer(connection, b"\r\n\r\n3")
        time.sleep(0.6)  # idle between requests: another limit
        connection.sendall(HALF_HEADER)
        began = time.perf_counter()
        assert running.rest(connection) == b""
    assert time.perf_counter() - began > 0.3


def test_an_upload_that_keeps_coming_may_take_longer_than_the_deadline(serving: Serving) -> None:
    running = serving(counting, request_deadline=SOON, bytes_per_extra_second=1000)
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"
    with running.connected(head) as connection:
        for _ in range(20):
            connection.sendall(b"x" * 1000)
            time.sleep(0.05)
        assert running.rest(connection).endswith(b"20000")


def test_an_answer_may_take_longer_than_the_requests_deadline(serving: Serving) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.8)
        await answer(send, 200, b"slow")

    assert b"slow" in serving(slow, request_deadline=timedelta(seconds=0.3)).say(GET)


def test_a_hundred_slow_connections_do_not_delay_a_good_one(serving: Serving) -> None:
    running = serving(counting, request_deadline=timedelta(seconds=300))
    slow = [socket.create_connection(running.address, timeout=60) for _ in range(100)]
    for number, connection in enumerate(slow):
        connection.sendall((b"G", HALF_HEADER, HALF_BODY)[number % 3])
    assert status_of(running.say(post(b"good"))) == 200
    for connection in slow:
        connection.close()


def test_over_the_bound_the_connection_that_waited_longest_makes_room(serving: Serving) -> None:
    running = serving(counting, connections=5)
    slow = [socket.create_connection(running.address, timeout=60) for _ in range(5)]
    assert status_of(running.say(post(b"good"))) == 200
    assert running.rest(slow[0]) == b""
    slow[1].settimeout(0.2)
    with pytest.raises(TimeoutError):
        slow[1].recv(1)
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_cap_is_413_and_one_at_the_cap_is_served(serving: Serving, chunked: bool) -> None:
    running = serving(counting, body_bytes=1000)
    assert running.say(post(b"x" * 1000, chunked=chunked)).endswith(b"1000")
    for length in (1001, 20_000_000):
        refused = running.say(post(b"x" * length, chunked=chunked))
        assert status_of(refused) == 413
        assert json.loads(refused.partition(b"\r\n\r\n")[2]) == {"error": "the body is too large"}
    assert running.complaints == []


@pytest.mark.parametrize("chunked", [False, True])
def test_another_app_may_answer_for_a_body_over_the_cap(serving: Serving, chunked: bool) -> None:
    async def overfull(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/waiting":
            await answer(send, 200, b"wait no more")

    running = serving(counting, body_bytes=1000, overfull=overfull)
    for length in (1001, 20_000_000):
        waiting = post(b"x" * length, chunked=chunked).replace(b" / ", b" /waiting ", 1)
        assert running.say(waiting).endswith(b"\r\n\r\nwait no more")
        assert status_of(running.say(post(b"x" * length, chunked=chunked))) == 413
    assert running.complaints == []


def test_an_app_that_answers_for_our_own_exception_is_not_heard(serving: Serving) -> None:
    async def careful(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await counting(scope, receive, send)
        except Exception:
            await answer(send, 500, b"oops")
            raise

    assert status_of(serving(careful, body_bytes=10).say(post(b"x" * 99, chunked=True))) == 413


def test_an_app_that_raises_connection_reset_resets_the_connection(serving: Serving) -> None:
    async def resetting(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionResetError

    running = serving(resetting)
    with running.connected(GET) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert running.complaints == []


def test_a_reset_half_way_cuts_the_answer_after_what_was_sent(serving: Serving) -> None:
    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
        raise ConnectionResetError

    assert serving(cutting).say(GET).endswith(b"\r\n\r\n12345")


def test_an_app_that_fails_is_a_500_and_one_line_and_the_server_goes_on(
    serving: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret detail")

    running = serving(failing)
    assert [status_of(running.say(GET)) for _ in range(2)] == [500, 500]
    assert running.complaints == ["the answer to GET failed: RuntimeError"] * 2
    assert capfd.readouterr() == ("", "")


def test_what_is_no_http_is_a_400(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(serving(counting).say(b"\x16\x03\x01 hello\r\n\r\n")) == 400
    assert capfd.readouterr() == ("", "")


def test_pipelined_requests_are_answered_in_order(serving: Serving) -> None:
    text = post(b"1", close=False) + post(b"22", close=False) + post(b"333")
    bodies = re.findall(rb"\r\n\r\n(?:\d\r\n)?(\d)", serving(counting).say(text))
    assert bodies == [b"1", b"2", b"3"]
