"""Writes what a list comes to: the rows to call, their number in one spelling, and the rows left out, with reasons."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from alovoice_cli import phones
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import TROUBLES

Keep = Callable[[list[str]], object]


@contextmanager
def new_file(path: Path, option: str) -> Iterator[TextIO]:
    """A new text file in UTF-8; gone again where the block fails. Raises UsageError for one that is there already."""
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise UsageError(f"{option} {path} is there already", hint="give another name, or remove it first") from error
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_lists(whom: Recipients, clean: Path | None, rejected: Path | None) -> None:
    """Writes the cleaned list and the rejected rows, each where a path is given. Raises UsageError."""
    with ExitStack() as files:
        kept = files.enter_context(new_file(clean, "--clean")) if clean else None
        left_out = files.enter_context(new_file(rejected, "--rejected")) if rejected else None
        _write(whom, kept, left_out)


def cleaned_file(whom: Recipients) -> BinaryIO:
    """The cleaned list as a temporary file, open at its start; the caller closes it."""
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it, as it does the list
    try:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        _write(whom, text, None)
        text.detach()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write(whom: Recipients, kept: TextIO | None, left_out: TextIO | None) -> None:
    """The cleaned list keeps its columns and heading, in UTF-8; the number is written `998901234567`."""
    layout, delimiter = whom.layout, whom.layout.delimiter
    keep: Keep = _writer(kept, delimiter).writerow if kept else _nowhere
    reject: Keep = _writer(left_out, delimiter).writerow if left_out else _nowhere
    reject(["line", "reason", "explanation", "row"])
    reasons = _reasons(whom)
    with whom.sheet.reading(delimiter) as reader:
        for row in reader:
            line = whom.sheet.above + reader.line_num
            if line == layout.header_line:
                keep(row)
            elif (reason := reasons.get(line)) is not None:
                reject([str(line), *reason, *row])
            else:
                number = phones.read_cell(row[layout.column]).number
                keep([*row[: layout.column], str(number), *row[layout.column + 1 :]])
    whom.sheet.file.seek(0)


def _reasons(whom: Recipients) -> dict[int, tuple[str, str]]:
    """Why each row is left out that is: a code, and words."""
    reasons = dict.fromkeys(whom.tally.empty, ("empty", "no number"))
    for code, lines in whom.tally.troubles.items():
        reasons |= dict.fromkeys(lines, (code, TROUBLES[code][0]))
    for number, at in whom.duplicates.items():
        reasons |= dict.fromkeys(at[1:], ("duplicate", f"{number} stands on line {at[0]}"))
    for reason, numbers in whom.excluded_by.items():
        for number, at in numbers.items():
            reasons |= dict.fromkeys(at, ("excluded", f"{number}: {reason}"))
    return reasons


def _writer(out: TextIO, delimiter: str) -> Any:
    return csv.writer(out, delimiter=delimiter, lineterminator="\n")


def _nowhere(row: list[str]) -> None:
    """Where a list is not asked for."""
