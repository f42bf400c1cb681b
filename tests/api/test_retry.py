"""What reads is tried again, within bounds; nothing is ever followed elsewhere; every wait ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api.deadline import Budget
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.transport import Retry
from alovoice_cli.errors import AlovoiceError, RateLimitedError, RedirectedError, ServerError, UnreachableError

ANSWERS = {
    "getAutorule": b'{"id": 123}',
    "getMyTrunks": b'["712037006"]',
    "getpeers": b'[{"number": 100}]',
    "callgetaireresult": b'{"answer": {}}',
}
READS = tuple(ANSWERS)
UNSAFE = ("outcall", "conference", "ivr", "addAutorule", "callsendai")


def says(status: str, body: bytes = b"", *headers: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body, *headers)

    return act


def read_then_close(c: Any) -> None:
    c.read()


def read_then_reset(c: Any) -> None:
    c.read()
    c.reset()


def cut(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[")


def gzip_noise(c: Any) -> None:
    c.read()
    c.answer("200 OK", b"noise", "Content-Encoding: gzip")


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize(
    "fault",
    [read_then_close, read_then_reset, *(says(f"{code} X") for code in (408, 425, 429, 502, 503, 504))],
    ids=["close", "reset", "408", "425", "429", "502", "503", "504"],
)
def test_a_read_is_tried_three_more_times(fault: Any, method: str, serve: Any, client: Any, reading: Any) -> None:
    server = serve(fault, fault, fault, says("200 OK", ANSWERS[method]))
    assert reading[method](client(server))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("fault", "tries", "kind", "code"),
    [
        (read_then_close, 4, UnreachableError, 5),
        (says("503 X"), 4, ServerError, 7),
        (says("429 X"), 4, RateLimitedError, 7),
        (says("429 X", b"", "Retry-After: 61"), 1, RateLimitedError, 7),
        (says("500 X"), 1, ServerError, 7),
        (cut, 2, ServerError, 7),
        (gzip_noise, 2, ServerError, 7),
        (says("200 OK", b"<html>"), 1, ServerError, 7),
        (says("200 OK", b"[" * 100_000), 1, ServerError, 7),
        (says("200 OK", b'{"error": "no"}'), 1, AlovoiceError, 1),
        (says("404 X"), 1, AlovoiceError, 4),
        (says("418 X"), 1, AlovoiceError, 1),
    ],
)
def test_a_read_ends_with_the_code_of_its_last_fault(
    fault: Any, tries: int, kind: type[AlovoiceError], code: int, serve: Any, client: Any, reading: Any
) -> None:
    server = serve(fault)
    with pytest.raises(kind) as caught:
        reading["getMyTrunks"](client(server))
    assert caught.value.exit_code == code
    assert len(server.requests) == tries


def test_the_pauses_of_a_read_are_jittered_and_grow(serve: Any, client: Any) -> None:
    pauses: list[float] = []
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high / 2

    with pytest.raises(ServerError):
        client(serve(says("502 X")), sleep=pauses.append, uniform=uniform).trunks.list()
    assert bounds == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0)]
    assert pauses == [0.25, 0.5, 1.0]


def test_retry_after_is_waited_for_when_it_fits(serve: Any, client: Any) -> None:
    pauses: list[float] = []
    server = serve(says("429 X", b"", "Retry-After: 3"), says("200 OK", b"[]"))
    assert client(server, sleep=pauses.append, timeout=30).trunks.list() == []
    assert pauses == [3.0]


def test_no_pause_reaches_over_the_deadline(serve: Any, client: Any) -> None:
    pauses: list[float] = []
    with pytest.raises(RateLimitedError):
        client(serve(says("429 X", b"", "Retry-After: 3")), sleep=pauses.append, timeout=2).trunks.list()
    assert pauses == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-1", None), ("٣", None), ("9" * 40, 999999999.0)]
)
def test_retry_after_in_seconds_is_read(text: str, seconds: float | None) -> None:
    assert Reply(429, "", (("Retry-After", text),), b"").retry_after() == seconds


def test_retry_after_as_a_date_is_read() -> None:
    when = datetime.now(UTC) + timedelta(seconds=30)
    seconds = Reply(429, "", (("retry-after", format_datetime(when, usegmt=True)),), b"").retry_after()
    assert seconds is not None
    assert 27 < seconds <= 30


@examples(200)
@given(st.text())
def test_any_retry_after_is_seconds_or_nothing(text: str) -> None:
    seconds = Reply(429, "", (("Retry-After", text),), b"").retry_after()
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("method", UNSAFE + READS)
def test_no_redirect_is_followed(method: str, serve: Any, client: Any, unsafe: Any, reading: Any) -> None:
    evil = serve(says("200 OK", b"true"))
    for status in (301, 302, 303, 307, 308):
        server = serve(says(f"{status} X", b"", f"Location: {evil.url}/{'x' * 20}?token=1"))
        with pytest.raises(RedirectedError) as caught:
            {**unsafe, **reading}[method](client(server))
        assert caught.value.exit_code == 7
        assert "localhost" in caught.value.message
        assert "xxxx" not in str(caught.value.as_json())
        assert len(server.requests) == 1
    assert evil.connections == 0


def test_reads_share_a_connection_and_dials_never_do(serve: Any, client: Any, unsafe: Any) -> None:
    def patient(c: Any) -> None:
        while (seen := c.read()) is not None:
            c.answer("200 OK", b"true" if seen.method == "POST" else b"[]")

    server = serve(patient)
    pbx = client(server)
    for _ in range(3):
        pbx.trunks.list()
    assert server.connections == 1
    for _ in range(3):
        unsafe["outcall"](pbx)
    assert server.connections == 4


def test_a_second_try_takes_no_kept_connection(serve: Any, client: Any) -> None:
    def patient(c: Any) -> None:
        while c.read() is not None:
            c.answer("503 X" if len(c.server.requests) == 2 else "200 OK", b"[]")

    server = serve(patient)
    pbx = client(server)
    for _ in range(2):
        pbx.trunks.list()
    assert len(server.requests) == 3
    assert server.connections == 2


CODES = {
    "close": read_then_close,
    "reset": read_then_reset,
    "unread": lambda c: c.reset(),  # may come before the first byte: then the next try is safe
    "cut": cut,
    **{str(code): says(f"{code} X") for code in (302, 400, 401, 404, 408, 429, 500, 502, 503)},
    "true": says("200 OK", b"true"),
    "false": says("200 OK", b"false"),
}


@settings(examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=6), method=st.sampled_from(UNSAFE))
def test_no_schedule_of_faults_makes_two_requests_of_one(
    schedule: list[str], method: str, serve: Any, client: Any, unsafe: Any
) -> None:
    server = serve(*(CODES[name] for name in schedule))
    code = 0
    try:
        unsafe[method](client(server))
    except AlovoiceError as error:
        code = error.exit_code
    assert code in (0, 1, 3, 4, 5, 6, 7)
    assert len(server.requests) <= 1
    assert server.connections == 1 or "unread" in schedule
    server.stop()


def test_a_bug_is_not_retried_and_not_renamed() -> None:
    def broken() -> Reply:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        Retry(reads=True, budget=Budget(9), tell=lambda _: None).run(broken)
