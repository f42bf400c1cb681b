"""Opens what is to be uploaded: a regular file that holds something; a list is read into a file of our own at once."""

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
from alovoice_cli.phones import parse_dialled

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # else opening a FIFO waits for its writer, perhaps for ever
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


_KEPT_IN_MEMORY = 1 << 25  # bytes
_BLOCK = 1 << 20  # bytes


class MadeFile(tempfile.SpooledTemporaryFile[bytes]):
    """A file of no name, in memory while it is small; it ends with the last object that reads it.

    Writing raises UsageError where the disk has no room for a long list.
    """

    def __init__(self) -> None:
        super().__init__(_KEPT_IN_MEMORY)

    def write(self, s: Any) -> int:
        """Writes bytes."""
        with _room_explained():
            return super().write(s)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place; what was written before may go to the disk only now."""
        with _room_explained():
            return super().seek(offset, whence)

    def __del__(self) -> None:
        self.close()  # else Python warns of a file that nobody closed


@contextmanager
def _room_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = f"a list of more than {_KEPT_IN_MEMORY >> 20} MB needs as much room in {tempfile.gettempdir()} (TMPDIR)"
        raise UsageError(f"the list cannot be held: {error.strerror or error}", hint=hint) from error


def open_regular(path: Path) -> BinaryIO:
    """The open file, at its start: never opened twice, so what is checked is what is sent. The caller closes it.

    Raises UsageError when it is missing, unreadable, empty, or no regular file. There is no upper limit.
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
        raise UsageError(
            f"{path} is {_KINDS.get(kind, 'no regular file')}, not a file",
            hint="save it to a file first: its size must be known before it is sent",
        )
    if found.st_size == 0:
        raise UsageError(f"{path} is empty", hint="give a file that holds something")


def _unopened(path: Path, error: OSError | ValueError) -> UsageError:
    if isinstance(error, FileNotFoundError):
        return UsageError(f"there is no file {path}", hint="look at the spelling and the directory you are in")
    if isinstance(error, PermissionError) and path.is_dir():  # so Windows answers for a directory
        return UsageError(f"{path} is a directory, not a file", hint="give the file in it")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"{path} cannot be opened: {reason}")


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list of recipients in a file of our own: what is checked is what is sent, whatever happens to the list."""

    file: BinaryIO
    """At its start; it ends with the last object that reads it."""
    path: str
    """Where the list lies; empty for one from stdin, or made here."""
    sha256: str

    @property
    def name(self) -> str:
        """The name under which the list is uploaded."""
        return Path(self.path or "recipients.csv").name


def open_list(given: str | None, numbers: Sequence[str] | None, stdin: TextIO) -> ListFile:
    """The list of recipients: a file, `-` for stdin, or numbers given one by one. It is opened and read once.

    Raises UsageError unless exactly one of both is given.
    """
    if (given is None) == (not numbers):
        raise UsageError("give the recipients once", hint="either --recipients FILE, or --recipient NUMBER, repeated")
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
    """A CSV of these rows, in UTF-8."""
    file = cast(BinaryIO, MadeFile())
    text = io.TextIOWrapper(file, "utf-8", newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    text.detach()
    return ListFile(file, "", sha256_of(file))


def sha256_of(file: BinaryIO) -> str:
    """The digest of an open, seekable file, which is left at its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def numbers_to_csv(numbers: Sequence[str], option: str = "--recipient") -> bytes:
    """The list that stands for numbers given one by one: one a line, no header. Raises UsageError for a bad one."""
    return "".join(f"{parse_dialled(number, option)}\n" for number in numbers).encode("ascii")
