"""One process at a time: a lock on a file of the state directory, which a killed owner gives back."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from alovoice_cli.errors import FULL_DISK, UsageError
from alovoice_cli.stores.migrations import full_disk_error

_OWNER_SECONDS = 1.0


@contextmanager
def hold(path: Path, what: str, *, patience: float = 0.0) -> Iterator[None]:
    """Holds the lock while the block runs; the file stays, and the owner's process id beside it.

    Raises UsageError (`what` is already under way) when another process holds it for longer than `patience` seconds,
    or the file cannot be made.
    """
    lock = FileLock(path, timeout=patience, mode=0o600)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        owner = _owner(path)
        raise UsageError(
            f"{what} already{f', by process {owner}' if owner else ''}",
            hint="end that one first, or read what it prints",
        ) from error
    except OSError as error:
        lock.release()
        if error.errno in FULL_DISK:
            raise full_disk_error(path, str(error)) from error
        raise UsageError(f"cannot use {path}: {error.strerror or error}", hint="make its directory writable") from error
    try:
        with suppress(OSError):  # a full disk: who comes second then hears no process id
            _owner_file(path).write_text(f"{os.getpid()}\n", encoding="ascii")
        yield
    finally:
        _owner_file(path).unlink(missing_ok=True)
        lock.release()


def _owner_file(path: Path) -> Path:
    # Beside the lock and not in it: a locked file cannot be read on Windows.
    return path.with_name(path.name + ".pid")


def _owner(path: Path) -> str:
    """The owner's process id, for which an owner that has just begun is given a moment; else nothing."""
    deadline = time.monotonic() + _OWNER_SECONDS
    while True:
        with suppress(OSError, UnicodeDecodeError):
            text = _owner_file(path).read_text(encoding="ascii")
            if text.endswith("\n"):
                return text.strip()
        if time.monotonic() > deadline:
            return ""
        time.sleep(0.02)
