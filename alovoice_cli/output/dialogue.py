"""A conversation on a terminal: one side on the left, the other on the right, in a narrow one below each other."""

from typing import TextIO

from rich.console import Console
from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Dialogue, Said
from alovoice_cli.output.table import open_console

_NARROW = 56  # columns; below it there is no room for two sides
_WIDEST = 110  # beyond it the eye loses the line from one side to the other
_SHARE = 0.7  # of the width that one side's text may take
_SIDES = {"left": "cyan", "right": "magenta", "none": "yellow"}


def write_dialogue(dialogue: Dialogue, out: TextIO, *, color: bool) -> None:
    """Writes the conversation as wide as the terminal is. Marks are underlined, without colour set in `[ ]`."""
    console = open_console(out, color=color)
    console.width = min(console.width, _WIDEST)
    narrow = console.width < _NARROW
    width = console.width if narrow else int(console.width * _SHARE)
    for row in _rows(Text(disarm(dialogue.title), style="bold"), console, console.width):
        console.print(row)
    for said in dialogue.said:
        _write_said(console, said, width, narrow=narrow, color=color)
    if dialogue.below:
        console.print()
    for line in dialogue.below:
        for row in _rows(Text(disarm(line)), console, console.width):
            console.print(row)


def _write_said(console: Console, said: Said, width: int, *, narrow: bool, color: bool) -> None:
    style = _SIDES.get(said.side, _SIDES["none"])
    head = Text.assemble((disarm(said.time), "dim"), " " if said.time else "", (disarm(said.who), f"bold {style}"))
    body = _marked(said, style, brackets=not color)
    notes = Text("  ".join(f"# {disarm(note)}" for note in said.notes), style="dim")
    lines = [head, body, *([notes] if said.notes else [])]
    rows = [row for line in lines for row in _rows(line, console, width)]
    left = console.width - max(row.cell_len for row in rows) if said.side == "right" and not narrow else 0
    console.print()
    for row in rows:
        console.print(Text(" " * left).append_text(row))


def _rows(text: Text, console: Console, width: int) -> list[Text]:
    rows = list(text.wrap(console, width, overflow="fold"))
    for row in rows:
        row.rstrip()
    return rows


def _marked(said: Said, style: str, *, brackets: bool) -> Text:
    text, at = Text(), 0
    for begin, end in said.marks:
        phrase = disarm(said.text[begin:end])
        text.append(disarm(said.text[at:begin]))
        text.append(f"[{phrase}]" if brackets else phrase, style="" if brackets else f"underline {style}")
        at = end
    text.append(disarm(said.text[at:]))
    return text
