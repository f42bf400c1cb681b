"""Sends the rows of a batch from several threads, each through the journal: intent, call, outcome.

The journal is written before every call and after every answer. However the batch stops, each row is in exactly one
state of `batch_rows.State`.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Event, Lock, Thread
from typing import Protocol

from alovoice_cli.batch.pacing import Gate
from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import AlovoiceError, ExitCode
from alovoice_cli.language import tr

_LOOK_SECONDS = 0.2  # how often to check for a signal; on Windows a signal does not interrupt a wait
_SAME_FOR_ALL = (ExitCode.AUTH, ExitCode.USAGE)
_OFFLINE_AFTER = 3
_PAUSE_SECONDS = 30.0  # after a 429 without a waiting time


Told = Sequence[tuple[BatchRow, RowProgress]]


class RowStates(Protocol):
    """Keeps the rows' states: in the journal, or in memory for a command that only reads."""

    def listed(self) -> Iterator[tuple[BatchRow, RowProgress]]:
        """Returns the rows of the latest list."""

    def is_due(self, key: str) -> bool:
        """Returns whether no other machine has taken the row."""

    def intend(self, key: str, *, risk: bool = False) -> RowProgress | None:
        """Writes that the row will be sent now; the state is on the disk when this returns.

        Returns None where another machine took the row, or the common pace, at the same moment.
        """

    def seconds_to_wait(self) -> float:
        """Returns how long the pace of all machines together lets no row through."""

    def hold_back(self, seconds: float) -> None:
        """Lets no machine send a row for this time."""

    def settle(self, key: str, result: RowResult) -> RowProgress:
        """Writes how the row ended."""


@dataclass(frozen=True, slots=True)
class RunEnding:
    """Why the batch ended. `trouble` is an error of this machine that stopped it; `interrupted` counts the signals."""

    reason: str = ""
    interrupted: int = 0
    trouble: BaseException | None = None
    untold: BaseException | None = None
    """Why rows could not be shown any more, such as a reader that closed the pipe."""


