"""What happens when: actions in the order of their moments, run by one thread."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Timetable:
    """Runs each action at its moment (monotonic seconds), or as soon after it as those before it allow.

    Two actions of one moment run in the order in which they were entered. An action that raises is told to `complain`,
    and the others go on. Any thread may enter one; `stop` drops those that are left.
    """

    def __init__(self, complain: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._complain = complain
        self._monotonic = monotonic
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox timetable", daemon=True)

    def start(self) -> None:
        """Begins to run what is entered."""
        self._thread.start()

    def now(self) -> float:
        """The present moment."""
        return self._monotonic()

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Enters an action."""
        with self._changed:
            heapq.heappush(self._waiting, (moment, next(self._order), action))
            self._changed.notify()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def stop(self, timeout: float) -> None:
        """Lets the action that is running end, for at most so many seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception as error:
                if self._stopping:  # what it needed may be closed by now
                    return
                self._complain(f"a simulated call went wrong: {type(error).__name__}: {error}")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopping:
                wait = self._waiting[0][0] - self._monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(None if wait is None else min(wait, threading.TIMEOUT_MAX))
        return None
