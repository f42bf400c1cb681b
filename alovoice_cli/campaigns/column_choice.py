"""Finds the column of the people to call: by the numbers in it, then by its heading."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from alovoice_cli import phones
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.language import mark, tr

_SAYS_PHONE: Final = (  # at the start of a word: not in получатель or автомобиль
    r"phone|mobile|msisdn|whatsapp|caller.?id|\btel(?!egram)|телефон|(?<![а-яё])тел(?!егр)|(?<![а-яё])моб"
)
_SURELY_PHONE: Final = re.compile(_SAYS_PHONE, re.IGNORECASE)
_PHONE: Final = re.compile(_SAYS_PHONE + r"|callee|raqam|рақам|номер|\bto\b|cell\b", re.IGNORECASE)
_ID: Final = re.compile(
    r"(?<![a-zа-я])(?:id|ид|inn|инн|pinfl|пинфл|jshshir|stir|uuid|guid|sid|код|code|date|time|дата|время|sana|vaqt|сумма|"
    r"amount|balance|баланс|index|индекс)(?![a-zа-я])|[a-z](?:Id|ID)\b|идент|заказ|order|договор|contract|сч[её]т|account|"
    r"карт|card|паспорт|passport|created|updated|telegram|телегр|№",
    re.IGNORECASE,
)
_NEAR: Final = 0.9
"""A column with this share of the best column's numbers is as good: then the headings decide."""
_BARE_FORM: Final = re.compile(r"[0-9]{9}|[0-9]{3}([ \xa0\u202f.,'])[0-9]{3}\1[0-9]{3}")
_ID_LIKE, _BARE, _FULL = 0.05, 0.25, 1.0
"""The weight of a number: below an id heading, with nine digits (as ids have), in other cases."""
_MEANT = 0.5
"""The weight of a cell that is a damaged phone, below a phone heading."""
_RISING_FROM = 5  # from this number of rows on, always rising numbers are ids
_CONSTANT_FROM = 3  # this many rows with the same number are no list of people


@dataclass(frozen=True, slots=True)
class PhoneColumn:
    """A column with possible phones, judged by a sample of its rows. `index` counts from 0."""

    index: int
    heading: str
    filled: int
    """The number of cells with content."""
    numbers: tuple[int, ...]
    """The good numbers, in the order of the rows."""
    bare: int
    """How many good numbers are exactly nine digits, as ids can be."""
    weight: int
    """The weight of the cells as phones, damaged phones included."""
    meant: int
    """The number of cells with a damaged phone."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The column of the people to call, and every column that holds phones."""

    column: int
    phone_columns: tuple[int, ...]


def says_phone(heading: str) -> bool:
    """Returns whether a heading means phones."""
    return bool(_SURELY_PHONE.search(heading) or (_PHONE.search(heading) and not _ID.search(heading)))


def says_id(heading: str) -> bool:
    """Returns whether a heading means ids, dates or sums."""
    return bool(_ID.search(heading)) and not says_phone(heading)


def column_of(index: int, heading: str, cells: Sequence[str], weight: int, meant: int) -> PhoneColumn:
    """Judges a column by these cells."""
    read = [(cell, number) for cell in cells if (number := phones.number_of(cell))]
    bare = sum(bool(_BARE_FORM.fullmatch(cell.strip())) for cell, _ in read)
    return PhoneColumn(index, heading, len(cells), tuple(number for _, number in read), bare, weight, meant - len(read))


def choose_column(
    name: str, columns: Sequence[PhoneColumn], own_lines: Collection[int], *, is_only: bool, asked: Collection[int]
) -> ColumnChoice:
    """Returns the column with the most different good numbers.

    Of equal columns a phone heading wins, then the first column. `is_only`: the list has no other column, so this
    column is chosen in any case. Columns that are `asked` for are taken as phones. Raises CheckFailedError where the
    best column holds ids by its heading, lines of the PBX, or the same number in all rows.
    """
    people = columns if is_only else [column for column in columns if not _is_one_party(column, own_lines)]
    found = [column.index for column in people if _holds_phones(column)]
    if asked:
        return ColumnChoice(min(asked), tuple(sorted({*asked, *found})))
    if not people:
        raise _no_people(name, columns[0], own_lines)
    best = max(map(_score, people))
    near = [column for column in people if _score(column) >= _NEAR * best]
    chosen = next((column for column in near if says_phone(column.heading)), near[0])
    if says_id(chosen.heading) and not is_only:
        raise CheckFailedError(
            tr(
                "{name}: only column {column} holds numbers, and by its heading {heading!r} they are ids",
                name=name,
                column=chosen.index + 1,
                heading=chosen.heading,
            ),
            hint=tr("if they are phone numbers, add --column {column}", column=chosen.index + 1),
        )
    return ColumnChoice(chosen.index, tuple(sorted({chosen.index, *found})))