class StopSwitch:
    """Tells all threads to take no new row, with the reason. The first reason stays."""

    def __init__(self) -> None:
        self._event = Event()
        self.reason = ""

    def __call__(self, reason: str) -> None:
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleeps, and returns True as soon as the batch is stopped."""
        return self._event.wait(seconds)

    @property
    def is_set(self) -> bool:
        """Returns whether the batch is stopped."""
        return self._event.is_set()


class Runner:
    """Sends rows from `jobs` threads. `send` makes one call and raises none of the errors that a call can end with."""

    def __init__(
        self,
        journal: RowStates,
        send: Callable[[BatchRow], RowResult],
        gate: Gate,
        stop: StopSwitch,
        *,
        jobs: int = 1,
        most_failures: int | None = None,
        interruptions: Callable[[], int] = lambda: 0,
        risky: frozenset[str] = frozenset(),
    ) -> None:
        self._journal, self._send, self._gate, self._stop = journal, send, gate, stop
        self._jobs, self._most_failures, self._interruptions = jobs, most_failures, interruptions
        self._risky = risky
        self._lock, self._taking = Lock(), Lock()
        # Bounded: no row is sent that a slow or closed reader would never see.
        self._results: Queue[tuple[BatchRow, RowProgress] | None] = Queue(2 * jobs)
        self._flying: dict[str, BatchRow] = {}
        self._failures = self._offline = 0
        self._trouble: BaseException | None = None

    def run(self, rows: Iterable[BatchRow], told: Callable[[Told], None]) -> RunEnding:
        """Sends the rows and calls `told` in the caller's thread. First signal: no new rows. Second signal: returns."""
        self._rows = deque(rows)
        # No ThreadPoolExecutor: Python joins its threads at exit, and a second signal must end the program at once.
        for number in range(self._jobs):
            Thread(target=self._work, name=f"row-{number}", daemon=True).start()
        untold, at_work = None, self._jobs
        while at_work:
            ended = self._take_results()
            found = [result for result in ended if result is not None]
            at_work -= len(ended) - len(found)
            signals = self._interruptions()
            if signals:
                self._stop(tr("interrupted"))
            if found and untold is None:
                untold = self._tell(found, told)
            if signals > 1:
                self._abandon(told if untold is None else lambda rows: None)
                break
        return RunEnding(self._stop.reason, self._interruptions(), self._trouble, untold)

    def _take_results(self) -> list[tuple[BatchRow, RowProgress] | None]:
        """Returns the rows that have ended, and None for each ended thread; after a time-out an empty list."""
        try:
            ended = [self._results.get(timeout=_LOOK_SECONDS)]
            while not self._results.empty():
                ended.append(self._results.get_nowait())
        except Empty:
            return []
        return ended

    def _tell(self, found: Told, told: Callable[[Told], None]) -> BaseException | None:
        try:
            told(found)
        except OSError as error:
            self._stop(tr("the rows could not be shown"))
            return error
        return None

    def _abandon(self, told: Callable[[Told], None]) -> None:
        """Makes the rows in flight unknown. A thread that still receives its answer writes that answer."""
        with self._lock:
            flying = list(self._flying.values())
        for row in flying:
            problem = tr("interrupted before the answer came")
            lost = RowResult("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem=problem)
            try:
                course = self._journal.settle(row.key, lost)
            except Exception:  # noqa: S112 - its thread was faster: the answer is in the journal
                continue
            told([(row, course)])

    # --- in the threads ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._place(*taken)
        except BaseException as trouble:
            self._trouble = self._trouble or trouble
            told = trouble.message if isinstance(trouble, AlovoiceError) else f"{type(trouble).__name__}: {trouble}"
            self._stop(told)
        finally:
            self._results.put(None)

    def _take(self) -> tuple[BatchRow, RowProgress] | None:
        """Waits until the next row may be sent, and writes its intent."""
        with self._taking:  # one at a time: that is what makes a rate
            while self._rows and not self._stop.is_set:
                row = self._rows[0]
                if not self._journal.is_due(row.key):
                    self._rows.popleft()
                    continue
                if not self._gate.enter(row):
                    return None
                # The batch may have been stopped while the row waited.
                begun = None if self._stop.is_set else self._journal.intend(row.key, risk=row.key in self._risky)
                if begun is not None:
                    return self._rows.popleft(), begun
                self._gate.give_back(row)
        return None

    def _place(self, row: BatchRow, begun: RowProgress) -> None:
        with self._lock:
            self._flying[row.key] = row
        result = self._send(row)
        try:
            course = self._journal.settle(row.key, result)
        except Exception:
            course = result.end(begun, "")  # a full disk must not hide that the call was made
            raise
        finally:
            with self._lock:
                del self._flying[row.key]
            self._results.put((row, course))
        self._judge(result)

    def _judge(self, result: RowResult) -> None:
        """Stops or pauses the batch where the outcome of one row predicts the outcome of the next rows."""
        with self._lock:
            self._failures += result.outcome != "done"
            self._offline = self._offline + 1 if result.exit_code == ExitCode.NETWORK else 0
            failures, offline = self._failures, self._offline
        if result.exit_code in _SAME_FOR_ALL:
            self._stop(result.problem)
        elif offline >= max(_OFFLINE_AFTER, self._jobs):
            self._stop(tr("the PBX cannot be reached: {problem}", problem=result.problem))
        elif self._most_failures is not None and failures >= self._most_failures:
            self._stop(
                tr("{number} rows failed (--stop-after-failures {limit})", number=failures, limit=self._most_failures)
            )
        if result.exit_code == ExitCode.SERVER and result.pause is not None:
            self._gate.pause(result.pause or _PAUSE_SECONDS)
            self._journal.hold_back(result.pause or _PAUSE_SECONDS)


_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
if _HANGUP is not None:
    _CODES[_HANGUP] = ExitCode.TERMINATED


class SignalCount:
    """Counts signals; the exit code is the first signal's. SIGHUP counts once: shell and system both send it."""

    def __init__(self) -> None:
        self._is_hung_up = False
        self.count = 0
        self.code: ExitCode = ExitCode.INTERRUPTED

    def take(self, number: int, frame: object) -> None:
        """Counts a signal."""
        if number == _HANGUP:
            if self._is_hung_up:
                return
            self._is_hung_up = True
        if not self.count:
            self.code = _CODES[signal.Signals(number)]
        self.count += 1


@contextmanager
def counted() -> Iterator[SignalCount]:
    """Counts the signals while the block runs. Outside the main thread no signal arrives."""
    signals = SignalCount()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals.take) for number in _CODES if not _is_ignored(number)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    """Returns whether `nohup` made the program ignore SIGHUP."""
    return number == _HANGUP and signal.getsignal(number) is signal.SIG_IGN
