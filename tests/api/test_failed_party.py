"""The message names who failed: the PBX, or the proxy before it."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alovoice_cli.errors import AlovoiceError

PBX = "pbx.example.test"


def says(status: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status)

    return act


def read_then_close(c: Any) -> None:
    c.read()


def read_then_hang(c: Any) -> None:
    c.read()
    c.hang()


def opens_and_closes(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\n\r\n")
    c.sock.recv(1)


def opens_and_speaks_no_tls(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\n\r\n")
    c.sock.recv(1)
    c.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def dead() -> Iterator[str]:
    """A port of this machine that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def error_of(call: Callable[[], object]) -> AlovoiceError:
    with pytest.raises(AlovoiceError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_named_and_not_the_pbx(scheme: str, dead: str, client: Any, unsafe: Any) -> None:
    environ = {f"{scheme}_proxy": f"http://user:hidden@{dead}"}
    pbx = client(f"{scheme}://{PBX}", insecure=True, environ=environ)
    error = error_of(lambda: unsafe["outcall"](pbx))
    assert (error.exit_code, error.message) == (5, f"the proxy http://{dead} refuses connections")


def test_a_proxy_without_an_address_is_named_and_not_the_pbx(client: Any, unsafe: Any) -> None:
    pbx = client(f"https://{PBX}", environ={"HTTPS_PROXY": "http://proxy.invalid:3128"}, timeout=3.0)
    error = error_of(lambda: unsafe["outcall"](pbx))
    # A resolver may take longer to say no than the time that is given here.
    assert error.exit_code == 5
    assert error.message.startswith(
        ("the host name is not known: the proxy http://proxy.invalid:3128", "the proxy http://proxy.invalid:3128")
    )


TUNNEL = {
    "says 502": (says("502 Bad Gateway"), 5, "the proxy {proxy} did not connect to {pbx} (502 Bad Gateway)"),
    "says 403": (says("403 Forbidden"), 5, "the proxy {proxy} did not connect to {pbx} (403 Forbidden)"),
    "says 407": (
        says("407 X"),
        3,
        "the proxy {proxy} asks for a user and a password, or refuses those given (407)",
    ),
    "closes": (read_then_close, 5, "the proxy {proxy} closed the connection without a response"),
    "hangs": (read_then_hang, 5, "the proxy {proxy} sent no complete response within 0.5 s"),
    "the PBX closes": (opens_and_closes, 5, "{pbx} could not be reached"),
    "the PBX speaks no TLS": (opens_and_speaks_no_tls, 5, "{pbx} does not use TLS"),
}


@pytest.mark.parametrize("fault", TUNNEL)
def test_of_a_tunnel_the_end_that_failed_is_named(fault: str, serve: Any, client: Any, unsafe: Any) -> None:
    act, code, words = TUNNEL[fault]
    proxy = serve(act)
    timeout = 0.5 if fault == "hangs" else 5
    pbx = client(f"https://{PBX}", environ={"HTTPS_PROXY": proxy.url}, timeout=timeout)
    error = error_of(lambda: unsafe["outcall"](pbx))
    assert (error.exit_code, error.message) == (code, words.format(proxy=proxy.url, pbx=PBX))


FORWARDED = {
    "says 502": (
        says("502 Bad Gateway"),
        6,
        "{pbx} or the proxy {proxy} answered 502 Bad Gateway: the request may",
    ),
    "says 407": (says("407 X"), 3, "the proxy {proxy} asks for a user and a password"),
    "closes": (read_then_close, 6, "the proxy {proxy} closed the connection without a response: the request may"),
}


@pytest.mark.parametrize("fault", FORWARDED)
def test_a_proxy_that_forwards_is_the_one_that_was_talked_to(fault: str, serve: Any, client: Any, unsafe: Any) -> None:
    act, code, words = FORWARDED[fault]
    proxy = serve(act)
    error = error_of(
        lambda: unsafe["outcall"](client(f"http://{PBX}", insecure=True, environ={"http_proxy": proxy.url}))
    )
    assert error.exit_code == code
    assert error.message.startswith(words.format(proxy=proxy.url, pbx=PBX))


@pytest.mark.parametrize("method", ["outcall", "conference", "ivr", "addAutorule", "callsendai"])
def test_a_407_of_the_pbx_is_no_proxys(method: str, serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    server = serve(says("407 Proxy Authentication Required"))
    error = error_of(lambda: unsafe[method](client(server)))
    assert (error.exit_code, error.sent, error.status) == (1, "yes", 407)
    assert error.message == f"localhost:{server.port} itself answered 407, which only a proxy may answer"
    assert "PROXY" not in error.hint
    assert book.outcomes["R-0001"].state == "refused"


def test_a_407_that_came_through_a_tunnel_is_no_proxys(
    serve: Any, client: Any, unsafe: Any, tls: Any, certificate: Any
) -> None:
    def tunnel(c: Any) -> None:
        c.read()
        c.write(b"HTTP/1.1 200 OK\r\n\r\n")
        c.sock = tls.wrap_socket(c.sock, server_side=True)
        c._file = c.sock.makefile("rb")
        c.read()
        c.answer("407 X")

    environ = {"HTTPS_PROXY": serve(tunnel).url, "SSL_CERT_FILE": str(certificate)}
    # The name resolves nowhere but in the proxy; the certificate is for it.
    error = error_of(lambda: unsafe["outcall"](client("https://localhost:9", environ=environ)))
    assert (error.exit_code, error.message) == (1, "localhost:9 itself answered 407, which only a proxy may answer")
