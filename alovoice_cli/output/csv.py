"""CSV that a spreadsheet opens without running anything (OWASP ASVS 1.2.10, CWE-1236), and lines with tabs for pipes.

Both write whole values, an item a line, as the items come.
"""

import re
from collections.abc import Callable, Iterable
from datetime import tzinfo
from itertools import chain, islice
from typing import TextIO

from alovoice_cli.json_text import well_formed
from alovoice_cli.masking import disarm
from alovoice_cli.output.columns import Column, cell_text
from alovoice_cli.output.listing import Listing, Record

# The last is a byte order mark: at a file's start it is taken off, and what follows would be the cell.
_STARTS_A_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠\ufeff")
_WHOLE_NUMBER = r"[+-]?\d+"


def write_csv(
    listing: Listing, columns: tuple[Column, ...], out: TextIO, *, headers: bool, excel_zone: tzinfo | None = None
) -> None:
    """A header and a line an item, quoted as RFC 4180 says, lines ended by LF.

    With `excel_zone` as Excel wants it: its mark, semicolons, and moments in this zone.
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
    """The text with a leading quote where a spreadsheet would take it for a formula.

    A value that is wholly `[+-]?digits` stays as it is: a phone number `+998…` must survive a round trip.
    """
    if text.startswith(_STARTS_A_FORMULA) and not re.fullmatch(_WHOLE_NUMBER, text):
        text = "'" + text
    return disarm(well_formed(text), one_line=False)


def write_tsv(thing: Listing | Record, columns: tuple[Column, ...], out: TextIO, *, headers: bool) -> None:
    """A list as a header and a line an item; a record as `field<TAB>value` lines. Tabs in values become `\\t`."""

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
    first = list(islice(pairs, 1))  # before the header: a list that fails to begin prints nothing
    if headers:
        write_line([column.name for column in columns])
    for pair in chain(first, pairs):
        write_line([column.of(pair.item) for column in columns])
