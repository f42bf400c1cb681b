"""The columns of a list, and the operator's choice among them."""

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from alovoice_cli.errors import UsageError

Item = Mapping[str, object]


class Column(NamedTuple):  # no dataclass, which takes five times as long to make: every command loads it
    """One column: `name` is the server's own field and what `--columns` takes, `title` heads it in a table.

    `value` computes a cell that is not simply the field. A column that is not `shown` appears when it is asked for.
    A `bar` holds a list of numbers, which a table on a terminal draws as parts of a bar, as wide as there is room.
    """

    name: str
    title: str
    value: Callable[[Item], object] | None = None
    shown: bool = True
    numeric: bool = False
    bar: bool = False

    def of(self, item: Item) -> object:
        """The cell's value in this item, None where the item has no such field."""
        return self.value(item) if self.value else item.get(self.name)


def choose_columns(columns: Sequence[Column], wanted: str | None) -> tuple[Column, ...]:
    """The shown columns, or those that `--columns a,b` names, in that order.

    Raises UsageError, with the list, for a name that is not there.
    """
    if wanted is None:
        return tuple(column for column in columns if column.shown)
    by_name = {column.name: column for column in columns}
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names or [wanted]:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            raise UsageError(
                f"there is no column {name!r}",
                hint=(f"did you mean {near[0]}? " if near else "") + "columns: " + ", ".join(by_name),
            )
    return tuple(by_name[name] for name in names)


def cell_text(value: object) -> str:
    """A cell's value as text: nothing for None, `true`/`false`, lists joined with commas, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and not any(isinstance(part, (dict, list)) for part in value):
        return ",".join(cell_text(part) for part in value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def bar_glyphs(*, ascii_only: bool) -> str:
    """The characters that the parts of a bar are drawn in, in the order of the parts."""
    return "#=-." if ascii_only else "█▒░·"


def legend(names: Sequence[str], *, ascii_only: bool) -> str:
    """The name of each part of a bar behind its character; a part without a name is left out."""
    glyphs = zip(bar_glyphs(ascii_only=ascii_only), names, strict=False)
    return ", ".join(f"{glyph} {name}" for glyph, name in glyphs if name)
