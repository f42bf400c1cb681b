"""CSV that a spreadsheet opens without running anything (OWASP ASVS 1.2.10, CWE-1236)."""

import csv
import re
from typing import TextIO

from alovoice_cli.masking import disarm
from alovoice_cli.output.columns import Column, cell_text
from alovoice_cli.output.listing import Listing

# The last is a byte order mark: at a file's start it is taken off, and what follows would be the cell.
_STARTS_A_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠\ufeff")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")


def write_csv(listing: Listing, columns: tuple[Column, ...], out: TextIO, *, headers: bool) -> None:
    """A header and a line an item, quoted as RFC 4180 says, lines ended by LF."""
    writer = csv.writer(out, lineterminator="\n")
    if headers:
        writer.writerow([column.name for column in columns])
    for item in listing.items:
        writer.writerow([safe_cell(cell_text(column.of(item))) for column in columns])


def safe_cell(text: str) -> str:
    """The text with a leading quote where a spreadsheet would take it for a formula.

    A value that is wholly `[+-]?digits` stays as it is: a phone number `+998…` must survive a round trip.
    """
    if text.startswith(_STARTS_A_FORMULA) and not _WHOLE_NUMBER.fullmatch(text):
        text = "'" + text
    return disarm(text, one_line=False)
