"""Tables, records, checklists and conversations for a terminal.

Text from outside becomes a `Text`, never markup.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Checklist, Column, Dialogue, Item, Record, Said, Tone, bar_glyphs, cell_text
from alovoice_cli.output.table_layout import TableLayout, cell_shown, fit_columns

_PADDINGS = {3: (0, 1, 0, 1), 2: (0, 1, 0, 0), 1: (0, 0, 0, 0)}
"""The padding of a cell for each number of spaces between columns."""
_TONES: dict[Tone, str] = {
    "": "",
    "good": "green",
    "bad": "red",
    "doubt": "yellow",
    "alarm": "bold red",
    "quiet": "dim",
    "first": "cyan",
    "second": "magenta",
}


def open_console(out: TextIO, *, color: bool) -> Console:
    """Returns a console on this stream. A stream that is not UTF-8 gets ASCII boxes (rich checks the encoding)."""
    return Console(
        file=out,
        force_terminal=color,
        color_system="auto" if color else None,
        no_color=not color,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )


def write_table(
    items: Sequence[Item], columns: tuple[Column, ...], out: TextIO, *, headers: bool, color: bool
) -> tuple[Column, ...]:
    """Writes a list as a table with one line an item; returns the columns for which there was no room."""
    console = open_console(out, color=color)
    layout = fit_columns(items, columns, console.width, headers=headers)
    console.print(items_table(items, layout, headers=headers))
    return layout.left_out


def write_record(record: Record, out: TextIO, *, color: bool) -> None:
    """Writes a record as two columns under its title."""
    table = Table(
        box=box.ROUNDED,
        show_header=False,
        title=Text(disarm(record.title)) if record.title else None,
        title_justify="left",
        title_style="bold",
        border_style="dim",
    )
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    columns = {column.name: column for column in record.columns}
    for name in record.fields:
        column = columns.get(name)
        heading = column.heading if column else name
        table.add_row(Text(disarm(heading)), Text(cell_shown(column or Column(name, name), record.fields)))
    open_console(out, color=color).print(table)


def items_table(items: Sequence[Item], layout: TableLayout, *, headers: bool) -> Table:
    """Returns the table of a list, one line an item."""
    table = Table(box=box.SIMPLE_HEAD, show_header=headers, pad_edge=False, header_style="bold", show_edge=False)
    columns = layout.columns
    table.padding = _PADDINGS[layout.gap]
    table.expand = any(column.bar for column in columns)
    for column, width in zip(columns, layout.widths, strict=True):
        table.add_column(
            Text(column.heading),
            justify="right" if column.numeric else "left",
            overflow="fold",
            width=width or None,
            ratio=1 if column.bar else None,
        )
    longest = {
        column.name: max((sum(_parts(column.of(item))) for item in items), default=0)
        for column in columns
        if column.bar
    }
    for item in items:
        table.add_row(
            *(
                Bar(_parts(column.of(item)), longest[column.name]) if column.bar else _item_cell(column, item)
                for column in columns
            )
        )
    return table


def _item_cell(column: Column, item: Item) -> Text:
    return Text(cell_shown(column, item), style=_TONES[column.tone(item)] if column.tone else "")


def _parts(value: object) -> list[int]:
    return [part for part in value if isinstance(part, int)] if isinstance(value, (list, tuple)) else []


_BAR_STYLES = (Style(color="green"), Style(color="red"), Style(color="yellow"), Style(dim=True))
_NARROWEST_BAR = 1


class Bar:
    """A bar in a cell: at most four parts of a whole, side by side; a sum of `longest` fills the cell.

    The parts differ by their characters, also without colour.
    """

    def __init__(self, parts: Sequence[int], longest: int) -> None:
        self._parts, self._longest = parts, max(longest, 1)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = bar_glyphs(ascii_only=options.ascii_only)
        drawn = told = 0
        for part, glyph, style in zip(self._parts, glyphs, _BAR_STYLES, strict=False):
            told += part
            # The sums are rounded, not the parts, so that the whole bar is right; a part above zero is visible.
            end = max(round(options.max_width * told / self._longest), drawn + (part > 0))
            end = min(end, options.max_width)
            yield Segment(glyph * (end - drawn), style)
            drawn = end
        yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_NARROWEST_BAR, options.max_width)


_MARKS = {"pass": ("✓", "+", "green"), "warn": ("!", "!", "yellow"), "fail": ("✗", "x", "bold red")}
_OTHER_MARK = ("·", "-", "dim")
_CHECK_INDENT = 4
_NARROWEST_TEXT = 10


class _ChecklistLayout(NamedTuple):
    name: int
    text: int
    aside: int
    width: int
    unicode: bool

    def mark(self, grade: str) -> Text:
        mark, plain, style = _MARKS.get(grade, _OTHER_MARK)
        return Text(mark if self.unicode else plain, style=style)


def write_checklist(items: Sequence[Item], checklist: Checklist, out: TextIO, *, color: bool) -> None:
    """Writes the sections with their checks, and the summary. Long text continues below, indented."""
    console = open_console(out, color=color)
    names = max((len(_text_of(item, checklist.name)) for item in items), default=0)
    asides = max((len(_aside(item, checklist)) for item in items), default=0)
    room = max(console.width - names - asides - 2 * _CHECK_INDENT, _NARROWEST_TEXT)
    layout = _ChecklistLayout(names, room, asides, console.width, console.encoding.lower().startswith("utf"))
    section = ""
    for item in items:
        if _text_of(item, checklist.section) != section:
            section = _text_of(item, checklist.section)
            console.print(Text(f"\n{section}", style="bold"))
        for line in _check_lines(item, checklist, layout):
            console.print(line, soft_wrap=True)
    grade = "pass" if checklist.passed else "fail"
    console.print(Text("\n").append(layout.mark(grade)).append(f" {disarm(checklist.summary)}", style="bold"))


def _check_lines(item: Item, checklist: Checklist, layout: _ChecklistLayout) -> Iterator[Text]:
    grade, name = _text_of(item, checklist.grade), _text_of(item, checklist.name)
    first, *rest = textwrap.wrap(_text_of(item, checklist.text), layout.text) or [""]
    line = Text("  ").append(layout.mark(grade)).append(f" {name:{layout.name}}  ")
    line.append(f"{first:{layout.text}}", style="dim").append(
        f"  {_aside(item, checklist):>{layout.aside}}", style="dim"
    )
    line.rstrip()
    yield line
    for more in rest:
        yield Text(" " * (layout.name + 2 * _CHECK_INDENT - 2) + more, style="dim")
    style = _MARKS.get(grade, _OTHER_MARK)[-1].removeprefix("bold ")
    for note in textwrap.wrap(_text_of(item, checklist.note), layout.width - _CHECK_INDENT - 1):
        yield Text(" " * _CHECK_INDENT + note, style=style)


def _aside(item: Item, checklist: Checklist) -> str:
    text = _text_of(item, checklist.aside)
    return f"{text} {checklist.unit}" if text and checklist.unit else text


def _text_of(item: Item, name: str) -> str:
    return disarm(cell_text(item.get(name)))


_NARROW = 56  # columns; below this width there is no room for two sides
_WIDEST = 110  # beyond this width the eye loses the line between the sides
_SHARE = 0.7  # of the width that one side's text may take
_SIDES = {"left": "cyan", "right": "magenta", "none": "yellow"}


def write_dialogue(dialogue: Dialogue, out: TextIO, *, color: bool) -> None:
    """Writes the conversation in the terminal's width. Marks are underlined, or in `[ ]` without colour."""
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
