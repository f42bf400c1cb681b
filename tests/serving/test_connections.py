"""What a connection may do beside sending a whole request in time: the same on both parsers."""

import asyncio
import contextlib
import re
import socket
import struct
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from http_talk import GET, Receive, Scope, Send, answer, counting, one_answer, post, status_of, unread
from waiting import wait_until

from .conftest import Serving

SOON = timedelta(seconds=0.4)


def long_head(length: int) -> Any:
    return b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * length


@pytest.mark.parametrize(
    "text", [long_head(20_000), long_head(20_000) + b"\r\nConnection: close\r\n\r\n", b"GET /" + b"x" * 20_000]
)
def test_a_head_over_its_cap_is_431(serving: Serving, text: bytes) -> None:
    running = serving(counting)
    assert status_of(running.say(text)) == 431
    assert status_of(running.say(long_head(12_000) + b"\r\nConnection: close\r\n\r\n")) == 200


@pytest.mark.parametrize(
    "endless", [b"0\r\nX-Trailer: " + b"x" * 20_000, b"5;extension=" + b"x" * 20_000], ids=["trailer", "extension"]
)
def test_chunks_cannot_carry_an_endless_trailer_or_extension(serving: Serving, endless: bytes) -> None:
    begun = threading.Event()

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await counting(scope, receive, send)

    running = serving(telling, request_deadline=timedelta(minutes=5))
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with running.connected(head) as connection:
        assert begun.wait(60)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(endless)
        assert b"200" not in running.rest(connection)[:15]


def test_a_trailer_is_no_header(serving: Serving) -> None:
    async def naming(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await answer(send, 200, b",".join(name for name, _ in scope["headers"]))

    text = post(b"x", chunked=True)[:-2] + b"X-Real-Ip: 192.0.2.1\r\n\r\n"
    assert b"x-real-ip" not in serving(naming).say(text)


def test_blank_lines_are_no_request(serving: Serving) -> None:
    running = serving(counting, request_deadline=SOON)
    with running.connected() as connection:

        def is_closed() -> bool:
            try:
                connection.sendall(b"\r\n")
            except (BrokenPipeError, ConnectionResetError):
                return True
            return False

        wait_until(is_closed, "the end", pause=0.05)


def test_a_body_that_comes_after_its_answer_does_not_leave_the_connection_open_for_ever(serving: Serving) -> None:
    running = serving(unread, request_deadline=SOON, idle=timedelta(seconds=1))
    text = post(b"late", close=False)
    with running.connected(text[:-4]) as connection:
        one_answer(connection, b"unread")
        connection.sendall(text[-4:])
        assert running.rest(connection) == b""


def test_a_request_after_a_late_body_has_its_own_time(serving: Serving) -> None:
    running = serving(unread, request_deadline=timedelta(seconds=1.6))
    text = post(b"late", close=False)
    with running.connected(text[:-4]) as connection:
        one_answer(connection, b"unread")
        for part in (text[-4:], text[:-20], text[-20:]):
            time.sleep(0.05 if part == text[:-20] else 0.9)
            connection.sendall(part)
        one_answer(connection, b"unread")


def test_a_request_that_we_do_not_read_for_an_earlier_ones_sake_is_not_late(serving: Serving) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.9 if scope["method"] == "GET" else 0)
        await counting(scope, receive, send)

    text = post(b"abc")
    with serving(slow, request_deadline=SOON).connected() as connection:
        connection.sendall(GET.replace(b"Connection: close\r\n", b"") + text[:-1])
        time.sleep(0.05)
        connection.sendall(text[-1:])
        one_answer(connection, b"\r\n\r\n3")


def test_an_answered_body_is_not_read_for_ever_either(serving: Serving) -> None:
    running = serving(unread, request_deadline=SOON, idle=timedelta(seconds=30))
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    with running.connected(head) as connection:
        one_answer(connection, b"unread")
        connection.sendall(b"some")
        assert running.rest(connection) == b""


