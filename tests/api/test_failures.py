"""Each status and each body becomes one error, with the code, the words and the advice that fit it."""

from typing import Any

import pytest
from failure_cases import NOT_DONE, PROXY, TOKEN, a_case, facts, told

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
from alovoice_cli.api.failures import from_status, login_words, refusal, unknown, unreadable
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import Request
from alovoice_cli.errors import AlovoiceError, RateLimitedError

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
