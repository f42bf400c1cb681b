"""Reads an operator's list of extensions and their names: a table (CSV, workbook), TOML or JSON."""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.campaigns.sheet import Sheet, open_sheet
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.events.peer_names import LONGEST_NAME, PeerNames, plain_name
from alovoice_cli.language import mark, tr

_EXTENSION = r"\+?[0-9]{1,15}"
# Words of a heading, by their beginnings. "Number" may be a mobile one where another column says "extension".
_OF_EXTENSIONS = r"ext|inner|internal|peer|sip|внутр|вн$|доб|ichki|qo"
_OF_NAMES = (
    r"name|fullname|user|operator|agent|person|employee|фио|имя|ф$|сотрудник|оператор|менеджер|ism|xodim|fio|fish|f$"
)
_OF_NUMBERS = r"num|no$|phone|номер|тел|raqam|id$"
_SAMPLE_ROWS = 50
_HINT = mark("give two columns, the extension and its name, such as `101,Anvar Karimov`: one extension per row")

Row = tuple[int, Sequence[str]]
"""A row of a table, with its number in the file."""


def read_peer_names(path: Path) -> PeerNames:
    """Returns the names in a file; the kind of the file is known by `.toml` and `.json`; any other is a table.

    Raises UsageError for a file that cannot be opened, and CheckFailedError with the row of a bad entry.
    """
    with open_regular(path) as file:
        suffix = path.suffix.lower()
        if suffix in (".toml", ".json"):
            value = _parsed(path, file.read(), is_toml=suffix == ".toml")
            return _collected(str(path), _entries(str(path), value))
        sheet = open_sheet(file, str(path))
        columns = _find_columns(sheet)
        with closing(sheet.rows(columns.delimiter)) as rows:
            return _collected(str(path), columns.pairs(str(path), rows))