def test_an_idle_connection_is_used_again_after_longer_than_the_deadline(serving: Serving) -> None:
    running = serving(counting, request_deadline=SOON, idle=timedelta(seconds=30))
    with running.connected() as connection:
        for _ in range(3):
            connection.sendall(post(b"abc", close=False))
            one_answer(connection, b"\r\n\r\n3")
            time.sleep(0.5)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: +1\r\n",
        b"Content-Length: 1_0\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: 99999999999999999999999999\r\n",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
    ],
)
def test_a_length_that_two_readers_could_take_in_two_ways_is_refused(serving: Serving, headers: bytes) -> None:
    running = serving(counting, request_deadline=SOON)
    said = running.say(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + b"\r\nx")
    assert said[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501", b"")


def test_an_offer_to_upgrade_is_passed_over(serving: Serving) -> None:
    # As Java's HttpClient and curl --http2 send it with each request.
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    text = post(b"abc", close=False).replace(b"Host:", offer + b"Host:")
    running = serving(counting)
    with running.connected() as connection:
        for _ in range(2):
            connection.sendall(text)
            one_answer(connection, b"\r\n\r\n3")


def test_who_waits_to_be_told_to_go_on_is_told(serving: Serving) -> None:
    text = post(b"abc").replace(b"Host:", b"Expect: 100-continue\r\nHost:")
    running = serving(counting)
    with running.connected(text[:-3]) as connection:
        one_answer(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"abc")
        assert running.rest(connection).endswith(b"\r\n\r\n3")


def test_rubbish_behind_a_request_is_not_written_into_its_answer(
    serving: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
        await receive()
        await receive()
        await send({"type": "http.response.body", "body": b"67890"})

    running = serving(slow)
    text = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with running.connected(text) as connection:
        one_answer(connection, b"12345")
        connection.sendall(b"zzzz\r\n")
        assert b"HTTP" not in running.rest(connection)
    assert capfd.readouterr() == ("", "")


def test_rubbish_behind_a_request_does_not_cost_it_its_answer(serving: Serving) -> None:
    # As of a client that counts characters where Content-Length counts bytes.
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)
        await counting(scope, receive, send)

    said = serving(slow).say(post(b"abc", close=False) + "Ў ў Қ\r\n\r\n".encode())
    assert status_of(said) == 200
    assert re.search(rb"\r\n\r\n3(HTTP/1.1 400|$)", said)


def test_thousands_of_requests_in_one_breath_are_not_all_taken_at_once(serving: Serving) -> None:
    said = serving(counting).say(GET.replace(b"Connection: close\r\n", b"") * 2000 + GET)
    answers = said.count(b"HTTP/1.1 200")
    # h11 can be stopped after each; httptools reads to the end of what it is given, so there the connection ends.
    assert 1 <= answers <= 101


def test_the_app_hears_of_a_loss_while_more_requests_wait_behind(serving: Serving) -> None:
    heard = []

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        heard.append(scope["path"])

    running = serving(waiting)
    with running.connected(GET.replace(b"Connection: close\r\n", b"") * 3):
        time.sleep(0.1)
    wait_until(lambda: heard, "the word of the loss")


def test_a_client_that_does_not_read_its_answer_is_cut_off(serving: Serving) -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"50000000")]})
        try:
            for _ in range(50):
                await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
        finally:
            ended.append(True)

    ended: list[bool] = []
    running = serving(large, request_deadline=SOON)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(running.address)
    connection.sendall(GET)
    with connection:
        wait_until(lambda: ended, "the end of the answer")


def test_many_newcomers_at_once_push_out_as_many_of_the_silent(serving: Serving) -> None:
    running = serving(counting, connections=10)
    silent = [socket.create_connection(running.address, timeout=60) for _ in range(10)]
    time.sleep(0.1)
    good = [socket.create_connection(running.address, timeout=60) for _ in range(10)]
    time.sleep(0.1)
    for connection in good:
        connection.sendall(post(b"abc"))
    said = [running.rest(connection) for connection in (*good, *silent)]
    for connection in (*good, *silent):
        connection.close()
    assert [text[:12] for text in said] == [b"HTTP/1.1 200"] * 10 + [b""] * 10


def test_a_connection_that_was_just_answered_outlives_those_that_were_silent_longer(serving: Serving) -> None:
    running = serving(counting, connections=3, idle=timedelta(seconds=30))
    with running.connected() as kept, running.connected() as silent, running.connected():
        time.sleep(0.1)
        kept.sendall(post(b"abc", close=False))
        one_answer(kept, b"\r\n\r\n3")
        assert status_of(running.say(post(b"new"))) == 200
        kept.sendall(post(b"abcd", close=False))
        one_answer(kept, b"\r\n\r\n4")
        assert running.rest(silent) == b""


def test_the_app_is_told_the_real_peer_whatever_the_headers_say(serving: Serving) -> None:
    async def client(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, "{} {}".format(*scope["client"]).encode())

    running = serving(client)
    with running.connected(GET.replace(b"Host:", b"X-Forwarded-For: 203.0.113.9\r\nHost:")) as connection:
        own = "{} {}".format(*connection.getsockname()).encode()
        assert running.rest(connection).endswith(b"\r\n\r\n" + own)


def test_ipv4_on_a_socket_for_both_families_is_seen_as_ipv4(serving: Serving) -> None:
    async def client(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, scope["client"][0].encode())

    running = serving(client, host="::ffff:127.0.0.1")
    with socket.create_connection(("127.0.0.1", running.address[1]), timeout=60) as connection:
        connection.sendall(GET)
        assert running.rest(connection).endswith(b"\r\n\r\n127.0.0.1")


def test_ipv6_is_served_and_its_url_has_brackets(serving: Serving) -> None:
    running = serving(counting, host="::1")
    assert running.server.url.startswith("http://[::1]:")
    with socket.create_connection(("::1", running.address[1]), timeout=60) as connection:
        connection.sendall(GET)
        assert status_of(running.rest(connection)) == 200


def test_a_client_that_resets_in_the_midst_is_no_news(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    running = serving(counting)
    for text in (b"", b"GET", post(b"abc")[:-1], post(b"abc")):
        with running.connected(text) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert status_of(running.say(GET)) == 200
    assert running.complaints == []
    assert capfd.readouterr() == ("", "")
