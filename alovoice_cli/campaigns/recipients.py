"""Reads a CSV of recipients as it stands, without changing a byte: does it hold phone numbers, where, and how many?

The vendor does not document the file's columns: the phone is in the first column that holds phones.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from alovoice_cli.campaigns.phones import LONGEST, SHORTEST, canonical, looks_like_phone, parse_dialled
from alovoice_cli.errors import UsageError

# csv.Sniffer is not asked: of a column of phones it answers that the delimiter is '9' (measured).
DELIMITERS = ",;\t|"

_SAMPLE_ROWS = 200
_SHOWN = 3
_SHOWN_CHARACTERS = 60
_WHOLE_LENGTH = 12  # digits, of 998 and nine
_LONGEST_LINE = 65_536  # characters: what is longer is no list, and would be held in memory whole
_CHUNK = 1 << 16
_PHONES_AT_LEAST = 0.95  # of the cells that hold something, else the column was misread
_MANGLED = re.compile(r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|\+?[0-9]{7,}[.,]0+")

_BINARY = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
)
_STATED = {
    "cp1251": "cp1251, the Russian Windows' encoding",
    "utf-16": "UTF-16, which few programs expect in a CSV (better save it as CSV UTF-8)",
}
_SAVE_AS_CSV = "in Excel: File, Save As, CSV UTF-8 (comma delimited)"


@dataclass(frozen=True, slots=True)
class Recipients:
    """What a list holds: `count` cells with a phone, the first few `numbers` as written, where they stand and how."""

    count: int
    numbers: tuple[str, ...]
    delimiter: str
    encoding: str
    column: int
    """Of the phones, from 0."""
    header: bool
    notes: tuple[str, ...]
    """Sentences for stderr: what was assumed."""


@dataclass(frozen=True, slots=True)
class _Layout:
    delimiter: str
    column: int
    phones: int


def read_recipients(file: BinaryIO, name: str = "the list") -> Recipients:
    """Reads an open, seekable CSV from its start to its end, in constant memory, and leaves it at its start.

    Raises UsageError, with the line where one is at fault, for a file that is empty, binary, of no known encoding, with
    a quote left open, without any phone number, or with numbers that Excel has damaged.
    """
    try:
        encoding = _encoding(file, name)
        layout = _layout(file, encoding, name)
        return _read(file, encoding, layout, name)
    finally:
        file.seek(0)


def numbers_to_csv(numbers: Sequence[str], option: str = "--recipient") -> bytes:
    """The list that stands for numbers given one by one: one a line, no header. Raises UsageError for a bad one."""
    return "".join(f"{parse_dialled(number, option)}\n" for number in numbers).encode("ascii")


def _encoding(file: BinaryIO, name: str) -> str:
    """By BOM, else strict UTF-8, else cp1251, the Russian Windows' own; the whole file is decoded once to tell."""
    file.seek(0)
    head = file.read(4)
    if not head:
        raise UsageError(f"{name} is empty", hint="give a CSV with a phone number a line")
    for magic, kind in _BINARY:
        if head.startswith(magic):
            raise UsageError(f"{name} is {kind}, not a CSV", hint=_SAVE_AS_CSV)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "cp1251"]
    for encoding in candidates:
        if _decodes(file, encoding, name):
            return encoding
    raise UsageError(f"{name} is no text in {' or '.join(candidates)}", hint=_SAVE_AS_CSV)


