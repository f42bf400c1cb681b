"""Answers: hostile bodies are unreadable, never a crash; what is shown of them holds no secret."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api.endpoints import match
from alovoice_cli.api.reply import Reply, UnreadableError, readable
from alovoice_cli.api.request import Request
from alovoice_cli.api.trace import hide_in_logs
from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError, RefusedError
from alovoice_cli.masking import Masker

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
CALM = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*")


def reply(body: bytes) -> Reply:
    return Reply(200, "OK", (), body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" * 101 + b"]" * 101,
        b"9" * 5000,
        b"NaN",
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b"1e999",
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b"[1,2",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_nobody_could_print_again_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        reply(body).json()


def test_pairs_of_surrogates_and_a_byte_order_mark_are_fine() -> None:
    assert reply(b'\xef\xbb\xbf"\\ud83d\\ude00"').json() == "😀"
    assert reply(b"[" * 99 + b"]" * 99).json()


@examples(300)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0123456789.eE-\\ud8truefalsn ', max_size=60).map(str.encode))
def test_any_body_is_json_that_can_be_printed_or_unreadable(body: bytes) -> None:
    try:
        value = reply(body).json()
    except UnreadableError:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


@examples(300)
@given(st.text() | st.binary())
def test_any_body_is_shown_calmly(body: str | bytes) -> None:
    text = readable(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body, Masker([TOKEN]))
    assert CALM.fullmatch(text)
    assert len(text) <= 300


def test_secrets_in_a_body_are_masked() -> None:
    body = json.dumps({"e": f"bad token {TOKEN}", "peers": [{"secret": "voip123", "windowsapp": "https://h/abcdef"}]})
    text = readable(body.encode(), Masker([TOKEN]))
    assert TOKEN not in text
    assert "voip123" not in text
    assert "abcdef" not in text


def says(body: bytes, status: str = "200 OK") -> Any:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body)

    return act


@pytest.mark.parametrize("body", [b"true", b" true\n", b"True", b'"true"', b"\xef\xbb\xbftrue"])
def test_true_in_any_dress_is_a_yes(body: bytes, serve: Any, client: Any, unsafe: Any) -> None:
    assert unsafe["outcall"](client(serve(says(body)))) is True


@pytest.mark.parametrize("body", [b"false", b"False\n", b'"false"', b'{"result": false}', b'{"error": "x"}'])
@pytest.mark.parametrize("method", ["outcall", "conference", "ivr", "addAutorule", "callsendai"])
def test_no_in_any_dress_is_a_refusal(method: str, body: bytes, serve: Any, client: Any, unsafe: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        unsafe[method](client(serve(says(body))))
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("body", [b"", b"1", b"null", b"truefalse", b"{}", b"\xff", b'"\\ud800"', b"[" * 99999])
def test_any_other_answer_leaves_open_whether_it_rang(body: bytes, serve: Any, client: Any, unsafe: Any) -> None:
    with pytest.raises(OutcomeUnknownError):
        unsafe["outcall"](client(serve(says(body))))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"id": 7, "new": [1]}', {"id": 7, "new": [1]}),
        (b'{"error": null, "id": 7}', {"error": None, "id": 7}),
        (b"OK", "OK"),
        (b"", ""),
        (b"NaN", "NaN"),
        (b"[" * 2000, "[" * 2000),
        (b"true", True),
    ],
)
def test_requestcall_answers_whatever_it_likes(
    body: bytes, value: object, serve: Any, client: Any, unsafe: Any
) -> None:
    assert unsafe["ivr"](client(serve(says(body)))) == value


def test_fields_that_nobody_documented_survive(serve: Any, client: Any) -> None:
    peers = [{"number": 100, "future": {"deep": [1, None]}, "secret": "x"}]
    assert client(serve(says(json.dumps(peers).encode()))).peers.list() == peers


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"null", b'["100"]'])
def test_extensions_that_are_none_are_an_unreadable_answer(body: bytes, serve: Any, client: Any) -> None:
    with pytest.raises(AlovoiceError) as caught:
        client(serve(says(body))).peers.list()
    assert caught.value.exit_code == 7


# --- raw -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "code"),
    [
        ("GET", "/mapi/getMyTrunks", "200 OK", b"no json", None),
        ("GET", "/mapi/getMyTrunks", "500 X", b"oops", 7),
        ("GET", "/mapi/nothing", "404 X", b"oops", 4),
        ("GET", "/mapi/nothing", "500 X", b"oops", 6),
        ("POST", "/outcall", "200 OK", b"true", None),
        ("POST", "/outcall", "200 OK", b"false", 1),
        ("POST", "/outcall", "200 OK", b"what", 6),
        ("POST", "/new/thing", "200 OK", b"what", None),
    ],
)
def test_raw_gives_the_body_and_names_the_problem(
    method: str, path: str, status: str, body: bytes, code: int | None, serve: Any, client: Any, book: Any
) -> None:
    found = match(method, path)
    answer = client(serve(says(body, status))).raw(Request(found.endpoint, found.path))
    assert answer.reply.body == body
    assert (answer.problem and answer.problem.exit_code) == code
    states = [outcome.state for outcome in book.outcomes.values()]
    sealed = {None: "done", 1: "refused", 4: "refused", 6: "unknown"}
    assert states == ([] if found.endpoint.reads else [sealed[code]])


def test_an_unknown_get_counts_as_dialling_and_is_never_resent(serve: Any, client: Any) -> None:
    server = serve(lambda c: c.read())
    found = match("GET", "/callsendai/{token}/1")
    with pytest.raises(OutcomeUnknownError, match="R-0001") as caught:
        client(server).raw(Request(found.endpoint, found.path))
    assert "`alovoice ai result 1`" in caught.value.hint
    assert len(server.requests) == 1


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_trace_shows_requests_and_answers_without_token_secrets_and_numbers(
    serve: Any, client: Any, unsafe: Any
) -> None:
    lines: list[str] = []
    peers = b'[{"number": 100, "secret": "voip12345"}]'
    server = serve(says(b"true"), says(peers))
    pbx = client(server, trace=lines.append)
    unsafe["outcall"](pbx)
    pbx.peers.list()
    text = "\n".join(lines)
    assert lines[0] == f"→ POST {server.url}/outcall/••••a022"
    assert lines[1] == '  application/json: {"call_id": "7", "inner_phone": 2424, "number": "••••2860"}'
    assert re.fullmatch(r"← 200 OK \d+ ms no type 4 bytes", lines[2])
    assert TOKEN not in text
    assert "voip12345" not in text
    lines.clear()
    shown = client(serve(says(b"true")), trace=lines.append, show_numbers=True)
    unsafe["outcall"](shown)
    assert "+998994412860" in lines[1]


def test_a_trace_line_holds_nothing_that_drives_a_terminal(serve: Any, client: Any) -> None:
    lines: list[str] = []
    with pytest.raises(AlovoiceError) as caught:
        client(serve(says(b"\x1b[31m\xc2\x9b \xe2\x80\xae", "500 \x1b]0;x")), trace=lines.append).trunks.list()
    assert all(CALM.fullmatch(line) for line in (*lines, caught.value.message, caught.value.detail))


def test_retries_are_traced(serve: Any, client: Any) -> None:
    lines: list[str] = []
    client(serve(says(b"", "503 X"), says(b"[]")), trace=lines.append).trunks.list()
    assert any(re.fullmatch(r"↻ 503: try 2 in \d\.\d\d s", line) for line in lines)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yields what every logger writes, from the debug level on."""
    written, level = io.StringIO(), logging.root.level
    handler = logging.StreamHandler(written)
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    yield written
    logging.root.removeHandler(handler)
    logging.root.setLevel(level)


