"""Tables and panels for a terminal. Text from outside is laid in as `Text`, never as markup."""

from typing import TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.bars import Bar
from alovoice_cli.output.columns import Column, Item, cell_text
from alovoice_cli.output.listing import Listing, Record

_CLOSER = ((0, 1, 0, 0), (0, 0, 0, 0))
_ENDLESS = 100_000
_STYLES = {
    "true": "green",
    "on": "green",
    "running": "green",
    "done": "green",
    "ok": "green",
    "yes": "green",
    "refused": "red",
    "unknown": "bold red",
    "unsent": "yellow",
    "operator": "cyan",
    "client": "magenta",
}


def open_console(out: TextIO, *, color: bool) -> Console:
    """A console on this stream. Streams that are not UTF-8 get boxes of ASCII (rich asks the stream's encoding)."""
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
    thing: Listing | Record, columns: tuple[Column, ...], out: TextIO, *, headers: bool, color: bool
) -> None:
    """Writes a list as a table with one line an item, a record as two columns under its title."""
    console = open_console(out, color=color)
    table = _record_table(thing) if isinstance(thing, Record) else listing_table(thing, columns, headers=headers)
    if isinstance(thing, Listing):
        _move_together(table, console)
    console.print(table)


def _move_together(table: Table, console: Console) -> None:
    """Columns that are too many for the width stand closer, before a number is broken in two."""
    endless = console.options.update(max_width=_ENDLESS)
    for padding in _CLOSER:
        if Measurement.get(console, endless, table).maximum <= console.width:
            return
        table.padding = padding


def listing_table(listing: Listing, columns: tuple[Column, ...], *, headers: bool) -> Table:
    """The table of a list, one line an item."""
    table = Table(box=box.SIMPLE_HEAD, show_header=headers, pad_edge=False, header_style="bold", show_edge=False)
    drawn = any(column.bar for column in columns)
    if drawn:  # numbers stay whole, and close together: the bar gets what is left
        table.expand, table.padding = True, (0, 0, 0, 0)
    for column in columns:
        table.add_column(
            Text(column.title),
            justify="right" if column.numeric else "left",
            overflow="fold",
            no_wrap=drawn and column.numeric,
            ratio=1 if column.bar else None,
        )
    longest = _longest_bars(listing, columns)
    for item in listing.items:
        table.add_row(*(_bar_or_cell(column, item, longest) for column in columns))
    return table


def _longest_bars(listing: Listing, columns: tuple[Column, ...]) -> dict[str, int]:
    bars = [column for column in columns if column.bar]
    return {bar.name: max((sum(_parts(bar.of(item))) for item in listing.items), default=0) for bar in bars}


def _bar_or_cell(column: Column, item: Item, longest: dict[str, int]) -> RenderableType:
    value = column.of(item)
    return Bar(_parts(value), longest[column.name]) if column.bar else _cell(value)


def _parts(value: object) -> list[int]:
    return [part for part in value if isinstance(part, int)] if isinstance(value, (list, tuple)) else []


def _record_table(record: Record) -> Table:
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
    for name, value in record.fields.items():
        table.add_row(Text(disarm(name)), _cell(value))
    return table


def _cell(value: object) -> Text:
    # Lists get a space after each comma, so that a narrow column breaks them there and not within a number.
    parts = value if isinstance(value, (list, tuple)) else ()
    flat = parts and not any(isinstance(part, (dict, list)) for part in parts)
    text = disarm(", ".join(map(cell_text, parts)) if flat else cell_text(value))
    return Text(text, style=_STYLES.get(text, ""))