def _decodes(file: BinaryIO, encoding: str, name: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while chunk := file.read(_CHUNK):
            if "\0" in decoder.decode(chunk):
                raise UsageError(f"{name} holds NUL bytes: it is no CSV, or UTF-16 without its mark", hint=_SAVE_AS_CSV)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _rows(file: BinaryIO, encoding: str, delimiter: str, name: str) -> Generator[tuple[int, list[str]]]:
    """The rows that hold something, each with the number of the line where it ends."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    reader = csv.reader(_lines(text, name), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(
            f"{name}, line {reader.line_num}: {error}",
            hint='a cell with quotes in it is written "so ""quoted"" here"; close the quote that is open',
        ) from error
    finally:
        text.detach()  # else the wrapper would close the file, which is still to be sent


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    count = 0
    while line := text.readline(_LONGEST_LINE):
        count += 1
        if len(line) == _LONGEST_LINE and not line.endswith(("\n", "\r")):
            raise UsageError(f"{name}, line {count} is longer than {_LONGEST_LINE} characters: this is no list")
        yield line


def _layout(file: BinaryIO, encoding: str, name: str) -> _Layout:
    """The delimiter and the column under which the first rows hold the most phones; the earlier one where they tie."""
    found: list[_Layout] = []
    trouble: UsageError | None = None
    for delimiter in DELIMITERS:
        try:
            found.append(_layout_by(file, encoding, delimiter, name))
        except UsageError as error:  # a quote that is closed wrongly under one delimiter may be right under another
            trouble = trouble or error
    best = max(found, key=lambda layout: layout.phones, default=None)
    if best is not None and best.phones:
        return best
    raise trouble or _without_phones(file, encoding, name)


def _layout_by(file: BinaryIO, encoding: str, delimiter: str, name: str) -> _Layout:
    weights: dict[int, int] = {}
    with closing(_rows(file, encoding, delimiter, name)) as rows:
        for count, (_, row) in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if weight := _weight(cell):
                    weights[column] = weights.get(column, 0) + weight
            if count >= _SAMPLE_ROWS and weights:  # where phones come late, reading goes on until there is one
                break
    most = max(weights.values(), default=0)
    column = min((column for column, weight in weights.items() if weight * 2 >= most), default=0)
    return _Layout(delimiter, column, weights.get(column, 0))


def _weight(cell: str) -> int:
    """How much a cell speaks for its column: whole Uzbek and international numbers outweigh ids of 7 or more digits."""
    if looks_like_phone(cell):
        return 3 if cell.lstrip().startswith("+") or len(canonical(cell)) == _WHOLE_LENGTH else 1
    return 1 if _MANGLED.fullmatch(cell.strip()) else 0


def _read(file: BinaryIO, encoding: str, layout: _Layout, name: str) -> Recipients:
    phones, others, first_other, header = 0, 0, 0, False
    numbers: list[str] = []
    with closing(_rows(file, encoding, layout.delimiter, name)) as rows:
        for place, (line, row) in enumerate(rows):
            cell = row[layout.column].strip() if layout.column < len(row) else ""
            if looks_like_phone(cell):
                phones += 1
                numbers += [cell] if len(numbers) < _SHOWN else []
            elif _MANGLED.fullmatch(cell):
                raise _mangled(name, line, cell)
            elif place == 0:
                header = True
            elif cell:
                others, first_other = others + 1, first_other or line
    if not phones:
        raise _without_phones(file, encoding, name)
    if phones < _PHONES_AT_LEAST * (phones + others):
        raise UsageError(
            f"{name}, line {first_other}: column {layout.column + 1} holds phones, but no phone number here",
            hint=f"{others} of {phones + others} rows are so: correct them, or leave them out",
        )
    notes = tuple(_notes(name, encoding, others, first_other))
    return Recipients(phones, tuple(numbers), layout.delimiter, encoding, layout.column, header, notes)


def _notes(name: str, encoding: str, others: int, first_other: int) -> Iterator[str]:
    if encoding in _STATED:
        yield f"{name} is read as {_STATED[encoding]}; it is sent as it is, byte for byte"
    if others:
        yield f"{name}: {others} rows hold no phone number, the first on line {first_other}"


def _mangled(name: str, line: int, cell: str) -> UsageError:
    return UsageError(
        f"{name}, line {line}: {cell} is a phone number that a spreadsheet has rounded",
        hint="format the column as text in the spreadsheet, enter the numbers anew, and save as CSV UTF-8",
    )


def _without_phones(file: BinaryIO, encoding: str, name: str) -> UsageError:
    with closing(_rows(file, encoding, ",", name)) as rows:
        first = next(rows, None)
    if first is None:
        return UsageError(f"{name} holds blank lines only", hint="give a CSV with a phone number a line")
    seen = ",".join(first[1])
    shown = seen if len(seen) <= _SHOWN_CHARACTERS else seen[:_SHOWN_CHARACTERS] + "…"
    return UsageError(
        f"{name} holds no phone number: line {first[0]} is {shown!r}",
        hint=f"a phone number has {SHORTEST} to {LONGEST} digits, such as 998901234567, in a column of its own",
    )
