"""A CSV as it stands on the disk: its encoding, its delimiter, its rows; not a byte of it is changed."""

import codecs
import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from alovoice_cli.errors import UsageError

# csv.Sniffer is not asked: of a column of phones it answers that the delimiter is '9' (measured).
DELIMITERS = ",;\t|"
DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}

Moved = Callable[[int, int | None], None]
"""Told how many bytes were read so far, and how many there are."""

_LONGEST_LINE = 65_536  # characters: what is longer is no list, and would be held in memory whole
_CHUNK = 1 << 16  # bytes: so no line within one chunk is too long
_SHOWN_CHARACTERS = 60

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
class Sheet:
    """An open, seekable CSV whose encoding is known. `name` is for the messages; the caller closes the file."""

    file: BinaryIO
    name: str
    encoding: str
    workbook: str = ""
    """The kind of workbook that the CSV was made from, such as `an Excel workbook (.xlsx)`; empty for a CSV."""
    above: int = 0
    """How many lines of the file as given stand above the first line of `file`; line numbers count them."""
    conversion: str = ""
    """How `file` differs from the file as given, as a sentence; empty where it is that file, byte for byte."""

    def rows(self, delimiter: str) -> Generator[tuple[int, list[str]]]:
        """The rows that hold something, each with the number of the line where it ends."""
        with self.reading(delimiter) as reader:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row

    @contextmanager
    def reading(self, delimiter: str, moved: Moved | None = None) -> Iterator[Any]:
        """Python's own csv reader from the file's start. Raises UsageError, with the line, for a quote left open."""
        with self.text(moved) as text, self.splitting(text, delimiter) as reader:
            yield reader

    @contextmanager
    def text(self, moved: Moved | None = None) -> Iterator[TextIO]:
        """The file's characters from its start, its line ends as they are."""
        self.file.seek(0)
        source = self.file if moved is None else io.BufferedReader(_Counted(self.file, moved), _CHUNK)
        text = io.TextIOWrapper(source, self.encoding, newline="")
        try:
            yield text
        finally:
            text.detach()  # else the wrapper would close the file, which is still to be sent

    @contextmanager
    def splitting(self, lines: Iterable[str], delimiter: str, above: int = 0) -> Iterator[Any]:
        """Python's own csv reader of lines above which so many others stand. Raises UsageError as `reading` does."""
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            yield reader
        except csv.Error as error:
            raise UsageError(
                f"{self.name}, line {above + reader.line_num}: {error}",
                hint='a cell with quotes in it is written "so ""quoted"" here"; close the quote that is open',
            ) from error

    def first_row(self) -> tuple[int, str] | None:
        """The first line that holds something and its text, cut for a message; None where there is none."""
        with closing(self.rows(",")) as rows:
            first = next(rows, None)
        if first is None:
            return None
        seen = ",".join(first[1])
        return first[0], seen if len(seen) <= _SHOWN_CHARACTERS else seen[:_SHOWN_CHARACTERS] + "…"

    @property
    def note(self) -> str:
        """How the file is read, where that was a guess; else empty."""
        stated = _STATED.get(self.encoding)
        return f"{self.name} is read as {stated}; it is sent as it is, byte for byte" if stated else ""


def open_sheet(
    file: BinaryIO,
    name: str,
    encoding: str | None = None,
    *,
    tab: str | None = None,
    header_line: int | None = None,
) -> Sheet:
    """The file as a CSV in the encoding given, else found: by BOM, else UTF-8, else cp1251, the Russian Windows' own.

    The whole file is decoded once to tell. Raises UsageError for one that is empty, binary, or no text in it.
    """
    file.seek(0)
    head = file.read(4)
    if not head:
        raise UsageError(f"{name} is empty", hint="give a CSV with a phone number a line")
    for magic, kind in _BINARY:
        if head.startswith(magic):
            raise UsageError(f"{name} is {kind}, not a CSV", hint=_SAVE_AS_CSV)
    candidates = _candidates(head) if encoding is None else [_known(encoding, head)]
    for candidate in candidates:
        if _decodes(file, candidate, name):
            return Sheet(file, name, candidate)
    raise UsageError(f"{name} is no text in {' or '.join(candidates)}", hint=_SAVE_AS_CSV)


def _candidates(head: bytes) -> list[str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    return ["utf-8-sig"] if head.startswith(codecs.BOM_UTF8) else ["utf-8", "cp1251"]


def _known(encoding: str, head: bytes) -> str:
    try:
        found = codecs.lookup(encoding).name
        "".encode(found)
    except (LookupError, ValueError):
        raise UsageError(f"--encoding {encoding!r} is none", hint="such as utf-8, cp1251, utf-16, koi8-r") from None
    return "utf-8-sig" if found == "utf-8" and head.startswith(codecs.BOM_UTF8) else found


def _decodes(file: BinaryIO, encoding: str, name: str) -> bool:
    """Whether the whole file is text in this encoding. Raises UsageError for NUL bytes, and for an endless line."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, open_line = 1, 0
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if "\0" in text:
                raise UsageError(f"{name} holds NUL bytes: it is no CSV, or UTF-16 without its mark", hint=_SAVE_AS_CSV)
            first, last = _line_ends(text)
            if open_line + first > _LONGEST_LINE:
                raise UsageError(f"{name}, line {lines} is longer than {_LONGEST_LINE} characters: this is no list")
            lines += max(text.count("\n"), text.count("\r"))
            open_line = open_line + len(text) if last < 0 else len(text) - last - 1
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _line_ends(text: str) -> tuple[int, int]:
    """Where the text's first line ends (or the text does), and where its last line end stands (-1: nowhere)."""
    ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
    return min(ends, default=len(text)), max(text.rfind("\n"), text.rfind("\r"))


class _Counted(io.RawIOBase):
    """Reads through to the file, which it never closes, and tells how far it is."""

    def __init__(self, file: BinaryIO, moved: Moved) -> None:
        self._file, self._moved = file, moved
        place = file.tell()
        self._size = file.seek(0, io.SEEK_END)
        self._done = file.seek(place)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._done += len(chunk)
        self._moved(self._done, self._size)
        return len(chunk)
