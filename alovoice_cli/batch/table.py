"""A list of rows as it stands: a CSV with headings, or JSON Lines; every cell as text, every row with its line."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from alovoice_cli.campaigns.sheet import DELIMITERS, open_sheet
from alovoice_cli.errors import UsageError

_APART = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place. `column` counts from 1; in JSON Lines it is 0. `items` are those of a JSON list."""

    text: str
    column: int
    items: tuple[str, ...] | None = None

    @property
    def several(self) -> tuple[str, ...]:
        """What it holds where it may hold several."""
        return self.items if self.items is not None else tuple(word for word in _APART.split(self.text) if word)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line where it ends, and its cells by heading."""

    line: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A list, whole. `name` is for the messages."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(file: BinaryIO, name: str, knows: Callable[[str], bool], encoding: str | None = None) -> Table:
    """Reads an open, seekable list from its start. `knows` tells whether a heading is one that is looked for.

    Raises UsageError, with the line, for what is neither a CSV with headings nor JSON Lines.
    """
    file.seek(0)
    if file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _read_json(file, name)
    sheet = open_sheet(file, name, encoding)
    first = {by: _first(sheet.rows(by)) for by in DELIMITERS}
    found = max(DELIMITERS, key=lambda by: (sum(map(knows, first[by])), len(first[by])))
    headings = [heading.strip() for heading in first[found]]
    _check_headings(name, headings)
    rows = []
    with closing(sheet.rows(found)) as source:
        for line, cells in islice(source, 1, None):
            if len(cells) > len(headings) and any(cell.strip() for cell in cells[len(headings) :]):
                raise UsageError(
                    f"{name}, line {line} has {len(cells)} cells, and there are {len(headings)} headings",
                    hint='quote a cell that holds the delimiter: "so, as one"',
                )
            padded = [*cells, *[""] * (len(headings) - len(cells))]
            named = zip(headings, padded, strict=False)
            rows.append(Row(line, {head: Cell(cell, at) for at, (head, cell) in enumerate(named, start=1) if head}))
    return Table(name, tuple(head for head in headings if head), tuple(rows))


def _first(rows: object) -> list[str]:
    with closing(rows) as source:  # type: ignore[type-var] # a generator, from Sheet.rows
        return next(source, (0, []))[1]  # type: ignore[call-overload, no-any-return] # same


def _check_headings(name: str, headings: Sequence[str]) -> None:
    if not headings:
        raise UsageError(f"{name} holds blank lines only", hint="give a CSV whose first row names its columns")
    twice = next((head for at, head in enumerate(headings) if head and head in headings[:at]), None)
    if twice is not None:
        raise UsageError(f"{name}, line 1 names the column {twice!r} twice", hint="give each column a name of its own")


def _read_json(file: BinaryIO, name: str) -> Table:
    file.seek(0)
    rows: list[Row] = []
    headings: dict[str, None] = {}
    for line, raw in enumerate(file, start=1):
        text = _decoded(raw, line, name).strip()
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{name}, line {line} is no JSON: {error}", hint="give one object a line") from error
        if not isinstance(value, dict):
            raise UsageError(f"{name}, line {line} is no JSON object", hint="give one object a line")
        rows.append(Row(line, {str(key): _cell(item, str(key), line, name) for key, item in value.items()}))
        headings.update(dict.fromkeys(map(str, value)))
    return Table(name, tuple(headings), tuple(rows))


def _decoded(raw: bytes, line: int, name: str) -> str:
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}, line {line} is no text in UTF-8", hint="JSON Lines are UTF-8") from error


def _cell(value: object, key: str, line: int, name: str) -> Cell:
    if value is None:
        return Cell("", 0)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return Cell(str(value), 0)
    if isinstance(value, list) and all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in value):
        return Cell(" ".join(map(str, value)), 0, tuple(map(str, value)))
    raise UsageError(
        f"{name}, line {line}: {key!r} is neither text nor a whole number", hint="quote it, or give a list of texts"
    )
