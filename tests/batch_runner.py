"""The runner against a journal in memory, which writes down in which order it was asked."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

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


def numbered_rows(count: int) -> list[BatchRow]:
    """Returns rows whose keys are their numbers, from 0 on."""
    return [BatchRow(str(number), number, {}) for number in range(count)]


def run_rows(
    send: Callable[[BatchRow], RowResult], count: int = 10, diary: Diary | None = None, told: Any = None, **more: Any
) -> tuple[RunEnding, Diary, list[tuple[str, str]]]:
    """Sends so many rows; returns the ending, the journal, and key and state of each row that was told."""
    diary, stop = diary or Diary(), StopSwitch()
    gate = Gate(clock=time.monotonic, now=lambda: datetime.now(UTC), wait=stop.wait, told=print)
    rows: list[tuple[str, str]] = []

    def tell(ended: Sequence[tuple[BatchRow, RowProgress]]) -> None:
        for step, course in ended:
            if told is not None:
                told(step)
            rows.append((step.key, course.state))

    ending = Runner(diary, send, gate, stop, **more).run(numbered_rows(count), tell)
    return ending, diary, rows


def run_behind(gate: Gate, send: Callable[[BatchRow], RowResult], stop: StopSwitch, diary: Diary, **more: Any) -> int:
    """Returns how many of a hundred rows had an end when the batch was over."""
    rows: list[BatchRow] = []
    Runner(diary, send, gate, stop, **more).run(numbered_rows(100), lambda ended: rows.extend(row for row, _ in ended))
    return len(rows)


def open_gate(stop: StopSwitch, **more: Any) -> Gate:
    """Returns a gate by the clocks of this machine, which no window and no rate holds."""
    return Gate(clock=time.monotonic, now=lambda: datetime.now(UTC), wait=stop.wait, told=print, **more)
