"""One process at a time: what is looked up and then acted upon must not be done by two at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from alovoice_cli.errors import UsageError


@contextmanager
def one_at_a_time(path: Path, what: str, *, patience: float) -> Iterator[None]:
    """Holds the lock file at `path`; a process that dies gives it back.

    Raises UsageError when another process holds it for longer than `patience` seconds: nothing was sent.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(path, timeout=patience, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"another `alovoice {what}` is at work", hint="run again when it is done") from error
    except OSError as error:
        raise UsageError(
            f"cannot open {path}: {error.strerror or error}", hint="make its directory writable"
        ) from error
    try:
        yield
    finally:
        lock.release()
