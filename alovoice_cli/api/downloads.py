"""Writes an answer to a file that appears under its name only when it is whole."""

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from alovoice_cli.api.transport import Progress
from alovoice_cli.errors import ServerError, UsageError, reason_of
from alovoice_cli.language import tr

LARGEST = 200 * 1024 * 1024
OVERLAP = 64 * 1024
"""How many bytes a continued download fetches again: different bytes mean another recording."""
_SIGNS = ((b"RIFF", ".wav"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"), (b"\xff\xf3", ".mp3"), (b"OggS", ".ogg"))
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
ENDINGS = (".wav", ".mp3", ".ogg", ".audio")


class ChangedError(ServerError):
    """The PBX's bytes do not match the end of the part on the disk."""


class PartFile:
    """A sink that writes `NAME.part`, mode 0600, and renames it by `keep()`; without `keep()` the part is removed.

    The part never follows a link and never belongs to another process: the old part of a killed run is removed first.
    With `resume` an old part is continued (from byte `start` on), and the written bytes stay for the next time.
    """

    def __init__(
        self,
        target: Path,
        *,
        force: bool = False,
        largest: int = LARGEST,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> None:
        self.target = target
        self.written = 0
        self.start = 0
        self._part = target.with_name(target.name + ".part")
        self._force, self._largest, self._progress, self._resume = force, largest, progress, resume
        self._file: BinaryIO | None = None
        self._length: int | None = None
        self._expected = b""

    def __enter__(self) -> Self:
        """Raises UsageError when the file exists already, or its folder is not writable."""
        self._check_free()
        try:
            if self._resume and self._part.is_file() and not self._part.is_symlink():
                self._file = self._reopened()
            else:
                self._file = self._fresh()
        except OSError as error:
            raise self._cannot_write(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            size = 0
            with contextlib.suppress(OSError, ValueError):  # a full disk raises in write or keep; keep closes the file
                size = self._file.seek(0, os.SEEK_END)
            with contextlib.suppress(OSError):
                self._file.close()
            if not (self._resume and size and not isinstance(error, ChangedError)):
                self._part.unlink(missing_ok=True)

    def _fresh(self) -> BinaryIO:
        if self._part.is_symlink() or self._part.is_file():
            self._part.unlink()
        return os.fdopen(os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_RDWR | _PLAIN, 0o600), "w+b")

    def _reopened(self) -> BinaryIO:
        file = os.fdopen(os.open(self._part, os.O_RDWR | _PLAIN), "r+b")
        self.start = max(file.seek(0, os.SEEK_END) - OVERLAP, 0)
        return file

    def begin(self, length: int | None, start: int = 0) -> None:
        """Starts from the beginning, or continues at byte `start`. Raises ServerError for a body over the limit."""
        whole = None if length is None else start + length
        if whole is not None and whole > self._largest:
            raise self._too_large()
        if start not in (0, self.start):
            raise ChangedError(tr("the PBX sent another part of the recording than requested"))
        file = self._open_file()
        file.seek(start)
        self._expected = file.read(OVERLAP) if start else b""
        self._length, self.written = whole, start
        file.seek(start)
        if not start:
            file.truncate()

    def write(self, chunk: bytes) -> None:
        """Raises ServerError over the limit, ChangedError for bytes that differ from those on the disk."""
        self.written += len(chunk)
        if self.written > self._largest:
            raise self._too_large()
        same = min(len(self._expected), len(chunk))
        if self._expected[:same] != chunk[:same]:
            raise ChangedError(tr("the recording on the PBX differs from the part that was downloaded before"))
        self._expected = self._expected[same:]
        try:
            self._open_file().write(chunk)
        except OSError as error:
            raise self._cannot_write(error) from error
        if self._progress is not None:
            with contextlib.suppress(Exception):  # a broken progress bar must not stop a download
                self._progress(self.written, self._length)

    def discard(self) -> None:
        """Marks the part as useless: it is removed when the block ends, also with `resume`."""
        self._resume = False

    def keep(self, *, ending: bool = False) -> int:
        """Makes the file durable under its name; returns its bytes. Raises UsageError for an error of the disk.

        With `ending` the name gets an ending for the audio format.
        """
        file = self._open_file()
        try:
            if ending:
                file.seek(0)
                self.target = self.target.with_name(self.target.name + _ending(file.read(4)))
                file.seek(self.written)
            file.truncate(self.written)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            self._check_free()  # another process may have created it meanwhile
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
            raise UsageError(tr("{path} is a directory, not a file", path=self.target), hint=tr("name a file in it"))
        if not self._force and (self.target.exists() or self.target.is_symlink()):
            raise UsageError(
                tr("{path} already exists", path=self.target), hint=tr("choose another name, or add --force")
            )

    def _too_large(self) -> ServerError:
        megabytes = self._largest // (1024 * 1024)
        return ServerError(
            tr("the recording is larger than {size} MB", size=megabytes), hint=tr("download it from the web console")
        )

    def _cannot_write(self, error: OSError) -> UsageError:
        return UsageError(
            tr("{path} cannot be written: {problem}", path=self.target, problem=reason_of(error)),
            hint=tr("choose another place"),
        )


def _ending(head: bytes) -> str:
    return next((ending for sign, ending in _SIGNS if head.startswith(sign)), ENDINGS[-1])