def _find_columns(sheet: Sheet) -> "_Columns":
    """Returns the columns by the delimiter under which most rows have an extension and a name."""
    found: list[_Columns] = []
    trouble: CheckFailedError | None = None
    for delimiter in sheet.delimiters:
        try:
            found.append(_sample(sheet, delimiter))
        except CheckFailedError as error:  # a quote that is open under one delimiter may be none under another
            trouble = trouble or error
    if not found and trouble is not None:
        raise trouble
    return max(found, key=lambda columns: columns.weight)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a table keeps extension and name, as its first rows show; `weight` counts the rows that have both."""

    delimiter: str
    peer: int = 0
    name: int = 1
    has_heading: bool = False
    weight: int = 0

    def pairs(self, file: str, rows: Iterable[Row]) -> Iterable[tuple[str, str, str]]:
        """Yields the place, the extension and the name of each row under the heading."""
        for line, cells in islice(_entries_of(rows), int(self.has_heading), None):
            peer, name = (cells[column] if column < len(cells) else "" for column in (self.peer, self.name))
            yield tr("{file}, row {row}", file=file, row=line), peer, name


def _sample(sheet: Sheet, delimiter: str) -> _Columns:
    """Finds the columns by their heading, else by their cells: digits, and letters beside them."""
    with closing(sheet.rows(delimiter)) as rows:
        cells = [row for _, row in islice(_entries_of(rows), _SAMPLE_ROWS)]
    if not cells:
        return _Columns(delimiter)
    head, width = cells[0], max(map(len, cells))
    peer, name = _headed(head)
    # A row with a digit that is no extension is a wrong entry.
    has_heading = not any(_is_extension(cell) for cell in head) and (
        peer is not None or name is not None or not re.search(r"\d", "".join(head))
    )
    body = cells[1:] if has_heading else cells
    if not has_heading or peer is None:
        peer = max(range(width), key=lambda at: (at != name, _share(body, at, digits=True)))
    if not has_heading or name is None:
        others = [column for column in range(width) if column != peer]
        name = max(others, key=lambda at: _share(body, at, digits=False), default=peer + 1)
    both = [row for row in body if max(peer, name) < len(row) and _is_extension(row[peer]) and row[name]]
    return _Columns(delimiter, peer, name, has_heading, len(both))


def _entries_of(rows: Iterable[Row]) -> Iterable[Row]:
    """Yields the rows without remarks (`# …`), their cells without blanks around."""
    for line, row in rows:
        cells = [cell.strip() for cell in row]
        if not cells[0].startswith("#"):
            yield line, cells


def _headed(head: Sequence[str]) -> tuple[int | None, int | None]:
    """Returns the places of the headings of extensions and of names."""
    by_kind: dict[str, int] = {}
    for place, heading in enumerate(head):
        for kind in (_OF_EXTENSIONS, _OF_NAMES, _OF_NUMBERS):
            words = re.findall(r"[^\W\d_]+", heading.casefold())
            if any(re.match(kind, word) for word in words):
                by_kind.setdefault(kind, place)
                break
    return by_kind.get(_OF_EXTENSIONS, by_kind.get(_OF_NUMBERS)), by_kind.get(_OF_NAMES)


def _share(rows: Sequence[Sequence[str]], column: int, *, digits: bool) -> int:
    cells = [row[column] for row in rows if column < len(row)]
    return sum(_is_extension(cell) if digits else any(letter.isalpha() for letter in cell) for cell in cells)


def _is_extension(text: str) -> bool:
    return re.fullmatch(_EXTENSION, text, re.ASCII) is not None


def _parsed(path: Path, content: bytes, *, is_toml: bool) -> object:
    kind = "TOML" if is_toml else "JSON"
    try:
        text = content.decode("utf-8-sig")
        return tomllib.loads(text) if is_toml else json.loads(text)
    except (ValueError, RecursionError) as error:  # both parsers name the line
        raise CheckFailedError(
            tr("{path} is not valid {kind}: {problem}", path=path, kind=kind, problem=error),
            hint=tr("write {kind} in UTF-8, such as {example}", kind=kind, example=_SHOWN[is_toml]),
        ) from None


_SHOWN = {True: '101 = "Anvar Karimov"', False: '{"101": "Anvar Karimov"}'}


def _entries(file: str, value: object) -> Iterable[tuple[str, str, str]]:
    """Yields place, extension and name of `{"101": "Anvar"}`, perhaps within one table, or of a list of objects."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), (dict, list)):
        value = inner
    if isinstance(value, dict):
        for peer, name in value.items():
            if not isinstance(name, str):
                message = tr("{file}: the name of extension {peer} must be a text", file=file, peer=peer)
                raise CheckFailedError(message, hint=tr("write it as {example}", example=_SHOWN[True]))
            yield file, peer.strip(), name
        return
    for number, item in enumerate(value if isinstance(value, list) else [None], start=1):
        keys = [str(key) for key in item] if isinstance(item, dict) else []
        cells = [_text(found) for found in item.values()] if isinstance(item, dict) else []
        peer, name = ("" if at is None else cells[at] for at in _headed(keys))
        yield tr("{file}, entry {number}", file=file, number=number), peer, name


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _collected(file: str, pairs: Iterable[tuple[str, str, str]]) -> PeerNames:
    """Returns the names; an extension without a name has none. Raises CheckFailedError for a bad entry."""
    names: dict[str, str] = {}
    for place, peer, told in pairs:
        name = plain_name(told)
        if not _is_extension(peer):
            message = tr("{place}: the extension is missing", place=place)
            if peer:
                message = tr("{place}: {peer!r} is not a valid extension", place=place, peer=peer[:40])
            raise CheckFailedError(message, hint=tr(_HINT))
        if len(name) > LONGEST_NAME:
            text = mark("{place}: the name of extension {peer} is longer than {most} letters")
            raise CheckFailedError(tr(text, place=place, peer=peer, most=LONGEST_NAME), hint=tr(_HINT))
        if name and names.setdefault(peer, name) != name:
            raise CheckFailedError(
                tr("{place}: extension {peer} already has the name {name}", place=place, peer=peer, name=names[peer]),
                hint=tr("keep one of the two rows"),
            )
    if not names:
        raise CheckFailedError(tr("{file} holds no extension", file=file), hint=tr(_HINT))
    return PeerNames(names)
