"""Each status, body and lost exchange becomes one error, with the code, the words and the advice that fit it."""

import ssl
from socket import gaierror
from typing import Any

import httpx
import pytest

from alovoice_cli.api.address import parse_address
from alovoice_cli.api.deadline import AnswerTooLongError, Lost
from alovoice_cli.api.endpoints import (
    ADD_AUTORULE,
    CALLSENDAI,
    GET_AUTORULE,
    GET_MY_TRUNKS,
    GETPEERS,
    OUTCALL,
    REQUESTCALL,
    Endpoint,
    match,
)
from alovoice_cli.api.failures import (
    FailureCase,
    certificate_fault,
    chain,
    from_loss,
    from_status,
    hopeless,
    in_words,
    login_words,
    refusal,
    unknown,
    unreadable,
    wants_proxy_password,
)
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import FileShrankError, Request
from alovoice_cli.errors import AlovoiceError, RateLimitedError
from alovoice_cli.masking import Masker

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
PROXY = "http://p.uz:3128"
NOT_DONE = "nothing was done on the PBX: running it again is safe"


def a_case(endpoint: Endpoint = GET_MY_TRUNKS, *, url: str = "https://pbx.uz:8443", **changes: Any) -> FailureCase:
    request = Request(endpoint, changes.pop("path", endpoint.path), our_id=changes.pop("our_id", ""))
    return FailureCase(parse_address(url, insecure=True), request, Masker([TOKEN]), 2.5)._replace(**changes)


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


def told(error: BaseException | None) -> tuple[int, str, str]:
    """Returns an error's exit code, message and hint."""
    assert isinstance(error, AlovoiceError)
    return error.exit_code, error.message, error.hint


def facts(error: BaseException | None) -> tuple[str, int | None, str]:
    """Returns whether the request was sent, the status and the detail of an error."""
    assert isinstance(error, AlovoiceError)
    return error.sent, error.status, error.detail


# --- a lost exchange -------------------------------------------------------------------------------------------------


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


# --- a status --------------------------------------------------------------------------------------------------------


def a_reply(status: int, body: bytes = b'{"e": 1}', reason: str = "Why\x1b", **headers: str) -> Reply:
    return Reply(status, reason, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


SHOWN = '{"e": 1}'
STATUS_HINT = "check the base URL with `alovoice status`"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_2xx_is_no_error(status: int) -> None:
    assert from_status(a_case(OUTCALL), a_reply(status)) is None


@pytest.mark.parametrize("endpoint", [OUTCALL, GET_AUTORULE])
@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (
            401,
            3,
            "the PBX refused the token (401)",
            "run `alovoice login`; if ALOVOICE_TOKEN is set, it is the one that was refused",
        ),
        (
            403,
            3,
            "the PBX refused the token (403)",
            "run `alovoice login`; if ALOVOICE_TOKEN is set, it is the one that was refused",
        ),
        (400, 1, "the PBX refused the request (400)", NOT_DONE),
        (402, 1, "the PBX refused the request (402)", NOT_DONE),
        (405, 1, "the PBX refused the request (405)", NOT_DONE),
        (
            407,
            1,
            "pbx.uz:8443 itself answered 407, which only a proxy may answer",
            f"{STATUS_HINT}; {NOT_DONE}",
        ),
        (413, 1, "the upload is too large for the server (413)", NOT_DONE),
        (414, 1, "the PBX refused the request (414)", NOT_DONE),
        (429, 7, "too many requests: the PBX asks to wait (429)", "wait a moment, then run it again"),
        (499, 1, "the PBX refused the request (499)", NOT_DONE),
    ],
)
def test_a_4xx_is_a_clear_no(endpoint: Endpoint, status: int, code: int, message: str, hint: str) -> None:
    error = from_status(a_case(endpoint), a_reply(status))
    assert (told(error), facts(error)) == ((code, message, hint), ("yes", status, SHOWN))


@pytest.mark.parametrize(
    ("endpoint", "hint"),
    [
        (GET_AUTORULE, "check the id and the base URL"),
        (GETPEERS, "check the id and the base URL; a wrong token can have this effect too: see `alovoice status`"),
    ],
)
def test_a_404_may_come_of_a_wrong_token_where_the_path_holds_it(endpoint: Endpoint, hint: str) -> None:
    error = from_status(a_case(endpoint), a_reply(404))
    expected = (4, "the PBX has nothing at this address (404)", hint)
    assert (told(error), facts(error)) == (expected, ("yes", 404, SHOWN))


