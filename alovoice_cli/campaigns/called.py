"""Whom a list calls, for the ledger: what --exclude-called leaves out later."""

from typing import BinaryIO

from alovoice_cli.campaigns.papers import reading_rows
from alovoice_cli.phones import number_of


def listed_numbers(file: BinaryIO, encoding: str, delimiter: str, column: int) -> tuple[str, ...]:
    """The numbers in one column (from 0) of an open list, as the check reads them: whole, each once, in their order."""
    with reading_rows(file, encoding, delimiter) as rows:
        numbers = dict.fromkeys(number_of(row[column]) for row in rows if column < len(row))
    return tuple(map(str, filter(None, numbers)))
