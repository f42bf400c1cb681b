"""Converts one sheet of a workbook (.xlsx, .xls, .ods) to CSV; a row of the sheet is a line of the CSV."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from alovoice_cli.campaigns.files import MadeFile
from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, spaced, tr

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook
import zipfile
import zlib
from xml.parsers import expat

_ZIP_MAGIC: Final = b"PK\x03\x04"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")  # the stream of an .xlsx with a password
_LONGEST_OLE = 1 << 26  # bytes; an .xls holds 65 536 rows at most, its reader all of the file
_TRIAL = "import io, sys, python_calamine as reader; reader.load_workbook(io.BytesIO(sys.stdin.buffer.read()))"
_REPORTED = 1  # the exit code of an exception, which this process then meets itself
_EXACT = 2**53  # from here on floats skip whole numbers
_LINE_ENDS = re.compile(r"[\r\n]+")
_SAVE_AGAIN = mark("open it in a spreadsheet and save it again, or save it as CSV UTF-8")


@dataclass(frozen=True, slots=True)
class WorkbookTab:
    """One sheet of a workbook as CSV in UTF-8. `others` are further visible sheets with content."""

    csv: BinaryIO
    kind: str
    tab: str
    others: tuple[str, ...]


def read_workbook(file: BinaryIO, name: str, wanted: str | None) -> WorkbookTab:
    """Returns the sheet `wanted` as CSV, by default the first visible sheet with content.

    Raises UsageError for another kind of file, for a damaged, empty or huge workbook, for one with a password,
    and for a missing sheet.
    """
    file.seek(0)
    kind = refuse_huge(file, name) if file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC else _ole_kind(file, name)
    file.seek(0)
    book = _load(file, name)
    tab, rows, others = _first_filled(book, name) if wanted is None else _named(book, name, wanted)
    return WorkbookTab(_as_csv(rows), kind, tab, others)


def _ole_kind(file: BinaryIO, name: str) -> str:
    if file.seek(0, io.SEEK_END) > _LONGEST_OLE:
        message = tr("{name} is too large: {size} bytes", name=name, size=spaced(file.tell()))
        raise UsageError(message, hint=tr(_SAVE_AGAIN))
    file.seek(0)
    content = file.read()
    if _ENCRYPTED_PACKAGE in content:
        raise _locked(name)
    _refuse_fatal(content, name)
    return mark("Excel workbook, .xls")


def _refuse_fatal(content: bytes, name: str) -> None:
    """Raises UsageError for an .xls at which the library's process dies: another process reads it first.

    The library reserves memory for as many cells as a sheet claims to have; its Rust code aborts where there is none.
    """
    words = [sys.executable, "-I", "-c", _TRIAL]
    try:
        subprocess.check_output(words, input=content, stderr=subprocess.STDOUT)  # noqa: S603 - Python itself
    except subprocess.CalledProcessError as died:
        if died.returncode != _REPORTED:
            raise _damaged(name, died.output.decode(errors="replace").strip().partition("\n")[0]) from died


def _locked(name: str) -> UsageError:
    message = tr("{name} is protected with a password", name=name)
    return UsageError(message, hint=tr("save it without the password, or as CSV UTF-8"))


def _damaged(name: str, error: BaseException | str) -> UsageError:
    message = tr("{name} looks like a workbook, but is damaged: {problem}", name=name, problem=error)
    return UsageError(message, hint=tr(_SAVE_AGAIN))


def _load(file: BinaryIO, name: str) -> "CalamineWorkbook":
    import python_calamine

    try:
        return python_calamine.load_workbook(file)
    except python_calamine.PasswordError as error:
        raise _locked(name) from error
    except Exception as error:  # the library raises its own errors, OSError and ValueError, each for a damaged file
        raise _damaged(name, error) from error
    except BaseException as error:
        raise _panic(name, error) from error


def _panic(name: str, error: BaseException) -> BaseException:
    """Returns a panic of the library's Rust code, which is not an Exception, as an error of the file; other errors
    are returned unchanged.
    """
    return _damaged(name, error) if type(error).__name__ == "PanicException" else error


_Found = tuple[str, Iterator[list[object]], tuple[str, ...]]
"""A sheet's name, its rows, and further sheets that might have been meant."""


def _named(book: "CalamineWorkbook", name: str, wanted: str) -> _Found:
    hint = tr("its sheets: {sheets}", sheets=" · ".join(book.sheet_names))
    exact = [tab for tab in book.sheet_names if tab == wanted]
    loose = [tab for tab in book.sheet_names if tab.strip().casefold() == wanted.strip().casefold()]
    if not exact and not loose:
        raise UsageError(tr("{name} has no sheet {sheet!r}", name=name, sheet=wanted), hint=hint)
    tab = (exact or loose)[0]
    rows = _rows(book, tab, name)
    if rows is None:
        raise UsageError(tr("{name}: sheet {sheet!r} is empty", name=name, sheet=tab), hint=hint)
    return tab, rows, ()


def _first_filled(book: "CalamineWorkbook", name: str) -> _Found:
    from python_calamine import SheetVisibleEnum

    visible = [found.name for found in book.sheets_metadata if found.visible == SheetVisibleEnum.Visible]
    first: tuple[str, Iterator[list[object]]] | None = None
    others: list[str] = []
    for tab in visible:
        rows = _rows(book, tab, name)
        if rows is not None and first is None:
            first = tab, rows
        elif rows is not None:
            others.append(tab)
    if first is None:
        hidden = " · ".join(tab for tab in book.sheet_names if tab not in visible)
        hint = tr("give a workbook with one phone number per row")
        if hidden:
            hint = tr("to read a hidden sheet, add --sheet NAME; the hidden sheets: {sheets}", sheets=hidden)
        raise UsageError(tr("{name}: all its sheets are empty", name=name), hint=hint)
    return *first, tuple(others)


