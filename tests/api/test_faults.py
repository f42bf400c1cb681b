"""Every fault of the design's table at every method that dials, creates or costs: at most one request, the right exit.

The server counts whole requests. `never left` faults must end with 5 and leave nothing behind, `lost` ones with 6.
"""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError

METHODS = ("outcall", "conference", "ivr", "addAutorule", "callsendai")


def close_at_once(c: Any) -> None:
    c.close()


def reset_at_first_byte(c: Any) -> None:
    c.sock.recv(1, socket.MSG_PEEK)
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
    "reset at the first byte": reset_at_first_byte,
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
    # Where it does not hang there is time for the two tries that must not come.
    timeout = 0.6 if fault.startswith(("hangs", "drips")) else 5
    error = outcome_of(lambda: unsafe[method](client(server, timeout=timeout)))
    assert isinstance(error, OutcomeUnknownError), error
    assert (error.exit_code, error.sent, error.retry_safe) == (6, "maybe", False)
    assert "R-0001" in error.message
    assert server.connections == 1
    assert len(server.requests) <= 1


@pytest.mark.parametrize("method", METHODS)
def test_a_reset_on_accept_is_told_by_whether_it_came_before_the_first_byte(
    method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    server = serve(lambda c: c.reset())
    error = outcome_of(lambda: unsafe[method](client(server)))
    assert (error.exit_code, error.sent) in ((5, "no"), (6, "maybe"))
    assert book.outcomes["R-0001"].exit_code == error.exit_code
    assert server.requests == []


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
