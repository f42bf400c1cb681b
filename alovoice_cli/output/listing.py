"""Values that a command shows: a list, a record, a conversation. The writers decide how each looks.

Every command loads them, so they are named tuples: a frozen dataclass takes 1 ms to make, five times as long.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, cast

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


_UNSET = object()


class ListedItem(NamedTuple):
    """An item of a list whose JSON is another object than the one that its columns are taken from."""

    item: Item
    whole: object


class Checklist(NamedTuple):
    """How a list of checks is laid out on a terminal: which of an item's fields is what.

    `grade` is one of pass, warn, fail and skip; `section` heads the items that follow each other with the same one;
    `unit` stands behind what is `aside`.
    """

    section: str
    grade: str
    name: str
    text: str
    aside: str
    note: str
    summary: str
    passed: bool
    unit: str = ""


class Listing(NamedTuple):
    """A list. Columns are taken from its items; JSON prints `whole`, by default a list of the whole items.

    Items may be an iterator: each is printed as it comes, and the list is never whole in memory, but for a table.
    """

    items: Iterable[Item | ListedItem]
    columns: tuple[Column, ...]
    whole: object = _UNSET
    nothing: str = "nothing to show"
    ours: bool = False
    """As in Record."""
    checklist: Checklist | None = None
    """Drawn on a terminal in place of a table, where no columns are named."""

    @property
    def has_whole(self) -> bool:
        """Whether JSON prints one value that is not the list of the items."""
        return self.whole is not _UNSET

    def pairs(self) -> Iterator[ListedItem]:
        """Yields each item with its whole."""
        for item in self.items:
            yield item if isinstance(item, ListedItem) else ListedItem(item, item)

    def mapped(self, change: Callable[[object], object]) -> "Listing":
        """The same list with its values changed, such as masked: the items when each is printed."""
        whole = change(self.whole) if self.has_whole else self.whole
        return self._replace(items=(_changed(pair, change) for pair in self.pairs()), whole=whole)


def _changed(pair: ListedItem, change: Callable[[object], object]) -> Item | ListedItem:
    item = cast(Item, change(pair.item))
    return item if pair.whole is pair.item else ListedItem(item, change(pair.whole))


class Record(NamedTuple):
    """One thing. JSON prints `whole` (by default the fields) as it is; the other forms print the fields, one a line."""

    fields: Mapping[str, object]
    title: str = ""
    whole: object = _UNSET
    ours: bool = False
    """Of our own making: a field named `token_from` is no secret, and what is one is masked already."""

    def as_json(self) -> object:
        """The value that `--json` prints."""
        return dict(self.fields) if self.whole is _UNSET else self.whole

    def mapped(self, change: Callable[[object], object]) -> "Record":
        """The same record with its values changed, such as masked."""
        fields = cast(Mapping[str, object], change(dict(self.fields)))
        return self._replace(fields=fields, whole=self.whole if self.whole is _UNSET else change(self.whole))


class Said(NamedTuple):
    """A phrase of a conversation: its speaker, time and side; `marks` are places in the text, from and to."""

    who: str
    time: str
    text: str
    side: str
    marks: Sequence[tuple[int, int]] = ()
    notes: Sequence[str] = ()


class Dialogue(NamedTuple):
    """A conversation: a line above it, its phrases, and lines below it."""

    title: str
    said: Sequence[Said]
    below: Sequence[str] = ()
