"""The values that a command shows: a list, a record, a conversation. The writers choose their form.

Every command loads them, so they are named tuples: a frozen dataclass takes 1 ms to make, five times as long.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple, cast

from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, mark, pgettext, tr

Item = Mapping[str, object]
Tone = Literal["", "good", "bad", "doubt", "alarm", "quiet", "first", "second"]
"""What a value means, and so its colour on a terminal; `first` and `second` are the sides of a conversation."""


class Column(NamedTuple):
    """One column: `name` is the server's own field and the word for `--columns`, `title` is its heading in a table.

    `value` computes a cell that is not simply the field. A column that is not `shown` appears on request only. A `bar`
    is a list of numbers, which a table on a terminal draws as parts of a bar, as wide as the room allows. On a terminal
    alone, `words` says a code in words, and `tone` what an item's cell means.
    """

    name: str
    title: str
    value: Callable[[Item], object] | None = None
    shown: bool = True
    numeric: bool = False
    bar: bool = False
    words: Callable[[object], str] | None = None
    tone: Callable[[Item], Tone] | None = None

    @property
    def heading(self) -> str:
        """Returns the title in the language of the run: the short form for a heading, where there is one."""
        short = pgettext("column", self.title)
        return short if short != self.title else tr(self.title)

    def of(self, item: Item) -> object:
        """Returns the cell's value in this item, None where the item has no such field."""
        return self.value(item) if self.value else item.get(self.name)


def tone_by(field: str, tones: Mapping[str, Tone]) -> Callable[[Item], Tone]:
    """Returns a column's `tone` that goes by the value of a field; a value without a tone has none."""
    return lambda item: tones.get(cell_text(item.get(field)), "")


_STATE_WORDS = {
    "done": mark("done"),
    "refused": mark("refused"),
    "unsent": mark("unsent"),
    "unknown": mark("unknown"),
    "already": mark("already"),
    "duplicate": mark("duplicate"),
    "excluded": mark("excluded"),
    "error": mark("error"),
    "warning": mark("warning"),
    "note": mark("note"),
    "pending": mark("waiting"),
    "sent_before": mark("sent before"),
    "yes": mark("yes"),
    "no": mark("no"),
    "maybe": mark("maybe"),
}


def state_word(value: object) -> str:
    """Returns an outcome, a row's state, a severity or whether it was sent in words; another value unchanged."""
    text = cell_text(value)
    return tr(_STATE_WORDS.get(text, text))


def choose_columns(columns: Sequence[Column], wanted: str | None) -> tuple[Column, ...]:
    """Returns the shown columns, or the columns of `--columns a,b`, in that order.

    Raises UsageError, with the list, for an unknown name.
    """
    if wanted is None:
        return tuple(column for column in columns if column.shown)
    by_name = {column.name: column for column in columns}
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names or [wanted]:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            known = tr("columns: {names}", names=", ".join(by_name))
            hint = joined(" ", (tr("did you mean {name}?", name=near[0]), known)) if near else known
            raise UsageError(tr("there is no column {name}", name=repr(name)), hint=hint)
    return tuple(by_name[name] for name in names)


def cell_text(value: object) -> str:
    """Returns a cell's value as text: '' for None, `true`/`false`, lists joined with commas, objects as JSON."""
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
    """Returns the characters for the parts of a bar, in the order of the parts."""
    return "#=-." if ascii_only else "█▒░·"


def legend(names: Sequence[str], *, ascii_only: bool) -> str:
    """Returns the name of each part of a bar behind its character, without the parts that have no name."""
    glyphs = zip(bar_glyphs(ascii_only=ascii_only), names, strict=False)
    return ", ".join(f"{glyph} {name}" for glyph, name in glyphs if name)


_UNSET = object()


class ListedItem(NamedTuple):
    """An item of a list whose JSON (`whole`) differs from the object of its columns (`item`)."""

    item: Item
    whole: object


class Checklist(NamedTuple):
    """The layout of a list of checks on a terminal: the names of an item's fields.

    `grade` is one of pass, warn, fail and skip; `section` is the heading of successive items with the same value;
    `unit` stands behind the `aside` value.
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

    Items may be an iterator: each is printed as it comes, and only a table needs the whole list in memory.
    """

    items: Iterable[Item | ListedItem]
    columns: tuple[Column, ...]
    whole: object = _UNSET
    nothing: str = ""
    """The text that a terminal shows for an empty list."""
    ours: bool = False
    """As in Record."""
    checklist: Checklist | None = None
    """A terminal shows it in place of a table, unless columns are named."""

    @property
    def has_whole(self) -> bool:
        """Returns whether JSON prints another value than the list of the items."""
        return self.whole is not _UNSET

    def pairs(self) -> Iterator[ListedItem]:
        """Yields each item with its whole."""
        for item in self.items:
            yield item if isinstance(item, ListedItem) else ListedItem(item, item)

    def mapped(self, change: Callable[[object], object]) -> "Listing":
        """Returns the list with changed (for example masked) values; an item is changed when it is printed."""
        whole = change(self.whole) if self.has_whole else self.whole
        return self._replace(items=(_changed(pair, change) for pair in self.pairs()), whole=whole)


def _changed(pair: ListedItem, change: Callable[[object], object]) -> Item | ListedItem:
    item = cast(Item, change(pair.item))
    return item if pair.whole is pair.item else ListedItem(item, change(pair.whole))


class Record(NamedTuple):
    """One thing. JSON prints `whole` (by default the fields); the other forms print the fields, one a line."""

    fields: Mapping[str, object]
    title: str = ""
    whole: object = _UNSET
    ours: bool = False
    """Made by this program: a field named `token_from` is no secret, and secrets are masked already."""
    columns: Sequence[Column] = ()
    """What a terminal calls the fields, and how it says their values; without one a field has its own name."""

    def as_json(self) -> object:
        """Returns the value that `--json` prints."""
        return dict(self.fields) if self.whole is _UNSET else self.whole

    def mapped(self, change: Callable[[object], object]) -> "Record":
        """Returns the record with changed (for example masked) values."""
        fields = cast(Mapping[str, object], change(dict(self.fields)))
        return self._replace(fields=fields, whole=self.whole if self.whole is _UNSET else change(self.whole))


class Said(NamedTuple):
    """A phrase of a conversation: its speaker, time and side; `marks` are ranges of the text."""

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
