"""A list of checks for a terminal: one line each, and below the line what is to be said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Checklist
from alovoice_cli.output.table import open_console

_MARKS = {"pass": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red"), "skip": ("-", "dim")}
_ASCII = {"✓": "+", "✗": "x"}
_INDENT = 4


@dataclass(frozen=True, slots=True)
class _Layout:
    name: int
    aside: int
    width: int


def write_checklist(checklist: Checklist, out: TextIO, *, color: bool, ascii_only: bool) -> None:
    """Writes the sections, each with its checks, and the summary. Long text goes on below, indented."""
    console = open_console(out, color=color)
    rows = checklist.rows
    layout = _Layout(
        max((len(row.name) for row in rows), default=0), max((len(row.aside) for row in rows), default=0), console.width
    )
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            console.print(Text(f"\n{disarm(section)}", style="bold"))
        for line in _lines(row.grade, row, layout, ascii_only=ascii_only):
            console.print(line, soft_wrap=True)
    console.print()
    mark, style = _MARKS["pass" if checklist.passed else "fail"]
    console.print(Text(f"{_mark(mark, ascii_only)} {disarm(checklist.summary)}", style=style))


def _mark(mark: str, ascii_only: bool) -> str:
    return _ASCII.get(mark, mark) if ascii_only else mark


def _lines(grade: str, row: Checklist.Row, layout: _Layout, *, ascii_only: bool) -> Sequence[Text]:
    mark, style = _MARKS.get(grade, ("?", ""))
    room = max(layout.width - layout.name - layout.aside - 8, 10)
    said = _wrapped(row.text, room)
    first = Text("  ").append(_mark(mark, ascii_only), style=style).append(f" {disarm(row.name):{layout.name}}  ")
    first.append(f"{said[0]:{room}}", style="dim").append(f" {row.aside:>{layout.aside}}", style="dim")
    first.rstrip()
    lines = [first, *(Text(" " * (layout.name + 6) + rest, style="dim") for rest in said[1:])]
    note_style = style if grade in ("fail", "warn") else "dim"
    lines += [Text(" " * _INDENT + note, style=note_style) for note in _wrapped(row.note, layout.width - _INDENT - 1)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(disarm(text), width) or ([] if not text else [text])