@pytest.mark.parametrize("fault", ["200 OK", "404 X", "500 X", "302 X", "cut"])
def test_no_error_and_no_log_record_holds_the_token(
    fault: str, serve: Any, client: Any, unsafe: Any, reading: Any, log: io.StringIO
) -> None:
    echo = f'{{"path": "/outcall/{TOKEN}", "token": "{TOKEN}"}}'.encode()

    def act(c: Any) -> None:
        c.read()
        if fault != "cut":
            c.answer(fault, echo, f"Location: https://{TOKEN}.evil.test/{TOKEN}")

    lines: list[str] = []
    for call in (*unsafe.values(), *reading.values()):
        try:
            call(client(serve(act), trace=lines.append))
        except AlovoiceError as error:
            lines.append(json.dumps(error.as_json()) + repr(error) + str(error))
    logging.getLogger("httpx").info("POST %s", f"https://h/outcall/{TOKEN}")
    logging.getLogger("httpcore.http11").debug("request %r", TOKEN.encode())
    assert log.getvalue().count("\n") > 1
    assert TOKEN[:28] not in "\n".join(lines) + log.getvalue()


def test_hiding_twice_adds_one_filter() -> None:
    hide_in_logs("first-secret-token")
    before = len(logging.getLogger("httpx").filters)
    hide_in_logs("second-secret-token")
    assert len(logging.getLogger("httpx").filters) == before


def test_numbers_with_a_fraction_are_read() -> None:
    assert reply(b'{"balance": 1.5, "small": [-2e-3]}').json() == {"balance": 1.5, "small": [-0.002]}
