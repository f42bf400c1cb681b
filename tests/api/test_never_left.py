"""Faults before the request left end with 5 (3 for a proxy's password), after the tries that are safe."""

import selectors
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waiting import ends_soon

from alovoice_cli.errors import AlovoiceError

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


def read_then_hang(c: Any) -> None:
    c.read()
    c.hang()


def says(status: str, body: bytes = b"", *headers: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body, *headers)

    return act


def outcome_of(call: Callable[[], object]) -> AlovoiceError:
    with pytest.raises(AlovoiceError) as caught:
        call()
    return caught.value


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
        with ends_soon("the connection"):
            check_never_left(client, unsafe, book, "outcall", where=url, timeout=0.4)
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
    check_never_left(
        client, unsafe, book, method, where=server.url.replace("http:", "https:"), timeout=0.4 if act is tls_hang else 5
    )
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
    timeout = 1 if fault == "hangs" else 5
    check_never_left(
        client, unsafe, book, method, code, where="https://pbx.example.test", environ=environ, timeout=timeout
    )
    proxy.stop()  # what still was on its way has arrived by now
    assert {seen.method for seen in proxy.requests} == {"CONNECT"}
    assert len(proxy.requests) == tries


def test_a_second_try_that_gets_through_is_the_only_request(
    serve: Any, client: Any, tls: Any, certificate: Any
) -> None:
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


FORWARDING = {
    "answers": (says("200 OK", b"true"), 0, "done"),
    "wants a password": (says("407 X"), 3, "unsent"),
    "loses the answer": (read_then_close, 6, "unknown"),
    "cannot reach the PBX": (says("502 X"), 6, "unknown"),
}


@pytest.mark.parametrize("fault", FORWARDING)
def test_a_proxy_that_forwards_plain_http_has_the_whole_request(
    fault: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    act, code, state = FORWARDING[fault]
    proxy = serve(act)
    pbx = client("http://pbx.example.test", insecure=True, environ={"http_proxy": proxy.url})
    if code:
        assert outcome_of(lambda: unsafe["outcall"](pbx)).exit_code == code
    else:
        assert unsafe["outcall"](pbx) is True
    assert len(proxy.requests) == 1
    assert proxy.requests[0].target.startswith("http://pbx.example.test/outcall/")
    assert book.outcomes["R-0001"].state == state
