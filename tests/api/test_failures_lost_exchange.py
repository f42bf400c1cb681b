"""Each lost exchange becomes one error, with the code, the words and the advice that fit it."""

import ssl
from socket import gaierror
from typing import Any

import httpx
import pytest
from failure_cases import NOT_DONE, PROXY, TOKEN, a_case, facts, told

from alovoice_cli.api.deadline import AnswerTooLongError, Lost
from alovoice_cli.api.endpoints import GET_MY_TRUNKS, OUTCALL, Endpoint
from alovoice_cli.api.failures import certificate_fault, chain, from_loss, hopeless, in_words, wants_proxy_password
from alovoice_cli.api.request import FileShrankError


def a_loss(cause: BaseException | None, **changes: Any) -> Lost:
    facts: dict[str, Any] = {"left": True, "status": None, "arrived": b"", **changes}
    return Lost(cause, **facts)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def tls_error(reason: str | None, kind: type[ssl.SSLError] = ssl.SSLError, verify: str | None = None) -> ssl.SSLError:
    """An error as the TLS library makes it; Python code cannot make it whole."""
    error = kind(1, "[SSL] what the library says")
    error.reason = reason  # type: ignore[assignment] # None for some
    if verify is not None:
        error.verify_message = verify  # type: ignore[attr-defined] # only a certificate's error has it
    return error


def connect(cause: BaseException) -> BaseException:
    return caused(httpx.ConnectError("no connection"), cause)


WORDS: list[tuple[BaseException | None, dict[str, Any], str]] = [
    (httpx.ProxyError("502 \x1b"), {"proxy": PROXY}, f"the proxy {PROXY} did not connect to pbx.uz (502 ^[)"),
    (httpx.ConnectTimeout("x"), {}, "pbx.uz could not be reached in time"),
    (None, {"expired": True}, "pbx.uz sent no complete response within 2.5 s"),
    (httpx.ReadTimeout("x"), {}, "pbx.uz sent no complete response within 2.5 s"),
    (httpx.WriteTimeout("x"), {}, "pbx.uz sent no complete response within 2.5 s"),
    (connect(gaierror(-2, "x")), {}, "the host name is not known: pbx.uz"),
    (connect(ConnectionRefusedError(111, "x")), {"proxy": PROXY}, f"the proxy {PROXY} refuses connections"),
    (AnswerTooLongError(), {"proxy": PROXY, "status": 200}, "the response of pbx.uz is too large"),
    (FileShrankError("x.mp3"), {}, "the upload was cut: the file x.mp3 became shorter while it was sent"),
    (
        httpx.DecodingError("cut\x1b"),
        {"status": 200},
        "the response of pbx.uz is incomplete or damaged (cut^[)",
    ),
    (httpx.RemoteProtocolError("x"), {"status": 200}, "the response of pbx.uz is incomplete or damaged"),
    (httpx.ConnectError("x"), {}, "pbx.uz could not be reached"),
    (httpx.RemoteProtocolError("x"), {}, "pbx.uz closed the connection without a response"),
]


@pytest.mark.parametrize(("cause", "changes", "words"), WORDS)
def test_a_loss_says_who_failed_and_how(cause: BaseException | None, changes: dict[str, Any], words: str) -> None:
    assert in_words(a_loss(cause, **changes), "pbx.uz", 2.5) == words


def test_the_causes_of_an_error_end_also_where_they_go_in_a_circle() -> None:
    one, two, three = RuntimeError("one"), RuntimeError("two"), RuntimeError("three")
    one.__cause__, two.__context__, three.__context__ = two, three, one
    assert list(chain(one)) == [one, two, three]
    assert list(chain(None)) == []


DISTRUSTED = tls_error("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError, "self-signed certificate")


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        (connect(DISTRUSTED), DISTRUSTED),
        (connect(caused(RuntimeError("between"), DISTRUSTED)), DISTRUSTED),
        (connect(ssl.SSLEOFError(8, "cut in the handshake")), None),
        (connect(ConnectionRefusedError(111, "x")), None),
        (caused(httpx.ReadError("after the handshake"), DISTRUSTED), None),
    ],
)
def test_only_a_certificate_or_a_server_without_tls_is_a_fault_that_stays(
    cause: BaseException, fault: ssl.SSLError | None
) -> None:
    assert certificate_fault(a_loss(cause, left=False)) is fault


@pytest.mark.parametrize(
    ("cause", "asked"),
    [(httpx.ProxyError("407 X"), True), (httpx.ProxyError("502 X"), False), (httpx.ReadError("407 X"), False)],
)
def test_only_a_407_of_a_proxy_asks_for_a_password(cause: BaseException, asked: bool) -> None:
    assert wants_proxy_password(a_loss(cause, left=False)) is asked


@pytest.mark.parametrize(
    ("cause", "changes", "expected"),
    [
        (httpx.ReadError("x"), {}, False),
        (ConnectionResetError(104, "x"), {}, False),
        (httpx.ReadError("x"), {"expired": True}, True),
        (None, {"expired": True}, True),
        (RuntimeError("a bug"), {}, True),
        (httpx.PoolTimeout("x"), {}, True),
        (httpx.LocalProtocolError("x"), {}, True),
        (FileShrankError("x"), {}, True),
        (AnswerTooLongError(), {}, True),
        (httpx.ProxyError("407 X"), {}, True),
        (httpx.ProxyError("502 X"), {}, False),
        (connect(DISTRUSTED), {}, True),
    ],
)
def test_another_try_is_hopeless_where_it_would_end_in_the_same_way(
    cause: BaseException | None, changes: dict[str, Any], expected: bool
) -> None:
    assert hopeless(a_loss(cause, **changes)) is expected


