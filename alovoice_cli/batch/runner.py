"""Sends the rows of a batch from several threads, each through the journal: intent first, then the call, then its end.

The journal's word comes before every dial and after every answer; whatever stops the batch, a row is in one of the
states that `steps` names, and never in two.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Protocol

from alovoice_cli.batch.pacing import Gate
from alovoice_cli.batch.results import Results
from alovoice_cli.batch.steps import Course, Result, Step
from alovoice_cli.errors import AlovoiceError, ExitCode

_LOOK_SECONDS = 0.2  # how often a signal is looked for; on Windows a wait cannot be interrupted by one
_SAME_FOR_ALL = (ExitCode.AUTH, ExitCode.USAGE)
_OFFLINE_AFTER = 3
_PAUSE_SECONDS = 30.0  # after a 429 that does not say how long


Told = Sequence[tuple[Step, Course]]


class Journal(Protocol):
    """Where the rows' states are kept."""

    def intend(self, key: str, *, risk: bool = False) -> Course:
        """On the disk when it returns."""

    def settle(self, key: str, result: Result) -> Course:
        """Writes the end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the batch ended. `trouble` is what of this machine stopped it; `interrupted` counts the signals."""

    reason: str = ""
    interrupted: int = 0
    trouble: BaseException | None = None
    untold: BaseException | None = None
    """Why the rows could not be shown any more, such as a reader that left."""


class Stop:
    """Says to all threads that no new row is to be taken, and why. The first reason stands."""

    def __init__(self) -> None:
        self._event = Event()
        self.reason = ""

    def __call__(self, reason: str) -> None:
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleeps; True as soon as the batch is stopped."""
        return self._event.wait(seconds)

    @property
    def is_set(self) -> bool:
        """Whether it was said."""
        return self._event.is_set()


class Runner:
    """One run over the rows that are to go. `send` makes the call and never raises what a call may end with."""

    def __init__(
        self,
        journal: Journal,
        send: Callable[[Step], Result],
        gate: Gate,
        stop: Stop,
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
        self._results: Results[tuple[Step, Course]] = Results(jobs)
        self._flying: dict[str, Step] = {}
        self._failures = self._offline = 0
        self._trouble: BaseException | None = None

    def run(self, steps: Iterable[Step], told: Callable[[Told], None]) -> Ending:
        """Sends them, and tells of some at a time in the caller's thread. A signal: no new rows; a second: at once."""
        self._rows = deque(steps)
        threads = [Thread(target=self._work, name=f"row-{n}", daemon=True) for n in range(self._jobs)]
        for thread in threads:
            thread.start()
        untold = None
        while not self._results.is_over:
            found = self._results.take(_LOOK_SECONDS)
            signals = self._interruptions()
            if signals:
                self._stop("interrupted")
            if found and untold is None:
                untold = self._tell(found, told)
            if signals > 1:
                self._abandon(told if untold is None else lambda rows: None)
                break
        return Ending(self._stop.reason, self._interruptions(), self._trouble, untold)

    def _tell(self, found: Told, told: Callable[[Told], None]) -> BaseException | None:
        try:
            told(found)
        except OSError as error:
            self._stop("the rows could not be shown")
            return error
        return None

    def _abandon(self, told: Callable[[Told], None]) -> None:
        """The rows in flight are unknown from now on. A thread whose answer still comes may know better."""
        with self._lock:
            flying = list(self._flying.values())
        for step in flying:
            lost = Result("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem="interrupted before its answer came")
            try:
                course = self._journal.settle(step.key, lost)
            except Exception:  # noqa: S112 - its thread was faster: the answer is in the journal
                continue
            told([(step, course)])

    # --- in the threads ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (step := self._take()) is not None:
                self._place(step)
        except BaseException as trouble:
            self._trouble = self._trouble or trouble
            told = trouble.message if isinstance(trouble, AlovoiceError) else f"{type(trouble).__name__}: {trouble}"
            self._stop(told)
        finally:
            self._results.end()

    def _take(self) -> Step | None:
        with self._taking:  # one at a time: that is what makes a rate
            if self._stop.is_set or not self._rows or not self._gate.enter(self._rows[0]) or self._stop.is_set:
                return None
            return self._rows.popleft()

    def _place(self, step: Step) -> None:
        begun = self._journal.intend(step.key, risk=step.key in self._risky)
        with self._lock:
            self._flying[step.key] = step
        result = self._send(step)
        try:
            course = self._journal.settle(step.key, result)
        except Exception:
            course = result.end(begun, "")  # a full disk must not hide that the call was made
            raise
        finally:
            with self._lock:
                del self._flying[step.key]
            self._results.put((step, course))
        self._judge(result)

    def _judge(self, result: Result) -> None:
        """What one row's end means for those to come."""
        with self._lock:
            self._failures += result.outcome != "done"
            self._offline = self._offline + 1 if result.exit_code == ExitCode.NETWORK else 0
            failures, offline = self._failures, self._offline
        if result.exit_code in _SAME_FOR_ALL:
            self._stop(result.problem)
        elif offline >= max(_OFFLINE_AFTER, self._jobs):
            self._stop(f"the PBX is not reached: {result.problem}")
        elif self._most_failures is not None and failures >= self._most_failures:
            self._stop(f"{failures} rows have failed (--stop-after-failures {self._most_failures})")
        if result.exit_code == ExitCode.SERVER and result.pause is not None:
            self._gate.pause(result.pause or _PAUSE_SECONDS)
