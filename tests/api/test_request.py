"""Endpoints, paths, tokens and numbers: what may stand where in a request."""

import io
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api import endpoints as table
from alovoice_cli.api.address import parse_address
from alovoice_cli.api.endpoints import ENDPOINTS, Effect, TokenPlace, match
from alovoice_cli.api.request import (
    FilePart,
    FileShrankError,
    Request,
    WatchedFile,
    check_token,
    check_unchanged,
    needs_token,
    number_or_text,
    segment,
    target,
    token_headers,
    typed_path,
    url,
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
        "/a%0Ab",
        "/a%250Ab",
        "/a\u202eb",
        "https://e/x",
    ],
)
def test_a_typed_path_that_says_something_else_than_it_does_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        typed_path(path)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/mapi/getMyTrunks", "/mapi/getMyTrunks"),
        ("/a b/қ%20;x=1", "/a%20b/%D2%9B%20;x=1"),
        ("/{token}/{id}?t={token}&q=a b", "/{token}/%7Bid%7D?t={token}&q=a%20b"),
        ("/a?x=/../b?c", "/a?x=/../b?c"),
    ],
)
def test_a_typed_path_is_encoded_where_it_must_be(path: str, written: str) -> None:
    assert typed_path(path) == written


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
        ("9" * 15, int("9" * 15)),
        ("9" * 16, "9" * 16),
        (22, 22),
    ],
)
def test_digits_go_as_numbers_unless_something_would_be_lost(value: Any, number: Any) -> None:
    assert number_or_text(value) == number


@pytest.mark.parametrize(
    "header",
    [("X-A", "a\r\nB: c"), ("X-A", "қ"), ("X A", "b"), ("", "b"), ("Host", "evil"), ("content-length", "0")],
)
def test_a_header_that_would_change_the_request_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        Request(table.GET_MY_TRUNKS, "/mapi/getMyTrunks", headers=(header,))


def test_any_other_header_may_be_given() -> None:
    headers = (("X-A", ""), ("a.b~!", "b\tc ~"), ("Authorization", "Basic x"))
    assert Request(table.GET_MY_TRUNKS, "/mapi/getMyTrunks", headers=headers).headers == headers


# --- the token -------------------------------------------------------------------------------------------------------


def a_request(endpoint: table.Endpoint, *headers: tuple[str, str]) -> Request:
    return Request(endpoint, endpoint.path, headers=headers)


@pytest.mark.parametrize(
    ("request_", "headers", "needed"),
    [
        (a_request(table.GET_MY_TRUNKS), [("Authorization", f"Bearer {TOKEN}")], True),
        (a_request(table.GET_MY_TRUNKS, ("AUTHORIZATION", "x")), [], False),
        (a_request(table.GET_MY_TRUNKS, ("token", "x")), [("Authorization", f"Bearer {TOKEN}")], True),
        (a_request(table.GETPEERS), [("token", TOKEN)], True),
        (a_request(table.GETPEERS, ("Token", "x")), [], True),
        (a_request(table.OUTCALL), [], True),
        (a_request(match("GET", "/").endpoint), [], False),
    ],
)
def test_a_token_goes_where_the_method_needs_it_unless_given_by_hand(
    request_: Request, headers: list[tuple[str, str]], needed: bool
) -> None:
    assert token_headers(request_, TOKEN) == headers
    assert needs_token(request_) is needed


def test_a_token_in_a_path_is_encoded() -> None:
    request = Request(table.OUTCALL, "/outcall/{token}?t={token}")
    assert target(request, "a/b+c") == "/outcall/a%2Fb%2Bc?t=a%2Fb%2Bc"
    assert url(parse_address("https://h.uz/pbx"), request, "a") == "https://h.uz/pbx/outcall/a?t=a"


# --- files -----------------------------------------------------------------------------------------------------------


def a_part(content: bytes) -> FilePart:
    return FilePart("x.mp3", "audio/mpeg", io.BytesIO(content))


def test_the_size_of_a_part_is_that_of_its_open_file_whose_place_stays() -> None:
    part = a_part(b"abcdef")
    part.file.seek(2)
    assert part.size == 6
    assert part.file.read() == b"cdef"


def test_a_file_is_unchanged_while_its_size_is() -> None:
    part = a_part(b"abc")
    check_unchanged(part, 3)
    for size in (2, 4):
        with pytest.raises(UsageError, match=r"x\.mp3 changed while it was being read"):
            check_unchanged(part, size)


def test_a_watched_file_is_read_in_steps_up_to_its_announced_size() -> None:
    part, steps = a_part(b"abcdef"), list[int]()
    watched = WatchedFile(part, steps.append)
    part.file.seek(0, io.SEEK_END)
    part.file.write(b"more")
    part.file.seek(0)
    assert watched.size == 6
    assert [watched.read(2), watched.read(0), watched.read(1)] == [b"ab", b"", b"c"]
    assert (watched.tell(), watched.read(), watched.read(), watched.read(5)) == (3, b"def", b"", b"")
    assert steps == [2, 1, 3]


def test_a_watched_file_can_be_read_again_from_any_place() -> None:
    watched = WatchedFile(a_part(b"abcdef"), lambda size: None)
    assert (watched.seek(0, io.SEEK_END), watched.tell(), watched.read()) == (6, 6, b"")
    assert (watched.seek(1), watched.tell(), watched.read(2), watched.read(100)) == (1, 1, b"bc", b"def")


def test_a_watched_file_that_became_shorter_names_itself() -> None:
    part = a_part(b"abcdef")
    watched = WatchedFile(part, lambda size: None)
    part.file.truncate(2)
    assert watched.read() == b"ab"
    with pytest.raises(FileShrankError, match=r"^x\.mp3$"):
        watched.read()
