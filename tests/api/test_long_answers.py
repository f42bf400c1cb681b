"""Long answers: what came of a request stands in the ledger before anybody looks at the answer for its own sake."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

from alovoice_cli.errors import OutcomeUnknownError

METHODS = ("outcall", "conference", "ivr", "addAutorule", "callsendai")
UNITS = ("a", "7", "a=", '"token":', 'secret="\\')


def says(body: bytes) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer("200 OK", body)

    return act


def call_out(alovoice: FrontDoor, body: bytes, *more: str) -> Any:
    server = RawServer([says(body)])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    try:
        return alovoice("call", "out", "--from", "2424", "--to", "+998994412860", *more)
    finally:
        server.stop()


@pytest.mark.parametrize("unit", UNITS)
def test_20000_letters_end_in_time_with_6_and_the_ledger_knows_them(alovoice: FrontDoor, unit: str) -> None:
    result = call_out(alovoice, (unit * 20_000)[:20_000].encode(), "--timeout", "3", "-v")
    assert result.code == 6, result.err
    receipts = json.loads(alovoice("call", "receipts", "list", "--json").out)
    shown = json.loads(alovoice("call", "receipts", "show", receipts[0]["receipt"], "--json").out)
    assert (shown["outcome"], shown["status"]) == ("unknown", 200)
    assert shown["answer"].endswith("…")


@pytest.mark.parametrize("unit", UNITS)
def test_judging_an_answer_costs_no_more_than_its_length(unit: str, serve: Any, client: Any, unsafe: Any) -> None:
    def cpu(size: int) -> float:
        pbx = client(serve(says((unit * (size // len(unit))).encode())), timeout=30)
        started = time.process_time()
        with pytest.raises(OutcomeUnknownError):
            unsafe["outcall"](pbx)
        return time.process_time() - started

    small, large = cpu(1_000_000), cpu(16_000_000)
    assert large < 16 * 5 * max(small, 0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_dial_that_is_answered_more_than_a_megabyte_is_unknown_and_the_beginning_is_kept(
    method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    server = serve(says(b"[" * 1_100_000))
    with pytest.raises(OutcomeUnknownError, match="is too large"):
        unsafe[method](client(server))
    assert book.outcomes["R-0001"].answer.startswith("[[[[")
    assert len(book.outcomes["R-0001"].answer) == 4096
    assert len(server.requests) == 1


def test_an_answer_to_a_read_may_be_long(serve: Any, client: Any) -> None:
    peers = [{"number": place, "name": "x" * 100} for place in range(20_000)]
    assert client(serve(says(json.dumps(peers).encode()))).peers.list() == peers


class Gone(Exception):  # noqa: N818 - no error: somebody closed a pipe
    """The reader of the trace has left."""


@pytest.mark.parametrize(("answer", "state"), [(b"true", "done"), (b"false", "refused"), (b"?", "unknown")])
def test_the_ledger_knows_the_outcome_before_the_trace_shows_it(
    answer: bytes, state: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    def tell(line: str) -> None:
        if line.startswith("←"):
            raise Gone

    with pytest.raises(Gone):
        unsafe["outcall"](client(serve(says(answer)), trace=tell))
    assert book.outcomes["R-0001"].state == state


def test_the_ledger_knows_of_a_lost_answer_before_the_trace_shows_it(
    serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    def tell(line: str) -> None:
        if line.startswith("←"):
            raise Gone

    def lose(c: Connection) -> None:
        c.read()

    with pytest.raises(Gone):
        unsafe["outcall"](client(serve(lose), trace=tell))
    assert book.outcomes["R-0001"].state == "unknown"
