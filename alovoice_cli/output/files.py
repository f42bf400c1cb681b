"""Writes a file that holds personal data: private, whole or not at all, never over another one unasked."""

import contextlib
import os
from pathlib import Path

from alovoice_cli.errors import UsageError


def write_private(target: Path, text: str, *, force: bool = False) -> None:
    """Writes the text as UTF-8 to a file of mode 0600 that appears under its name when it is whole.

    Raises UsageError where it exists already (`force` replaces it), or cannot be written.
    """
    check_free(target, force=force)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            # A lone surrogate, which JSON may hold, has no UTF-8.
            file.write(text.encode("utf-8", "backslashreplace").decode("utf-8"))
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise UsageError(f"{target} cannot be written: {error.strerror}", hint="choose another place") from error


def check_free(target: Path, *, force: bool) -> None:
    """Raises UsageError for a folder, and, without `force`, for a name that is taken."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint="name a file in it")
    if not force and (target.exists() or target.is_symlink()):
        raise UsageError(f"{target} exists already", hint="choose another name, or add --force")
