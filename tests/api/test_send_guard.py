"""After the first byte has left, nothing that breaks here may look like "nothing happened"."""

import contextlib
from collections import Counter
from threading import Thread
from typing import Any

import pytest
from saboteur import Saboteur, Step
from strength import IS_SOAK

from alovoice_cli.api import send_guard
from alovoice_cli.api.client import Client
from alovoice_cli.api.send_guard import Abandoned, InFlightRequest, SendGuard
from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError, UsageError
from alovoice_cli.receipts import Intent, RequestOutcome

INTENT = Intent("p", "call out", "POST", "/outcall/{token}", ("998994412860",), "7", {})
DONE = RequestOutcome("done", 0, "yes", 200, "true")


def left(guard: SendGuard) -> InFlightRequest:
    in_flight = guard.begin(INTENT)
    in_flight.left()
    return in_flight


def test_before_anything_left_every_code_stands() -> None:
    guard = SendGuard()
    guard.begin(INTENT)
    assert [guard.guard(code) for code in (0, 1, 2, 5, 130, 143)] == [0, 1, 2, 5, 130, 143]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 7, 130, 143])
def test_a_request_in_flight_makes_every_code_6(code: int) -> None:
    guard = SendGuard()
    left(guard)
    assert guard.guard(code) == 6


@pytest.mark.parametrize("code", [1, 2, 5, 130, 143])
def test_after_an_answer_a_local_failure_gives_way_to_the_outcome(code: int) -> None:
    guard = SendGuard()
    left(guard).settle(DONE)
    assert guard.guard(code) == 0
    left_again = guard.begin(INTENT)
    left_again.settle(RequestOutcome("refused", 1, "yes"))
    assert guard.guard(code) == 1


def test_the_worst_outcome_wins() -> None:
    guard = SendGuard()
    for code in (0, 1, 7, 5):
        left(guard).settle(RequestOutcome("refused", code, "yes"))
    assert guard.guard(2) == 5
    assert guard.guard(7) == 7


@pytest.mark.parametrize(("sent", "code"), [(2, 130), (3, 0)])
def test_a_command_that_was_interrupted_before_its_last_request_is_not_done(sent: int, code: int) -> None:
    guard = SendGuard()
    for _ in range(sent):
        request = guard.begin(INTENT, planned=3)
        request.left()
        request.settle(DONE)
    assert guard.guard(130) == code


def test_the_code_of_a_command_that_told_of_each_request_stands_once_all_are_settled() -> None:
    guard = SendGuard()
    request = left(guard)
    guard.command_told_all()
    assert guard.guard(2) == 6
    request.settle(DONE)
    assert guard.guard(2) == 2


def test_the_ledger_is_opened_once_and_for_the_first_request() -> None:
    opened: list[Full] = []

    def open_ledger() -> Full:
        opened.append(Full("never"))
        return opened[-1]

    guard = SendGuard(open_ledger)
    assert (guard.anything_left, guard.last_receipt, opened) == (False, "", [])
    left(guard)
    left(guard)
    assert len(opened) == 1


def test_nothing_leaves_once_the_exit_code_is_told() -> None:
    guard = SendGuard()
    in_flight = guard.begin(INTENT)
    guard.guard(130)
    with pytest.raises(Abandoned):
        in_flight.left()
    assert not guard.anything_left


def test_a_withdrawn_request_never_leaves() -> None:
    in_flight = SendGuard().begin(INTENT)
    assert in_flight.withdraw()
    with pytest.raises(Abandoned):
        in_flight.left()


def test_a_request_that_left_cannot_be_withdrawn() -> None:
    assert not left(SendGuard()).withdraw()


def test_the_exit_code_waits_for_a_request_that_is_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_guard, "_PATIENCE_SECONDS", 60.0)
    guard = SendGuard()
    request = guard.begin(INTENT)
    codes: list[int] = []
    with guard._lock:  # as `mark_left` holds it
        asker = Thread(target=lambda: codes.append(guard.guard(130)))
        asker.start()
        asker.join(0.1)
        request.has_left = True
    asker.join(60)
    assert codes == [6]


def test_a_lock_that_a_signal_left_held_does_not_hang_the_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_guard, "_PATIENCE_SECONDS", 0.01)
    guard = SendGuard()
    left(guard).settle(DONE)
    guard._lock.acquire()
    assert guard.guard(130) == 0


def test_the_pbx_s_own_events_decide_the_code_of_the_request_that_they_prove(book: Any) -> None:
    guard = SendGuard(lambda: book)
    for code in (6, 7):
        left(guard).settle(RequestOutcome("unknown", code, "maybe"))
    guard.prove("R-0001", 0)
    assert guard.guard(1) == 7
    guard.prove("R-0002", 1)
    assert guard.guard(2) == 1


