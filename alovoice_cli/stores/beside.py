"""A sync in a thread of its own, while its caller syncs another file: the disk does both in little more than one."""

from collections.abc import Callable
from threading import Lock, Thread


class Beside:
    """Runs `sync` when told to. One caller at a time: each `begin` is followed by its `wait`."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._error: BaseException | None = None
        self._is_over = False
        self._begun, self._done = Lock(), Lock()
        self._begun.acquire()
        self._done.acquire()
        Thread(target=self._run, name="alovoice-sync", daemon=True).start()

    def begin(self) -> None:
        """Starts a sync of all that was written until now."""
        self._begun.release()

    def wait(self) -> None:
        """Returns when it is on the disk. Raises what the sync raised."""
        self._done.acquire()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Lets the thread go."""
        self._is_over = True
        self._begun.release()

    def _run(self) -> None:
        while self._begun.acquire() and not self._is_over:
            self._error = None
            try:
                self._sync()
            except BaseException as error:  # the waiting thread raises it
                self._error = error
            self._done.release()
