"""Writes what a list comes to: the rows to call, their number in one spelling, and the rows left out, with reasons."""

import csv
import io
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TextIO, cast

from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import COUNTRY, NATIONAL_LENGTH, TROUBLES, spelled
from alovoice_cli.spreadsheet import PLAIN, SpreadsheetFormat

Keep = Callable[[Sequence[str]], object]

_AT_HOME: Final = range(COUNTRY * 10**NATIONAL_LENGTH, (COUNTRY + 1) * 10**NATIONAL_LENGTH)


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


def write_lists(whom: Recipients, clean: Path | None, rejected: Path | None, form: SpreadsheetFormat = PLAIN) -> None:
    """Writes the cleaned list and the rejected rows, each where a path is given. Raises UsageError."""
    if clean is None and rejected is None:
        return
    delimiter = form.delimiter or whom.layout.delimiter
    with ExitStack() as files:
        kept = files.enter_context(new_file(clean, "--clean")) if clean else None
        left_out = files.enter_context(new_file(rejected, "--rejected")) if rejected else None
        for file in filter(None, (kept, left_out)):
            file.write(form.mark)
        _write(whom, _writer(kept, delimiter), _writer(left_out, delimiter))


def cleaned_file(whom: Recipients) -> BinaryIO:
    """The cleaned list to be uploaded, as a temporary file, open at its start; the caller closes it.

    Which column the PBX dials is not documented: further columns with phones are emptied.
    """
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it, as it does the list
    try:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        emptied = {*whom.layout.phone_columns, *whom.layout.columns} - {whom.layout.column}
        _write(whom, _writer(text, whom.layout.delimiter), _writer(None, ""), emptied)
        text.detach()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write(whom: Recipients, keep: Keep, reject: Keep, emptied: Collection[int] = ()) -> None:
    """The cleaned list keeps its columns and heading, in UTF-8; the number is written `998901234567`, `+49301234567`.

    The number stands in the first of the columns chosen, also where another one held it. `emptied` are the columns
    whose cells are left out.
    """
    layout, tally = whom.layout, whom.tally
    column, above, wide = layout.column, whom.sheet.above, max(tally.widest, layout.width)
    reject(["line", "reason", "explanation", *_headings(layout.headings, wide)])
    reasons = _reasons(whom)
    with whom.sheet.reading(layout.delimiter) as reader:
        for row, number in zip(reader, tally.row_numbers, strict=True):
            line = above + reader.line_num
            if number and line not in reasons:
                if len(row) <= column:
                    row += [""] * (column + 1 - len(row))
                for other in emptied:
                    row[other : other + 1] = [""] * (other < len(row))
                row[column] = str(number) if number in _AT_HOME else spelled(number)
                keep(row)
            elif line == layout.header_line:
                keep(row)
            elif line > layout.header_line:
                reject([str(line), *reasons[line], *row, *[""] * (wide - len(row))])
    whom.sheet.file.seek(0)


def _headings(headings: Sequence[str], wide: int) -> list[str]:
    """As many headings as there are cells: those of the list, else their number."""
    return [headings[at] if at < len(headings) else f"column {at + 1}" for at in range(wide)]


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


def _writer(out: TextIO | None, delimiter: str) -> Keep:
    """Writes a row of a CSV; goes nowhere where no list is asked for."""
    return csv.writer(out, delimiter=delimiter, lineterminator="\n").writerow if out is not None else len
