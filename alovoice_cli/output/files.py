"""Writes a file with personal data: private, whole or not at all, and over an existing file only on request."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from alovoice_cli.errors import FULL_DISK, UsageError, no_space_left, reason_of
from alovoice_cli.language import tr

_PAGE = 4096


def write_private(target: Path, text: str, *, force: bool = False) -> None:
    """Writes the text as UTF-8 to a file of mode 0600, which gets its name when it is whole.

    Raises UsageError for an existing file (`force` replaces it), and for an error of the disk.
    """
    check_free(target, force=force)
    # A lone surrogate, which JSON may contain, has no UTF-8.
    with _written(target, text.encode("utf-8", "backslashreplace")) as part:
        part.replace(target)


def write_new(target: Path, content: bytes, *, rehearse: bool) -> None:
    """Writes a file of mode 0600 that is not there yet; with `rehearse` it writes none.

    Raises UsageError as `write_private` does.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(tr("{path} already exists and is not changed", path=target), hint=tr("name a new file"))
    if not rehearse:
        with _written(target, content) as part:
            part.replace(target)


def check_writable(target: Path) -> None:
    """Raises UsageError where a file of this name cannot be written: writes and removes a file beside it."""
    with _written(target, b"\0" * _PAGE) as part:
        part.unlink()


@contextlib.contextmanager
def _written(target: Path, content: bytes) -> Iterator[Path]:
    """Yields a new file with this content beside the target.

    Raises UsageError naming the target, also for the block.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield part
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        is_full = error.errno in FULL_DISK
        message = tr("{path} cannot be written: {problem}", path=target, problem=reason_of(error))
        raise UsageError(no_space_left(target) if is_full else message, hint=tr("choose another place")) from error


def check_free(target: Path, *, force: bool) -> None:
    """Raises UsageError for a folder, and, without `force`, for an existing file."""
    if target.is_dir():
        raise UsageError(tr("{path} is a directory, not a file", path=target), hint=tr("name a file in it"))
    if not force and (target.exists() or target.is_symlink()):
        raise UsageError(tr("{path} already exists", path=target), hint=tr("choose another name, or add --force"))
