"""The rows of a batch as they stand: every cell as text, every row with its line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
    """A list, whole. `name` is for the messages, `conversion` says what the list was made from."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    conversion: str = ""
