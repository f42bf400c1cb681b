"""The rows of a batch as written: every cell as text, every row with its number."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from alovoice_cli.campaigns.layout import find_delimiter
from alovoice_cli.campaigns.sheet import Sheet, open_sheet
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import tr

_APART = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class TableCell:
    """The content of one cell. `column` counts from 1; in JSON Lines it is 0. `items` are those of a JSON list."""

    text: str
    column: int
    items: tuple[str, ...] | None = None

    @property
    def several(self) -> tuple[str, ...]:
        """Returns the values of a cell that may hold several."""
        return self.items if self.items is not None else tuple(word for word in _APART.split(self.text) if word)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: the line where it ends, and its cells by heading."""

    line: int
    cells: Mapping[str, TableCell]


@dataclass(frozen=True, slots=True)
class ListTable:
    """A whole list. `name` is for messages, `conversion` says from which kind of file the list was made."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    conversion: str = ""


def is_json_lines(file: BinaryIO) -> bool:
    """Returns whether an open, seekable file starts like JSON Lines; a CSV does not start with a brace."""
    file.seek(0)
    return file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_json_lines(file: BinaryIO, name: str) -> ListTable:
    """Reads the file from its start.

    Raises CheckFailedError, with the line, for a value that is no object of texts and whole numbers, and for a key
    that occurs twice in a row: no rule says which value is right.
    """
    file.seek(0)
    rows: list[TableRow] = []
    headings: dict[str, None] = {}
    for line, raw in enumerate(file, start=1):
        text = _decoded(raw, line, name).strip()
        if not text:
            continue
        pairs = _pairs(text, line, name)
        rows.append(TableRow(line, {key: _cell(value, key, line, name) for key, value in pairs.items()}))
        headings.update(dict.fromkeys(pairs))
    return ListTable(name, tuple(headings), tuple(rows))


class _Object(dict[str, object]):
    """An object as written; `twice` is the first repeated key."""

    twice: str | None = None


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            found.twice = key
            break
        seen.add(key)
    return found


def _pairs(text: str, line: int, name: str) -> dict[str, object]:
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise CheckFailedError(
            tr("{file}, row {row} is not valid JSON: {problem}", file=name, row=line, problem=error),
            hint=tr("write one object in each line"),
        ) from error
    if not isinstance(value, _Object):
        raise CheckFailedError(
            tr("{file}, row {row} is not a JSON object", file=name, row=line), hint=tr("write one object in each line")
        )
    if value.twice is not None:
        raise CheckFailedError(
            tr(
                "{file}, row {row} has the key {key} twice: nothing was sent",
                file=name,
                row=line,
                key=repr(value.twice),
            ),
            hint=tr("remove one of them"),
        )
    return value


def _decoded(raw: bytes, line: int, name: str) -> str:
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise CheckFailedError(
            tr("{file}, row {row} is not UTF-8 text", file=name, row=line), hint=tr("JSON Lines are in UTF-8")
        ) from error


def _cell(value: object, key: str, line: int, name: str) -> TableCell:
    if value is None:
        return TableCell("", 0)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return TableCell(str(value), 0)
    if isinstance(value, list) and all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in value):
        return TableCell(" ".join(map(str, value)), 0, tuple(map(str, value)))
    raise CheckFailedError(
        tr("{file}, row {row}: {key} is neither text nor a whole number", file=name, row=line, key=repr(key)),
        hint=tr("quote it, or give a list of texts"),
    )


_LOOKED_THROUGH = 20  # rows in which to search for headings below other lines


def read_table(
    file: BinaryIO,
    name: str,
    knows: Callable[[str], bool],
    encoding: str | None = None,
    *,
    tab: str | None = None,
    header_line: int | None = None,
) -> ListTable:
    """Reads an open, seekable list from its start. `knows` tells whether a heading is useful.

    Raises CheckFailedError, with the line, for a file that is neither a table with headings nor JSON Lines.
    """
    if is_json_lines(file):
        if tab is not None or header_line is not None:
            option = "--sheet" if tab is not None else "--header-line"
            raise UsageError(
                tr("{file} is JSON Lines: it has no headings and no sheets", file=name),
                hint=tr("leave {option} out", option=option),
            )
        return read_json_lines(file, name)
    return _read_sheet(open_sheet(file, name, encoding, tab=tab, header_line=header_line), knows)


def _read_sheet(sheet: Sheet, knows: Callable[[str], bool]) -> ListTable:
    delimiter = find_delimiter(sheet, knows)
    rows = list[TableRow]()
    with closing(sheet.rows(delimiter)) as source:
        line, first = next(source, (0, list[str]()))
        headings = [heading.strip() for heading in first]
        _check_headings(sheet.name, line, headings)
        if sheet.header_line is None and not any(map(knows, headings)):
            _refuse_lines_above(sheet, delimiter, knows)
        for line, cells in source:
            if any(cell.strip() for cell in cells[len(headings) :]):
                raise CheckFailedError(
                    tr(
                        "{file}, row {row} has {cells} cells, but there are {headings} headings",
                        file=sheet.name,
                        row=line,
                        cells=len(cells),
                        headings=len(headings),
                    ),
                    hint=tr('put a cell with the delimiter in it in quotes: "one, two"'),
                )
            padded = [*cells, *[""] * (len(headings) - len(cells))]
            named = zip(headings, padded, strict=False)
            rows.append(
                TableRow(line, {head: TableCell(cell, at) for at, (head, cell) in enumerate(named, start=1) if head})
            )
    return ListTable(sheet.name, tuple(head for head in headings if head), tuple(rows), sheet.conversion)


def _check_headings(name: str, line: int, headings: Sequence[str]) -> None:
    if not headings:
        raise CheckFailedError(
            tr("{file} has only empty rows", file=name), hint=tr("give a list whose first row names its columns")
        )
    twice = next((head for at, head in enumerate(headings) if head and head in headings[:at]), None)
    if twice is not None:
        raise CheckFailedError(
            tr("{file}, row {row} has the column {name} twice", file=name, row=line, name=repr(twice)),
            hint=tr("give each column a different name"),
        )


def _refuse_lines_above(sheet: Sheet, delimiter: str, knows: Callable[[str], bool]) -> None:
    """Raises CheckFailedError where rows are above the headings."""
    with closing(sheet.rows(delimiter)) as rows:
        for line, row in islice(rows, 1, _LOOKED_THROUGH):
            if any(map(knows, row)):
                raise CheckFailedError(
                    tr("{file}: row {row} looks like the headings, and rows are above it", file=sheet.name, row=line),
                    hint=tr("--header-line {row} skips the rows above it", row=line),
                )
