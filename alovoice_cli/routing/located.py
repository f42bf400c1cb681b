"""TOML whose every value knows its line and column.

`tomllib` checks and decodes; a scan of the accepted text finds the places, which are kept for errors alone (tomlkit
keeps none: its issue 55). The scanned text is valid: no check is made twice.
"""

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

from alovoice_cli.findings import RulePlace
from alovoice_cli.language import tr

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_DEEPEST = 50  # levels of brackets: what is deeper is no rules file, and would end in a RecursionError somewhere


class BadTomlError(Exception):
    """The text is not valid TOML; the message says why."""

    def __init__(self, message: str, place: RulePlace) -> None:
        super().__init__(message)
        self.message, self.place = message, place


class LocatedEntry(NamedTuple):
    """A value of a TOML file with its place. `value` is a dict or a list of entries, or a plain TOML value."""

    value: object
    place: RulePlace
    name: RulePlace
    """The place of its key; in an array the place of the value."""

    @property
    def table(self) -> "dict[str, LocatedEntry]":
        """Returns the entries of a table; none for another value."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> "list[LocatedEntry]":
        """Returns the entries of an array; none for another value."""
        return self.value if isinstance(self.value, list) else []


def read_toml(text: str, file: str) -> LocatedEntry:
    """Returns the document as a table. Raises BadTomlError, with the place, for text that is not TOML."""
    text = text.replace("\r\n", "\n")  # as tomllib does: the lines stay the same
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    try:
        document = tomllib.loads(text)
        scan = _Scan(text)
        scan.document()
        return _Joined(scan.places, starts, file).entry(document, (), (0, 0))
    except RecursionError:
        raise BadTomlError(tr("arrays or tables are nested too deeply"), RulePlace(file)) from None
    except ValueError as error:
        raise _explained(error, file, text) from None


def _explained(error: ValueError, file: str, text: str) -> BadTomlError:
    """Returns tomllib's message without its place, and the place.

    A number of 5,000 digits is a ValueError without one.
    """
    message, where = str(error), _WHERE.search(str(error))
    if where is None:
        return BadTomlError(message, RulePlace(file))
    message = message[: where.start()]
    if where.group(1) is None:
        last = text.count("\n") + 1
        return BadTomlError(message, RulePlace(file, last, len(text) - text.rfind("\n")))
    return BadTomlError(message, RulePlace(file, int(where.group(1)), int(where.group(2))))


class _Joined:
    """Joins the values and their places."""

    def __init__(self, places: dict[Path, tuple[int, int]], starts: list[int], file: str) -> None:
        self._places, self._starts, self._file = places, starts, file

    def entry(self, value: object, path: Path, above: tuple[int, int]) -> LocatedEntry:
        name, place = found = self._places.get(path, above)
        inner: object = value
        if isinstance(value, dict):
            inner = {key: self.entry(item, (*path, key), found) for key, item in value.items()}
        elif isinstance(value, list):
            inner = [self.entry(item, (*path, index), found) for index, item in enumerate(value)]
        return LocatedEntry(inner, self._place(place), self._place(name))

    def _place(self, offset: int) -> RulePlace:
        line = bisect_right(self._starts, offset)
        return RulePlace(self._file, line, offset - self._starts[line - 1] + 1)


class _Scan:
    """Scans valid TOML and notes the offsets of each key and value under its path."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._counts: dict[Path, int] = {}
        self.places: dict[Path, tuple[int, int]] = {}

    def document(self) -> None:
        """Scans the whole text."""
        table: Path = ()
        self._skip_blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()

    def _header(self) -> Path:
        start = self._at
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at += brackets
        keys = self._key()
        self._skip_blank()
        self._at += brackets
        path: Path = ()
        for key, _ in keys[:-1]:
            path = self._newest((*path, key))
            self.places.setdefault(path, (start, start))
        path = (*path, keys[-1][0])
        if brackets == 2:
            self.places.setdefault(path, (start, start))
            self._counts[path] = self._counts.get(path, 0) + 1
            path = self._newest(path)
        self.places[path] = (keys[-1][1] if brackets == 1 else start, start)
        return path

    def _newest(self, path: Path) -> Path:
        """Returns the table that a header's word means: of an array of tables, the newest one."""
        count = self._counts.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: Path) -> None:
        keys = self._key()
        self._skip_blank()
        self._at += 1  # the equals sign
        self._skip_blank()
        path = table
        for key, offset in keys:
            path = (*path, key)
            self.places.setdefault(path, (offset, offset))
        self.places[path] = (keys[-1][1], self._at)
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """Returns a dotted key: its parts and the place of each."""
        parts: list[tuple[str, int]] = []
        while True:
            self._skip_blank()
            start = self._at
            quoted = self._text[start] in "\"'"
            match = (_TEXT if quoted else _BARE).match(self._text, start)
            word = match.group() if match else ""
            self._at += max(len(word), 1)
            parts.append((tomllib.loads(f"k={word}")["k"] if quoted else word, start))
            self._skip_blank()
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening in "[{":
            self._depth += 1
            if self._depth > _DEEPEST:
                raise RecursionError
            self._array(path) if opening == "[" else self._inline_table(path)
            self._depth -= 1
            return
        match = (_TEXT if opening in "\"'" else _SCALAR).match(self._text, self._at)
        self._at = match.end() if match else self._at + 1

    def _array(self, path: Path) -> None:
        index = 0
        while self._goes_on("]"):
            item = (*path, index)
            self.places[item] = (self._at, self._at)
            self._value(item)
            index += 1

    def _inline_table(self, path: Path) -> None:
        while self._goes_on("}"):
            self._pair(path)

    def _goes_on(self, closing: str) -> bool:
        """Skips the opening bracket or a comma; at the closing bracket skips it and returns False."""
        self._skip_blank()
        if self._text[self._at] != closing:  # behind a value only a comma or the end can stand
            self._at += 1
            self._skip_blank()
        if self._text[self._at] == closing:
            self._at += 1
            return False
        return True

    def _skip_blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
