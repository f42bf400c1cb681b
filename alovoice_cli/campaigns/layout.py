"""Finds the phones in a list: by which delimiter, in which columns, under which heading."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from alovoice_cli import phones
from alovoice_cli.campaigns.column_choice import (
    PhoneColumn,
    choose_column,
    column_label,
    column_of,
    column_word,
    match_columns,
    says_phone,
)
from alovoice_cli.campaigns.sheet import Sheet
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.findings import name_rows
from alovoice_cli.language import mark, tr
from alovoice_cli.phones import LONGEST, SHORTEST, looks_like_phone

Line = tuple[int, list[str]]
"""A row with the number of the line where it ends."""

_SAMPLE_ROWS: Final = 200
_SHOWN: Final = 3
_GOOD, _SEVERAL, _LIKELY, _MEANT = 6, 4, 2, 1
_LOST_HEADINGS: Final = 0.5
"""A delimiter's weight is multiplied by this where the row above the phones has another number of cells."""
_NEARLY = re.compile(r"[+(]?[0-9][0-9ОоOo ()./,;\xa0-]{6,}.*", re.DOTALL)
_NO = re.compile(r"\b(?:no|none|нет|без|yo.?q|йўқ)\b", re.IGNORECASE)
"""Texts in place of a phone, which are never headings."""
_DELIMITER = re.compile(r"[,;\t|]")
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a list. Columns count from 0; `width` is the number of cells of its rows."""

    delimiter: str
    columns: tuple[int, ...]
    """The columns of the phones: the first good number of a row counts, in this order."""
    width: int
    header: str | None
    """The heading over the phones; None where the first row has phones."""
    header_line: int
    """The line of the headings, or 0."""
    shown: tuple[str, ...]
    """The first few cells with phones, as written."""
    headings: tuple[str, ...]
    """The row of headings; empty where there is none."""
    phone_columns: tuple[int, ...]
    """Every column that holds phones."""

    @property
    def column(self) -> int:
        """Returns the first of the columns."""
        return self.columns[0]

    @property
    def others(self) -> tuple[int, ...]:
        """Further columns that hold phones."""
        return tuple(column for column in self.phone_columns if column not in self.columns)


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a sheet by one delimiter, and a few from further below."""

    delimiter: str
    rows: Sequence[Line]
    width: int
    columns: Sequence[PhoneColumn]
    """The rows in which a cell may be a phone."""
    score: float
    """The delimiter's weight: phones in one column, in rows of equal width."""


def find_layout(sheet: Sheet, wanted: str | None = None, own_lines: Collection[int] = ()) -> Layout:
    """Returns the delimiter with the most phones in the first rows, and the column with the most different numbers.

    `wanted` are the operator's columns: headings, or numbers from 1, separated by commas. A column of nothing but
    `own_lines`, whole numbers of the PBX's lines, is no list of people. Raises CheckFailedError for a missing
    column, for a list without phones, and for lines above the headings.
    """
    trouble: CheckFailedError | None = None
    for limit in (_SAMPLE_ROWS, None):  # without phones in the first rows, the whole list is searched
        found: list[_Sample] = []
        for delimiter in sheet.delimiters:
            try:
                found.append(_sample(sheet, delimiter, wanted, limit))
            except CheckFailedError as error:  # a wrongly closed quote under one delimiter may be right under another
                trouble = trouble or error
        # Of two equal delimiters, the one that makes fewer cells: `9,98901E+11` is one cell.
        best = max(found, key=lambda sample: (sample.score, -sample.width), default=None)
        if best is not None and best.score and (trouble is None or _shown(best.rows, _wanted(sheet, best, wanted))):
            return _layout(sheet, best, wanted, own_lines)
    if wanted is not None:  # repeated with the list's own delimiter, so that the message shows its columns
        _sample(sheet, find_layout(sheet).delimiter, wanted, _SAMPLE_ROWS)
    raise trouble or without_phones(sheet)


