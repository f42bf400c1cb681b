"""Who must not be called: do-not-call lists, whose entries may end on a day, and people called recently."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from alovoice_cli import phones
from alovoice_cli.campaigns.column_choice import says_phone
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.campaigns.layout import find_delimiter
from alovoice_cli.campaigns.sheet import Sheet, open_sheet
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, Severity, errors, name_rows
from alovoice_cli.language import joined, ngettext, spaced, tr
from alovoice_cli.moments import parse_span

_UNTIL = re.compile(r"until|expir|valid.?to|\bдо\b|срок|истека|действ|muddat|муддат|gacha", re.IGNORECASE)
_DAY = re.compile(r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})(?:[ T].*)?")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})[-./](?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})(?:\s.*)?")
_SHOWN_CHARACTERS = 60
_HEADING_DIGITS = 5  # a row with so many holds an entry; "phones 2026" is a heading, and every number has more


@dataclass(frozen=True, slots=True)
class ExcludedColumn:
    """One column with numbers in a do-not-call list. `index` counts from 0."""

    index: int
    heading: str
    numbers: int
    """The count of different numbers in the column."""

    def __str__(self) -> str:
        column = f"{self.index + 1} ({self.heading})" if self.heading else self.index + 1
        return tr("{number} in column {column}", number=spaced(self.numbers), column=column)


@dataclass(frozen=True, slots=True)
class ExcludedSheet:
    """The content of one sheet of a do-not-call list; a CSV is one sheet."""

    name: str
    """The file, and the workbook's sheet where the file has several."""
    numbers: frozenset[int]
    """The numbers in force on the campaign's first day."""
    columns: Sequence[ExcludedColumn]
    entries: int
    """Rows that hold something, headings not counted."""
    expired: int
    unread: Sequence[int]
    """The rows where a phone column holds something, but no number that can be read."""
    unread_sample: str
    undated: Sequence[int]
    """The rows whose end is not a date."""

    @property
    def note(self) -> str:
        """Returns how the sheet was read: its numbers, by column."""
        parts = [
            ngettext(
                "{name}: {n} number not to be called",
                "{name}: {n} numbers not to be called",
                len(self.numbers),
                name=self.name,
            ),
            *(str(column) for column in self.columns),
        ]
        if self.expired:
            parts.append(ngettext("{n} entry has expired", "{n} entries have expired", self.expired))
        return joined("; ", parts)


@dataclass(frozen=True, slots=True)
class DoNotCall:
    """A do-not-call list: the numbers in force on the campaign's first day, and the unreadable entries.

    Every number of every column of every visible sheet counts. A column with an end heading (until, expires, до, срок,
    muddat…) that does not say phone holds the last day of an entry. An entry with an unreadable end remains in force:
    to leave a person out is the smaller mistake.
    """

    name: str
    sheets: Sequence[ExcludedSheet]
    unread_ok: bool

    @property
    def numbers(self) -> frozenset[int]:
        """Returns the numbers that must not be called."""
        return frozenset().union(*(sheet.numbers for sheet in self.sheets))

    @property
    def note(self) -> str:
        """Returns how the list was read: its numbers, by sheet and column."""
        return "; ".join(sheet.note for sheet in self.sheets)

    def findings(self) -> Iterator[Finding]:
        """Returns the findings on the list itself; an unreadable entry is an error."""
        severity = Severity.WARNING if self.unread_ok else Severity.ERROR
        for sheet in self.sheets:
            if sheet.unread:
                message = ngettext(
                    "{n} entry holds no readable number, {rows}: {sample}",
                    "{n} entries hold no readable number, {rows}: {sample}",
                    len(sheet.unread),
                    rows=name_rows(sheet.unread),
                    sample=sheet.unread_sample,
                )
                hint = tr(
                    "correct them, or these people will be called; to continue without them, add --exclude-unread-ok"
                )
                if self.unread_ok:
                    hint = tr("these people are not left out")
                yield Finding(severity, "exclude_unread", message, hint, file=sheet.name, lines=sheet.unread)
            if sheet.undated:
                message = ngettext(
                    "the end of {n} entry is not a date, {rows}",
                    "the end of {n} entries is not a date, {rows}",
                    len(sheet.undated),
                    rows=name_rows(sheet.undated),
                )
                hint = tr("they remain in force; write the date as 2026-11-24")
                yield Finding(Severity.WARNING, "exclude_undated", message, hint, file=sheet.name, lines=sheet.undated)
        entries_in_all = sum(sheet.entries for sheet in self.sheets)
        if entries_in_all and not any(sheet.columns or sheet.unread for sheet in self.sheets):
            hint = tr("give a file with phone numbers; to continue without it, add --exclude-unread-ok")
            message = ngettext(
                "{name} holds {n} row, but no phone number",
                "{name} holds {n} rows, but no phone number",
                entries_in_all,
                name=self.name,
            )
            yield Finding(severity, "exclude_unread", message, hint, file=self.name)


def check_do_not_call(listed: DoNotCall) -> list[Finding]:
    """Returns the warnings about a do-not-call list. Raises CheckFailedError for errors, such as unreadable entries."""
    found = list(listed.findings())
    for error in errors(found):
        raise CheckFailedError(error.statement, hint=error.hint)
    return found


def read_do_not_call(path: Path, first_day: date, *, unread_ok: bool = False) -> DoNotCall:
    """Reads the do-not-call list in a CSV or in all visible sheets of a workbook, in force on `first_day`.

    `unread_ok`: unreadable entries are warnings, not errors. Raises UsageError for a file that cannot be opened, or
    holds no table.
    """
    with open_regular(path) as file:
        return parse_do_not_call(file, str(path), first_day, unread_ok=unread_ok)


