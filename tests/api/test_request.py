"""Endpoints, paths, tokens and numbers: what may stand where in a request."""

from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api import endpoints as table
from alovoice_cli.api.endpoints import ENDPOINTS, Effect, TokenPlace, match
from alovoice_cli.api.request import (
    Request,
    check_token,
    number_or_text,
    segment,
    typed_path,
)
from alovoice_cli.errors import UsageError

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


def test_only_the_documented_methods_read_and_the_analysis_is_not_one_of_them() -> None:
    reads = {endpoint.name for endpoint in ENDPOINTS if endpoint.reads}
    assert reads == {"getAutorule", "getMyTrunks", "getpeers", "callgetaireresult", "stereo"}
    assert table.CALLSENDAI.method == "GET"
    assert table.CALLSENDAI.effect is Effect.COSTS


@pytest.mark.parametrize(
    ("method", "path", "name", "full"),
    [
        ("GET", "/mapi/getMyTrunks", "getMyTrunks", "/mapi/getMyTrunks"),
        ("get", "/mapi/getMyTrunks?x=1", "getMyTrunks", "/mapi/getMyTrunks?x=1"),
        ("GET", "/mapi/getAutorule/40", "getAutorule", "/mapi/getAutorule/40"),
        ("GET", "/getpeers", "getpeers", "/getpeers/{token}"),
        ("GET", "/getpeers/{token}", "getpeers", "/getpeers/{token}"),
        ("POST", "/outcall", "outcall", "/outcall/{token}"),
        ("GET", "/callsendai/{token}/17.5", "callsendai", "/callsendai/{token}/17.5"),
        ("GET", "/callgetaireresult/17?a=b", "callgetaireresult", "/callgetaireresult/{token}/17?a=b"),
        ("GET", "/stereo/17", "stereo", "/stereo/17"),
    ],
)
def test_a_typed_path_is_recognised(method: str, path: str, name: str, full: str) -> None:
    found = match(method, path)
    assert (found.endpoint.name, found.path) == (name, full)


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("POST", "/mapi/getMyTrunks", TokenPlace.BEARER),
        ("HEAD", "/mapi/getMyTrunks", TokenPlace.BEARER),
        ("GET", "/mapi/getmytrunks", TokenPlace.BEARER),
        ("GET", "/mapi/getMyTrunks/", TokenPlace.BEARER),
        ("GET", "/callgetaireresult/{token}/1/2", TokenPlace.PATH),
        ("GET", "/getpeers/", TokenPlace.NOWHERE),
        ("DELETE", "/x?t={token}", TokenPlace.PATH),
        ("GET", "/", TokenPlace.NOWHERE),
    ],
)
def test_anything_else_counts_as_dialling_and_gets_no_token_unasked(method: str, path: str, place: TokenPlace) -> None:
    endpoint = match(method, path).endpoint
    assert (endpoint.name, endpoint.effect, endpoint.token_in) == ("", Effect.DIALS, place)


@examples(200)
@given(st.text())
def test_a_segment_never_leads_elsewhere(text: str) -> None:
    try:
        written = segment(text)
    except UsageError:
        return
    assert unquote(written) == text
    raw = httpx.URL(f"http://h/a/{written}/b").raw_path.decode()
    assert raw == f"/a/{written}/b"
    assert raw.count("/") == 3


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "a\\b", "../../callsendai/T/1", "a\nb", "a\0", "\x85", "\ud800"]
)
def test_a_segment_that_could_lead_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        segment(text)


@examples(200)
@given(st.text(max_size=40))
def test_a_typed_path_reaches_the_wire_as_it_was_written(text: str) -> None:
    try:
        path = typed_path("/" + text)
    except UsageError:
        return
    assert httpx.URL("http://h" + path.replace("{token}", "T")).raw_path.decode() == path.replace("{token}", "T")


@pytest.mark.parametrize(
    "path",
    [
        "mapi",
        "//evil/x",
        "/a/../b",
        "/a/%2e%2E/b",
        "/a/%252e%252e/b",
        "/a/./b",
        "/a%5cb",
        "/a#b",
        "/a\nb",
        "https://e/x",
    ],
)
def test_a_typed_path_that_says_something_else_than_it_does_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        typed_path(path)


@pytest.mark.parametrize("token", ["", "a b", "a/b", "a?b", "a#b", "a%b", "a\\b", "a\nb", "тест", "a\x7f"])
def test_a_token_that_could_change_a_path_is_refused(token: str) -> None:
    with pytest.raises(UsageError):
        check_token(token)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("2424", 2424),
        ("0", 0),
        ("007", "007"),
        ("+998", "+998"),
        ("1e3", "1e3"),
        ("٣", "٣"),
        ("9" * 16, "9" * 16),
        (22, 22),
    ],
)
def test_digits_go_as_numbers_unless_something_would_be_lost(value: Any, number: Any) -> None:
    assert number_or_text(value) == number


@pytest.mark.parametrize(
    "header", [("X-A", "a\r\nB: c"), ("X A", "b"), ("", "b"), ("Host", "evil"), ("content-length", "0")]
)
def test_a_header_that_would_change_the_request_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        Request(table.GET_MY_TRUNKS, "/mapi/getMyTrunks", headers=(header,))