def without_phones(sheet: Sheet) -> CheckFailedError:
    """Returns the error for a list without phones."""
    first = sheet.first_row()
    if first is None:
        message = tr("{name} holds only blank rows", name=sheet.name)
        return CheckFailedError(message, hint=tr("give a CSV with one phone number per row"))
    if others := " · ".join(sheet.other_tabs):
        hint = tr("to read another sheet, add --sheet NAME; the other sheets: {sheets}", sheets=others)
    else:
        text = mark("a phone number has {least} to {most} digits, such as 998901234567, in a column of its own")
        hint = tr(text, least=SHORTEST, most=LONGEST)
    row, cells = first
    message = tr("{name} holds no phone number: row {row} is {cells!r}", name=sheet.name, row=row, cells=cells)
    return CheckFailedError(message, hint=hint)


def refuse_ragged(sheet: Sheet, delimiter: str, width: int) -> None:
    """Raises CheckFailedError for a list that reads as one column because most rows end before the phone column.

    Called where a list will be refused: a delimiter that divides nothing has won, and its message would mislead.
    """
    for other in sheet.delimiters.replace(delimiter, "") if width == 1 else "":
        try:
            sample = _sample(sheet, other, None, _SAMPLE_ROWS)
        except CheckFailedError:
            continue
        best = max(sample.columns, key=lambda column: column.weight, default=None)
        if best is None or not best.index or not best.numbers:
            continue
        rows = sample.rows[1:] if best.heading else sample.rows
        short = [line for line, row in rows if len(row) <= best.index]
        if not short:
            continue
        headings = [cell.strip() for cell in sample.rows[0][1]] if best.heading else []
        word = column_word(headings, best.index)
        word = f"'{word}'" if " " in word else word
        many = mark("{name}: {some} of {all} rows end before column {column}, where the phones are: {rows}")
        if len(sample.rows) >= _SAMPLE_ROWS:
            many = mark(
                "{name}: {some} of the first {all} rows end before column {column}, where the phones are: {rows}"
            )
        raise CheckFailedError(
            tr(
                many,
                name=sheet.name,
                some=len(short),
                all=len(rows),
                column=column_label(headings, best.index),
                rows=name_rows(short),
            ),
            hint=tr("correct these rows, or read only the others with --column {column}", column=word),
        )


def find_delimiter(sheet: Sheet, knows: Callable[[str], bool]) -> str:
    """Returns the delimiter with the most known headings (`knows`) in the first row, and rows of equal width.

    A delimiter that is not in the first row comes last: all its rows have one cell, which says nothing.

    Raises CheckFailedError, with the line, where reading the rows fails with each delimiter.
    """
    scores: dict[str, tuple[int, bool, float, int]] = {}
    trouble: CheckFailedError | None = None
    for delimiter in sheet.delimiters:
        try:
            with closing(sheet.rows(delimiter)) as source:
                rows = list(islice(source, _SAMPLE_ROWS))
        except CheckFailedError as error:
            trouble = trouble or error
        else:
            headings = rows[0][1] if rows else []
            known = sum(map(knows, headings))
            scores[delimiter] = known, len(headings) > 1, _evenness(rows, len(headings)), len(headings)
    if trouble is not None and not any(known for known, *_ in scores.values()):
        raise trouble
    return max(scores, key=lambda delimiter: scores[delimiter])


# --- by one delimiter -------------------------------------------------------------------------------------------------


