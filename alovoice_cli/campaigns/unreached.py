"""The rows of a campaign's list to call again, as a list for the next campaign."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.campaigns.report import CampaignReport, ReportedRow, RowCategory
from alovoice_cli.errors import AlovoiceError, CheckFailedError
from alovoice_cli.language import tr
from alovoice_cli.phones import number_of, spelled
from alovoice_cli.spreadsheet import SpreadsheetFormat

_SETTLED = frozenset[RowCategory](("reached", "short", "duplicate", "invalid", "excluded"))
"""Rows that are not called again, whatever else is known of them."""

MakeSafe = Callable[[str], str]
"""Returns a cell's text so that no spreadsheet runs it."""


class UnreachedList(NamedTuple):
    """The content of the file, the whole numbers of its rows, and its column of phones, from 1."""

    text: str
    numbers: frozenset[int]
    column: int
    doubtful: int
    """How many rows are left out because the people may have been reached."""


def unreached_text(
    report: CampaignReport, include: Iterable[RowCategory], make_safe: MakeSafe, form: SpreadsheetFormat
) -> UnreachedList:
    """Returns the rows to call again with all their columns in their order, under the list's own headings."""
    out, numbers, doubtful = io.StringIO(), set[int](), 0
    column, also = report.people.reading.columns[0], frozenset(include)
    out.write(form.mark)
    writer = csv.writer(out, delimiter=form.delimiter or report.people.reading.delimiter, lineterminator="\n")
    if headings := report.people.headings:
        writer.writerow(map(make_safe, headings))
    for row in report.rows():
        if row.is_to_call_again(also):
            writer.writerow(_cells(row, column, make_safe))
            numbers.add(row.row.number)
        else:
            doubtful += row.category not in _SETTLED
    return UnreachedList(out.getvalue(), frozenset(numbers), column + 1, doubtful)


def _cells(row: ReportedRow, column: int, make_safe: MakeSafe) -> list[str]:
    """Returns the row's cells. The phone's cell is unchanged if that is safe, or holds the number in one spelling."""
    cells, number = [make_safe(cell) for cell in row.row.cells], row.row.number
    cells += [""] * (column + 1 - len(cells))
    if cells[column] != row.row.cell or number_of(cells[column]) != number:
        cells[column] = spelled(number)
    return cells


def check_reading(written: UnreachedList, name: str) -> str | None:
    """Returns the `--column` by which the file reads as the same people; None where it does without.

    Raises CheckFailedError where it never does.
    """
    for column in (None, str(written.column)):
        try:
            whom = read_recipients(io.BytesIO(written.text.encode("utf-8", "replace")), name, column=column)
        except AlovoiceError:
            continue
        if whom.tally.numbers() == written.numbers:
            return column
    raise CheckFailedError(
        tr("{name} was not written: reading it would give other numbers", name=name),
        hint=tr("write all rows with --csv, and choose from them"),
    )