@pytest.mark.parametrize("status", [408, 425, 500, 502, 599, 600])
def test_a_status_that_leaves_it_open_is_unknown_for_a_dial_and_a_fault_for_a_read(status: int) -> None:
    error = from_status(a_case(OUTCALL), a_reply(status))
    assert told(error)[:2] == (6, f"pbx.uz:8443 answered {status} Why^[: the request may have been carried out")
    assert facts(error) == ("maybe", status, SHOWN)
    error = from_status(a_case(), a_reply(status, reason=""))
    assert told(error) == (7, f"pbx.uz:8443 answered {status}", "wait a moment, then run it again")
    assert facts(error) == ("yes", status, SHOWN)


def test_behind_a_proxy_that_reads_the_request_the_proxy_may_have_answered() -> None:
    case = a_case(OUTCALL, url="http://pbx.uz", proxy=PROXY)
    assert told(from_status(case, a_reply(502)))[1].startswith(f"pbx.uz or the proxy {PROXY} answered 502 Why^[: ")
    assert told(from_status(case, a_reply(407)))[0] == 3
    assert told(from_status(case, a_reply(408)))[0] == 6
    assert told(from_status(case, a_reply(400)))[1] == "the PBX refused the request (400)"
    for alone in (a_case(OUTCALL, proxy=PROXY), a_case(OUTCALL, url="http://pbx.uz:8443")):  # a tunnel, or no proxy
        assert told(from_status(alone, a_reply(502)))[1].startswith("pbx.uz:8443 answered 502 Why^[: ")
        assert told(from_status(alone, a_reply(407)))[0] == 1


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://other.uz/a?token=1", "other.uz"),
        ("/login", "pbx.uz"),
        ("", "pbx.uz"),
        (f"https://{TOKEN}.evil.uz/", "••••a022.evil.uz"),
        ("https://[", "an unreadable address"),
    ],
)
def test_a_redirect_is_named_and_not_followed(location: str, target: str) -> None:
    for status in (301, 399):
        error = from_status(a_case(OUTCALL), a_reply(status, Location=location))
        message = f"pbx.uz:8443 redirects to {target}: not followed, to protect the token"
        assert (told(error), facts(error)) == ((7, message, STATUS_HINT), ("yes", status, ""))


@pytest.mark.parametrize(("asked", "seconds", "hint"), [("3", 3.0, "wait 3 s"), ("", None, "wait a moment")])
def test_a_429_says_how_long_to_wait(asked: str, seconds: float | None, hint: str) -> None:
    error = from_status(a_case(OUTCALL), a_reply(429, Retry_After=asked))
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.hint) == (seconds, f"{hint}, then run it again")


def test_a_413_names_the_size_of_an_upload() -> None:
    error = from_status(a_case(ADD_AUTORULE, size=3_500_000), a_reply(413))
    assert told(error) == (1, "the upload of 3.5 MB is too large for the server (413)", NOT_DONE)


@pytest.mark.parametrize(
    ("profile", "words"),
    [("", "alovoice login"), ("default", "alovoice login"), ("office", "alovoice login -p office")],
)
def test_the_login_is_that_of_the_profile(profile: str, words: str) -> None:
    assert login_words(profile) == words
    assert f"run `{words}`;" in told(from_status(a_case(profile=profile), a_reply(403)))[2]


def test_the_ledger_keeps_more_of_a_body_than_is_shown() -> None:
    body = f"{TOKEN} {'x' * 5000}".encode()
    assert (len(a_case().detail(body)), len(a_case().for_ledger(body))) == (300, 4096)
    assert a_case().for_ledger(body).startswith("••••a022 x")


# --- a body ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"false",
        b" False\n",
        b'"FALSE"',
        b'{"error": "no money"}',
        b'{"result": false, "error": null}',
        b'{"success": false}',
        b'{"ok": false}',
    ],
)
@pytest.mark.parametrize("endpoint", [OUTCALL, REQUESTCALL, CALLSENDAI, GET_MY_TRUNKS])
def test_a_2xx_may_refuse(endpoint: Endpoint, body: bytes) -> None:
    error = refusal(a_case(endpoint), a_reply(200, body))
    message, hint = "the PBX understood the request and refused it", NOT_DONE
    if endpoint == OUTCALL:
        message = "the PBX refused the call"
        hint = f"does the extension exist, and is it on? See `alovoice peers`; {NOT_DONE}"
    assert told(error) == (1, message, hint)
    sent, status, detail = facts(error)
    assert (sent, status, detail) == ("yes", 200, a_case().detail(body))


