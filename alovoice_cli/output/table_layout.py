"""Chooses the columns of a table that fit a terminal, and their widths. No number is cut; right columns go first."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from alovoice_cli.language import joined, pgettext, tr
from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Column, Item, cell_text

_NARROWEST_TEXT = 10
"""A longer word may be broken, but not if it contains a number."""
_LONGEST_NUMBER = 32
"""A longer number is a digest or a mistake, and is broken like any word."""
_NUMBER = re.compile(r"(?=.*\d)(.{1,12}|[^A-SU-Ya-z]*)")
_WIDEST_WHOLE_NAME = 16
"""The first column names the row: up to this width it is broken last."""
_NARROWEST_BAR = 5
_GAPS = (3, 2, 1)


class TableLayout(NamedTuple):
    """The drawn columns with their widths (0: the rest, for a bar), the space between them, and the dropped columns."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    gap: int
    left_out: tuple[Column, ...]


def fit_columns(items: Sequence[Item], columns: Sequence[Column], width: int, *, headers: bool) -> TableLayout:
    """Returns the layout of a table of `width` terminal columns. The first column always stays."""
    sizes = [_Size.of(items, column, headers=headers) for column in columns]
    sizes[0] = sizes[0]._replace(least=max(sizes[0].least, min(sizes[0].cells, _WIDEST_WHOLE_NAME)))
    kept = len(columns)
    while kept > 1 and sum(size.least for size in sizes[:kept]) + kept - 1 > width:
        kept -= 1
    shown = sizes[:kept]
    wanted = sum(size.wanted for size in shown)
    has_bar = any(column.bar for column in columns[:kept])
    gap = 1 if has_bar else next((gap for gap in _GAPS if wanted + gap * (kept - 1) <= width), 1)
    room = width - gap * (kept - 1)
    cap = min(max((size.wanted for size in shown), default=0), room)
    while cap > 1 and sum(size.within(cap) for size in shown) > room:
        cap -= 1
    widths = (0 if column.bar else min(size.within(cap), width) for column, size in zip(columns, shown, strict=False))
    return TableLayout(tuple(columns[:kept]), tuple(widths), gap, tuple(columns[kept:]))


def no_room_for(columns: Sequence[Column]) -> str:
    """Returns what is said of columns that were left out."""
    titles = joined(", ", (column.heading or column.name for column in columns))
    return tr("no room for the columns: {titles}; a wider terminal shows them, and --columns chooses", titles=titles)


class _Size(NamedTuple):
    """The widths of a column: the least that cuts no number, that of its longest cell, and that with its title."""

    least: int
    cells: int
    wanted: int

    @classmethod
    def of(cls, items: Sequence[Item], column: Column, *, headers: bool) -> "_Size":
        if column.bar:
            return cls(_NARROWEST_BAR, _NARROWEST_BAR, _NARROWEST_BAR)
        title = column.heading if headers else ""
        cells = [cell_shown(column, item) for item in items]
        longest = max(map(cell_len, cells), default=0)
        wanted = max(longest, cell_len(title), 1)
        least = max((cell_len(word) for word in title.split()), default=1)
        for cell in cells:
            least = max(least, cell_len(cell) if column.numeric else _longest_part(cell))
        return cls(min(least, wanted), longest, wanted)

    def within(self, cap: int) -> int:
        return max(self.least, min(self.wanted, cap))


def _longest_part(cell: str) -> int:
    """Returns the width of the longest part of a text that is not broken."""
    longest = 1
    for word in cell.split():
        length = cell_len(word)
        is_number = length <= _LONGEST_NUMBER and _NUMBER.fullmatch(word)
        longest = max(longest, length if is_number else min(length, _NARROWEST_TEXT))
    return longest


def cell_shown(column: Column, item: Item) -> str:
    """Returns the text of a cell on a terminal: codes are words, and each comma of a list has a space behind it."""
    value = column.of(item)
    if column.words is not None and value is not None:
        return disarm(column.words(value))
    if isinstance(value, bool):
        return pgettext("cell", "yes") if value else pgettext("cell", "no")
    # A narrow column breaks a list at its spaces: not within a number.
    parts = value if isinstance(value, (list, tuple)) else ()
    flat = parts and not any(isinstance(part, (dict, list)) for part in parts)
    return disarm(", ".join(map(cell_text, parts)) if flat else cell_text(value))
