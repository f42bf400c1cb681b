"""Lists of numbers: a file with one number a line, or a CSV with a column of them."""

import codecs
import csv
import io
import os
import stat
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alovoice_cli.findings import Findings, RulePlace, did_you_mean
from alovoice_cli.language import mark, ngettext, spaced, tr
from alovoice_cli.phones import TROUBLES, base_of, key_of_number, number_of, numbers_in, spreadsheet_trouble
from alovoice_cli.routing.numbers import NumberSet, doubt_about, key_of, prefix_of

_DELIMITERS = ",;\t|"
_SAMPLE = 200  # rows for finding the column of the numbers
_LIKELY = 10  # a whole number is more probable than a short one, which may be a row number
_SHOWN = 5  # bad rows that are named; the others are counted
_READABLE_AT_LEAST = 0.95  # of the rows that hold something, else the wrong column or file was named
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A file's state when it was read; another size, time or inode means that it must be read again."""

    path: Path
    stamp: tuple[int, int, int] | None
    """Size, time of change in nanoseconds, inode; None where it could not be opened."""

    @property
    def changed(self) -> bool:
        """Returns whether the file has changed since. Asks the file system, reads nothing."""
        return stamp_of(self.path) != self.stamp


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Returns a value that differs for each state of the file, None without a file."""
    try:
        return _stamp(path.stat())
    except (OSError, ValueError):
        return None


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


def read_bytes(path: Path) -> tuple[bytes, RuleSource]:
    """Returns the content of a regular file, and its state. Raises OSError, also for pipes and directories."""
    descriptor = os.open(path, _OPEN)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, tr("it is not a regular file"))
        return file.read(), RuleSource(path, _stamp(found))


def read_list(path: Path, shown: str, column: str | None, findings: Findings) -> tuple[NumberSet, RuleSource]:
    """Returns the numbers of a file. Raises OSError for an unreadable file; errors within it are findings.

    `shown` is its name in findings; `column` is the heading of the column, or its place from 1.
    """
    content, source = read_bytes(path)
    encoding = _encoding_of(content)
    head = list(islice(_lines(content, encoding), _SAMPLE))
    plain = column is None and not any(sign in line for line in head for sign in f'{_DELIMITERS}"')
    lines = _lines(content, encoding)
    numbers = _Gathered(shown, findings)
    for line, cell in _plain(lines) if plain else _cells(lines, head, column, shown, findings):
        numbers.take(line, cell)
    return numbers.finished(), source


def _encoding_of(content: bytes) -> str:
    """Returns the encoding.

    Digits are equal in all of them; heading letters may be wrong if neither UTF-8 nor cp1251.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8-sig"


def _lines(content: bytes, encoding: str) -> Iterator[str]:
    """Yields the lines: a list of a million lines would take 70 MB."""
    return io.TextIOWrapper(io.BytesIO(content), encoding, "replace")


