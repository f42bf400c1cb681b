"""Writes a cleaned list: the rows to call, with numbers in one spelling, and the rejected rows with reasons."""

import csv
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from itertools import compress
from pathlib import Path
from typing import Any, Final, TextIO

from alovoice_cli.campaigns.files import ListFile, made_list
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.phones import COUNTRY, NATIONAL_LENGTH, TROUBLES, spelled
from alovoice_cli.spreadsheet import PLAIN, SpreadsheetFormat

_AT_HOME: Final = range(COUNTRY * 10**NATIONAL_LENGTH, (COUNTRY + 1) * 10**NATIONAL_LENGTH)


@contextmanager
def new_file(path: Path, option: str) -> Iterator[TextIO]:
    """Opens a new text file in UTF-8, and removes it where the block fails. Raises UsageError for an existing file."""
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        message = tr("{option} {path} already exists", option=option, path=path)
        raise UsageError(message, hint=tr("give another name, or remove it first")) from error
    except OSError as error:
        message = tr("{option} {path} cannot be written: {problem}", option=option, path=path, problem=error.strerror)
        raise UsageError(message) from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_lists(whom: Recipients, clean: Path | None, rejected: Path | None, form: SpreadsheetFormat = PLAIN) -> None:
    """Writes the cleaned list and the rejected rows, each where a path is given. Raises UsageError."""
    delimiter = form.delimiter or whom.layout.delimiter
    with ExitStack() as files:
        kept = files.enter_context(new_file(clean, "--clean")) if clean else None
        left_out = files.enter_context(new_file(rejected, "--rejected")) if rejected else None
        for file in filter(None, (kept, left_out)):
            file.write(form.mark)
        if kept is not None:
            _writer(kept, delimiter).writerows(_kept_rows(whom))
        if left_out is not None:
            _writer(left_out, delimiter).writerows(_rejected_rows(whom))


def cleaned_file(whom: Recipients) -> ListFile:
    """Returns the cleaned list for the upload, in a file without a name.

    The document does not say which column the PBX dials: further columns with phones are emptied.
    """
    emptied = {*whom.layout.phone_columns, *whom.layout.columns} - {whom.layout.column}
    return made_list(_kept_rows(whom, emptied), whom.layout.delimiter)


def _kept_rows(whom: Recipients, emptied: Collection[int] = ()) -> Iterator[list[str]]:
    """Yields the heading and the rows to call, with all columns; numbers as `998901234567`, `+49301234567`.

    The number moves to the first chosen column, also from another column. The cells of `emptied` columns are left out.
    A row that ends early is filled up: rows of equal width leave no doubt about the delimiter.
    """
    column, width, numbers = whom.layout.column, whom.layout.width, whom.tally.row_numbers
    with whom.sheet.reading(whom.layout.delimiter) as reader:
        for row, number in compress(zip(reader, numbers, strict=True), _is_kept(whom)):
            if number:
                if len(row) < width:
                    row += [""] * (width - len(row))
                for other in emptied:
                    row[other : other + 1] = [""] * (other < len(row))
                row[column] = str(number) if number in _AT_HOME else spelled(number)
            yield row


def _is_kept(whom: Recipients) -> bytearray:
    """Returns for each row, by its place, whether it stays in the cleaned list."""
    kept = bytearray(map(bool, whom.tally.row_numbers))
    if whom.left_out:
        kept = bytearray(bool(number) and number not in whom.left_out for number in whom.tally.row_numbers)
    for place in whom.repeats:
        kept[place] = False
    if whom.layout.header_line:
        kept[whom.tally.heading_rows - 1] = True
    return kept


def _rejected_rows(whom: Recipients) -> Iterator[list[str]]:
    """Yields the rejected rows under a heading: the row in its file, the reason, and the row's own cells."""
    layout, wide = whom.layout, max(whom.tally.widest, whom.layout.width)
    headings = [*layout.headings[:wide], *(f"column {at + 1}" for at in range(len(layout.headings), wide))]
    yield ["line", "reason", "explanation", *headings]
    reasons = _reasons(whom)
    first_lines: dict[int, int] = {}
    with whom.sheet.reading(layout.delimiter) as reader:
        for row, number in zip(reader, whom.tally.row_numbers, strict=True):
            line = whom.sheet.above + reader.line_num
            first = first_lines.setdefault(number, line)
            if line in reasons:
                code, why = reasons[line]
            elif number and first != line:
                code, why = "duplicate", tr("{number} is already in row {row}", number=number, row=first)
            else:
                continue
            yield [str(line), code, why, *row, *[""] * (wide - len(row))]


def _reasons(whom: Recipients) -> dict[int, tuple[str, str]]:
    """Returns a code and an explanation for each row without a number to call."""
    reasons = dict.fromkeys(whom.tally.empty, ("empty", tr("no number")))
    for code, lines in whom.tally.troubles.items():
        reasons |= dict.fromkeys(lines, (code, tr(TROUBLES[code])))
    for reason, numbers in whom.excluded_by.items():
        for number, at in numbers.items():
            reasons |= dict.fromkeys(at, ("excluded", f"{number}: {reason}"))
    return reasons


def _writer(out: TextIO, delimiter: str) -> Any:
    return csv.writer(out, delimiter=delimiter, lineterminator="\n")
