"""The runner against a journal in memory: order of words and deeds, stops, signals, trouble."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from alovoice_cli.batch.pacing import Gate
from alovoice_cli.batch.send_rows import RunEnding, Runner, StopSwitch
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
    until = time.monotonic() + 60
    while {course.state for course in diary.courses.values()} != {"done"}:
        assert time.monotonic() < until, "an answer that came after all was not written down"
        time.sleep(0.01)


def test_a_reader_that_leaves_stops_it_and_the_rest_is_still_written_down() -> None:
    def told(step: BatchRow) -> None:
        raise BrokenPipeError

    ending, diary, rows = _run(lambda step: DONE, 500, told=told, jobs=2)
    assert rows == []
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
        until = time.monotonic() + 60
        while not (enough.is_set() or stop.wait(0.01)):
            assert time.monotonic() < until
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
