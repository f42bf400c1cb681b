"""Writes an answer to a file that appears under its name only when it is whole."""

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from alovoice_cli.api.courier import Progress
from alovoice_cli.errors import ServerError, UsageError

LARGEST = 200 * 1024 * 1024


class PartFile:
    """A sink that writes `NAME.part`, mode 0600, and renames it by `keep()`; left without it, the part is removed.

    The part never follows a link and is never somebody else's: a stale one of a killed run is removed first.
    """

    def __init__(
        self, target: Path, *, force: bool = False, largest: int = LARGEST, progress: Progress | None = None
    ) -> None:
        self.target = target
        self.written = 0
        self._part = target.with_name(target.name + ".part")
        self._force, self._largest, self._progress = force, largest, progress
        self._file: BinaryIO | None = None
        self._length: int | None = None

    def __enter__(self) -> Self:
        """Raises UsageError when the file exists already, or its folder cannot be written."""
        self._check_free()
        try:
            if self._part.is_symlink() or self._part.is_file():
                self._part.unlink()
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb")
        except OSError as error:
            raise self._cannot_write(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk shows in write or keep; here nothing is left to save
                self._file.close()
            self._part.unlink(missing_ok=True)

    def begin(self, length: int | None) -> None:
        """Starts anew. Raises ServerError when the announced length is over the limit."""
        if length is not None and length > self._largest:
            raise self._too_large()
        self._length, self.written = length, 0
        file = self._open_file()
        file.seek(0)
        file.truncate()

    def write(self, chunk: bytes) -> None:
        """Raises ServerError over the limit, UsageError when the disk refuses."""
        self.written += len(chunk)
        if self.written > self._largest:
            raise self._too_large()
        try:
            self._open_file().write(chunk)
        except OSError as error:
            raise self._cannot_write(error) from error
        if self._progress is not None:
            with contextlib.suppress(Exception):  # decoration must not cut a download
                self._progress(self.written, self._length)

    def keep(self) -> int:
        """Makes it durable under its name; returns its bytes. Raises UsageError when the disk refuses."""
        file = self._open_file()
        try:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            self._check_free()  # somebody may have made it meanwhile
            self._part.replace(self.target)
        except OSError as error:
            raise self._cannot_write(error) from error
        return self.written

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise RuntimeError("a PartFile is written inside `with`")
        return self._file

    def _check_free(self) -> None:
        if self.target.is_dir():
            raise UsageError(f"{self.target} is a folder", hint="name a file in it")
        if not self._force and (self.target.exists() or self.target.is_symlink()):
            raise UsageError(f"{self.target} exists already", hint="choose another name, or add --force")

    def _too_large(self) -> ServerError:
        megabytes = self._largest // (1024 * 1024)
        return ServerError(f"the recording is larger than {megabytes} MB", hint="fetch it from the web console")

    def _cannot_write(self, error: OSError) -> UsageError:
        return UsageError(f"{self.target} cannot be written: {error.strerror}", hint="choose another place")