def _plain(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(lines, start=1):
        cell = text.strip()
        if cell and not cell.startswith("#"):
            yield line, cell


def _cells(
    lines: Iterator[str], head: list[str], column: str | None, shown: str, findings: Findings
) -> Iterator[tuple[int, str]]:
    delimiter = max(_DELIMITERS, key=lambda sign: sum(line.count(sign) for line in head))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        index = _column_of(list(csv.reader(head, delimiter=delimiter)), column, shown, findings)
        if index is None:
            return
        for row in reader:
            cell = row[index].strip() if index < len(row) else ""
            if cell and not (cell.startswith("#") and index == 0):
                yield reader.line_num, cell
    except csv.Error as error:
        message = tr("the file is not valid CSV: {problem}", problem=error)
        findings.error("list-csv", RulePlace(shown, reader.line_num), message, tr("close the open quote"))


def _column_of(head: list[list[str]], column: str | None, shown: str, findings: Findings) -> int | None:
    if column is None:
        weights = [0] * max(map(len, head), default=0)
        for row in head:
            for index, cell in enumerate(row):
                weights[index] += _LIKELY if number_of(cell.strip()) else bool(key_of(cell) or prefix_of(cell))
        return weights.index(max(weights)) if weights else None
    titles = [title.strip() for title in head[0]] if head else []
    if column in titles:
        return titles.index(column)
    if column.isascii() and column.isdigit() and 1 <= int(column) <= len(titles):
        return int(column) - 1
    hint = did_you_mean(column, titles, mark("columns: {names}"))
    findings.error("list-column", RulePlace(shown), tr("the list has no column {column!r}", column=column), hint)
    return None


class _Gathered:
    """Collects cells; the first may be a heading. A cell counts with all numbers in it."""

    def __init__(self, shown: str, findings: Findings) -> None:
        self._shown, self._findings = shown, findings
        self._keys = array("Q")
        self._prefixes: list[str] = []
        self._bad = self._doubtful = 0
        self._first = True
        self._bases: dict[str, int] = {}

    def take(self, line: int, cell: str) -> None:
        head, tail = cell[:-4], cell[-4:]
        base = self._bases.get(head)
        if base is None:
            base = self._bases[head] = key_of(str(found)) if (found := base_of(head)) else 0
        if base and tail.isascii() and tail.isdigit():  # most lines of most lists, at a tenth of the time
            self._keys.append(base + int(tail))
        else:
            self._take_other(line, cell)
        self._first = False

    def _take_other(self, line: int, cell: str) -> None:
        bare = cell.removeprefix("+")
        key = key_of(cell) if bare.isascii() and bare.isdigit() else 0  # digits need no search
        keys = [key] if key else [key_of(key_of_number(number)) for number in numbers_in(cell)]
        if not keys and (key := key_of(cell)):
            keys = [key]
        self._keys.extend(keys)
        if not keys and (prefix := prefix_of(cell)):
            self._prefixes.append(prefix)
        elif not keys and (code := spreadsheet_trouble(cell)):
            message = tr("{cell}: {trouble}", cell=cell, trouble=tr(TROUBLES[code]))
            hint = tr("format the column as text in the spreadsheet and enter the numbers again")
            self._bad_row(line, message, hint, rounded=True)
        elif not keys and not self._first:
            message = tr("{value} is not a phone number", value=_short(cell))
            self._bad_row(line, message, tr("write 901234567, +998901234567 or 99890*"))
        elif doubt := doubt_about(cell):
            self._doubtful += 1
            if self._doubtful <= _SHOWN:
                hint = tr("correct it, or leave it out")
                self._findings.warning("no-caller", RulePlace(self._shown, line), doubt, hint)

    def _bad_row(self, line: int, message: str, hint: str, *, rounded: bool = False) -> None:
        self._bad += 1
        if self._bad <= _SHOWN:
            say = self._findings.error if rounded else self._findings.warning
            say("list-row", RulePlace(self._shown, line), message, hint)

    def finished(self) -> NumberSet:
        good = len(self._keys) + len(self._prefixes)
        if self._bad > _SHOWN:
            more = ngettext(
                "{n} more row holds no phone number", "{n} more rows hold no phone number", self._bad - _SHOWN
            )
            self._findings.warning("list-row", RulePlace(self._shown), more, tr("the list holds the others"))
        if self._doubtful > _SHOWN:
            more = ngettext(
                "{n} more row holds no number that can call",
                "{n} more rows hold no number that can call",
                self._doubtful - _SHOWN,
            )
            self._findings.warning("no-caller", RulePlace(self._shown), more, tr("correct them, or leave them out"))
        if self._bad and good < _READABLE_AT_LEAST * (good + self._bad):
            text = mark("rows without a phone number: {some} of {all}")
            message = tr(text, some=spaced(self._bad), all=spaced(good + self._bad))
            hint = tr("check whether this is the right file and column")
            self._findings.error("list-rows", RulePlace(self._shown), message, hint)
        return NumberSet(self._keys, self._prefixes)


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")
