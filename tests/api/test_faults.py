"""Every fault of the design's table at every method that dials, creates or costs: at most one request, the right exit.

The server counts whole requests. `never left` faults must end with 5 and leave nothing behind, `lost` ones with 6.
"""

import selectors
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError

METHODS = ("outcall", "conference", "ivr", "addAutorule", "callsendai")


def close_at_once(c: Any) -> None:
    c.close()


def reset_at_once(c: Any) -> None:
    c.reset()


def read_then_close(c: Any) -> None:
    c.read()


def read_then_reset(c: Any) -> None:
    c.read()
    c.reset()


def hang_unread(c: Any) -> None:
    c.hang()


def read_then_hang(c: Any) -> None:
    c.read()
    c.hang()


def drip_headers(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not c.server.stopped.wait(0.05):
        c.write(b"x")


def drip_body(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not c.server.stopped.wait(0.05):
        c.write(b"x")


def cut_body(c: Any) -> None:
    c.read()
    c.write(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"id": 17, ')


def bad_gzip(c: Any) -> None:
    c.read()
    c.answer("200 OK", b"no gzip at all", "Content-Encoding: gzip")


def no_http(c: Any) -> None:
    c.read()
    c.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def says(status: str, body: bytes = b"", *headers: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body, *headers)

    return act


LOST: dict[str, Callable[[Any], None]] = {
    "closed at once": close_at_once,
    "reset at once": reset_at_once,
    "closed after reading": read_then_close,
    "reset after reading": read_then_reset,
    "hangs unread": hang_unread,
    "hangs after reading": read_then_hang,
    "drips headers": drip_headers,
    "drips the body": drip_body,
    "cut body": cut_body,
    "bad gzip": bad_gzip,
    "no HTTP": no_http,
    **{str(code): says(f"{code} X") for code in (408, 425, 500, 502, 503, 504)},
}
TOLD: dict[str, tuple[Callable[[Any], None], int]] = {
    **{str(code): (says(f"{code} X", b'{"e":1}', "Location: https://evil.test/x"), 7) for code in (301, 302, 307, 308)},
    **{str(code): (says(f"{code} X"), 1) for code in (400, 409, 413, 415, 422)},
    "401": (says("401 X"), 3),
    "403": (says("403 X"), 3),
    "404": (says("404 X"), 4),
    "429": (says("429 X", b"", "Retry-After: 1"), 7),
    "says false": (says("200 OK", b"false"), 1),
    "an error object": (says("200 OK", b'{"error": "no money"}'), 1),
}


def outcome_of(call: Callable[[], object]) -> AlovoiceError:
    with pytest.raises(AlovoiceError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_never_redialled(fault: str, method: str, serve: Any, client: Any, unsafe: Any) -> None:
    server = serve(LOST[fault])
    error = outcome_of(lambda: unsafe[method](client(server, timeout=0.3)))
    assert isinstance(error, OutcomeUnknownError), error
    assert (error.exit_code, error.sent, error.retry_safe) == (6, "maybe", False)
    assert "R-0001" in error.message
    assert server.connections == 1
    assert len(server.requests) <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", TOLD)
def test_a_clear_no_is_told_as_such_after_one_request(
    fault: str, method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    act, code = TOLD[fault]
    server = serve(act)
    error = outcome_of(lambda: unsafe[method](client(server)))
    assert error.exit_code == code, error
    assert (error.sent, error.retry_safe) == ("yes", True)
    assert len(server.requests) == server.connections == 1
    assert book.outcomes["R-0001"].state == "refused"


@pytest.mark.parametrize(
    ("method", "code"), [("outcall", 6), ("conference", 0), ("ivr", 0), ("addAutorule", 6), ("callsendai", 6)]
)
def test_a_text_that_means_nothing_is_an_answer_to_requestcall_alone(
    method: str, code: int, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    server = serve(says("200 OK", b"<html>welcome</html>"))
    if code:
        assert outcome_of(lambda: unsafe[method](client(server))).exit_code == code
    else:
        assert unsafe[method](client(server)) == "<html>welcome</html>"
    assert len(server.requests) == 1
    assert book.outcomes["R-0001"].exit_code == code
    assert book.outcomes["R-0001"].answer == "<html>welcome</html>"


def test_the_body_that_came_before_the_cut_is_shown(serve: Any, client: Any, unsafe: Any) -> None:
    error = outcome_of(lambda: unsafe["addAutorule"](client(serve(cut_body))))
    assert '{"id": 17,' in error.detail


# --- what never left -------------------------------------------------------------------------------------------------


def check_never_left(client: Any, unsafe: Any, book: Any, method: str, code: int = 5, **options: Any) -> None:
    where = options.pop("where")
    error = outcome_of(lambda: unsafe[method](client(where, **options)))
    assert (error.exit_code, error.sent, error.retry_safe) == (code, "no", True), error
    assert book.outcomes["R-0001"].state == "unsent"


@pytest.mark.parametrize("method", METHODS)
def test_a_refused_connection_is_tried_three_times_and_ends_with_5(
    method: str, client: Any, unsafe: Any, book: Any
) -> None:
    pauses: list[float] = []
    with socket.socket() as taken:  # bound, not listening: refuses
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        check_never_left(client, unsafe, book, method, where=url, sleep=pauses.append)
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize("method", METHODS)
def test_a_name_without_address_ends_with_5(method: str, client: Any, unsafe: Any, book: Any) -> None:
    check_never_left(client, unsafe, book, method, where="http://pbx.invalid", insecure=True, timeout=2.0)


def test_a_server_that_takes_no_connection_ends_with_5_by_the_deadline(client: Any, unsafe: Any, book: Any) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        started = time.monotonic()
        check_never_left(client, unsafe, book, "outcall", where=url, timeout=0.4)
        assert time.monotonic() - started < 1.5
        for filler in fillers:
            filler.close()


def tls_hang(c: Any) -> None:
    c.hang()


@pytest.mark.parametrize("act", [close_at_once, reset_at_once, tls_hang])
@pytest.mark.parametrize("method", METHODS)
def test_trouble_in_the_handshake_ends_with_5(
    method: str, act: Any, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    server = serve(act)
    check_never_left(client, unsafe, book, method, where=server.url.replace("http:", "https:"), timeout=0.4 if act is tls_hang else 5)
    assert server.connections == (1 if act is tls_hang else 3)


@pytest.mark.parametrize("method", METHODS)
def test_a_certificate_that_nobody_vouches_for_is_not_tried_again(
    method: str, serve: Any, client: Any, unsafe: Any, book: Any, tls: ssl.SSLContext
) -> None:
    server = serve(says("200 OK", b"true"), context=tls)
    check_never_left(client, unsafe, book, method, where=server)
    assert server.connections == 1
    assert server.requests == []


def test_a_certificate_of_another_name_is_not_trusted(
    serve: Any, client: Any, unsafe: Any, book: Any, tls: ssl.SSLContext, certificate: Path
) -> None:
    server = serve(says("200 OK", b"true"), context=tls)
    url = f"https://a.localhost:{server.port}"
    check_never_left(client, unsafe, book, "outcall", where=url, environ={"SSL_CERT_FILE": str(certificate)})
    assert server.requests == []


def test_an_authority_of_ones_own_is_trusted_by_ssl_cert_file(
    serve: Any, client: Any, unsafe: Any, tls: ssl.SSLContext, certificate: Path
) -> None:
    server = serve(says("200 OK", b"true"), context=tls)
    assert unsafe["outcall"](client(server, environ={"SSL_CERT_FILE": str(certificate)})) is True


def test_a_server_that_speaks_no_tls_is_not_tried_again(serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    def plain(c: Any) -> None:
        c.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = serve(plain)
    check_never_left(client, unsafe, book, "outcall", where=server.url.replace("http:", "https:"))
    assert server.connections == 1


PROXY = {
    "refuses": (says("502 Bad Gateway"), 5, 3),
    "wants a password": (says("407 Proxy Authentication Required"), 3, 1),
    "dies": (read_then_close, 5, 3),
    "resets": (read_then_reset, 5, 3),
    "hangs": (read_then_hang, 5, 1),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", PROXY)
def test_a_proxy_that_opens_no_way_is_no_lost_answer(
    fault: str, method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    act, code, tries = PROXY[fault]
    proxy = serve(act)
    environ = {"HTTPS_PROXY": f"http://localhost:{proxy.port}"}
    timeout = 0.4 if fault == "hangs" else 5
    check_never_left(
        client, unsafe, book, method, code, where="https://pbx.example.test", environ=environ, timeout=timeout
    )
    assert {seen.method for seen in proxy.requests} == {"CONNECT"}
    assert len(proxy.requests) == tries


def test_a_second_try_that_gets_through_is_the_only_request(serve: Any, client: Any, tls: Any, certificate: Any) -> None:
    def tunnel(c: Any) -> None:
        c.read()
        c.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as upstream:
            pump(c.sock, upstream)

    server = serve(says("200 OK", b"true"), context=tls)
    proxy = serve(read_then_close, read_then_reset, tunnel)
    environ = {"HTTPS_PROXY": f"localhost:{proxy.port}", "SSL_CERT_FILE": str(certificate)}
    assert client(server, environ=environ).call.out(inner_phone=2424, number="+998994412860") is True
    assert len(server.requests) == 1
    assert proxy.connections == 3


def pump(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)  # type: ignore[union-attr] # sockets, registered above
                if not data:
                    return
                key.data.sendall(data)
