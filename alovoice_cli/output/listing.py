"""What a command has to show: a list of things, or one thing. How it looks is decided by the writers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from alovoice_cli.output.columns import Column, Item

_UNSET = object()


@dataclass(frozen=True, slots=True)
class Checklist:
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


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. JSON prints `whole` (by default the items) with every field; the other forms print the columns."""

    items: Sequence[Item]
    columns: tuple[Column, ...]
    whole: object = _UNSET
    nothing: str = "nothing to show"
    ours: bool = False
    """As in Record."""
    checklist: Checklist | None = None
    """Drawn on a terminal in place of a table, where no columns are named."""

    def as_json(self) -> object:
        """The value that `--json` prints when no columns are named."""
        return list(self.items) if self.whole is _UNSET else self.whole

    def mapped(self, change: Callable[[object], object]) -> "Listing":
        """The same list with its values changed, such as masked."""
        items = cast(Sequence[Item], change(list(self.items)))
        return replace(self, items=items, whole=self.whole if self.whole is _UNSET else change(self.whole))


@dataclass(frozen=True, slots=True)
class Record:
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
        return replace(self, fields=fields, whole=self.whole if self.whole is _UNSET else change(self.whole))
