"""Values that a command shows: a list, a record, a conversation. The writers decide how each looks.

Every command loads them, so they are named tuples: a frozen dataclass takes 1 ms to make, five times as long.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from alovoice_cli.output.columns import Column, Item

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
