"""Reads a CSV of recipients without changing a byte: the people it would call, and the rows it would not.

The vendor does not document the file's columns: the phone is in the first column with phones.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from alovoice_cli.campaigns.layout import Layout, find_layout, refuse_ragged, without_phones
from alovoice_cli.campaigns.number_count import NumberCount
from alovoice_cli.campaigns.sheet import Moved, Sheet, open_sheet
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.language import spaced, tr
from alovoice_cli.phones import FOREIGN, LANDLINE

_PHONES_AT_LEAST = 0.95  # of the cells with content; more means a misread column


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Numbers that must not be called, with the reason: `--exclude FILE` or `--exclude-called 7d`."""

    reason: str
    numbers: Collection[int]
    """Whole numbers, such as 998901234567."""
    note: str = ""
    """How the numbers were read, as a sentence."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The content of a list's rows. Each row is `good`, `invalid`, `empty`, a `duplicate` or `excluded`.

    The first row with a number is good, later ones are duplicates; a heading is no row, a blank line is an empty row.
    """

    name: str
    sheet: Sheet
    layout: Layout
    tally: NumberCount
    repeats: Sequence[int]
    """The rows with a number of an earlier row, by their place in the list, without excluded rows."""
    excluded_by: Mapping[str, Mapping[int, Sequence[int]]]
    """The excluded numbers by reason, with their lines."""
    unread_excluded: Mapping[str, Mapping[int, Sequence[int]]]
    """For each reason the numbers within cells that are no good number: the PBX gets these of a list as it is."""
    left_out: Collection[int]
    """The numbers of the list that must not be called."""
    exclusion_notes: Sequence[str]
    """How each do-not-call list was read."""

    @property
    def rows(self) -> int:
        """Returns the number of rows without the heading."""
        return self.tally.numbers_read + self.invalid + self.empty

    @property
    def good(self) -> int:
        """Returns the number of rows whose number will be called: each number once."""
        return self.tally.numbers_read - self.duplicate - self.excluded

    @property
    def invalid(self) -> int:
        """Rows whose cell holds something, but no number that can be called."""
        return sum(map(len, self.tally.troubles.values()))

    @property
    def empty(self) -> int:
        """Rows whose cell holds nothing, blank rows included."""
        return len(self.tally.empty)

    @property
    def duplicate(self) -> int:
        """Rows whose number is in an earlier row too."""
        return len(self.repeats)

    def repeated(self) -> set[int]:
        """Returns the numbers of more than one row, without excluded numbers."""
        return {self.tally.row_numbers[place] for place in self.repeats}

    @property
    def duplicates(self) -> Mapping[int, Sequence[int]]:
        """Yields each repeated number with all its rows, in the list's order; slow where half of a list repeats."""
        return self.tally.matching(self.repeated())

    @property
    def excluded(self) -> int:
        """Rows whose number is not to be called."""
        return sum(len(lines) for numbers in self.excluded_by.values() for lines in numbers.values())

    @property
    def needs_cleaning(self) -> str:
        """Returns why the PBX cannot get the list unchanged, as a clause; '' where it can."""
        if self.sheet.conversion:
            return self.sheet.conversion
        if len(self.layout.columns) > 1:
            return tr("the numbers come from several columns")
        return tr("cells have text around the number") if "text_around" in self.tally.remarks else ""

    def dialled(self, *, cleaned: bool) -> Iterator[int]:
        """Returns the different numbers that the PBX will dial, as written in the list.

        For an uncleaned list also the first number of a cell with several, and a foreign number without its plus: these
        come last.
        """
        numbers = dict.fromkeys(self.tally.row_numbers)
        if not cleaned:
            numbers |= dict.fromkeys(self.tally.numbers_of_unread())
        return (number for number in numbers if number and number not in self.left_out)

    def people(self, *, cleaned: bool) -> int:
        """Returns how many people the PBX will call; for an uncleaned list bad cells with digits count too."""
        return self.good + (0 if cleaned else len(set(self.tally.unread_dialled().values())))

    def lines_outside(self, prefixes: tuple[str, ...], *, cleaned: bool) -> list[int]:
        """Returns the lines of numbers to be called that begin with none of these digits."""
        lines = self.tally.lines_outside(prefixes)
        if not cleaned:
            dialled = self.tally.unread_dialled().items()
            lines = sorted([*lines, *(line for line, digits in dialled if not digits.startswith(prefixes))])
        return lines

    def counts(self) -> dict[str, int]:
        """Returns the number of rows, and the numbers of the five kinds."""
        return {
            "rows": self.rows,
            "good": self.good,
            "invalid": self.invalid,
            "empty": self.empty,
            "duplicate": self.duplicate,
            "excluded": self.excluded,
        }

    def as_dict(self) -> dict[str, object]:
        """Returns the list as JSON prints it."""
        layout = self.layout
        return {
            "file": self.name,
            **self.counts(),
            "landline": len(self.tally.lines_of_kind(LANDLINE)),
            "foreign": len(self.tally.lines_of_kind(FOREIGN)),
            "encoding": self.sheet.encoding,
            "delimiter": layout.delimiter,
            "column": layout.column + 1,
            "columns": [column + 1 for column in layout.columns],
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
    own_lines: Collection[int] = (),
    moved: Moved | None = None,
) -> Recipients:
    """Reads an open, seekable CSV or workbook and leaves it at its start.

    `encoding` and `column` (headings, or numbers from 1) are detected if not given; a column of `own_lines`, the whole
    numbers of the PBX's lines, is no list of people. Raises UsageError for an empty or binary file, CheckFailedError,
    with a line number if possible, for one in no known encoding, with an open quote, without any phone number, or
    with a column in which more than 5 % of the cells are something else.
    """
    try:
        sheet = open_sheet(file, name, encoding, tab=tab, header_line=header_line)
        layout = find_layout(sheet, column, own_lines)
        tally = NumberCount(layout.columns, layout.width, layout.others)
        with sheet.reading(layout.delimiter, moved) as reader:
            tally.read(reader, sheet.above, layout.header_line)
        _refuse_misread(sheet, layout, tally)
        return _settle(sheet, layout, tally, exclusions)
    finally:
        file.seek(0)


