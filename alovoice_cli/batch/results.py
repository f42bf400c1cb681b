"""Rows that have ended, on their way to the one thread that tells of them."""

from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")

_GATHERING_SECONDS = 0.003


class Results(Generic[T]):
    """A queue between the threads of a batch and the one that tells, which takes several at a time if they come fast.

    Bounded: nobody is called whose row the reader, slow or gone, would never get to see. To wake a thread for each row
    costs more than to tell of it: so the teller, once woken, waits for as many as there are jobs, or 3 ms.
    """

    def __init__(self, jobs: int) -> None:
        self._most, self._enough = 2 * jobs, jobs
        self._lock = Lock()
        self._come, self._room = Condition(self._lock), Condition(self._lock)
        self._rows: list[T] = []
        self._at_work = jobs
        self._wanted = 0  # so many rows are waited for; none are while the teller tells

    def put(self, row: T) -> None:
        """Hands a row over, as soon as there is room."""
        with self._lock:
            while len(self._rows) >= self._most:
                self._room.wait()
            self._rows.append(row)
            if len(self._rows) == self._wanted:
                self._come.notify()

    def end(self) -> None:
        """One of the jobs brings nothing more."""
        with self._lock:
            self._at_work -= 1
            self._come.notify()

    def take(self, seconds: float) -> list[T]:
        """The rows that have come; none where none came for so long, or ever will."""
        with self._lock:
            self._await(1, seconds)
            if self._rows:
                self._await(self._enough, _GATHERING_SECONDS)
            rows, self._rows = self._rows, []
            if len(rows) >= self._most:
                self._room.notify_all()
            return rows

    @property
    def is_over(self) -> bool:
        """Whether all jobs have ended and all rows are taken."""
        with self._lock:
            return not (self._at_work or self._rows)

    def _await(self, wanted: int, seconds: float) -> None:
        if len(self._rows) < wanted and self._at_work:
            self._wanted = wanted
            self._come.wait(seconds)
            self._wanted = 0