def parse_do_not_call(file: BinaryIO, name: str, first_day: date, *, unread_ok: bool = False) -> DoNotCall:
    """Reads the do-not-call list in an open, seekable file; see `read_do_not_call`."""
    first = open_sheet(file, name)
    found = [_read_sheet(first, name, first_day)]
    for tab in first.other_tabs:
        found.append(
            _read_sheet(open_sheet(file, name, tab=tab), tr("{name}, sheet {sheet!r}", name=name, sheet=tab), first_day)
        )
    return DoNotCall(name, found, unread_ok)


def _read_sheet(sheet: Sheet, name: str, first_day: date) -> ExcludedSheet:
    reader = _EntryReader(first_day)
    reader.read(sheet)
    unread, sample = reader.unread()
    return ExcludedSheet(
        name=name,
        numbers=frozenset().union(*(column.in_force for column in reader.columns.values())),
        columns=[
            ExcludedColumn(index, reader.heading(index), len(column.numbers))
            for index, column in sorted(reader.columns.items())
            if column.numbers
        ],
        entries=reader.entries,
        expired=reader.expired,
        unread=unread,
        unread_sample=sample,
        undated=reader.undated,
    )


@dataclass(slots=True)
class _ColumnEntries:
    """The content of one column."""

    numbers: set[int] = field(default_factory=set)
    in_force: set[int] = field(default_factory=set)
    filled: int = 0
    read: int = 0
    unread: list[int] = field(default_factory=list)
    sample: str = ""


class _EntryReader:
    """Reads every cell of a do-not-call list."""

    def __init__(self, first_day: date) -> None:
        self.columns: dict[int, _ColumnEntries] = {}
        self.entries = 0
        self.expired = 0
        self.undated: list[int] = []
        self._headings: list[str] = []
        self._ends: int | None = None
        self._width = 0
        self._first_day = first_day
        self._bases: dict[str, int | None] = {}

    def read(self, sheet: Sheet) -> None:
        """Reads all rows of the sheet."""
        delimiter = find_delimiter(sheet, lambda cell: says_phone(cell) or any(phones.numbers_in(cell)))
        for place, (line, row) in enumerate(sheet.rows(delimiter)):
            if self._is_heading(row, is_first=place == 0):
                self._headings = [cell.strip() for cell in row]
                ends = (at for at, cell in enumerate(row) if _UNTIL.search(cell) and not says_phone(cell))
                self._ends = next(ends, None)
            else:
                self.entries += 1
                self._width = max(self._width, len(row))
                self._take(line, row)

    def heading(self, index: int) -> str:
        """Returns the heading of a column, or ''."""
        return self._headings[index] if index < len(self._headings) else ""

    def unread(self) -> tuple[list[int], str]:
        """Returns the rows of unreadable phone cells, and the first such cell."""
        found = [column for index, column in self.columns.items() if column.unread and self._is_phone_column(index)]
        first = min(found, key=lambda column: column.unread[0], default=None)
        return sorted({line for column in found for line in column.unread}), first.sample if first else ""

    def _is_phone_column(self, index: int) -> bool:
        column = self.columns[index]
        is_only = self._width == 1 and (column.read > 0 or not self._headings)
        return is_only or column.read * 2 >= column.filled or says_phone(self.heading(index))

    def _is_heading(self, row: Sequence[str], *, is_first: bool) -> bool:
        """Returns whether a row holds headings: the first without a number, a repetition, or a phone heading."""
        text = " ".join(row)
        if sum(letter.isdigit() for letter in text) >= _HEADING_DIGITS:
            return False
        if is_first or [cell.strip() for cell in row] == self._headings:
            return True
        return len(row) > 1 and any(map(says_phone, row)) and not any(map(str.isdigit, text))

    def _take(self, line: int, row: Sequence[str]) -> None:
        is_over = self._is_over(row[self._ends] if self._ends is not None and self._ends < len(row) else "", line)
        self.expired += is_over
        for index, cell in enumerate(row):
            text = cell.strip()
            if not text:
                continue
            column = self.columns.setdefault(index, _ColumnEntries())
            column.filled += 1
            found = self._numbers(text)
            column.numbers.update(found)
            column.read += bool(found)
            if not is_over:
                column.in_force.update(found)
            if not found and not is_over and index != self._ends and any(map(str.isalnum, text)):
                column.unread.append(line)
                column.sample = column.sample or text[:_SHOWN_CHARACTERS]

    def _numbers(self, text: str) -> Sequence[int]:
        """Returns every number in a cell. The heads of plain numbers are read once: a list may hold millions."""
        if text.isdigit() and text.isascii():
            head = text[:-4]
            if head not in self._bases:
                self._bases[head] = phones.base_of(head)
            if (base := self._bases[head]) is not None:
                return (base + int(text[-4:]),)
        return tuple(phones.numbers_in(text))

    def _is_over(self, text: str, line: int) -> bool:
        word = text.strip()
        if not word:
            return False
        match = _DAY.fullmatch(word) or _DAY_FIRST.fullmatch(word)
        try:
            if match is None:
                raise ValueError(word)
            return date(int(match["year"]), int(match["month"]), int(match["day"])) < self._first_day
        except ValueError:
            self.undated.append(line)
            return False


def called_from(text: str, now: datetime) -> datetime:
    """Returns the aware moment from which `--exclude-called 7d` counts. Raises UsageError for a bad span."""
    span = parse_span(text, "--exclude-called")
    try:
        begins = now - span
    except OverflowError:
        message = tr("--exclude-called {span!r} is too long", span=text)
        raise UsageError(message, hint=tr("give 7d or 30d")) from None
    if begins == now:
        message = tr("--exclude-called {span!r} leaves nobody out", span=text)
        raise UsageError(message, hint=tr("give 7d, 12h or 2w"))
    return begins