def _sample(sheet: Sheet, delimiter: str, wanted: str | None, limit: int | None) -> _Sample:
    rows: list[Line] = []
    with closing(sheet.rows(delimiter)) as source:
        for count, (line, row) in enumerate(islice(source, limit), start=1):
            is_weighty = any(map(_weight, row))
            if count <= _SAMPLE_ROWS or is_weighty:
                rows.append((line, row))
            if count >= _SAMPLE_ROWS and is_weighty:
                break
    first_phone = next((at for at, (_, row) in enumerate(rows) if any(map(_weight, row))), 0)
    below = rows[first_phone:]
    width = Counter(len(row) for _, row in below).most_common(1)[0][0] if below else 1
    above = rows[first_phone - 1][1] if first_phone else []
    headings_tell_width = any(map(says_phone, above)) and any(len(row) == len(above) for _, row in below)
    width = max(width, len(above)) if headings_tell_width else width
    columns = _columns(rows, _probed(sheet, delimiter, width))
    weights = {column.index: column.weight for column in columns}
    asked = _columns_asked(sheet.name, rows, wanted)
    weight = sum(weights.get(column, 0) for column in asked) if asked else max(weights.values(), default=0)
    keeps_headings = first_phone == 0 or len(above) == width
    heaviest = max(weights, key=lambda column: weights[column], default=0)
    # Where headings tell the width, a row may leave out the cells behind the phones.
    least = max(asked or (heaviest,)) + 1 if headings_tell_width else width
    # Cubed: rows of another width count more against a delimiter than phones that appear by chance count for it.
    score = weight * _evenness(below, width, least) ** 3 * (1 if keeps_headings else _LOST_HEADINGS)
    return _Sample(delimiter, rows, width, columns, score)


def _evenness(rows: Sequence[Line], width: int, least: int | None = None) -> float:
    """Returns the share of rows with this many cells, or at least `least`; additional blank cells do not count."""
    fewest = width if least is None else min(least, width)
    even = sum(len(row) >= fewest and (len(row) <= width or not "".join(row[width:]).strip()) for _, row in rows)
    return even / len(rows) if rows else 1.0


def _probed(sheet: Sheet, delimiter: str, width: int) -> Iterator[list[str]]:
    """Returns rows from all over the file. A row cut at a quoted line end has another width, and is left out."""
    for line in sheet.probes:
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        if len(row) == width:
            yield row


def _columns(rows: Sequence[Line], probed: Iterator[list[str]]) -> list[PhoneColumn]:
    headings = rows[0][1] if rows else []
    cells: dict[int, list[str]] = {}
    for row in (*(row for _, row in rows), *probed):
        for column, cell in enumerate(row):
            if cell.strip():
                cells.setdefault(column, []).append(cell)
    found = []
    for column, filled in sorted(cells.items()):
        weights = list(map(_weight, filled))
        if any(weights):
            heading = headings[column].strip() if column < len(headings) and not _weight(headings[column]) else ""
            found.append(column_of(column, heading, filled, sum(weights), sum(map(bool, weights))))
    return found


def _columns_asked(name: str, rows: Sequence[Line], wanted: str | None) -> tuple[int, ...]:
    return match_columns(name, rows[0][1] if rows else [], wanted) if wanted is not None else ()


def _wanted(sheet: Sheet, sample: _Sample, wanted: str | None) -> tuple[int, ...]:
    """Returns the columns that the operator named; without any, the column with the most weight."""
    heaviest = max(sample.columns, key=lambda column: column.weight, default=None)
    asked = _columns_asked(sheet.name, sample.rows, wanted)
    return asked or ((heaviest.index,) if heaviest is not None else (0,))


# --- by the best delimiter --------------------------------------------------------------------------------------------


def _layout(sheet: Sheet, sample: _Sample, wanted: str | None, own_lines: Collection[int]) -> Layout:
    rows = sample.rows
    columns = _columns_asked(sheet.name, rows, wanted)
    choice = choose_column(sheet.name, sample.columns, own_lines, is_only=sample.width == 1, asked=columns)
    columns = columns or (choice.column,)
    line, first = rows[0]
    heading = first[columns[0]].strip() if columns[0] < len(first) else ""
    is_header = bool(heading) and not _weight(heading) and not _has_digits(heading)
    if sheet.header_line is not None:
        _refuse_people_as_headings(sheet, line, first, columns)
        is_header = True
    else:
        _refuse_lines_above(sheet, sample, columns[0], heading if is_header else "")
    return Layout(
        delimiter=sample.delimiter,
        columns=columns,
        width=max(sample.width, max(columns) + 1),
        header=heading if is_header else None,
        header_line=line if is_header else 0,
        shown=_shown(rows, columns),
        headings=tuple(cell.strip() for cell in first) if is_header else (),
        phone_columns=choice.phone_columns,
    )