def test_no_event_proves_a_request_that_is_still_in_flight(book: Any) -> None:
    guard = SendGuard(lambda: book)
    in_flight = left(guard)
    guard.prove(in_flight.receipt, 0)
    assert guard.guard(0) == 6


def test_the_latest_receipt_is_told_for_the_process_and_for_the_thread(book: Any) -> None:
    guard = SendGuard(lambda: book)
    assert (guard.last_receipt, guard.receipt_here) == ("", "")
    guard.begin(INTENT)
    guard.begin(INTENT)
    other = Thread(target=guard.begin, args=(INTENT,))
    other.start()
    other.join(60)
    assert (guard.last_receipt, guard.receipt_here) == ("R-0003", "R-0002")


def test_without_a_ledger_there_is_no_receipt() -> None:
    guard = SendGuard()
    left(guard).settle(DONE)
    assert (guard.last_receipt, guard.receipt_here, guard.trouble) == ("", "", None)


def test_a_request_that_the_ledger_refused_has_no_receipt() -> None:
    ledger = Full("never")
    guard = SendGuard(lambda: ledger)
    guard.begin(INTENT)
    ledger.when = "intend"
    with pytest.raises(UsageError) as caught:
        guard.begin(INTENT)
    assert caught.value.detail == "[Errno 28] No space left on device"
    assert guard.receipt_here == ""


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

    guard = SendGuard(lambda: Interrupted("settle"))
    in_flight = left(guard)
    with pytest.raises(KeyboardInterrupt):
        in_flight.settle(DONE)
    assert guard.guard(130) == 0


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
    """What no handler of the program expects."""


def says(status: str, body: bytes) -> Any:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body)

    return act


WALKS: dict[str, tuple[str, Any, int]] = {
    "done": ("outcall", true, 0),
    "refused": ("outcall", says("200 OK", b"false"), 1),
    "limited": ("outcall", says("429 X", b""), 7),
    "forbidden": ("outcall", says("403 X", b""), 3),
    "broken": ("outcall", says("500 X", b"sorry"), 6),
    "lost": ("outcall", lambda c: c.read(), 6),
    "unreadable": ("callsendai", says("200 OK", b"<html>"), 6),
    "created": ("addAutorule", says("200 OK", b'{"id": 1}'), 0),
    "redirected": ("ivr", says("302 X", b""), 7),
}
"""A method, what the PBX does, and the exit code of an unbroken run."""


def break_at(step: Step | None, kind: type[BaseException], pbx: Client, call: Any) -> Saboteur:
    saboteur = Saboteur(step, kind("injected"))
    with contextlib.suppress(kind, AlovoiceError):
        saboteur.run(lambda: call(pbx))
    return saboteur


@pytest.mark.filterwarnings("ignore")  # what a struck line was about to close stays open
def test_whatever_is_raised_at_any_line_after_the_send_ends_in_the_truth(serve: Any, client: Any, unsafe: Any) -> None:
    """Breaks the program with Ctrl-C at each line after the send, and with other troubles at a sample of the lines.

    The soak breaks it with all troubles at each step of each walk.
    """
    kinds = (KeyboardInterrupt, MemoryError, RuntimeError, Stop)
    known: set[tuple[str, int]] = set()
    for method, act, code in WALKS.values():
        server = serve(act)
        steps = break_at(None, Stop, client(server), unsafe[method]).steps
        new = [step for step in steps if step.turn == 1 and step[:2] not in known]
        known.update(step[:2] for step in new)
        for number, step in enumerate(steps if IS_SOAK else new):
            for kind in kinds if IS_SOAK else kinds[:1] if number % 16 else kinds:
                pbx = client(server, token=f"{number}-{kind.__name__}")
                check_truth(break_at(step, kind, pbx, unsafe[method]), pbx.send_guard, code)
                pbx.close()
        server.stop()  # what still was on its way has arrived by now
        sent = Counter(f"{seen.header('Authorization')} {seen.target}" for seen in server.requests)
        assert sent.most_common(1)[0][1] == 1
    assert len(known) > 200


def check_truth(saboteur: Saboteur, guard: SendGuard, unbroken: int) -> None:
    """Whatever the program was about to end with, the code is the noted outcome, which is the PBX's, or 6."""
    (request,) = saboteur.requests
    code = 6 if request.outcome is None else request.outcome.exit_code
    assert [guard.guard(said) for said in (1, 2, 5, 130, 143)] == [code] * 5, (saboteur.trouble, saboteur.target)
    assert code in (unbroken, 6)


def test_a_flight_that_was_lost_is_settled_as_unknown(serve: Any, client: Any, unsafe: Any, book: Any) -> None:
    with pytest.raises(OutcomeUnknownError):
        unsafe["callsendai"](client(serve(lambda c: c.read())))
    outcome = book.outcomes["R-0001"]
    assert (outcome.state, outcome.exit_code, outcome.sent) == ("unknown", 6, "maybe")