@pytest.mark.parametrize(
    "body",
    [b"true", b"", b"0", b"null", b"[false]", b"no", b"\xff", b'{"ok": true}', b'{"ok": null}', b'{"error": ""}'],
)
@pytest.mark.parametrize("endpoint", [OUTCALL, CALLSENDAI, GET_MY_TRUNKS])
def test_any_other_body_of_a_2xx_refuses_nothing(endpoint: Endpoint, body: bytes) -> None:
    assert refusal(a_case(endpoint), a_reply(200, body)) is None


@pytest.mark.parametrize(
    ("endpoint", "body", "refused"),
    [
        (CALLSENDAI, b'{"answer": false}', True),
        (CALLSENDAI, b'{"answer": {"aicallid": "1"}}', False),
        (CALLSENDAI, b'{"answer": true}', False),
        (CALLSENDAI, b'{"id": 1}', False),
        (REQUESTCALL, b'{"answer": false}', False),
    ],
)
def test_an_analysis_that_was_not_started_is_refused(endpoint: Endpoint, body: bytes, refused: bool) -> None:
    assert (refusal(a_case(endpoint), a_reply(200, body)) is not None) is refused


def test_a_body_that_differs_from_the_document_is_unknown_for_a_dial_and_a_fault_for_a_read() -> None:
    error: AlovoiceError = unreadable(a_case(OUTCALL), a_reply(200), "no sense")
    assert told(error)[:2] == (6, "no sense: the request may have been carried out")
    assert facts(error) == ("maybe", 200, SHOWN)
    error = unreadable(a_case(), a_reply(200), "no sense")
    assert (told(error), facts(error)) == ((7, "pbx.uz:8443: no sense", STATUS_HINT), ("yes", 200, SHOWN))


# --- how to find out -------------------------------------------------------------------------------------------------


def how(endpoint: Endpoint, receipt: str = "", **changes: Any) -> str:
    summary = changes.pop("summary", {})
    case = a_case(endpoint, receipt=receipt, **changes)
    request = Request(case.request.endpoint, case.request.path, our_id=case.request.our_id, summary=summary)
    return unknown(case._replace(request=request), "lost", b"", None).hint.removeprefix(
        "check before you run it again: "
    )


def test_an_unknown_outcome_names_its_receipt() -> None:
    error = unknown(a_case(OUTCALL, receipt="R-7F3K"), "lost", b"", None)
    assert error.message == "lost: the request may have been carried out (receipt R-7F3K)"


def test_a_call_shows_in_the_events_and_in_the_list_of_calls() -> None:
    listed = "the list of calls in the web console shows whether it rang"
    for endpoint in (OUTCALL, REQUESTCALL):
        assert how(endpoint) == listed
        assert how(endpoint, "R-7F3K", our_id="17\x1b") == (
            f"`alovoice call resolve R-7F3K` looks for the call in the events, {listed} (our id 17^[)"
        )


@pytest.mark.parametrize(
    ("path", "our_id", "call_id"),
    [
        ("/callsendai/{token}/a%20b?x=/y?z", "", "a b"),
        ("/callsendai/{token}/1", "17.5", "17.5"),
        ("/callsendai/{token}/a%1b", "", "a^["),
    ],
)
def test_an_analysis_shows_by_the_id_of_its_call(path: str, our_id: str, call_id: str) -> None:
    shown = how(CALLSENDAI, "R-7F3K", path=path, our_id=our_id)
    assert shown == f"`alovoice ai result {call_id}` (an aicallid means that it ran)"


def test_a_campaign_and_anything_else_shows_in_the_web_console() -> None:
    get = "then `alovoice autorule get ID`"
    assert how(ADD_AUTORULE) == f"the web console shows whether the campaign exists; {get}"
    assert how(ADD_AUTORULE, "R-7F3K", summary={"name": "May\x1b"}) == (
        "`alovoice call receipts show R-7F3K` shows what was sent,"
        f" the web console shows whether the campaign May^[ exists; {get}"
    )
    other = match("POST", "/new/thing").endpoint
    assert how(other, summary={"name": "May"}) == "the web console shows what became of it"