def _shown(rows: Sequence[Line], columns: Sequence[int]) -> tuple[str, ...]:
    cells = (row[column].strip() for _, row in rows for column in columns if column < len(row))
    return tuple(islice((cell for cell in cells if _weight(cell) > _MEANT), _SHOWN))


def _refuse_people_as_headings(sheet: Sheet, line: int, first: Sequence[str], columns: Sequence[int]) -> None:
    for column in columns:
        if column < len(first) and _weight(first[column]) > _MEANT:
            raise CheckFailedError(
                tr(
                    "{name}: row {row} holds the phone number {number!r}, so it is not the row of the headings",
                    name=sheet.name,
                    row=line,
                    number=first[column].strip(),
                ),
                hint=tr("if the list has no headings, leave --header-line out"),
            )


def _refuse_lines_above(sheet: Sheet, sample: _Sample, column: int, heading: str) -> None:
    """Raises CheckFailedError for rows above the headings: the PBX would take these rows for people."""
    if says_phone(heading):
        return
    above: list[Line] = []
    for line, row in sample.rows:
        cell = row[column].strip() if column < len(row) else ""
        if _weight(cell) > _MEANT:
            break
        above.append((line, row))
    titles = (line for line, row in reversed(above[1:]) if _is_title(row, column, sample.width, must_say=bool(heading)))
    if found := next(titles, 0):
        refuse_ragged(sheet, sample.delimiter, sample.width)
        raise CheckFailedError(
            tr("{name}: row {row} looks like the headings, but there are rows above it", name=sheet.name, row=found),
            hint=tr(
                "--header-line {row} leaves out the rows above; if the headings are in row {first}, give that number",
                row=found,
                first=above[0][0],
            ),
        )


def _is_title(row: Sequence[str], column: int, width: int, *, must_say: bool) -> bool:
    """Returns whether a row may hold the headings: words in all cells; `must_say`: a phone heading among them."""
    if len(row) <= column or len(row) < width or _has_digits("".join(row)):
        return False
    if any(cell.strip().isdigit() or _NO.search(cell) for cell in row):
        return False
    filled = sum(bool(cell.strip()) for cell in row)
    return says_phone(row[column]) or (not must_say and bool(row[column].strip()) and filled >= width)


@lru_cache(maxsize=8192)  # each cell is weighed once a delimiter, and again for the examples
def _weight(cell: str) -> int:
    """Returns a cell's weight for its column: assigned numbers count more than ids and other digits."""
    if not _DIGIT.search(cell):
        return 0
    verdict = phones.read_cell(cell)
    if verdict.number:
        if verdict.remark:
            return _MEANT if _DELIMITER.search(cell.strip()) else _LIKELY
        return _GOOD
    if verdict.code in ("two_numbers", "variants"):
        # Two kinds of delimiters: one of them separates this cell from its neighbour.
        return _SEVERAL if len(set(_DELIMITER.findall(cell))) < 2 else _MEANT
    if looks_like_phone(cell):
        return _GOOD if cell.lstrip().startswith("+") else _LIKELY
    if verdict.code in ("excel_rounded", "excel_decimal"):
        return _LIKELY
    return _MEANT if verdict.code not in ("empty", "no_number") and _NEARLY.fullmatch(cell.strip()) else 0


def _has_digits(text: str) -> bool:
    return sum(letter.isdigit() for letter in text) >= SHORTEST - 2
