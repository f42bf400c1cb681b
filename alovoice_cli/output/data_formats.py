"""The forms for other programs: CSV, tab-separated lines, and JSON. Each writes whole values, item by item.

CSV opens in a spreadsheet without running anything (OWASP ASVS 1.2.10, CWE-1236). JSON has the server's own names and
types, contains nothing that can control a terminal, and is valid in any encoding.
"""

import re
from collections.abc import Callable, Iterable
from datetime import tzinfo
from itertools import chain, islice
from textwrap import indent as indented
from typing import TextIO

from alovoice_cli.json_text import json_text, well_formed
from alovoice_cli.language import all_in_english
from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Column, Listing, Record, cell_text

# The last is a byte order mark: at a file's start programs remove it, and the rest is the cell.
_STARTS_A_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠\ufeff")
_WHOLE_NUMBER = r"[+-]?\d+"


def write_csv(
    listing: Listing, columns: tuple[Column, ...], out: TextIO, *, headers: bool, excel_zone: tzinfo | None = None
) -> None:
    """Writes a header and a line an item, quoted as RFC 4180 says, lines ended by LF.

    With `excel_zone` writes for Excel: byte order mark, semicolons, and moments in this zone.
    """
    import csv

    from alovoice_cli.spreadsheet import format_for, local_time

    form = format_for(excel=excel_zone is not None)
    writer = csv.writer(out, delimiter=form.delimiter or ",", lineterminator="\n")

    def text_of(cell: object) -> str:
        text = cell_text(cell)
        return safe_cell(text if excel_zone is None else local_time(text, excel_zone))

    out.write(form.mark)
    _write_items(listing, columns, lambda cells: writer.writerow(list(map(text_of, cells))), headers=headers)


def safe_cell(text: str) -> str:
    """Returns the text with a leading quote where a spreadsheet would read a formula.

    A value of `[+-]?digits` alone stays as it is: a phone number `+998…` must survive a round trip.
    """
    if text.startswith(_STARTS_A_FORMULA) and not re.fullmatch(_WHOLE_NUMBER, text):
        text = "'" + text
    return disarm(well_formed(text), one_line=False)


def write_tsv(thing: Listing | Record, columns: tuple[Column, ...], out: TextIO, *, headers: bool) -> None:
    r"""Writes a list as a header and a line for each item, a record as `field<TAB>value` lines.

    Tabs in values become `\t`.
    """

    def write_line(cells: Iterable[object]) -> None:
        out.write("\t".join(disarm(cell_text(cell)) for cell in cells) + "\n")

    if isinstance(thing, Listing):
        _write_items(thing, columns, write_line, headers=headers)
        return
    for field in chain([("field", "value")] if headers else [], thing.fields.items()):
        write_line(field)


def _write_items(
    listing: Listing, columns: tuple[Column, ...], write_line: Callable[[Iterable[object]], object], *, headers: bool
) -> None:
    pairs = listing.pairs()
    first = list(islice(pairs, 1))  # before the header: a list that fails at its start then prints nothing
    if headers:
        write_line([column.name for column in columns])
    for pair in chain(first, pairs):
        write_line([all_in_english(column.of(pair.item)) for column in columns])


def write_json(
    listing: Listing, columns: tuple[Column, ...] | None, out: TextIO, *, indent: bool, ascii_only: bool, lines: bool
) -> None:
    """Writes the whole list, or only the named columns of each item, with the bytes of one JSON document.

    `lines` writes one JSON text a line instead, each flushed.
    """
    if listing.has_whole and columns is None:
        out.write(json_text(listing.whole, indent=indent, ascii_only=ascii_only) + "\n")
        return
    values = (
        pair.whole if columns is None else {column.name: all_in_english(column.of(pair.item)) for column in columns}
        for pair in listing.pairs()
    )
    texts = (json_text(value, indent=indent and not lines, ascii_only=ascii_only) for value in values)
    if lines:
        for text in texts:
            out.write(text + "\n")
            out.flush()
        return
    first = next(texts, None)  # before the bracket: a list that fails at its start then prints nothing
    if first is None:
        out.write("[]\n")
        return
    begin, between, end = ("[\n", ",\n", "\n]\n") if indent else ("[", ", ", "]\n")
    for text in chain([first], texts):
        out.write(begin + (indented(text, "  ") if indent else text))
        begin = between
    out.write(end)
