"""A table of rows: a CSV unchanged, or a CSV made from a sheet of a workbook."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, BinaryIO, TextIO, cast

from alovoice_cli.campaigns.files import MadeFile
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import joined, mark, ngettext, tr

# Not csv.Sniffer: for a column of phones its delimiter is '9' (measured).
DELIMITERS = ",;\t|"
_DELIMITER_NAMES = {",": mark("a comma"), ";": mark("a semicolon"), "\t": mark("a tab"), "|": mark("a vertical bar")}

Moved = Callable[[int, int | None], None]
"""Called with the bytes read so far, and their total."""

_LONGEST_LINE = 65_536  # characters: a longer line is no list, and would be in memory whole
_CHUNK = 1 << 16  # bytes: so no line within one chunk is too long
_SHOWN_CHARACTERS = 60

_PROBES, _PROBED_LINES = 32, 8

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xls", ".ods")
_BINARY = ((b"%PDF", mark("a PDF document")), (b"\x1f\x8b", mark("a gzip archive")))
_SEP = re.compile(r"\ufeff?\"?sep=([^\w\"'+()\-. ])\"?[\s,;]*", re.IGNORECASE)
_BLANK = ' \t\r\n,;|"\ufeff'
_CTRL_Z = re.compile(r"\x1a[\x1a\s]*\Z")
_STATED = {
    "cp1251": mark("{name} is read as cp1251, the encoding of Russian Windows"),
    "utf-16": mark("{name} is read as UTF-16, which few programs expect in a CSV (better save it as CSV UTF-8)"),
}
_SAVE_AS_CSV = mark("in Excel: File, Save As, CSV UTF-8 (comma delimited)")


def delimiter_name(delimiter: str) -> str:
    """Returns the delimiter in words."""
    return tr(_DELIMITER_NAMES[delimiter]) if delimiter in _DELIMITER_NAMES else repr(delimiter)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An open, seekable CSV of known encoding. `name` is for the messages."""

    file: BinaryIO
    """The CSV: the given file, closed by its opener, or one made from it, which ends with this object."""
    name: str
    encoding: str
    workbook: str = ""
    """The kind of workbook that the CSV was made from, such as `Excel workbook, .xlsx`; empty for a CSV."""
    other_tabs: tuple[str, ...] = ()
    """Further visible sheets of the workbook that hold something, where none was named."""
    above: int = 0
    """How many lines of the file as given stand above the first line of `file`; a csv reader does not count them."""
    header_line: int | None = None
    """The line of the headings as the operator named it."""
    stated_delimiter: str = ""
    """The delimiter that the file's own first line names, as in `sep=;`."""
    probes: tuple[str, ...] = ()
    """A few lines from all over a long file."""
    conversion: str = ""
    """How `file` differs from the file as given, as a sentence; empty where it is that file, byte for byte."""

    @property
    def delimiters(self) -> str:
        """Returns the possible delimiters of the cells."""
        return "," if self.workbook else self.stated_delimiter or DELIMITERS

    def rows(self, delimiter: str) -> Generator[tuple[int, list[str]]]:
        """Yields the rows with content, each with the number of its last line in the given file."""
        with self.reading(delimiter) as reader:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield self.above + reader.line_num, row

    @contextmanager
    def reading(self, delimiter: str, moved: Moved | None = None) -> Iterator[Any]:
        """Yields a csv reader from the start of `file`. Raises CheckFailedError with the line of an open quote."""
        with self.text(moved) as text, self.splitting(text, delimiter, self.above) as reader:
            yield reader

    @contextmanager
    def text(self, moved: Moved | None = None) -> Iterator[TextIO]:
        """Yields the file's characters from its start, with their line ends."""
        self.file.seek(0)
        source = self.file if moved is None else io.BufferedReader(_CountedFile(self.file, moved), _CHUNK)
        text = io.TextIOWrapper(source, self.encoding, newline="")
        try:
            yield text
        finally:
            text.detach()  # the wrapper must not close the file, which will be sent

    @contextmanager
    def splitting(self, lines: Iterable[str], delimiter: str, above: int = 0) -> Iterator[Any]:
        """Python's own csv reader of lines with so many others above. Raises CheckFailedError as `reading` does."""
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            yield reader
        except csv.Error as error:
            raise CheckFailedError(
                tr("{name}, row {row}: {problem}", name=self.name, row=above + reader.line_num, problem=error),
                hint=tr('write a cell with quotes as "a ""quoted"" word"; close the open quote'),
            ) from error

    def first_row(self) -> tuple[int, str] | None:
        """Returns the first line with content, shortened for a message; None without one."""
        with closing(self.rows(",")) as rows:
            first = next(rows, None)
        if first is None:
            return None
        seen = ",".join(first[1])
        return first[0], seen if len(seen) <= _SHOWN_CHARACTERS else seen[:_SHOWN_CHARACTERS] + "…"

    @property
    def note(self) -> str:
        """Returns how the file is read, if that was a guess; else ''."""
        if self.encoding not in _STATED:
            return ""
        stated = tr(_STATED[self.encoding], name=self.name)
        return stated if self.conversion else joined("; ", [stated, tr("it is sent unchanged, byte for byte")])


