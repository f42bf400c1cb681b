"""A list of checks on a terminal: a line each, and below those that did not pass what is to be said of them."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.columns import Item, cell_text
from alovoice_cli.output.listing import Checklist
from alovoice_cli.output.table import open_console

_MARKS = {"pass": ("✓", "+", "green"), "warn": ("!", "!", "yellow"), "fail": ("✗", "x", "bold red")}
_OTHER = ("·", "-", "dim")
_INDENT = 4
_NARROWEST = 10


class _Layout(NamedTuple):
    name: int
    text: int
    aside: int
    width: int
    unicode: bool

    def mark(self, grade: str) -> Text:
        mark, plain, style = _MARKS.get(grade, _OTHER)
        return Text(mark if self.unicode else plain, style=style)


def write_checklist(items: Sequence[Item], checklist: Checklist, out: TextIO, *, color: bool) -> None:
    """Writes the sections with their checks, and the summary. Long text goes on below, indented."""
    console = open_console(out, color=color)
    names = max((len(_field(item, checklist.name)) for item in items), default=0)
    asides = max((len(_aside(item, checklist)) for item in items), default=0)
    room = max(console.width - names - asides - 2 * _INDENT, _NARROWEST)
    layout = _Layout(names, room, asides, console.width, console.encoding.lower().startswith("utf"))
    section = ""
    for item in items:
        if _field(item, checklist.section) != section:
            section = _field(item, checklist.section)
            console.print(Text(f"\n{section}", style="bold"))
        for line in _lines(item, checklist, layout):
            console.print(line, soft_wrap=True)
    grade = "pass" if checklist.passed else "fail"
    console.print(Text("\n").append(layout.mark(grade)).append(f" {disarm(checklist.summary)}", style="bold"))


def _lines(item: Item, checklist: Checklist, layout: _Layout) -> Iterator[Text]:
    grade, name = _field(item, checklist.grade), _field(item, checklist.name)
    first, *rest = textwrap.wrap(_field(item, checklist.text), layout.text) or [""]
    line = Text("  ").append(layout.mark(grade)).append(f" {name:{layout.name}}  ")
    line.append(f"{first:{layout.text}}", style="dim").append(
        f"  {_aside(item, checklist):>{layout.aside}}", style="dim"
    )
    line.rstrip()
    yield line
    for more in rest:
        yield Text(" " * (layout.name + 2 * _INDENT - 2) + more, style="dim")
    style = _MARKS.get(grade, _OTHER)[-1].removeprefix("bold ")
    for note in textwrap.wrap(_field(item, checklist.note), layout.width - _INDENT - 1):
        yield Text(" " * _INDENT + note, style=style)


def _aside(item: Item, checklist: Checklist) -> str:
    text = _field(item, checklist.aside)
    return f"{text} {checklist.unit}" if text and checklist.unit else text


def _field(item: Item, name: str) -> str:
    return disarm(cell_text(item.get(name)))
