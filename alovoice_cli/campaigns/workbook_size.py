"""How much memory a workbook would take, found without taking it: its reader holds each cell, blank ones too."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final
from xml.parsers import expat

from alovoice_cli.errors import UnopenedListError

_MOST_BYTES: Final = 400_000_000
"""Of the parts of the workbook unpacked, and of the texts that its cells repeat."""
_MOST_CELLS: Final = 10_000_000
_CHUNK = 1 << 20  # bytes
_OVERLAP = 256  # bytes: longer than the tag of a cell

_CELL = re.compile(rb"<(?:\w+:)?c\b(?:[^<>]*?\sr\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"'])?")
_ROW = re.compile(rb"<(?:\w+:)?row\b(?:[^<>]*?\sr\s*=\s*[\"']([0-9]{1,7})[\"'])?")
_SHARED = re.compile(rb"<(?:\w+:)?c\b[^<>]*?\st\s*=\s*[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})\s*<")
_ROW_START = re.compile(rb"<(?:\w+:)?row\b")
_STRING_END = re.compile(rb"</(?:\w+:)?si>")
_STRINGS = "xl/sharedStrings.xml"
_HINT = "save the sheet with the list alone as CSV UTF-8"


def refuse_huge(file: BinaryIO, name: str) -> str:
    """The kind of the workbook in a ZIP archive. Raises UnopenedListError for none, a damaged one, or a huge one."""
    try:
        with zipfile.ZipFile(file) as archive:
            kind = _kind(archive, name)
            if kind.endswith("(.ods)"):
                _measure_ods(archive, name)
            else:
                _measure_xlsx(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        hint = "open it in a spreadsheet and save it anew, or as CSV UTF-8"
        raise UnopenedListError(f"{name} is an Excel workbook or its like, and damaged: {error}", hint=hint) from error
    return kind


def _kind(archive: zipfile.ZipFile, name: str) -> str:
    parts = set(archive.namelist())
    if "content.xml" in parts:
        return "an OpenDocument workbook (.ods)"
    if "xl/workbook.bin" in parts:
        raise UnopenedListError(f"{name} is a binary Excel workbook (.xlsb)", hint="save it as .xlsx, or as CSV UTF-8")
    if not any(part.lower() == "xl/workbook.xml" for part in parts) and "_rels/.rels" not in parts:
        raise UnopenedListError(f"{name} is a ZIP archive and no workbook", hint="unpack it, and give the list in it")
    return "an Excel workbook (.xlsx)"


@dataclass(slots=True)
class _Size:
    """What was counted so far of one workbook."""

    name: str
    unpacked: int = 0
    repeated: int = 0

    def chunks(self, archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
        """A part of the archive, unpacked."""
        with archive.open(part) as source:
            while chunk := source.read(_CHUNK):
                self.unpacked += len(chunk)
                self.refuse(self.unpacked, _MOST_BYTES, "bytes when it is unpacked")
                yield chunk

    def refuse(self, found: int, most: int, unit: str) -> None:
        """Raises UnopenedListError where there is more than a list of people ever has."""
        if found > most:
            raise UnopenedListError(f"{self.name} is too large: more than {most // 10**6} million {unit}", hint=_HINT)


def _measure_xlsx(archive: zipfile.ZipFile, name: str) -> None:
    size, strings = _Size(name), list[int]()
    parts = set(archive.namelist())
    if _STRINGS in parts:
        strings = _string_lengths(size.chunks(archive, _STRINGS))
    for part in parts - {_STRINGS}:  # whatever its name, the workbook may call it a sheet
        _measure_cells(size, size.chunks(archive, part), strings)


def _string_lengths(chunks: Iterator[bytes]) -> list[int]:
    """The bytes of each text that cells share, its tags included."""
    lengths, carried = list[int](), b""
    for chunk in chunks:
        *whole, carried = _STRING_END.split(carried + chunk)
        lengths += map(len, whole)
    return lengths


def _measure_cells(size: _Size, chunks: Iterator[bytes], strings: list[int]) -> None:
    """Refuses a sheet by the box round all its cells, and by the texts that its cells repeat."""
    width = height = cells = 0
    longest, tail = max(strings, default=0), b""
    for chunk in chunks:
        text = tail + chunk
        tail = text[-_OVERLAP:]
        found, rows = _CELL.findall(text), _ROW.findall(text)
        cells += len(found)
        width = max(width, _widest(text, found))
        height = max(height + rows.count(b""), *map(int, filter(None, rows)), *(int(row or 0) for _, row in found), 0)
        size.refuse(width * height, _MOST_CELLS, "cells, blank ones within its edges included")
        if cells * longest > _MOST_BYTES:
            size.repeated += sum(strings[at] for at in map(int, _SHARED.findall(text)) if at < len(strings))
            size.refuse(size.repeated, _MOST_BYTES, "bytes in the texts of its cells")


def _widest(text: bytes, found: list[tuple[bytes, bytes]]) -> int:
    """The last column of cells that say where they are, or how many stand in a row where they do not."""
    columns = {letters for letters, _ in found}
    unplaced = max(len(_CELL.findall(row)) for row in _ROW_START.split(text)) if b"" in columns else 0
    return max(unplaced, *map(_column, columns), 0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


class _OpenDocument:
    """Counts the cells of each table of an OpenDocument workbook, which writes cells and rows that repeat once."""

    def __init__(self, size: _Size) -> None:
        self._size = size
        self._rows = self._columns = self._height = self._width = self._repeats = self._last = 0
        self._cell_repeats = 1

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag that opens."""
        if tag == "table:table":
            self._height = self._width = self._rows = 0
        elif tag == "table:table-row":
            self._repeats = _times(attributes, "table:number-rows-repeated")
            self._columns = self._last = 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._columns += _times(attributes, "table:number-columns-repeated")
            if "office:value-type" in attributes:
                self._last = self._columns
        elif tag == "text:p":
            self._last = self._columns

    def end(self, tag: str) -> None:
        """A tag that closes: with a row's, the box of the table so far is known."""
        if tag == "table:table-row":
            self._rows += self._repeats
            self._width = max(self._width, self._last)
            if self._last:
                self._height = self._rows
            self._size.refuse(self._width * self._height, _MOST_CELLS, "cells, blank ones within its edges included")


def _times(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 1


def _measure_ods(archive: zipfile.ZipFile, name: str) -> None:
    size = _Size(name)
    counted = _OpenDocument(size)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = counted.start, counted.end
    for chunk in size.chunks(archive, "content.xml"):
        try:
            parser.Parse(chunk)
        except expat.ExpatError:
            return  # a password makes noise of it; its reader says so
