"""Where a list keeps its phones: by which delimiter, in which column, under which heading."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from alovoice_cli import phones
from alovoice_cli.campaigns.sheet import DELIMITERS, Sheet
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import LONGEST, SHORTEST, looks_like_phone

_SAMPLE_ROWS = 200
_SHOWN = 3
_VALID, _LIKELY, _MEANT = 6, 2, 1
_HEADING = re.compile(r"phone|mobile|\btel|тел|моб|номер|raqam|рақам|msisdn", re.IGNORECASE)
_NEARLY = re.compile(r"[+(]?[0-9][0-9ОоOo ()./,;\xa0-]{6,}.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a list is laid out. `column` counts from 0; `width` is how many cells its rows have."""

    delimiter: str
    column: int
    width: int
    weight: int
    header: str | None
    """The heading over the phones; None where the first row is one of phones."""
    header_line: int
    shown: tuple[str, ...]
    """The first few cells with phones, as written."""
    others: tuple[int, ...]
    """Further columns that hold phones, from 0."""


def find_layout(sheet: Sheet, wanted: str | None = None) -> Layout:
    """The delimiter and the column under which the first rows hold the most phones; the earlier one where they tie.

    `wanted` is the operator's own word for the column: its heading, or its number from 1. Raises UsageError for a
    column that is not there, and where there are no phones at all.
    """
    trouble: UsageError | None = None
    for rows in (_SAMPLE_ROWS, None):  # where phones come late, the whole list is looked through
        found: list[Layout] = []
        for delimiter in DELIMITERS:
            try:
                found.append(_layout_by(sheet, delimiter, wanted, rows))
            except UsageError as error:  # a quote that is closed wrongly under one delimiter may be right under another
                trouble = trouble or error
        # Where two tie, the one that cuts the rows less: `9,98901E+11` is one cell.
        best = max(found, key=lambda layout: (layout.weight, -layout.width), default=None)
        if best is not None and best.weight and (best.shown or trouble is None):
            return best
    if wanted is not None:  # said again by the list's own delimiter, so that the message shows its columns
        _layout_by(sheet, find_layout(sheet).delimiter, wanted, _SAMPLE_ROWS)
    raise trouble or without_phones(sheet)


def without_phones(sheet: Sheet) -> UsageError:
    """What to say of a list that holds no phones."""
    first = sheet.first_row()
    if first is None:
        return UsageError(f"{sheet.name} holds blank lines only", hint="give a CSV with a phone number a line")
    return UsageError(
        f"{sheet.name} holds no phone number: line {first[0]} is {first[1]!r}",
        hint=f"a phone number has {SHORTEST} to {LONGEST} digits, such as 998901234567, in a column of its own",
    )


def _layout_by(sheet: Sheet, delimiter: str, wanted: str | None, limit: int | None) -> Layout:
    rows: list[tuple[int, list[str]]] = []
    weights: dict[int, int] = {}
    with closing(sheet.rows(delimiter)) as source:
        for count, (line, row) in enumerate(islice(source, limit), start=1):
            weighty = False
            for column, cell in enumerate(row):
                if weight := _weight(cell):
                    weights[column] = weights.get(column, 0) + weight
                    weighty = True
            if count <= _SAMPLE_ROWS or weighty:
                rows.append((line, row))
            if count >= _SAMPLE_ROWS and weighty:
                break
    column = _column(rows, weights, wanted, sheet.name)
    line, first = rows[0] if rows else (0, [])
    heading = first[column].strip() if column < len(first) else ""
    header = heading if heading and not _weight(heading) and not _has_digits(heading) else None
    widths = Counter(len(row) for _, row in rows if len(row) > column)
    width = widths.most_common(1)[0][0] if widths else column + 1
    cells = (row[column].strip() for _, row in rows if column < len(row))
    shown = tuple(cell for cell in cells if _weight(cell) > _MEANT)[:_SHOWN]
    most = weights.get(column, 0)
    others = tuple(other for other, weight in sorted(weights.items()) if other != column and weight * 2 >= most)
    return Layout(delimiter, column, width, most, header, line if header is not None else 0, shown, others)


def _column(rows: Sequence[tuple[int, list[str]]], weights: dict[int, int], wanted: str | None, name: str) -> int:
    first = rows[0][1] if rows else []
    if wanted is not None:
        return _wanted(first, wanted, name)
    most = max(weights.values(), default=0)
    good = sorted(column for column, weight in weights.items() if weight * 2 >= most)
    named = [column for column in good if column < len(first) and _HEADING.search(first[column])]
    return (named or good or [0])[0]


def _wanted(first: Sequence[str], wanted: str, name: str) -> int:
    headings = [cell.strip().lower() for cell in first]
    word = wanted.strip().lower()
    if word in headings:
        return headings.index(word)
    if word.isascii() and word.isdigit() and 1 <= int(word) <= len(first):
        return int(word) - 1
    raise UsageError(
        f"{name} has no column {wanted!r}",
        hint="give its heading or its number from 1; the first row is " + " · ".join(cell.strip() for cell in first),
    )


@lru_cache(maxsize=4096)  # each cell is weighed by each delimiter, and again for the examples
def _weight(cell: str) -> int:
    """How much a cell speaks for its column: numbers that there are outweigh ids and other digits."""
    verdict = phones.read_cell(cell)
    if verdict.number:
        if verdict.remark == "text_around":
            return _MEANT  # a whole row that a wrong delimiter does not divide looks so too
        return _LIKELY if verdict.remark else _VALID
    if looks_like_phone(cell):
        return _VALID if cell.lstrip().startswith("+") else _LIKELY
    if verdict.code in ("excel_rounded", "excel_decimal"):
        return _LIKELY
    return _MEANT if verdict.code not in ("empty", "no_number") and _NEARLY.fullmatch(cell.strip()) else 0


def _has_digits(text: str) -> bool:
    return sum(letter.isdigit() for letter in text) >= SHORTEST - 2