def open_sheet(
    file: BinaryIO,
    name: str,
    encoding: str | None = None,
    *,
    tab: str | None = None,
    header_line: int | None = None,
) -> Sheet:
    """Opens the file as rows: a CSV, or the sheet `tab` of a workbook, by default its first sheet with content.

    A CSV's encoding is detected if not given: by BOM, else UTF-8, else cp1251, the encoding of Russian Windows; this
    decodes the whole file once. `header_line` is the line of the headings, from 1; lines above, blank first lines and a
    line `sep=;` are left out. Raises UsageError for an empty or binary file, CheckFailedError for no text.
    """
    file.seek(0)
    head = file.read(8)
    if not head:
        raise UsageError(tr("{name} is empty", name=name), hint=tr("give a CSV with one phone number per row"))
    if head.startswith(_WORKBOOKS):
        return _from_workbook(file, name, tab, header_line)
    _refuse_other_kinds(head, name, tab)
    for candidate in (candidates := _candidates(head) if encoding is None else [_known(encoding, head)]):
        if (content := _scan(file, candidate, name)) is not None:
            return _without_lines_above(Sheet(file, name, candidate, probes=content.probes), content, header_line)
    message = tr(
        "{name} cannot be read as text; encodings tried: {encodings}", name=name, encodings=", ".join(candidates)
    )
    raise CheckFailedError(message, hint=tr(_SAVE_AS_CSV))


def _from_workbook(file: BinaryIO, name: str, tab: str | None, header_line: int | None) -> Sheet:
    from alovoice_cli.campaigns.workbook import read_workbook

    found = read_workbook(file, name, tab)
    content = _scan(found.csv, "utf-8", name)
    if content is None:
        message = tr("{name}: sheet {sheet!r} holds damaged characters", name=name, sheet=found.tab)
        raise CheckFailedError(message, hint=tr(_SAVE_AS_CSV))
    conversion = tr("{name} ({kind}): sheet {sheet!r} is read", name=name, kind=tr(found.kind), sheet=found.tab)
    if found.others:
        conversion = joined("; ", [conversion, tr("other sheets: {sheets}", sheets=" · ".join(found.others))])
    sheet = Sheet(found.csv, name, "utf-8", found.kind, found.others, probes=content.probes, conversion=conversion)
    return _without_lines_above(sheet, content, header_line)


def _refuse_other_kinds(head: bytes, name: str, tab: str | None) -> None:
    for magic, kind in _BINARY:
        if head.startswith(magic):
            message = tr("{name} is not a CSV: it is {kind}", name=name, kind=tr(kind))
            raise UsageError(message, hint=tr(_SAVE_AS_CSV))
    if PurePath(name).suffix.lower() in _WORKBOOK_NAMES:
        hint = tr("if it is a CSV, rename it to .csv; if not, open it in a spreadsheet and save it again")
        is_page = head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        kind = tr("a web page") if is_page else tr("plain text")
        raise UsageError(tr("{name} has the name of a workbook, but is {kind}", name=name, kind=kind), hint=hint)
    if tab is not None:
        message = tr("{name} is not a workbook: it has no sheet {sheet!r}", name=name, sheet=tab)
        raise UsageError(message, hint=tr("leave --sheet out"))


@dataclass(frozen=True, slots=True)
class _Content:
    """What decoding a whole file has shown: a few of its lines, and whether it ends with Ctrl-Z, as under DOS."""

    probes: tuple[str, ...]
    ends_with_ctrl_z: bool


