"""Changes of several threads in one transaction: eight that wait for the disk then wait for one sync, not for eight.

Nor for eight statements: each gives the interpreter's lock away, and beside eight busy threads gets it back late.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Lock
from typing import Generic, TypeVar

from alovoice_cli.stores.migrations import transaction

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")


def changed_rows(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    """Carries the statement out and counts what it changed: a cursor's `rowcount` is -1 where it begins by WITH."""
    before = connection.total_changes
    connection.execute(statement, values)
    return connection.total_changes - before


class _Waiting(Generic[C, R]):
    """One change on its way to the disk. `turn` is given back when it is there, or when its thread is to write."""

    __slots__ = ("change", "done", "error", "result", "synced", "turn")

    def __init__(self, change: C, *, synced: bool) -> None:
        self.change, self.synced = change, synced
        self.done = False
        self.error: Exception | None = None
        self.result: R | None = None
        self.turn = Lock()
        self.turn.acquire()


class Together(Generic[C, R]):
    """One connection that many threads write by.

    `write(connection, changes)` makes changes, all or none, and returns what came of each, in their order. Where it
    raises, each of them is made by itself, so that one that fails spoils no other.
    """

    def __init__(
        self, connection: sqlite3.Connection, write: Callable[[sqlite3.Connection, Sequence[C]], Sequence[R]]
    ) -> None:
        self._connection, self._write = connection, write
        self._lock, self._writing = Lock(), Lock()
        self._queue: list[_Waiting[C, R]] = []
        self._is_writing = False
        self._level = ""

    def run(self, change: C, *, synced: bool = True) -> R:
        """Makes the change; it is on the disk when this returns. Raises what `write` or SQLite raises.

        One that need not be `synced` survives the process at once, and a power cut from the next synced one on.
        """
        waiting: _Waiting[C, R] = _Waiting(change, synced=synced)
        with self._lock:
            self._queue.append(waiting)
            is_first, self._is_writing = not self._is_writing, True
        if not is_first:
            waiting.turn.acquire()
        if not waiting.done:
            self._lead()
        if waiting.error is not None:
            raise waiting.error
        return waiting.result  # type: ignore[return-value] # there is one where there is no error

    def alone(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Makes a change of another kind in a transaction of its own, while no thread writes."""
        with self._writing, transaction(self._connection):
            return change(self._connection)

    def close(self) -> None:
        """Waits for what is being written, leaves nothing in a log beside the file, and closes."""
        with self._writing, closing(self._connection):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _lead(self) -> None:
        """Writes for all that wait, and passes the lead to the first of those that came meanwhile."""
        with self._lock:
            group, self._queue = self._queue, []
        try:
            with self._writing:
                self._make(group)
        except BaseException:  # Ctrl-C: nobody may take for written what is not
            for waiting in group:
                waiting.error = waiting.error or sqlite3.OperationalError("interrupted")
            raise
        finally:
            with self._lock:
                following = self._queue[:1]
                self._is_writing = bool(following)
            for waiting in (*group, *following):
                waiting.turn.release()

    def _make(self, group: list[_Waiting[C, R]]) -> None:
        try:
            self._sync(full=any(waiting.synced for waiting in group))
            results = self._write(self._connection, [waiting.change for waiting in group])
        except Exception as error:
            for waiting in group:
                if len(group) > 1:
                    self._make([waiting])
                else:
                    waiting.error = error
        else:
            for waiting, result in zip(group, results, strict=True):
                waiting.result = result
        for waiting in group:
            waiting.done = True

    def _sync(self, *, full: bool) -> None:
        level = "FULL" if full else "NORMAL"
        if level != self._level:
            self._connection.execute(f"PRAGMA synchronous = {level}")
            self._level = level
