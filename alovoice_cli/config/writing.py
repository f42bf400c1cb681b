"""Writes a file of ours: private from its first byte, whole or not at all, one writer at a time."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from alovoice_cli.config.paths import Paths
from alovoice_cli.errors import BadConfigError, UsageError

_WAIT_SECONDS = 30.0  # without any change in the directory: a writer needs a tenth of a second
_POLL_SECONDS = 0.01
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ONLY_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """Holds `config.lock` round a read, a change and a write; makes the directory (0700) when it is missing.

    What a killed writer left behind is swept away. Raises UsageError when another writer keeps the lock, and
    BadConfigError when the directory cannot be written.
    """
    with _told(paths.config):
        _refuse_foreign_link(paths.config)
        _make_private_directory(paths.config)
        lock = _acquire(paths.config)
        try:
            for path in (paths.config_file, paths.tokens_file):
                _temporary(path).unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def _acquire(directory: Path) -> FileLock:
    """The directory's lock. Waits for as long as other writers get on, and `_WAIT_SECONDS` for one that does not."""
    lock = FileLock(directory / "config.lock", timeout=_WAIT_SECONDS, poll_interval=_POLL_SECONDS, mode=0o600)
    while True:
        changed = directory.stat().st_mtime_ns
        try:
            lock.acquire()
        except Timeout:
            if directory.stat().st_mtime_ns == changed:
                raise UsageError(
                    f"another process is writing in {directory}", hint="run again when it is done"
                ) from None
        else:
            return lock


def replace(contents: Mapping[Path, bytes], *, rehearse: bool = False) -> None:
    """Puts each content in the place of its file's, 0600: all of them, or none. To be called with the lock held.

    `rehearse` writes the contents beside the files and removes them again: directory, links and disk space are proved.
    A link that belongs to the user stays a link, and what it points to is replaced (dotfile managers link on purpose);
    a link of or to somebody else is refused. Raises BadConfigError.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with _told(path):
                target = _refuse_foreign_link(path)
                staged[_temporary(target)] = target
                _write_private(_temporary(target), content)
        if rehearse:
            return
        for temporary, target in staged.items():
            with _told(target):
                temporary.replace(target)
                _sync_directory(target.parent)
    finally:
        for temporary in staged:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """One fixed name a file: the lock's owner knows that whatever bears it is a dead writer's."""
    return path.with_name(f".{path.name}.tmp")


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _ONLY_HERE, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Without it a power cut can bring the old name back. Windows has no such call, and opens no directory."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _make_private_directory(path: Path) -> None:
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)


def _refuse_foreign_link(path: Path) -> Path:
    """The path behind a link; the path itself where it is none. Raises BadConfigError for a link not to be followed."""
    if not path.is_symlink():
        return path
    target = path.resolve()
    holder = target if target.exists() else target.parent
    for place in (path, holder, target.parent):
        if not _is_ours(place):
            raise BadConfigError(
                f"{path} is a link to {target}, and {place} belongs to another user: not written",
                hint="remove the link, or own what it points to",
            )
    return target


def _is_ours(path: Path) -> bool:
    """Whether the path itself, not what it points to, belongs to the user. Windows keeps links to administrators."""
    status = path.lstat()
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and (stat.S_ISLNK(status.st_mode) or not status.st_mode & stat.S_IWOTH)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "make room on the disk" if error.errno in _FULL else "make it writable"
        raise BadConfigError(
            f"{path} cannot be written: {error.strerror or error}",
            hint=f"{remedy}, or set ALOVOICE_CONFIG_DIR to another directory",
        ) from error
