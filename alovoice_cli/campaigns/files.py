"""Opens what is to be uploaded: a regular file that holds something, looked at through the descriptor that is sent."""

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TextIO, cast

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


class MadeFile(tempfile.SpooledTemporaryFile[bytes]):
    """A file of no name, in memory while it is small; it ends with the last object that reads it."""

    def __init__(self) -> None:
        super().__init__(_KEPT_IN_MEMORY)

    def __del__(self) -> None:
        self.close()  # else Python warns of a file that nobody closed


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


def open_list(given: str | None, numbers: Sequence[str] | None, stdin: TextIO) -> tuple[BinaryIO, str]:
    """The list of recipients and the path it came from: a file, `-` for stdin, or numbers given one by one (no path).

    What has no size of its own is held in a temporary file. Raises UsageError unless exactly one of both is given.
    """
    if (given is None) == (not numbers):
        raise UsageError("give the recipients once", hint="either --recipients FILE, or --recipient NUMBER, repeated")
    if given is not None and given != "-":
        return open_regular(Path(given)), given
    content = numbers_to_csv(numbers) if numbers else None  # before there is anything to close
    held: BinaryIO = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it, as it does a file
    try:
        if content is None:
            shutil.copyfileobj(stdin.buffer, held)
        else:
            held.write(content)
        held.seek(0)
    except BaseException:
        held.close()
        raise
    return held, ""


def numbers_to_csv(numbers: Sequence[str], option: str = "--recipient") -> bytes:
    """The list that stands for numbers given one by one: one a line, no header. Raises UsageError for a bad one."""
    return "".join(f"{parse_dialled(number, option)}\n" for number in numbers).encode("ascii")
