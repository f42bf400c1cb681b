"""Changes of several threads in one transaction: eight that wait for the disk then wait for one sync, not for eight.

Nor for eight statements: each gives the interpreter's lock away, and beside eight busy threads gets it back late.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from alovoice_cli.stores.beside import Beside
from alovoice_cli.stores.migrations import transaction

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")

_sync_data = getattr(os, "fdatasync", os.fsync)


class _Waiting(Generic[C, R]):
    """One change on its way to the disk. `turn` is given back when it is there, or when its thread is to write."""

    __slots__ = ("change", "done", "error", "result", "turn")

    def __init__(self, change: C) -> None:
        self.change = change
        self.done = False
        self.error: Exception | None = None
        self.result: R | None = None
        self.turn = Lock()
        self.turn.acquire()


class Together(Generic[C, R]):
    """One connection that many threads write by.

    `write(connection, changes)` makes changes, all or none, and returns what came of each, in their order. Where it
    raises, each of them is made by itself, so that one that fails spoils no other.

    SQLite would hold its lock on the file while it syncs a commit. So it commits without (synchronous = NORMAL), and
    the log is synced here: whoever need not wait for the disk writes meanwhile. The first commit SQLite syncs by
    itself, and with it the directory that the log is new in.

    `beside` syncs what else must be on the disk when `run` returns.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        write: Callable[[sqlite3.Connection, Sequence[C]], Sequence[R]],
        beside: Beside | None = None,
    ) -> None:
        self._path, self._connection, self._write = path, connection, write
        self._queueing, self._writing, self._syncing = Lock(), Lock(), Lock()
        self._queue: list[_Waiting[C, R]] = []
        self._is_led = False
        self._log = -1
        self._beside = beside

    def run(self, change: C) -> R:
        """Makes the change; it is on the disk when this returns. Raises what `write`, SQLite or the disk raises."""
        waiting: _Waiting[C, R] = _Waiting(change)
        with self._queueing:
            self._queue.append(waiting)
            is_first, self._is_led = not self._is_led, True
        if not is_first:
            waiting.turn.acquire()
        if not waiting.done:
            self._lead()
        if waiting.error is not None:
            raise waiting.error
        return waiting.result  # type: ignore[return-value] # there is one where there is no error

    def run_unsynced(self, change: C) -> R:
        """Makes the change, which survives this process at once, and a power cut from the next synced one on."""
        with self._writing:
            (result,) = self._write(self._connection, [change])
            return result

    def sync(self) -> None:
        """Puts all that was written on the disk, for those that wrote it unsynced."""
        with self._syncing:
            if self._log >= 0:
                _sync_data(self._log)
                return
        with self._writing:  # what was written so far, SQLite has synced
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._log = os.open(f"{self._path}-wal", os.O_RDWR)

    def alone(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Makes a change of another kind in a transaction of its own. Only before the first of `run`."""
        with self._writing, transaction(self._connection):
            return change(self._connection)

    def close(self) -> None:
        """Waits for what is being written, leaves nothing in a log beside the file, and closes."""
        with self._writing, self._syncing, closing(self._connection):
            if self._log >= 0:
                os.close(self._log)  # before SQLite takes the log away: Windows keeps what is open
                self._log = -1
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _lead(self) -> None:
        """Writes for all that wait, and passes the lead to the first of those that came meanwhile."""
        with self._queueing:
            group, self._queue = self._queue, []
        try:
            self._put_on_disk(group)
            for waiting in group:
                waiting.done = True
        except BaseException as trouble:  # nobody may take for written what is not
            for waiting in group:
                waiting.error = trouble if isinstance(trouble, Exception) else sqlite3.OperationalError("interrupted")
                waiting.done = True
            if not isinstance(trouble, Exception):
                raise
        finally:
            with self._queueing:
                following = self._queue[:1]
                self._is_led = bool(following)
            for waiting in (*group, *following):
                waiting.turn.release()

    def _put_on_disk(self, group: list[_Waiting[C, R]]) -> None:
        if self._beside is not None:
            self._beside.begin()
        try:
            with self._writing:
                self._make(group)
            self.sync()
        finally:
            if self._beside is not None:
                self._beside.wait()

    def _make(self, group: list[_Waiting[C, R]]) -> None:
        try:
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