def _score(column: PhoneColumn) -> float:
    numbers = len(set(column.numbers))
    if says_phone(column.heading):
        return numbers + column.meant * _MEANT
    # A column without good numbers is compared by its damaged phones.
    return (numbers or column.meant * _ID_LIKE) * _trust(column)


def _trust(column: PhoneColumn) -> float:
    if says_id(column.heading):
        return _ID_LIKE
    if column.bare * 2 < len(column.numbers) or not column.bare:
        return _FULL
    rises = len(column.numbers) >= _RISING_FROM and all(one < other for one, other in pairwise(column.numbers))
    return _ID_LIKE if rises else _BARE


def _is_one_party(column: PhoneColumn, own_lines: Collection[int]) -> bool:
    """Returns whether the column is our own line in a call log."""
    others = set(column.numbers).difference(own_lines)
    is_constant = len(column.numbers) >= _CONSTANT_FROM and len(others) == 1 and not column.meant
    return bool(column.numbers) and (not others or is_constant)


def _holds_phones(column: PhoneColumn) -> bool:
    if says_phone(column.heading):
        return bool(column.numbers)
    return _trust(column) > _ID_LIKE and len(column.numbers) * 2 >= column.filled


def _no_people(name: str, column: PhoneColumn, own_lines: Collection[int]) -> CheckFailedError:
    named = f"{column.index + 1} ({column.heading})" if column.heading else str(column.index + 1)
    if set(own_lines).issuperset(column.numbers):
        message = tr("{name}: column {column} holds only lines of the PBX, no recipients", name=name, column=named)
    else:
        number = column.numbers[0]
        text = mark("{name}: column {column} holds {number} in every row: this is not a list of recipients")
        message = tr(text, name=name, column=named, number=number)
    return CheckFailedError(
        message,
        hint=tr("give a list of recipients, or use this column with --column {column}", column=column.index + 1),
    )


# --- as the operator names it -----------------------------------------------------------------------------------------


def match_columns(name: str, first: Sequence[str], wanted: str) -> tuple[int, ...]:
    """Returns the columns of `--column`: headings, or numbers from 1, separated by commas; each once, in that order.

    A heading may contain commas. Raises CheckFailedError for a missing heading, or a heading of two columns.
    """
    words, found = wanted.split(","), list[int]()
    while words:
        for size in range(len(words), 0, -1):
            column = _match(name, first, ",".join(words[:size]))
            if column is not None:
                break
        else:
            raise CheckFailedError(
                tr("{name} has no column {column!r}", name=name, column=words[0].strip()),
                hint=tr(
                    "give its heading or its number from 1; the first row is {cells}",
                    cells=" · ".join(cell.strip() for cell in first),
                ),
            )
        found.append(column)
        words = words[size:]
    return tuple(dict.fromkeys(found))


def _match(name: str, first: Sequence[str], word: str) -> int | None:
    word = word.strip()
    for headings, sought in (
        ([cell.strip() for cell in first], word),
        ([cell.strip().casefold() for cell in first], word.casefold()),
    ):
        at = [column for column, heading in enumerate(headings) if heading == sought and heading]
        if len(at) > 1:
            raise CheckFailedError(
                tr("{name} has several columns {column!r}", name=name, column=word),
                hint=tr(
                    "give the number of one of them with --column: {columns}",
                    columns=", ".join(str(column + 1) for column in at),
                ),
            )
        if at:
            return at[0]
    is_number = word.isascii() and word.isdigit() and len(word) < 6
    return int(word) - 1 if is_number and 1 <= int(word) <= len(first) else None


def column_label(headings: Sequence[str], column: int) -> str:
    """Returns the column for messages: its number from 1, with its heading: `2 (phone)`."""
    heading = headings[column] if column < len(headings) else ""
    return f"{column + 1} ({heading})" if heading else str(column + 1)


def column_word(headings: Sequence[str], column: int) -> str:
    """Returns the column as `--column` names it."""
    heading = headings[column] if column < len(headings) else ""
    is_plain = bool(heading) and headings.count(heading) == 1 and not {",", "'"} & set(heading)
    return heading if is_plain else str(column + 1)
