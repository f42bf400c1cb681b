"""Whom a list calls, for the ledger: what --exclude-called leaves out later."""

from collections.abc import Sequence
from typing import BinaryIO

from alovoice_cli import phones
from alovoice_cli.campaigns.papers import reading_rows


def listed_numbers(file: BinaryIO, encoding: str, delimiter: str, columns: Sequence[int]) -> tuple[str, ...]:
    """The numbers in the columns (from 0) of an open list, as the check reads them: whole, each once, in their order.

    A foreign number that stands there without its plus is dialled all the same, so it counts too. Of several columns
    all numbers count: which of them the PBX dials is not documented.
    """
    with reading_rows(file, encoding, delimiter) as rows:
        cells = (row[column] for row in rows for column in columns if column < len(row))
        numbers = dict.fromkeys(map(_dialled, cells))
    return tuple(map(str, filter(None, numbers)))


def _dialled(cell: str) -> int:
    number = phones.number_of(cell)
    if not number and phones.read_cell(cell).code == "foreign_without_plus":
        number = next(phones.numbers_in(cell), 0)
    return number
