"""The runner against a journal in memory: order of words and deeds, stops, signals, trouble."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from waiting import wait_until

from alovoice_cli.batch.pacing import Gate
from alovoice_cli.batch.send_rows import RunEnding, Runner, StopSwitch, counted
from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import UsageError

DONE = RowResult("done", 0, "yes", 200, True)


class Diary:
    """A journal in memory that writes down in which order it was asked."""

    def __init__(self) -> None:
        self.courses: dict[str, RowProgress] = {}
        self.events: list[tuple[str, str]] = []
        self.fails: Callable[[str, str], bool] = lambda what, key: False
        self.lock = threading.Lock()
        self.held_back: list[float] = []

    def listed(self) -> Iterator[tuple[BatchRow, RowProgress]]:
        raise NotImplementedError

    def is_due(self, key: str) -> bool:
        return True

    def seconds_to_wait(self) -> float:
        return 0.0

    def hold_back(self, seconds: float) -> None:
        """Notes how long the other machines would wait."""
        self.held_back.append(seconds)

    def intend(self, key: str, *, risk: bool = False) -> RowProgress:
        return self._note("intend", key, RowProgress("intent", 1))

    def settle(self, key: str, result: RowResult) -> RowProgress:
        course = result.end(self.courses[key], "")
        if not course.follows(self.courses[key]):
            raise UsageError("a step back")
        return self._note("settle", key, course)

    def _note(self, what: str, key: str, course: RowProgress) -> RowProgress:
        if self.fails(what, key):
            raise OSError(28, "No space left on device")
        with self.lock:
            self.events.append((what, key))
            self.courses[key] = course
        return course


def _steps(count: int) -> list[BatchRow]:
    return [BatchRow(str(number), number, {}) for number in range(count)]


def _run(
    send: Callable[[BatchRow], RowResult], count: int = 10, diary: Diary | None = None, told: Any = None, **more: Any
) -> tuple[RunEnding, Diary, list[tuple[str, str]]]:
    diary, stop = diary or Diary(), StopSwitch()
    gate = Gate(clock=time.monotonic, now=lambda: datetime.now(UTC), wait=stop.wait, told=print)
    rows: list[tuple[str, str]] = []

    def tell(ended: Sequence[tuple[BatchRow, RowProgress]]) -> None:
        for step, course in ended:
            if told is not None:
                told(step)
            rows.append((step.key, course.state))

    ending = Runner(diary, send, gate, stop, **more).run(_steps(count), tell)
    return ending, diary, rows


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_journal_has_the_intent_before_the_call_and_the_end_before_the_telling(jobs: int) -> None:
    diary = Diary()

    def send(step: BatchRow) -> RowResult:
        assert ("intend", step.key) in diary.events
        assert ("settle", step.key) not in diary.events
        return DONE

    ending, _, rows = _run(send, 20, diary, lambda step: diary.events.index(("settle", step.key)), jobs=jobs)
    assert sorted(rows) == sorted((str(number), "done") for number in range(20))
    assert (ending.reason, ending.trouble) == ("", None)


def test_an_intent_that_cannot_be_written_dials_nothing() -> None:
    diary, sent = Diary(), []
    diary.fails = lambda what, key: what == "intend" and key == "3"
    ending, _, rows = _run(lambda step: sent.append(step.key) or DONE, 10, diary)  # type: ignore[func-returns-value] # append
    assert sent == ["0", "1", "2"] == [key for key, _ in rows]
    assert isinstance(ending.trouble, OSError)


def test_an_end_that_cannot_be_written_is_told_and_stops_the_batch() -> None:
    diary = Diary()
    diary.fails = lambda what, key: what == "settle" and key == "1"
    ending, diary, rows = _run(lambda step: DONE, 10, diary)
    assert rows == [("0", "done"), ("1", "done")]
    assert diary.courses["1"].state == "intent", "and the next run will hold it for unknown"
    assert isinstance(ending.trouble, OSError)


def test_an_end_that_cannot_be_written_is_told_without_a_time() -> None:
    diary, stop = Diary(), StopSwitch()
    diary.fails = lambda what, key: what == "settle"
    ended: list[str] = []
    runner = Runner(diary, lambda row: DONE, _open_gate(stop), stop)
    runner.run(_steps(1), lambda rows: ended.extend(progress.ended_at for _, progress in rows))
    assert ended == [""]


def test_the_first_signal_takes_no_new_row_and_waits_for_those_in_flight() -> None:
    signals, release = [0], threading.Event()

    def send(step: BatchRow) -> RowResult:
        signals[0] = 1
        release.wait(60)
        return DONE

    threading.Timer(0.5, release.set).start()
    ending, diary, rows = _run(send, 10, jobs=3, interruptions=lambda: signals[0])
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
    ending, _, rows = _run(send, 10, diary, jobs=2, interruptions=lambda: signals[0])
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

    ending, diary, rows = _run(send, 500, told=told, jobs=2)
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
    _, _, told = _run(lambda step: result, 10, most_failures=4)
    assert len(told) == rows


def test_one_row_that_is_not_reached_stops_nothing() -> None:
    _, _, told = _run(lambda step: RowResult("unsent", 5, "no") if int(step.key) % 2 else DONE, 10)
    assert len(told) == 10


def test_a_fault_of_ours_ends_the_batch_and_not_the_account_of_it() -> None:
    def send(step: BatchRow) -> RowResult:
        if step.key == "2":
            raise RuntimeError("a fault")
        return DONE

    ending, diary, rows = _run(send, 10)
    assert rows == [("0", "done"), ("1", "done")]
    assert diary.courses["2"].state == "intent"
    assert isinstance(ending.trouble, RuntimeError)


def _run_behind(gate: Gate, send: Callable[[BatchRow], RowResult], stop: StopSwitch, diary: Diary, **more: Any) -> int:
    """Returns how many of a hundred rows had an end when the batch was over."""
    rows: list[BatchRow] = []
    Runner(diary, send, gate, stop, **more).run(_steps(100), lambda ended: rows.extend(row for row, _ in ended))
    return len(rows)


@pytest.mark.parametrize(("asked", "seconds"), [(None, 0.0), (0.0, 30.0), (7.0, 7.0)])
def test_a_429_without_a_waiting_time_pauses_every_row_for_half_a_minute(asked: float | None, seconds: float) -> None:
    clock, stop = [0.0], StopSwitch()
    moments: list[float] = []

    def wait(time: float) -> bool:
        clock[0] += time
        return stop.is_set

    def send(row: BatchRow) -> RowResult:
        moments.append(clock[0])
        return DONE if moments[1:] else RowResult("refused", 7, "yes", 429, pause=asked)

    diary = Diary()
    gate = Gate(clock=lambda: clock[0], now=lambda: datetime.now(UTC), wait=wait, told=print)
    assert _run_behind(gate, send, stop, diary) == 100
    assert moments == [0.0] + [seconds] * 99
    assert diary.held_back == [seconds] * (asked is not None)


def _open_gate(stop: StopSwitch, **more: Any) -> Gate:
    return Gate(clock=time.monotonic, now=lambda: datetime.now(UTC), wait=stop.wait, told=print, **more)


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

    assert _run_behind(_open_gate(stop, has_line=has_line), send, stop, Diary(), jobs=8) == 100
    assert stop.reason == ""
    unreached = _run_behind(_open_gate(stop), lambda row: RowResult("unsent", 5, "no"), stop, Diary(), jobs=8)
    assert 8 <= unreached < 8 + 8


def test_a_row_that_waited_while_the_batch_was_stopped_is_not_sent_and_gives_its_line_back() -> None:
    stop, diary = StopSwitch(), Diary()
    given_back: list[str] = []

    def has_line(row: BatchRow) -> bool:
        if row.key == "2":
            stop("interrupted")
        return True

    gate = _open_gate(stop, has_line=has_line, give_back=lambda row: given_back.append(row.key))
    assert _run_behind(gate, lambda row: DONE, stop, diary) == 2
    assert list(diary.courses) == ["0", "1"]
    assert given_back == ["2"]


def test_rows_that_another_machine_took_are_passed_over_and_the_next_ones_are_sent() -> None:
    diary, sent = Diary(), []
    diary.is_due = lambda key: key not in ("0", "2")  # type: ignore[method-assign]
    _, _, rows = _run(lambda row: sent.append(row.key) or DONE, 4, diary)  # type: ignore[func-returns-value] # append
    assert sent == ["1", "3"] == [key for key, _ in rows]


def test_a_row_that_another_machine_took_at_the_same_moment_gives_its_line_back_and_is_asked_for_again() -> None:
    stop, diary = StopSwitch(), Diary()
    given_back: list[str] = []
    asked: list[str] = []
    write = diary.intend

    def intend(key: str, *, risk: bool = False) -> RowProgress | None:
        asked.append(key)
        return None if asked == ["0", "1"] else write(key, risk=risk)

    diary.intend = intend  # type: ignore[method-assign, assignment] # as a journal on a server
    diary.is_due = lambda key: key != "1" or "1" not in asked  # type: ignore[method-assign]
    gate = _open_gate(stop, give_back=lambda row: given_back.append(row.key))
    assert _run_behind(gate, lambda row: DONE, stop, diary) == 99
    assert given_back == ["1"]
    assert asked[:3] == ["0", "1", "2"]


def test_only_the_rows_that_the_operator_risks_are_written_as_a_risk() -> None:
    diary, risked = Diary(), {}
    write = diary.intend

    def intend(key: str, *, risk: bool = False) -> RowProgress:
        risked[key] = risk
        return write(key, risk=risk)

    diary.intend = intend  # type: ignore[method-assign]
    _run(lambda row: DONE, 3, diary, risky=frozenset({"1"}))
    assert risked == {"0": False, "1": True, "2": False}


def test_the_gate_is_asked_about_the_row_that_is_sent_next() -> None:
    stop, entered = StopSwitch(), []
    gate = _open_gate(stop, has_line=lambda row: entered.append(row.key) or True)  # type: ignore[func-returns-value]
    _run_behind(gate, lambda row: DONE, stop, Diary())
    assert entered == [str(number) for number in range(100)]


def test_a_gate_that_is_left_because_of_a_stop_writes_no_intent() -> None:
    stop, diary = StopSwitch(), Diary()

    def has_line(row: BatchRow) -> bool:
        stop("interrupted")
        return False

    assert _run_behind(_open_gate(stop, has_line=has_line), lambda row: DONE, stop, diary) == 0
    assert diary.events == []


@pytest.mark.parametrize(
    ("result", "more", "reason"),
    [
        (RowResult("refused", 3, "yes", 401, problem="the token is refused"), {}, "the token is refused"),
        (RowResult("unsent", 5, "no", problem="no route"), {}, "the PBX cannot be reached: no route"),
        (RowResult("unknown", 6, "maybe"), {"most_failures": 2}, "2 rows failed (--stop-after-failures 2)"),
    ],
)
def test_the_reason_for_the_stop_is_told(result: RowResult, more: dict[str, Any], reason: str) -> None:
    ending, _, _ = _run(lambda row: result, 10, **more)
    assert ending.reason == reason


def test_rows_that_are_done_are_no_failures() -> None:
    ending, _, rows = _run(lambda row: DONE, 10, most_failures=1)
    assert (len(rows), ending.reason) == (10, "")


def test_rows_in_between_that_were_reached_make_the_count_of_unreached_ones_begin_anew() -> None:
    unreached = RowResult("unsent", 5, "no")
    _, _, rows = _run(lambda row: DONE if row.key in ("0", "3") else unreached, 10)
    assert [key for key, _ in rows] == ["0", "1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(UsageError("the journal is gone"), "the journal is gone"), (RuntimeError("a fault"), "RuntimeError: a fault")],
)
def test_the_first_trouble_is_kept_and_is_the_reason(trouble: Exception, reason: str) -> None:
    def send(row: BatchRow) -> RowResult:
        raise trouble

    ending, _, _ = _run(send, 3)
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
    ending, _, rows = _run(send, 10, diary, interruptions=lambda: signals[0])
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
    _, _, rows = _run(send, 2, diary, jobs=2, interruptions=lambda: signals[0])
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

    ending, diary, _ = _run(send, 2, told=told, jobs=2, interruptions=lambda: signals[0])
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


def test_no_row_is_sent_that_a_reader_who_stands_still_would_not_see() -> None:
    reading, resume, sent = threading.Event(), threading.Event(), threading.Semaphore(0)
    keys: list[str] = []

    def send(row: BatchRow) -> RowResult:
        assert row.key == "0" or reading.wait(60)
        keys.append(row.key)
        sent.release()
        return DONE

    def told(row: BatchRow) -> None:
        reading.set()
        resume.wait(60)

    def look() -> None:
        while sent.acquire(timeout=0.5):
            pass
        counts.append(len(keys))
        resume.set()

    counts: list[int] = []
    watcher = threading.Thread(target=look)
    watcher.start()
    _, _, rows = _run(send, 50, told=told)
    watcher.join()
    assert len(rows) == 50
    assert counts[0] <= 4  # one is being read, two wait, and one cannot be put down yet


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
