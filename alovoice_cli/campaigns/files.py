"""Opens files for upload: regular files with content. A list is copied into a private file at once."""

import csv
import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, tr
from alovoice_cli.phones import parse_dialled

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # without this flag, opening a FIFO waits for a writer, perhaps for ever
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = {
    stat.S_IFDIR: mark("{path} is a directory, not a file"),
    stat.S_IFIFO: mark("{path} is a pipe, not a file"),
    stat.S_IFSOCK: mark("{path} is a socket, not a file"),
    stat.S_IFCHR: mark("{path} is a device, not a file"),
    stat.S_IFBLK: mark("{path} is a device, not a file"),
}
_NO_FILE = mark("{path} is not a regular file")


_KEPT_IN_MEMORY = 1 << 25  # bytes
_BLOCK = 1 << 20  # bytes


class MadeFile(tempfile.SpooledTemporaryFile[bytes]):
    """A file without a name, in memory while it is small; it ends with the last object that reads it.

    Writing raises UsageError where the disk has no room for a long list.
    """

    def __init__(self) -> None:
        super().__init__(_KEPT_IN_MEMORY)

    def write(self, s: Any) -> int:
        """Writes bytes."""
        with _room_explained():
            return super().write(s)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a place; earlier writes may reach the disk only now."""
        with _room_explained():
            return super().seek(offset, whence)

    def __del__(self) -> None:
        self.close()  # avoids Python's warning of an unclosed file


@contextmanager
def _room_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = tr(
            "a list of more than {size} MB needs as much free space in {path} (TMPDIR)",
            size=_KEPT_IN_MEMORY >> 20,
            path=tempfile.gettempdir(),
        )
        message = tr("the list cannot be stored temporarily: {problem}", problem=error.strerror or error)
        raise UsageError(message, hint=hint) from error


def open_regular(path: Path) -> BinaryIO:
    """Returns the open file, at its start: it is opened once, so the checked bytes are sent. The caller closes it.

    Raises UsageError for a missing, unreadable, empty or irregular file. There is no upper limit.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise _unopened(path, error) from error
    try:
        _refuse_unsendable(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_unsendable(path: Path, found: os.stat_result) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        text = _KINDS.get(kind, _NO_FILE)
        raise UsageError(
            tr(text, path=path),
            hint=tr("save it to a file first: its size must be known before it is sent"),
        )
    if found.st_size == 0:
        raise UsageError(tr("{path} is empty", path=path), hint=tr("give a file with content"))


def _unopened(path: Path, error: OSError | ValueError) -> UsageError:
    if isinstance(error, FileNotFoundError):
        return UsageError(
            tr("there is no file {path}", path=path), hint=tr("check the spelling and the current directory")
        )
    if isinstance(error, PermissionError) and path.is_dir():  # so Windows answers for a directory
        return UsageError(tr("{path} is a directory, not a file", path=path), hint=tr("give the file in it"))
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(tr("{path} cannot be opened: {problem}", path=path, problem=reason))


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list of recipients in a private file: the checked bytes are sent, also where the original changes."""

    file: BinaryIO
    """The private file, at its start; it ends with the last object that reads it."""
    path: str
    """The list's path; empty for a list from stdin, or made by this program."""
    sha256: str

    @property
    def name(self) -> str:
        """Returns the name under which the list is uploaded."""
        return Path(self.path or "recipients.csv").name


def open_list(given: str | None, numbers: Sequence[str] | None, stdin: TextIO) -> ListFile:
    """Opens the list of recipients, and reads it once: a file, `-` for stdin, or single numbers.

    Raises UsageError unless exactly one of both is given.
    """
    if (given is None) == (not numbers):
        hint = tr("give --recipients FILE, or --recipient NUMBER for each number")
        raise UsageError(tr("--recipients and --recipient cannot be used together"), hint=hint)
    if numbers:
        return _read_once(io.BytesIO(numbers_to_csv(numbers)), "")
    if given is None or given == "-":
        return _read_once(stdin.buffer, "")
    with open_regular(Path(given)) as file:
        return _read_once(file, given)


def _read_once(source: BinaryIO, path: str) -> ListFile:
    held, digest = cast(BinaryIO, MadeFile()), hashlib.sha256()
    while block := source.read(_BLOCK):
        held.write(block)
        digest.update(block)
    held.seek(0)
    return ListFile(held, path, digest.hexdigest())


def made_list(rows: Iterable[Sequence[str]], delimiter: str) -> ListFile:
    """Returns a CSV of these rows, in UTF-8."""
    file = cast(BinaryIO, MadeFile())
    text = io.TextIOWrapper(file, "utf-8", newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    text.detach()
    return ListFile(file, "", sha256_of(file))


def sha256_of(file: BinaryIO) -> str:
    """Returns the digest of an open, seekable file, which is left at its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def numbers_to_csv(numbers: Sequence[str], option: str = "--recipient") -> bytes:
    """Returns a list of single numbers: one a line, without a header. Raises UsageError for a bad number."""
    return "".join(f"{parse_dialled(number, option)}\n" for number in numbers).encode("ascii")
