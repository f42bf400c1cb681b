"""Changes of several threads in one transaction: eight that wait for the disk then wait for one sync, not for eight."""

import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from alovoice_cli.stores.migrations import transaction

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]


class _Waiting:
    """One change on its way to the disk."""

    __slots__ = ("change", "done", "error", "result", "synced")

    def __init__(self, change: Change, *, synced: bool) -> None:
        self.change, self.synced = change, synced
        self.done = False
        self.error: Exception | None = None
        self.result: Any = None


class Together:
    """One connection that many threads write by."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._writing, self._queueing = Lock(), Lock()
        self._queue: list[_Waiting] = []

    def run(self, change: Callable[[sqlite3.Connection], T], *, synced: bool = True) -> T:
        """Makes the change; it is on the disk when this returns. Raises what the change or SQLite raises.

        One that need not be `synced` survives the process at once, and a power cut from the next synced one on.

        A change may be made twice, the first time in vain: where another one spoils the transaction for all.
        """
        waiting = _Waiting(change, synced=synced)
        with self._queueing:
            self._queue.append(waiting)
        with self._writing:  # whoever gets it writes for all that wait
            if not waiting.done:
                with self._queueing:
                    all_waiting, self._queue = self._queue, []
                self._write(all_waiting)
        if waiting.error is not None:
            raise waiting.error
        return waiting.result  # type: ignore[no-any-return] # what the change returned

    def close(self) -> None:
        """Waits for what is being written, leaves nothing in a log beside the file, and closes."""
        with self._writing:
            try:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self.connection.close()

    def _write(self, all_waiting: list[_Waiting]) -> None:
        level = "FULL" if any(waiting.synced for waiting in all_waiting) else "NORMAL"
        try:
            self.connection.execute(f"PRAGMA synchronous = {level}")
            with transaction(self.connection):
                for waiting in all_waiting:
                    waiting.result = waiting.change(self.connection)
        except Exception as error:
            for waiting in all_waiting:
                if len(all_waiting) > 1:  # one of them spoilt it: each by itself
                    self._write([waiting])
                else:
                    waiting.error = error
        for waiting in all_waiting:
            waiting.done = True