def _rows(book: "CalamineWorkbook", tab: str, name: str) -> Iterator[list[object]] | None:
    """Yields the rows from the sheet's first; None for an empty sheet."""
    try:
        sheet = book.get_sheet_by_name(tab)
        return cast("Iterator[list[object]]", sheet.iter_rows()) if sheet.start is not None else None
    except Exception as error:  # as in _load; a chart is no sheet of rows either
        if len(book.sheet_names) > 1 and "Worksheet" in type(error).__name__:
            return None
        raise _damaged(name, error) from error
    except BaseException as error:
        raise _panic(name, error) from error


def _as_csv(rows: Iterator[list[object]]) -> BinaryIO:
    made = cast(BinaryIO, MadeFile())
    text = io.TextIOWrapper(made, "utf-8", newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_written, row) for row in rows)
    text.detach()
    return made


def _written(value: object) -> str:
    """Returns a cell as a person types it in a CSV; a number rounded by the workbook stays visibly rounded."""
    if isinstance(value, str):
        # With a line end in a cell, the lines of the CSV would no longer match the rows of the sheet.
        return _LINE_ENDS.sub(" ", value).replace("\0", "")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


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
_SAVE_THE_LIST = mark("save only the sheet with the list, as CSV UTF-8")
_UNPACKED = mark("{name} is too large: more than {n} million bytes when unpacked")
_TEXTS = mark("{name} is too large: more than {n} million bytes in the texts of its cells")
_OPEN_DOCUMENT = mark("OpenDocument workbook, .ods")
_CELLS = mark("{name} is too large: more than {n} million cells, blank cells between others included")


def refuse_huge(file: BinaryIO, name: str) -> str:
    """Returns the kind of the workbook in a ZIP archive. Raises UsageError for none, a damaged or a huge one."""
    try:
        with zipfile.ZipFile(file) as archive:
            kind = _kind(archive, name)
            if kind == _OPEN_DOCUMENT:
                _measure_ods(archive, name)
            else:
                _measure_xlsx(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _damaged(name, error) from error
    return kind


def _kind(archive: zipfile.ZipFile, name: str) -> str:
    parts = set(archive.namelist())
    if "content.xml" in parts:
        return _OPEN_DOCUMENT
    if "xl/workbook.bin" in parts:
        message = tr("{name} is a binary Excel workbook (.xlsb)", name=name)
        raise UsageError(message, hint=tr("save it as .xlsx, or as CSV UTF-8"))
    if not any(part.lower() == "xl/workbook.xml" for part in parts) and "_rels/.rels" not in parts:
        message = tr("{name} is a ZIP archive, not a workbook", name=name)
        raise UsageError(message, hint=tr("unpack it, and give the list in it"))
    return mark("Excel workbook, .xlsx")


@dataclass(slots=True)
class _Size:
    """The counts of one workbook so far."""

    name: str
    unpacked: int = 0
    repeated: int = 0

    def chunks(self, archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
        """Yields a part of the archive, unpacked."""
        with archive.open(part) as source:
            while chunk := source.read(_CHUNK):
                self.unpacked += len(chunk)
                self.refuse(
                    self.unpacked, _MOST_BYTES, mark("{name} is too large: more than {n} million bytes when unpacked")
                )
                yield chunk

    def refuse(self, found: int, most: int, message: str) -> None:
        """Raises UsageError for more than any list of people has."""
        if found > most:
            raise UsageError(tr(message, name=self.name, n=most // 10**6), hint=tr(_SAVE_THE_LIST))


def _measure_xlsx(archive: zipfile.ZipFile, name: str) -> None:
    size, strings = _Size(name), list[int]()
    parts = set(archive.namelist())
    if _STRINGS in parts:
        strings = _string_lengths(size.chunks(archive, _STRINGS))
    for part in parts - {_STRINGS}:  # whatever its name, the workbook may call it a sheet
        _measure_cells(size, size.chunks(archive, part), strings)


def _string_lengths(chunks: Iterator[bytes]) -> list[int]:
    """Returns the bytes of each shared text, its tags included."""
    lengths, carried = list[int](), b""
    for chunk in chunks:
        *whole, carried = _STRING_END.split(carried + chunk)
        lengths += map(len, whole)
    return lengths


def _measure_cells(size: _Size, chunks: Iterator[bytes], strings: list[int]) -> None:
    """Refuses a sheet by the area of its cells, and by the texts that its cells repeat."""
    width = height = cells = 0
    longest, tail = max(strings, default=0), b""
    for chunk in chunks:
        text = tail + chunk
        tail = text[-_OVERLAP:]
        found, rows = _CELL.findall(text), _ROW.findall(text)
        cells += len(found)
        width = max(width, _widest(text, found))
        height = max(height + rows.count(b""), *map(int, filter(None, rows)), *(int(row or 0) for _, row in found), 0)
        size.refuse(width * height, _MOST_CELLS, _CELLS)
        if cells * longest > _MOST_BYTES:
            size.repeated += sum(strings[at] for at in map(int, _SHARED.findall(text)) if at < len(strings))
            size.refuse(size.repeated, _MOST_BYTES, _TEXTS)


def _widest(text: bytes, found: list[tuple[bytes, bytes]]) -> int:
    """Returns the last column of cells with a position, or the number of cells in a row without positions."""
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
        """Handles an opening tag."""
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
        """Handles a closing tag: after a row's, the area of the table so far is known."""
        if tag == "table:table-row":
            self._rows += self._repeats
            self._width = max(self._width, self._last)
            if self._last:
                self._height = self._rows
            self._size.refuse(self._width * self._height, _MOST_CELLS, _CELLS)


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
            return  # encrypted by a password; the reader reports that