def _without_lines_above(sheet: Sheet, content: _Content, header_line: int | None) -> Sheet:
    """Returns the sheet without lines above its headings, and without Ctrl-Z at its end."""
    above, delimiter = 0, ""
    with sheet.text() as text:
        while line := text.readline():
            match = _SEP.fullmatch(line) if not delimiter and not sheet.workbook else None
            if match:
                delimiter = match[1]
            elif (line.strip(_BLANK) or header_line is not None) and above + 1 >= (header_line or 0):
                break
            above += 1
        if header_line is not None and not line.strip(_BLANK):
            message = tr("{name}: row {row} of --header-line is blank", name=sheet.name, row=header_line)
            if not line:
                message = tr("{name} has no row {row} for --header-line", name=sheet.name, row=header_line)
            raise UsageError(message, hint=tr("give the number of the row with the headings"))
        if not line:  # blank lines only; the reading will report that
            above = 0
        if not above and not content.ends_with_ctrl_z:
            return replace(sheet, header_line=header_line)
        made = _copied(line, text, sheet.encoding)
    return replace(
        sheet,
        file=made,
        above=above,
        header_line=above + 1 if header_line is not None else None,
        stated_delimiter=delimiter,
        conversion=_conversion(sheet, above, ends_with_ctrl_z=content.ends_with_ctrl_z),
    )


def _conversion(sheet: Sheet, above: int, *, ends_with_ctrl_z: bool) -> str:
    parts = [sheet.conversion] if sheet.conversion else []
    if above:
        parts.append(ngettext("the first {n} row is left out", "the first {n} rows are left out", above))
    if ends_with_ctrl_z:
        parts.append(tr("the Ctrl-Z at the end is left out"))
    told = joined("; ", parts)
    return told if sheet.conversion else joined("", [sheet.name, ": ", told])


def _copied(first: str, rest: TextIO, encoding: str) -> BinaryIO:
    made = cast(BinaryIO, MadeFile())
    out = io.TextIOWrapper(made, encoding, newline="")
    held = first
    while block := rest.read(_CHUNK):
        out.write(held[:-_SHOWN_CHARACTERS])
        held = held[-_SHOWN_CHARACTERS:] + block
    out.write(_CTRL_Z.sub("", held) if "\x1a" in held[-_SHOWN_CHARACTERS:] else held)
    out.detach()
    return made


def _candidates(head: bytes) -> list[str]:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    return ["utf-8-sig"] if head.startswith(codecs.BOM_UTF8) else ["utf-8", "cp1251"]


def _known(encoding: str, head: bytes) -> str:
    try:
        found = codecs.lookup(encoding).name
        "".encode(found)
    except (LookupError, ValueError):
        message = tr("--encoding {encoding!r} is not a known encoding", encoding=encoding)
        raise UsageError(message, hint=tr("give one such as utf-8, cp1251, utf-16 or koi8-r")) from None
    return "utf-8-sig" if found == "utf-8" and head.startswith(codecs.BOM_UTF8) else found


def _scan(file: BinaryIO, encoding: str, name: str) -> _Content | None:
    """Returns facts about the whole file; None where it is not text in this encoding.

    Raises CheckFailedError for NUL bytes, and for a line that is too long.
    """
    every = max(1, file.seek(0, io.SEEK_END) // _CHUNK // _PROBES)
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, open_line, text, probes = 1, 0, "", list[str]()
    try:
        for chunk_number, chunk in enumerate(iter(lambda: file.read(_CHUNK), b"")):
            text = decoder.decode(chunk)
            if "\0" in text:
                message = tr("{name} holds NUL bytes: it is not a CSV, or UTF-16 without a byte order mark", name=name)
                raise CheckFailedError(message, hint=tr(_SAVE_AS_CSV))
            first, last = _line_ends(text)
            if open_line + first > _LONGEST_LINE:
                raise CheckFailedError(
                    tr(
                        "{name}: row {row} is longer than {most} characters: this is not a list",
                        name=name,
                        row=lines,
                        most=_LONGEST_LINE,
                    )
                )
            lines += max(text.count("\n"), text.count("\r"))
            open_line = open_line + len(text) if last < 0 else len(text) - last - 1
            if chunk_number and chunk_number % every == 0:  # the first is what every reader begins with
                probes += text[first : first + _LONGEST_LINE].splitlines()[1 : _PROBED_LINES + 1]
        decoder.decode(b"", final=True)
    except UnicodeError:
        return None
    return _Content(tuple(probes), text.rstrip().endswith("\x1a"))


def _line_ends(text: str) -> tuple[int, int]:
    """Returns the end of the text's first line (or of the text), and the place of its last line end (-1: none)."""
    ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
    return min(ends, default=len(text)), max(text.rfind("\n"), text.rfind("\r"))


class _CountedFile(io.RawIOBase):
    """Reads through to the file, which it never closes, and reports progress."""

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
