"""After the first byte has left, nothing that breaks here may look like "nothing happened"."""

import sys
from types import FrameType
from typing import Any

import pytest

from alovoice_cli.api.send_guard import Abandoned, InFlightRequest, Intent, RequestOutcome, SendGuard
from alovoice_cli.errors import OutcomeUnknownError, UsageError

INTENT = Intent("p", "call out", "POST", "/outcall/{token}", ("998994412860",), "7", {})
DONE = RequestOutcome("done", 0, "yes", 200, "true")


def left(seal: SendGuard) -> InFlightRequest:
    flight = seal.begin(INTENT)
    flight.left()
    return flight


def test_before_anything_left_every_code_stands() -> None:
    seal = SendGuard()
    seal.begin(INTENT)
    assert [seal.guard(code) for code in (0, 1, 2, 5, 130, 143)] == [0, 1, 2, 5, 130, 143]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 7, 130, 143])
def test_a_request_in_flight_makes_every_code_6(code: int) -> None:
    seal = SendGuard()
    left(seal)
    assert seal.guard(code) == 6


@pytest.mark.parametrize("code", [1, 2, 5, 130, 143])
def test_after_an_answer_a_local_failure_gives_way_to_the_outcome(code: int) -> None:
    seal = SendGuard()
    left(seal).settle(DONE)
    assert seal.guard(code) == 0
    left_again = seal.begin(INTENT)
    left_again.settle(RequestOutcome("refused", 1, "yes"))
    assert seal.guard(code) == 1


def test_the_worst_outcome_wins() -> None:
    seal = SendGuard()
    for code in (0, 1, 7, 5):
        left(seal).settle(RequestOutcome("refused", code, "yes"))
    assert seal.guard(2) == 5
    assert seal.guard(7) == 7


def test_nothing_leaves_once_the_exit_code_is_told() -> None:
    seal = SendGuard()
    flight = seal.begin(INTENT)
    seal.guard(130)
    with pytest.raises(Abandoned):
        flight.left()
    assert not seal.anything_left


def test_a_withdrawn_request_never_leaves() -> None:
    flight = SendGuard().begin(INTENT)
    assert flight.withdraw()
    with pytest.raises(Abandoned):
        flight.left()


class Full:
    """A ledger on a full disk: `when` says which write fails."""

    def __init__(self, when: str) -> None:
        self.when = when

    def intend(self, intent: Intent) -> str:
        if self.when == "intend":
            raise OSError(28, "No space left on device")
        return "R-1"

    def settle(self, receipt: str, outcome: RequestOutcome) -> None:
        raise OSError(28, "No space left on device")


def test_without_a_ledger_to_write_nothing_is_sent(serve: Any, client: Any, unsafe: Any) -> None:
    server = serve(lambda c: c.read())
    with pytest.raises(UsageError, match="nothing was sent"):
        unsafe["outcall"](client(server, ledger=Full("intend")))
    assert server.connections == 0


def test_an_outcome_that_cannot_be_written_is_still_true(serve: Any, client: Any, unsafe: Any) -> None:
    pbx = client(serve(true), ledger=Full("settle"))
    assert unsafe["outcall"](pbx) is True
    assert isinstance(pbx.send_guard.trouble, OSError)
    assert pbx.send_guard.guard(1) == 0


def test_an_interruption_of_the_ledgers_write_does_not_undo_the_answer() -> None:
    class Interrupted(Full):
        def settle(self, receipt: str, outcome: RequestOutcome) -> None:
            raise KeyboardInterrupt

    seal = SendGuard(lambda: Interrupted("settle"))
    flight = left(seal)
    with pytest.raises(KeyboardInterrupt):
        flight.settle(DONE)
    assert seal.guard(130) == 0


def true(c: Any) -> None:
    c.read()
    c.answer("200 OK", b"true")


def test_the_ledger_never_sees_the_token_and_is_told_before_the_connection(
    serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    pbx = client(serve(true))
    unsafe["outcall"](pbx)
    intent = book.intents[0]
    assert intent == Intent(
        "test",
        "call out",
        "POST",
        "/outcall/{token}",
        ("998994412860",),
        "7",
        {"call_id": "7", "inner_phone": 2424, "number": "+998994412860"},
    )
    assert book.outcomes["R-0001"] == RequestOutcome("done", 0, "yes", 200, "true")


class Stop(BaseException):
    """What the tracer raises: no handler of the program expects it."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, RuntimeError, Stop])
def test_whatever_is_raised_at_any_line_after_the_send_ends_in_the_truth(
    kind: type[BaseException], serve: Any, client: Any, unsafe: Any
) -> None:
    """Breaks the program at the first line after the send, then at the second, … until it runs through unbroken."""
    lines, broke = 0, True
    step = 1 if kind is Stop else 7
    while broke:
        lines += step
        server = serve(true)
        pbx = client(server)
        broke = run_broken(lambda pbx=pbx: unsafe["outcall"](pbx), pbx.send_guard, lines, kind)
        assert len(server.requests) <= 1
        for code in (1, 2, 5, 130, 143):
            if pbx.send_guard.anything_left:
                assert pbx.send_guard.guard(code) in (0, 6)
        server.stop()
    assert lines > 50


def run_broken(call: Any, seal: SendGuard, lines: int, kind: type[BaseException]) -> bool:
    """Runs with an exception at the given line after the send; whether it was raised."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if "alovoice_cli" not in frame.f_code.co_filename:
            return None
        if event == "line" and seal.anything_left:
            count += 1
            if count == lines:
                raise kind("injected")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except (kind, OutcomeUnknownError):
        pass
    finally:
        sys.settrace(before)
    return count >= lines


def test_a_flight_that_was_lost_is_settled_as_unknown(serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    with pytest.raises(OutcomeUnknownError):
        unsafe["callsendai"](client(serve(lambda c: c.read())))
    outcome = book.outcomes["R-0001"]
    assert (outcome.state, outcome.exit_code, outcome.sent) == ("unknown", 6, "maybe")
