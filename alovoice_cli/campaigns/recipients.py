"""Reads a CSV of recipients as it stands, without changing a byte: whom it would call, and which rows it would not.

The vendor does not document the file's columns: the phone is in the first column that holds phones.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from alovoice_cli.campaigns.layout import Layout, find_layout, without_phones
from alovoice_cli.campaigns.sheet import Moved, Sheet, open_sheet
from alovoice_cli.campaigns.tally import Tally
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import FOREIGN, LANDLINE

_BLOCK = 1 << 14  # characters
_PHONES_AT_LEAST = 0.95  # of the cells that hold something, else the column was misread


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Numbers that are not to be called, and why: `--exclude FILE` or `--exclude-called 7d`."""

    reason: str
    numbers: Iterable[int]
    """Whole numbers, such as 998901234567; gone through once."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """What the rows of a list hold. A row is `good`, `invalid`, `empty`, a `duplicate` or `excluded`, and only one.

    The first row with a number is good, further ones are duplicates; a heading is no row, a blank line is an empty one.
    """

    name: str
    sheet: Sheet
    layout: Layout
    tally: Tally
    duplicates: Mapping[int, Sequence[int]]
    """Each number that more than one row has (excluded ones left out), with the lines of all of them."""
    excluded_by: Mapping[str, Mapping[int, Sequence[int]]]
    """For each reason the numbers that are left out, with their lines."""

    @property
    def rows(self) -> int:
        """All rows but the heading."""
        return self.tally.numbers_read + self.invalid + self.empty

    @property
    def good(self) -> int:
        """Rows whose number will be called: each number once."""
        return self.tally.numbers_read - self.duplicate - self.excluded

    @property
    def invalid(self) -> int:
        """Rows whose cell holds something, but no number that can be called."""
        return sum(map(len, self.tally.troubles.values()))

    @property
    def empty(self) -> int:
        """Rows whose cell holds nothing, blank lines included."""
        return len(self.tally.empty)

    @property
    def duplicate(self) -> int:
        """Rows whose number stands in a row above."""
        return sum(len(lines) - 1 for lines in self.duplicates.values())

    @property
    def excluded(self) -> int:
        """Rows whose number is not to be called."""
        return sum(len(lines) for numbers in self.excluded_by.values() for lines in numbers.values())

    @property
    def numbers(self) -> tuple[str, ...]:
        """The first few phones as they are written."""
        return self.layout.shown

    def counts(self) -> dict[str, int]:
        """The rows, and the five kinds that they fall into."""
        return {
            "rows": self.rows,
            "good": self.good,
            "invalid": self.invalid,
            "empty": self.empty,
            "duplicate": self.duplicate,
            "excluded": self.excluded,
        }

    def as_dict(self) -> dict[str, object]:
        """The list as JSON prints it."""
        layout = self.layout
        return {
            "file": self.name,
            **self.counts(),
            "landline": len(self.tally.lines_of_kind(LANDLINE)),
            "foreign": len(self.tally.lines_of_kind(FOREIGN)),
            "encoding": self.sheet.encoding,
            "delimiter": layout.delimiter,
            "column": layout.column + 1,
            "header": layout.header,
            "first_numbers": list(layout.shown),
            "troubles": {code: len(lines) for code, lines in self.tally.troubles.items()},
            "duplicates": [{"number": str(number), "lines": list(at)} for number, at in self.duplicates.items()],
        }


def read_recipients(
    file: BinaryIO,
    name: str = "the list",
    *,
    encoding: str | None = None,
    column: str | None = None,
    tab: str | None = None,
    header_line: int | None = None,
    exclusions: Sequence[Exclusion] = (),
    moved: Moved | None = None,
) -> Recipients:
    """Reads an open, seekable CSV from its start to its end and leaves it at its start.

    `encoding` and `column` (its heading, or its number from 1) are found where they are not given. Raises UsageError,
    with the line where one is at fault, for a file that is empty, binary, of no known encoding, with a quote left open,
    without any phone number, or with a column of which more than 5 % are something else.
    """
    try:
        sheet = open_sheet(file, name, encoding, tab=tab, header_line=header_line)
        layout = find_layout(sheet, column)
        tally = Tally(layout.column, layout.width, layout.header_line)
        if layout.width == 1:
            _read_column(sheet, layout.delimiter, tally, moved)
        else:
            with sheet.reading(layout.delimiter, moved) as reader:
                tally.read(reader, sheet.above)
        tally.put_in_order()
        _refuse_misread(sheet, layout, tally)
        return _settle(sheet, layout, tally, exclusions)
    finally:
        file.seek(0)


def _read_column(sheet: Sheet, delimiter: str, tally: Tally, moved: Moved | None) -> None:
    """Takes a list of one column by the block; a block with more in it than numbers goes through the csv reader."""
    above = sheet.above
    with sheet.text(moved) as text:
        while block := text.read(_BLOCK):
            block += text.readline()
            if lines := tally.add_block(block, above):
                above += lines
                continue
            # A line end ends a row, unless it stands in quotes: then no block is sure to end with a row.
            rest = io.StringIO(block, newline="")
            with sheet.splitting(chain(rest, text) if '"' in block else rest, delimiter, above) as reader:
                above = tally.read(reader, above)


def _refuse_misread(sheet: Sheet, layout: Layout, tally: Tally) -> None:
    others: Sequence[int] = tally.troubles.get("no_number", [])
    meant = tally.numbers_read + sum(map(len, tally.troubles.values())) - len(others)
    if not meant:
        raise without_phones(sheet)
    if meant < _PHONES_AT_LEAST * (meant + len(others)):
        raise UsageError(
            f"{sheet.name}, line {others[0]}: column {layout.column + 1} holds phones, but no phone number here",
            hint=f"{len(others)} of {meant + len(others)} rows are so: correct them, leave them out, or give --column",
        )


def _settle(sheet: Sheet, layout: Layout, tally: Tally, exclusions: Sequence[Exclusion]) -> Recipients:
    excluded: dict[str, dict[int, list[int]]] = {}
    gone: set[int] = set()
    for exclusion in exclusions:
        hits = {number: lines for number, lines in tally.matching(exclusion.numbers).items() if number not in gone}
        excluded.setdefault(exclusion.reason, {}).update(hits)
        gone |= hits.keys()
    duplicates = {number: lines for number, lines in tally.repeated().items() if number not in gone}
    in_order = dict(sorted(duplicates.items(), key=lambda item: item[1]))
    return Recipients(sheet.name, sheet, layout, tally, in_order, excluded)
