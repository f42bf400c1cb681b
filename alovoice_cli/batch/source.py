"""Reads the list of a batch: a table with headings, or JSON Lines."""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import BinaryIO

from alovoice_cli.batch.json_lines import is_json_lines, read_json_lines
from alovoice_cli.batch.rows import Cell, Row, Table
from alovoice_cli.campaigns.layout import find_delimiter
from alovoice_cli.campaigns.sheet import Sheet, open_sheet
from alovoice_cli.errors import UsageError

_LOOKED_THROUGH = 20  # rows, in which headings below other lines are looked for


def read_table(
    file: BinaryIO,
    name: str,
    knows: Callable[[str], bool],
    encoding: str | None = None,
    *,
    tab: str | None = None,
    header_line: int | None = None,
) -> Table:
    """Reads an open, seekable list from its start. `knows` tells whether a heading is one that is looked for.

    Raises UsageError, with the line, for what is neither a table with headings nor JSON Lines.
    """
    if is_json_lines(file):
        if tab is not None or header_line is not None:
            option = "--sheet" if tab is not None else "--header-line"
            raise UsageError(f"{name} is JSON Lines: it has no headings and no sheets", hint=f"leave {option} out")
        return read_json_lines(file, name)
    return _read_sheet(open_sheet(file, name, encoding, tab=tab, header_line=header_line), knows)


def _read_sheet(sheet: Sheet, knows: Callable[[str], bool]) -> Table:
    delimiter = find_delimiter(sheet, knows)
    rows = list[Row]()
    with closing(sheet.rows(delimiter)) as source:
        line, first = next(source, (0, list[str]()))
        headings = [heading.strip() for heading in first]
        _check_headings(sheet.name, line, headings)
        if sheet.header_line is None and not any(map(knows, headings)):
            _refuse_lines_above(sheet, delimiter, knows)
        for line, cells in source:
            if any(cell.strip() for cell in cells[len(headings) :]):
                raise UsageError(
                    f"{sheet.name}, line {line} has {len(cells)} cells, and there are {len(headings)} headings",
                    hint='quote a cell that holds the delimiter: "so, as one"',
                )
            padded = [*cells, *[""] * (len(headings) - len(cells))]
            named = zip(headings, padded, strict=False)
            rows.append(Row(line, {head: Cell(cell, at) for at, (head, cell) in enumerate(named, start=1) if head}))
    return Table(sheet.name, tuple(head for head in headings if head), tuple(rows), sheet.conversion)


def _check_headings(name: str, line: int, headings: Sequence[str]) -> None:
    if not headings:
        raise UsageError(f"{name} holds blank lines only", hint="give a list whose first row names its columns")
    twice = next((head for at, head in enumerate(headings) if head and head in headings[:at]), None)
    if twice is not None:
        hint = "give each column a name of its own"
        raise UsageError(f"{name}, line {line} names the column {twice!r} twice", hint=hint)


def _refuse_lines_above(sheet: Sheet, delimiter: str, knows: Callable[[str], bool]) -> None:
    """Raises UsageError where the headings stand further below."""
    with closing(sheet.rows(delimiter)) as rows:
        for line, row in islice(rows, 1, _LOOKED_THROUGH):
            if any(map(knows, row)):
                raise UsageError(
                    f"{sheet.name}, line {line} looks like the headings, and lines stand above",
                    hint=f"--header-line {line} leaves the lines above out",
                )
