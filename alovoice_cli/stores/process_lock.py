"""One process at a time: a lock on a file of the state directory, which the system releases when the owner dies."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from alovoice_cli.errors import FULL_DISK, UsageError, reason_of
from alovoice_cli.language import tr
from alovoice_cli.stores.migrations import full_disk_error, make_private_file

_OWNER_SECONDS = 1.0


class ProcessLock:
    """The lock on a file, which stays; the owner's process id is in a file beside it. Any thread may release it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, mode=0o600, thread_local=False)

    def acquire(self, patience: float = 0.0) -> bool:
        """Takes the lock, and waits this many seconds for another process; returns whether it is held.

        Raises UsageError if the file cannot be created.
        """
        try:
            make_private_file(self._path)
            self._lock.acquire(timeout=patience)
        except Timeout:
            return False
        except OSError as error:
            self._lock.release()
            if error.errno in FULL_DISK:
                raise full_disk_error(self._path, str(error)) from error
            raise UsageError(
                tr("{path} cannot be used: {problem}", path=self._path, problem=reason_of(error)),
                hint=tr("make its directory writable"),
            ) from error
        with suppress(OSError):  # a full disk: the error of a second process then lacks the process id
            self._owner_file.touch(mode=0o600)
            self._owner_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        return True

    def release(self) -> None:
        """Releases the lock, if it is held."""
        if self._lock.is_locked:
            self._owner_file.unlink(missing_ok=True)
        self._lock.release()

    def owner(self, patience: float = 0.0) -> str:
        """Returns the owner's process id, or ''; waits this many seconds for an owner that has just started."""
        deadline = time.monotonic() + patience
        while True:
            with suppress(OSError, UnicodeDecodeError):
                text = self._owner_file.read_text(encoding="ascii")
                if text.endswith("\n"):
                    return text.strip()
            if time.monotonic() >= deadline:
                return ""
            time.sleep(0.02)

    @property
    def _owner_file(self) -> Path:
        # Beside the lock and not in it: a locked file cannot be read on Windows.
        return self._path.with_name(self._path.name + ".pid")


@contextmanager
def hold(path: Path, what: str, *, patience: float = 0.0) -> Iterator[None]:
    """Holds the lock during the block; the file stays, with the owner's process id beside it.

    Raises UsageError (`what` is already under way) when another process holds it for longer than `patience` seconds, or
    where the file cannot be made.
    """
    lock = ProcessLock(path)
    if not lock.acquire(patience):
        owner = lock.owner(_OWNER_SECONDS)
        message = tr("{what} already", what=what)
        if owner:
            message = tr("{what} already, by process {process}", what=what, process=owner)
        raise UsageError(message, hint=tr("end that process first, or read its output"))
    try:
        yield
    finally:
        lock.release()
