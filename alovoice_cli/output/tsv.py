"""Tab-separated lines for pipes: whole values, one line an item, no colour, no boxes."""

from collections.abc import Iterable
from typing import TextIO

from alovoice_cli.masking import disarm
from alovoice_cli.output.columns import Column, cell_text
from alovoice_cli.output.listing import Listing, Record


def write_tsv(thing: Listing | Record, columns: tuple[Column, ...], out: TextIO, *, headers: bool) -> None:
    """A list as a header and a line an item; a record as `field<TAB>value` lines. Tabs in values become `\\t`."""
    if isinstance(thing, Record):
        if headers:
            write_line(("field", "value"), out)
        for name, value in thing.fields.items():
            write_line((name, value), out)
        return
    if headers:
        write_line((column.name for column in columns), out)
    for item in thing.items:
        write_line((column.of(item) for column in columns), out)


def write_line(values: Iterable[object], out: TextIO) -> None:
    """One line of cells, whatever they hold."""
    out.write("\t".join(disarm(cell_text(value)) for value in values) + "\n")