@pytest.mark.parametrize(("endpoint", "left"), [(OUTCALL, False), (GET_MY_TRUNKS, False), (GET_MY_TRUNKS, True)])
def test_a_request_that_cannot_be_written_is_a_wrong_word(endpoint: Endpoint, left: bool) -> None:
    error = from_loss(a_case(endpoint), a_loss(httpx.LocalProtocolError(f"bad {TOKEN}"), left=left))
    assert told(error) == (2, "the request cannot be sent as it is", "")
    assert facts(error) == ("no", None, "bad ••••a022")


def test_a_dial_that_may_have_left_is_unknown_whatever_broke() -> None:
    for cause in (httpx.LocalProtocolError("x"), httpx.ReadError("x"), RuntimeError("a bug"), None):
        lost = a_loss(cause, arrived=b'{"id": 17', status=200)
        assert facts(from_loss(a_case(OUTCALL), lost)) == ("maybe", 200, '{"id": 17')
    assert told(from_loss(a_case(OUTCALL), a_loss(httpx.ReadError("x")))) == (
        6,
        "pbx.uz:8443 closed the connection without a response: the request may have been carried out",
        "check before you run it again: the list of calls in the web console shows whether it rang",
    )


def test_a_read_without_a_whole_answer_is_a_fault_of_the_server_or_of_the_way() -> None:
    cut = httpx.RemoteProtocolError("x")
    error = from_loss(a_case(), a_loss(cut, status=200, arrived=b"[1"))
    assert told(error) == (7, "the response of pbx.uz:8443 is incomplete or damaged", "")
    assert facts(error) == ("yes", 200, "[1")
    late = "pbx.uz:8443 sent no complete response within 2.5 s"
    again = "run it again; `--timeout` allows more time"
    for lost in (a_loss(None, status=200, expired=True), a_loss(None, expired=True)):
        error = from_loss(a_case(), lost)
        assert (told(error), facts(error)) == ((5, late, again), ("maybe", None, ""))
    assert told(from_loss(a_case(), a_loss(cut)))[:2] == (5, "pbx.uz:8443 closed the connection without a response")


TRUST = "check the clock of this computer; for a certificate authority of your own set SSL_CERT_FILE"


@pytest.mark.parametrize("endpoint", [OUTCALL, GET_MY_TRUNKS])
@pytest.mark.parametrize(
    ("cause", "changes", "message", "hint"),
    [
        (
            connect(DISTRUSTED),
            {},
            "the certificate of pbx.uz:8443 is not trusted: self-signed certificate",
            TRUST,
        ),
        (
            connect(tls_error("UNKNOWN\x1b")),
            {"proxy": PROXY},
            f"the certificate of the proxy {PROXY} is not trusted: UNKNOWN^[",
            TRUST,
        ),
        (
            connect(tls_error(None)),
            {},
            "the certificate of pbx.uz:8443 is not trusted: [SSL] what the library says",
            TRUST,
        ),
        (
            connect(tls_error("WRONG_VERSION_NUMBER")),
            {},
            "pbx.uz:8443 does not use TLS",
            "check the scheme and the port of its URL",
        ),
        (ConnectionResetError(104, "x"), {}, "pbx.uz:8443 closed the connection without a response", NOT_DONE),
        (httpx.ConnectError("x"), {}, "pbx.uz:8443 could not be reached", NOT_DONE),
        (None, {"expired": True}, "pbx.uz:8443 sent no complete response within 2.5 s", NOT_DONE),
        (RuntimeError("x"), {"expired": True}, "pbx.uz:8443 sent no complete response within 2.5 s", NOT_DONE),
    ],
)
def test_what_never_left_did_nothing(
    endpoint: Endpoint, cause: BaseException | None, changes: dict[str, Any], message: str, hint: str
) -> None:
    error = from_loss(a_case(endpoint), a_loss(cause, left=False, **changes))
    assert (told(error), facts(error)) == ((5, message, hint), ("no", None, ""))


@pytest.mark.parametrize("endpoint", [OUTCALL, GET_MY_TRUNKS])
def test_a_bug_before_the_first_byte_is_not_renamed(endpoint: Endpoint) -> None:
    bug = RuntimeError("a bug")
    assert from_loss(a_case(endpoint), a_loss(bug, left=False)) is bug


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_says_where_to_write_it(scheme: str) -> None:
    case = a_case(OUTCALL, url=f"{scheme}://pbx.uz", proxy=PROXY)
    expected = (
        3,
        f"the proxy {PROXY} asks for a user and a password, or refuses those given (407)",
        f"write them in {scheme.upper()}_PROXY as http://USER:PASSWORD@HOST:PORT",
    )
    error = from_loss(case, a_loss(httpx.ProxyError("407 X"), left=False, proxy=PROXY))
    assert (told(error), facts(error)) == (expected, ("no", 407, ""))
