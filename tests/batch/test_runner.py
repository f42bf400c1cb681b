"""The runner against a journal in memory: order of words and deeds, the gate, rows of other machines."""

import threading
from datetime import UTC, datetime

import pytest
from batch_runner import DONE, Diary, numbered_rows, open_gate, run_behind, run_rows

from alovoice_cli.batch.pacing import Gate
from alovoice_cli.batch.send_rows import Runner, StopSwitch
from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_journal_has_the_intent_before_the_call_and_the_end_before_the_telling(jobs: int) -> None:
    diary = Diary()

    def send(step: BatchRow) -> RowResult:
        assert ("intend", step.key) in diary.events
        assert ("settle", step.key) not in diary.events
        return DONE

    ending, _, rows = run_rows(send, 20, diary, lambda step: diary.events.index(("settle", step.key)), jobs=jobs)
    assert sorted(rows) == sorted((str(number), "done") for number in range(20))
    assert (ending.reason, ending.trouble) == ("", None)


def test_an_intent_that_cannot_be_written_dials_nothing() -> None:
    diary, sent = Diary(), []
    diary.fails = lambda what, key: what == "intend" and key == "3"
    ending, _, rows = run_rows(lambda step: sent.append(step.key) or DONE, 10, diary)  # type: ignore[func-returns-value] # append
    assert sent == ["0", "1", "2"] == [key for key, _ in rows]
    assert isinstance(ending.trouble, OSError)


def test_an_end_that_cannot_be_written_is_told_and_stops_the_batch() -> None:
    diary = Diary()
    diary.fails = lambda what, key: what == "settle" and key == "1"
    ending, diary, rows = run_rows(lambda step: DONE, 10, diary)
    assert rows == [("0", "done"), ("1", "done")]
    assert diary.courses["1"].state == "intent", "and the next run will hold it for unknown"
    assert isinstance(ending.trouble, OSError)


def test_an_end_that_cannot_be_written_is_told_without_a_time() -> None:
    diary, stop = Diary(), StopSwitch()
    diary.fails = lambda what, key: what == "settle"
    ended: list[str] = []
    runner = Runner(diary, lambda row: DONE, open_gate(stop), stop)
    runner.run(numbered_rows(1), lambda rows: ended.extend(progress.ended_at for _, progress in rows))
    assert ended == [""]


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
    assert run_behind(gate, send, stop, diary) == 100
    assert moments == [0.0] + [seconds] * 99
    assert diary.held_back == [seconds] * (asked is not None)


def test_a_row_that_waited_while_the_batch_was_stopped_is_not_sent_and_gives_its_line_back() -> None:
    stop, diary = StopSwitch(), Diary()
    given_back: list[str] = []

    def has_line(row: BatchRow) -> bool:
        if row.key == "2":
            stop("interrupted")
        return True

    gate = open_gate(stop, has_line=has_line, give_back=lambda row: given_back.append(row.key))
    assert run_behind(gate, lambda row: DONE, stop, diary) == 2
    assert list(diary.courses) == ["0", "1"]
    assert given_back == ["2"]


def test_rows_that_another_machine_took_are_passed_over_and_the_next_ones_are_sent() -> None:
    diary, sent = Diary(), []
    diary.is_due = lambda key: key not in ("0", "2")  # type: ignore[method-assign]
    _, _, rows = run_rows(lambda row: sent.append(row.key) or DONE, 4, diary)  # type: ignore[func-returns-value] # append
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
    gate = open_gate(stop, give_back=lambda row: given_back.append(row.key))
    assert run_behind(gate, lambda row: DONE, stop, diary) == 99
    assert given_back == ["1"]
    assert asked[:3] == ["0", "1", "2"]


def test_only_the_rows_that_the_operator_risks_are_written_as_a_risk() -> None:
    diary, risked = Diary(), {}
    write = diary.intend

    def intend(key: str, *, risk: bool = False) -> RowProgress:
        risked[key] = risk
        return write(key, risk=risk)

    diary.intend = intend  # type: ignore[method-assign]
    run_rows(lambda row: DONE, 3, diary, risky=frozenset({"1"}))
    assert risked == {"0": False, "1": True, "2": False}


def test_the_gate_is_asked_about_the_row_that_is_sent_next() -> None:
    stop, entered = StopSwitch(), []
    gate = open_gate(stop, has_line=lambda row: entered.append(row.key) or True)  # type: ignore[func-returns-value]
    run_behind(gate, lambda row: DONE, stop, Diary())
    assert entered == [str(number) for number in range(100)]


def test_a_gate_that_is_left_because_of_a_stop_writes_no_intent() -> None:
    stop, diary = StopSwitch(), Diary()

    def has_line(row: BatchRow) -> bool:
        stop("interrupted")
        return False

    assert run_behind(open_gate(stop, has_line=has_line), lambda row: DONE, stop, diary) == 0
    assert diary.events == []


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
    _, _, rows = run_rows(send, 50, told=told)
    watcher.join()
    assert len(rows) == 50
    assert counts[0] <= 4  # one is being read, two wait, and one cannot be put down yet
