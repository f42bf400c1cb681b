"""Whom not to call: a do-not-call list, perhaps with a day on which each entry ends; or whoever was called lately."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import BinaryIO

from alovoice_cli import phones
from alovoice_cli.campaigns.findings import Finding, Severity, count, name_lines
from alovoice_cli.campaigns.layout import find_layout
from alovoice_cli.campaigns.sheet import open_sheet
from alovoice_cli.errors import UsageError

_UNTIL = re.compile(r"until|expir|valid.?to|\bдо\b|срок|истека|действ|muddat|муддат|gacha", re.IGNORECASE)
_DAY = re.compile(r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})(?:[ T].*)?")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})[-./](?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})(?:\s.*)?")
_SPAN = re.compile(r"([0-9]{1,5})\s*([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_span(text: str, option: str) -> timedelta:
    """A length of time such as `7d`, `12h`, `2w`. Raises UsageError for all else."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(f"{option} {text!r} is no length of time", hint="give 7d, 12h or 2w")
    return int(match[1]) * _UNITS[match[2]]


class DoNotCall:
    """A do-not-call list: the numbers in force on the campaign's first day, and what could not be read.

    A column whose heading speaks of an end (until, expires, до, срок, muddat…) says on which day an entry ends; the day
    itself still counts. An entry without a readable end stays in force: to leave a person out is the smaller mistake.
    A cell with two numbers, or with an extension, excludes each of them.
    """

    def __init__(self, file: BinaryIO, name: str, first_day: date) -> None:
        self.name = name
        self.expired = 0
        self._unread: list[int] = []
        self._undated: list[int] = []
        self.numbers = set(self._read(file, first_day))
        file.seek(0)

    def _read(self, file: BinaryIO, first_day: date) -> Iterator[int]:
        sheet = open_sheet(file, self.name)
        if len(list(islice(sheet.rows(","), 2))) < 2 and not any(phones.numbers_in((sheet.first_row() or (0, ""))[1])):
            return  # a heading alone: nobody is on the list
        layout = find_layout(sheet)
        ends: int | None = None
        for place, (line, row) in enumerate(sheet.rows(layout.delimiter)):
            if place == 0 and layout.header is not None:
                ends = next((at for at, cell in enumerate(row) if at != layout.column and _UNTIL.search(cell)), None)
                continue
            cell = row[layout.column] if layout.column < len(row) else ""
            # A second number behind a comma stands beyond the last column of the others.
            found = [number for part in (cell, *row[layout.width :]) for number in phones.numbers_in(part)]
            if not found and cell.strip():
                self._unread.append(line)
            if self._is_over(row[ends] if ends is not None and ends < len(row) else "", line, first_day):
                self.expired += 1
            else:
                yield from found

    def _is_over(self, text: str, line: int, first_day: date) -> bool:
        word = text.strip()
        if not word:
            return False
        match = _DAY.fullmatch(word) or _DAY_FIRST.fullmatch(word)
        try:
            if match is None:
                raise ValueError(word)
            return date(int(match["year"]), int(match["month"]), int(match["day"])) < first_day
        except ValueError:
            self._undated.append(line)
            return False

    def findings(self) -> Iterator[Finding]:
        """What is to be said of the do-not-call list itself."""
        if self._unread:
            message = f"{count(len(self._unread), 'entry', 'entries')} of the do-not-call list hold no number, "
            message += name_lines(self._unread)
            hint = "correct them: who is meant cannot be left out"
            yield Finding(Severity.WARNING, "exclude_unread", message, hint, file=self.name, lines=self._unread)
        if self._undated:
            message = f"{count(len(self._undated), 'entry', 'entries')} with an end that is no day, "
            message += name_lines(self._undated)
            hint = "they stay in force; write the day as 2026-11-24"
            yield Finding(Severity.WARNING, "exclude_undated", message, hint, file=self.name, lines=self._undated)


def since(span: timedelta, now: datetime) -> datetime:
    """The aware moment that lies this long before `now`. Raises UsageError for one before the calendar."""
    try:
        return now - span
    except OverflowError:
        raise UsageError("--exclude-called reaches back beyond the calendar", hint="give 7d or 30d") from None
