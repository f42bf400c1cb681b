"""What stops the runner: failures, trouble, signals, a reader that leaves; and the rows that are given up."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from batch_runner import DONE, Diary, open_gate, run_behind, run_rows
from waiting import wait_until

from alovoice_cli.batch.send_rows import StopSwitch, counted
from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import UsageError


def test_the_first_signal_takes_no_new_row_and_waits_for_those_in_flight() -> None:
    signals, release = [0], threading.Event()

    def send(step: BatchRow) -> RowResult:
        signals[0] = 1
        release.wait(60)
        return DONE

    threading.Timer(0.5, release.set).start()
    ending, diary, rows = run_rows(send, 10, jobs=3, interruptions=lambda: signals[0])
    assert [state for _, state in rows] == ["done"] * 3
    assert {course.state for course in diary.courses.values()} == {"done"}
    assert ending.interrupted == 1


def test_the_second_signal_gives_up_those_in_flight_and_a_late_answer_still_counts() -> None:
    signals, release = [0], threading.Event()

    def send(step: BatchRow) -> RowResult:
        signals[0] = 2
        release.wait(60)
        return DONE

    diary = Diary()
    ending, _, rows = run_rows(send, 10, diary, jobs=2, interruptions=lambda: signals[0])
    assert {state for _, state in rows} == {"unknown"}
    assert ending.interrupted == 2
    release.set()
    wait_until(lambda: {course.state for course in diary.courses.values()} == {"done"}, "a late answer in the journal")


def test_a_reader_that_leaves_stops_it_and_the_rest_is_still_written_down() -> None:
    shown, left = [], threading.Event()

    def send(step: BatchRow) -> RowResult:
        assert step.key == "0" or left.wait(60)
        return DONE

    def told(step: BatchRow) -> None:
        shown.append(step.key)
        left.set()
        raise BrokenPipeError

    ending, diary, rows = run_rows(send, 500, told=told, jobs=2)
    assert rows == []
    assert shown == ["0"]
    assert isinstance(ending.untold, BrokenPipeError)
    assert {course.state for course in diary.courses.values()} == {"done"}
    assert len(diary.courses) < 500


@pytest.mark.parametrize(
    ("result", "rows"),
    [
        (RowResult("refused", 3, "yes", 401), 1),
        (RowResult("unsent", 2, "no"), 1),
        (RowResult("unsent", 5, "no"), 3),
        (RowResult("refused", 1, "yes", 200), 4),
    ],
)
def test_what_the_next_rows_would_meet_too_stops_it(result: RowResult, rows: int) -> None:
    _, _, told = run_rows(lambda step: result, 10, most_failures=4)
    assert len(told) == rows


def test_one_row_that_is_not_reached_stops_nothing() -> None:
    _, _, told = run_rows(lambda step: RowResult("unsent", 5, "no") if int(step.key) % 2 else DONE, 10)
    assert len(told) == 10


def test_a_fault_of_ours_ends_the_batch_and_not_the_account_of_it() -> None:
    def send(step: BatchRow) -> RowResult:
        if step.key == "2":
            raise RuntimeError("a fault")
        return DONE

    ending, diary, rows = run_rows(send, 10)
    assert rows == [("0", "done"), ("1", "done")]
    assert diary.courses["2"].state == "intent"
    assert isinstance(ending.trouble, RuntimeError)


def test_eight_at_a_time_may_meet_an_unreachable_pbx_before_it_stops_the_batch() -> None:
    stop, enough = StopSwitch(), threading.Event()
    entered: list[str] = []

    def has_line(row: BatchRow) -> bool:
        entered.append(row.key)
        if len(entered) == 8 + 7:  # each of the seven that were not reached has come back for another row
            enough.set()
        return True

    def send(row: BatchRow) -> RowResult:
        if int(row.key) < 7:
            return RowResult("unsent", 5, "no")
        wait_until(lambda: enough.is_set() or stop.is_set, "the rows of the others")
        return DONE

    assert run_behind(open_gate(stop, has_line=has_line), send, stop, Diary(), jobs=8) == 100
    assert stop.reason == ""
    unreached = run_behind(open_gate(stop), lambda row: RowResult("unsent", 5, "no"), stop, Diary(), jobs=8)
    assert 8 <= unreached < 8 + 8


@pytest.mark.parametrize(
    ("result", "more", "reason"),
    [
        (RowResult("refused", 3, "yes", 401, problem="the token is refused"), {}, "the token is refused"),
        (RowResult("unsent", 5, "no", problem="no route"), {}, "the PBX cannot be reached: no route"),
        (RowResult("unknown", 6, "maybe"), {"most_failures": 2}, "2 rows failed (--stop-after-failures 2)"),
    ],
)
def test_the_reason_for_the_stop_is_told(result: RowResult, more: dict[str, Any], reason: str) -> None:
    ending, _, _ = run_rows(lambda row: result, 10, **more)
    assert ending.reason == reason


def test_rows_that_are_done_are_no_failures() -> None:
    ending, _, rows = run_rows(lambda row: DONE, 10, most_failures=1)
    assert (len(rows), ending.reason) == (10, "")


def test_rows_in_between_that_were_reached_make_the_count_of_unreached_ones_begin_anew() -> None:
    unreached = RowResult("unsent", 5, "no")
    _, _, rows = run_rows(lambda row: DONE if row.key in ("0", "3") else unreached, 10)
    assert [key for key, _ in rows] == ["0", "1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(UsageError("the journal is gone"), "the journal is gone"), (RuntimeError("a fault"), "RuntimeError: a fault")],
)
def test_the_first_trouble_is_kept_and_is_the_reason(trouble: Exception, reason: str) -> None:
    def send(row: BatchRow) -> RowResult:
        raise trouble

    ending, _, _ = run_rows(send, 3)
    assert (ending.trouble, ending.reason) == (trouble, reason)


def test_a_row_that_is_given_up_is_unknown_and_may_have_been_sent() -> None:
    signals, release = [0], threading.Event()
    diary, seen = Diary(), []
    write = diary.settle

    def send(row: BatchRow) -> RowResult:
        signals[0] = 2
        release.wait(60)
        return DONE

    def settle(key: str, result: RowResult) -> RowProgress:
        seen.append(result)
        return write(key, result)

    diary.settle = settle  # type: ignore[method-assign]
    ending, _, rows = run_rows(send, 10, diary, interruptions=lambda: signals[0])
    given_up = seen[0]
    release.set()
    assert (given_up.outcome, given_up.exit_code, given_up.sent) == ("unknown", 6, "maybe")
    assert given_up.problem == "interrupted before the answer came"
    assert (rows, ending.reason) == ([("0", "unknown")], "interrupted")


def test_of_two_rows_that_are_given_up_one_that_was_just_answered_keeps_its_answer() -> None:
    signals, release, in_flight = [0], threading.Event(), threading.Barrier(2)
    diary = Diary()
    write = diary.settle

    def send(row: BatchRow) -> RowResult:
        in_flight.wait(60)
        signals[0] = 2
        release.wait(60)
        return DONE

    def settle(key: str, result: RowResult) -> RowProgress:
        if key == "0" and result.outcome == "unknown":
            write(key, DONE)  # its thread is faster
        return write(key, result)

    diary.settle = settle  # type: ignore[method-assign]
    _, _, rows = run_rows(send, 2, diary, jobs=2, interruptions=lambda: signals[0])
    states = {key: course.state for key, course in diary.courses.items()}
    release.set()
    assert rows == [("1", "unknown")]
    assert states == {"0": "done", "1": "unknown"}


def test_rows_that_are_given_up_after_the_reader_left_are_shown_to_nobody() -> None:
    signals, release = [0], threading.Event()
    shown: list[str] = []

    def send(row: BatchRow) -> RowResult:
        if row.key == "1":
            release.wait(60)
        return DONE

    def told(row: BatchRow) -> None:
        shown.append(row.key)
        signals[0] = 2
        raise BrokenPipeError

    ending, diary, _ = run_rows(send, 2, told=told, jobs=2, interruptions=lambda: signals[0])
    states = {key: course.state for key, course in diary.courses.items()}
    release.set()
    assert shown == ["0"]
    assert isinstance(ending.untold, BrokenPipeError)
    assert states.get("1", "unknown") == "unknown"


def test_the_first_reason_for_a_stop_stays() -> None:
    stop = StopSwitch()
    assert not stop.wait(0)
    stop("the first")
    stop("the second")
    assert (stop.reason, stop.is_set, stop.wait(60)) == ("the first", True, True)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Puts the handlers of signals back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("numbers", "count", "code"),
    [
        ([], 0, 130),
        ([signal.SIGINT], 1, 130),
        ([signal.SIGTERM, signal.SIGINT], 2, 143),
        ([signal.SIGINT, signal.SIGTERM], 2, 130),
        ([signal.SIGHUP, signal.SIGHUP], 1, 143),
        ([signal.SIGHUP, signal.SIGINT, signal.SIGHUP], 2, 143),
        ([signal.SIGTERM, signal.SIGTERM, signal.SIGTERM], 3, 143),
    ],
)
@pytest.mark.usefixtures("handlers")
def test_signals_are_counted_and_the_first_gives_the_exit_code(
    numbers: list[signal.Signals], count: int, code: int
) -> None:
    with counted() as signals:
        for number in numbers:
            signal.raise_signal(number)
        assert (signals.count, signals.code) == (count, code)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("handlers")
def test_a_hang_up_that_nohup_has_ignored_stays_ignored_and_an_interruption_that_is_ignored_counts() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with counted() as signals:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGINT)
        assert (signals.count, signals.code) == (1, 130)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.usefixtures("handlers")
def test_outside_the_main_thread_no_signal_is_caught() -> None:
    found: list[int] = []

    def look() -> None:
        with counted() as signals:
            found.append(signals.count)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [0]