def _refuse_misread(sheet: Sheet, layout: Layout, tally: NumberCount) -> None:
    others: Sequence[int] = tally.troubles.get("no_number", [])
    meant = tally.numbers_read + sum(map(len, tally.troubles.values())) - len(others)
    if not meant:
        raise without_phones(sheet)
    if meant < _PHONES_AT_LEAST * (meant + len(others)):
        refuse_ragged(sheet, layout.delimiter, layout.width)
        raise CheckFailedError(
            tr(
                "{name}: column {column} holds phone numbers, but row {row} has none there",
                name=sheet.name,
                column=layout.column + 1,
                row=others[0],
            ),
            hint=tr(
                "rows without a number: {some} of {all}; correct them, leave them out, or give another --column",
                some=spaced(len(others)),
                all=spaced(meant + len(others)),
            ),
        )


def _settle(sheet: Sheet, layout: Layout, tally: NumberCount, exclusions: Sequence[Exclusion]) -> Recipients:
    excluded: dict[str, dict[int, list[int]]] = {}
    unread: dict[str, dict[int, list[int]]] = {}
    gone: set[int] = set()
    for exclusion in exclusions:
        found = tally.matching(exclusion.numbers)
        hits = {number: lines for number, lines in found.items() if number not in gone}
        excluded.setdefault(exclusion.reason, {}).update(hits)
        unread.setdefault(exclusion.reason, {}).update(tally.unread_matching(exclusion.numbers))
        gone |= hits.keys()
    repeats = [place for place in tally.repeats if tally.row_numbers[place] not in gone] if gone else tally.repeats
    notes = [exclusion.note for exclusion in exclusions if exclusion.note]
    return Recipients(sheet.name, sheet, layout, tally, repeats, excluded, unread, gone, notes)
