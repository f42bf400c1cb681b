"""Reads one cell of a list: a number in any spelling, or the reason why the cell holds none."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from alovoice_cli.language import mark, tr
from alovoice_cli.phones.keys import canonical, key_of_number
from alovoice_cli.phones.plan import COUNTRY, NATIONAL_LENGTH, base_of, kind_of_number, number_abroad, number_dialled

LIKE_A_COUNTRY: Final = {"998": "begins_with_998", "994": "begins_with_994"}

# Characters between or before digits: spaces of all widths, dashes, brackets, dots, Excel's ="…", marks.
_BETWEEN: Final = dict.fromkeys(
    map(
        ord,
        " \t\r\n()-.='\"\xa0\xad\u200b\u200e\u200f\u2060\ufeff\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2015",
    )
)
_ZEROS: Final = {ord(letter): "0" for letter in "ОоOo"}
_ROUNDED: Final = r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+"
_EXACT_POWER: Final = r"([0-9])[.,]([0-9]{8,14})[eE]\+?([0-9]{1,2})"
_DECIMAL: Final = r"\+?[0-9]{7,}[.,]0+"
_EXTENSION: Final = (
    r"(?is)(?P<number>.*[0-9])"
    r"(?:[\s,;.(\[]*(?:;ext=|x|х|#|\*)|.*?\b(?:доб(?:авочный)?|вн(?:утр)?|ext(?:ension)?|ичк[иa-яё]*|ichki))"
    r"[.:\s]*(?P<extension>[0-9]{1,7})\s*[)\]]?\s*"
)
_APART: Final = r"(?i)\s*(?:[,;/\\|&\n\r]|\s(?:и|или|or|and|va|yoki|ва|ёки)\s)\s*"
_LONGEST: Final = 15  # digits, of E.164
_SHORTEST_FOREIGN: Final = (
    11  # digits: a shorter one without a plus is more likely an Uzbek number with an additional digit
)
_WHOLE_LENGTH: Final = 12  # digits of 998901234567
_LONGEST_CELL: Final = 300  # characters in which to search for a number's extension
_FEWEST = 5  # digits from which on a text may be meant as a number


class Verdict(NamedTuple):
    """The content of one cell. `number` is the whole number (998901234567) or 0; `code` is its kind, or the error.

    `remark` names a surprising reading: `letter_for_digit`, `begins_with_998`, `begins_with_994`; and `text_around`
    where a label, a name or a note stood around the number.
    """

    number: int
    code: str
    detail: str = ""
    remark: str = ""


TROUBLES: Final = {
    "excel_rounded": mark("a spreadsheet has rounded the number"),
    "excel_decimal": mark("a spreadsheet has made a decimal of the number"),
    "two_numbers": mark("the cell holds more than one number"),
    "variants": mark("the cell holds a number and the ending of another"),
    "extension": mark("the number has an extension"),
    "letters": mark("the number has letters in it"),
    "too_short": mark("the number is too short"),
    "too_long": mark("the number is too long"),
    "not_assigned": mark("the number belongs to no Uzbek operator or city"),
    "foreign_without_plus": mark("the foreign number has no plus"),
    "not_valid": mark("the number is not valid in its country"),
    "no_number": mark("the row holds no phone number"),
}
"""The errors of cells, the graver first; `tr` them to show them."""

ADVICE: Final = {
    "excel_rounded": mark("its digits are lost: format the column as text, enter the numbers again, save as CSV UTF-8"),
    "excel_decimal": mark("format the column as text in the spreadsheet and save as CSV UTF-8"),
    "two_numbers": mark("give each number a row of its own"),
    "variants": mark("write the whole second number, in a row of its own"),
    "extension": mark("a campaign cannot dial an extension: give a direct number, or leave the row out"),
    "letters": mark("write the number with digits only"),
    "too_short": mark("write it with its operator or city code: 9 digits, or 998 and 9 digits"),
    "too_long": mark("count the digits: 9 digits, or 998 and 9 digits"),
    "not_assigned": mark("correct the digits after 998, or leave the row out"),
    "foreign_without_plus": mark("if it is intended, write it with a plus and its country code"),
    "not_valid": mark("correct it, or leave the row out"),
    "no_number": mark("correct it, or leave the row out"),
}
"""What to do about each error."""


def compact_of(cell: str) -> str:
    """Returns the cell without the characters between and around a number's digits."""
    return cell.translate(_BETWEEN)


def trouble_text(code: str, cell: str) -> tuple[str, str]:
    """Returns the error of a cell as a sentence, with advice."""
    if code == "empty":
        return tr("the cell is empty"), tr("write a number, or leave the row out")
    trouble = tr(TROUBLES[code]) if code in TROUBLES else tr("not a phone number")
    return tr("{cell!r}: {trouble}", cell=cell.strip(), trouble=trouble), tr(ADVICE[code]) if code in ADVICE else ""


def sent_as(number: int, cell: str) -> str:
    """Returns a cell's number for sending: unchanged in a form of the API's samples, else as +998901234567."""
    typed = cell.strip()
    has_form = len(typed) in (_WHOLE_LENGTH, NATIONAL_LENGTH) and typed.isascii() and typed.isdigit()
    return typed if has_form and canonical(typed) == key_of_number(number) else f"+{number}"


def remark_on(compact: str) -> str:
    """Returns the remark on a nine-digit national number that begins like a country code."""
    return LIKE_A_COUNTRY.get(compact[:3], "") if len(compact) == NATIONAL_LENGTH else ""


def number_of(cell: str) -> int:
    """Returns the number of a cell; 0 for none, or for several."""
    return _quick(cell) or read_cell(cell).number


def _quick(text: str) -> int:
    """Returns the number of a text in a spelling that `base_of` knows; else 0."""
    base, tail = base_of(text[:-4]), text[-4:]
    return base + int(tail) if base and tail.isascii() and tail.isdigit() else 0


def read_cell(cell: str) -> Verdict:
    """Reads a cell of a phone column that the caller's quick path did not know."""
    text = cell.strip().strip("\ufeff\u200b\u200e\u200f").strip()
    if not text:
        return Verdict(0, "empty")
    if number := _quick(text):
        return _good(number, text, remark_on(text))
    from alovoice_cli.phones.search import DATE  # its patterns take 10 ms: a plain number needs none

    if number := _exact(text):
        return _good(number, text, "text_around")
    if code := spreadsheet_trouble(text):
        return Verdict(0, code, text)
    if DATE.fullmatch(text):
        return Verdict(0, "no_number", text)
    if number := _plain(text):
        return _good(number, text, remark_on(compact_of(text)))
    zeroed = text.translate(_ZEROS)
    if zeroed != text and (number := _plain(zeroed)):
        return _good(number, text, "letter_for_digit")
    return _read_among_text(text)


def numbers_in(cell: str) -> Iterator[int]:
    """Returns every number in a cell, with any text around it: the numbers that must not be called.

    A foreign number counts also without its plus.
    """
    text = cell.strip()
    if number := _quick(text):
        yield number
        return
    from alovoice_cli.phones.search import DATE, foreign_without_plus, search

    number = _plain(text) or _plain(text.translate(_ZEROS)) or _exact(text)
    if number and not DATE.fullmatch(text):
        yield number
        return
    found = search(cell).numbers
    if found:
        yield from found
        yield from _endings(text, found)
    elif number := foreign_without_plus(cell):
        yield number


def spreadsheet_trouble(cell: str) -> str:
    """Returns the damage by a spreadsheet: `excel_rounded`, `excel_decimal`, or ''.

    A phone number may have kept its digits (998901234567.0); an id is never guessed.
    """
    text = cell.strip()
    if re.fullmatch(_ROUNDED, text):
        return "excel_rounded"
    return "excel_decimal" if re.fullmatch(_DECIMAL, text) else ""


def _good(number: int, text: str, remark: str = "") -> Verdict:
    return Verdict(number, kind_of_number(number), text, remark)


def _exact(text: str) -> int:
    """Returns the number of a decimal that a program has made without losing a digit; 0 for none."""
    if re.fullmatch(_DECIMAL, text):
        return _plain(re.split("[.,]", text)[0])
    match = re.fullmatch(_EXACT_POWER, text)
    return _plain(match[1] + match[2]) if match and len(match[2]) == int(match[3]) else 0


def _plain(text: str) -> int:
    """Returns the number of a text without the characters between its digits; 0 for none."""
    compact = text.translate(_BETWEEN)
    if number := _quick(compact):
        return number
    digits = compact.removeprefix("tel:").removeprefix("+")
    return number_dialled(digits, has_plus="+" in compact) if digits.isascii() and digits.isdigit() else 0


def _read_among_text(text: str) -> Verdict:
    """Reads a cell with more than a number: returns its only number, or the name of the error."""
    from alovoice_cli.phones.search import search

    found = search(text)
    if len(found.numbers) > 1:
        return Verdict(0, "two_numbers", text)
    if found.numbers:
        if _has_extension(text):
            return Verdict(0, "extension", text)
        if found.is_clear:
            return _good(found.numbers[0], text, "text_around")
        if _is_variants(text):
            return Verdict(0, "variants", text)
    return Verdict(0, _trouble_of(text), text)


def _has_extension(text: str) -> bool:
    from alovoice_cli.phones.search import cleaned, search

    match = re.fullmatch(_EXTENSION, cleaned(text)) if len(text) <= _LONGEST_CELL else None
    return bool(match and search(match["number"]).numbers)


def _is_variants(text: str) -> bool:
    from alovoice_cli.phones.search import search

    first, *rest = [part for part in re.split(_APART, text) if part]
    return bool(rest) and bool(search(first).numbers) and all(part.translate(_BETWEEN).isdigit() for part in rest)


def _endings(text: str, found: Sequence[int]) -> Iterator[int]:
    """Yields the further numbers of `90 111-00-05/06`: only their last digits are written."""
    if len(found) != 1 or not _is_variants(text):
        return
    whole = str(found[0])
    for part in re.split(_APART, text)[1:]:
        ending = part.translate(_BETWEEN)
        if ending and len(ending) < _FEWEST and (number := _quick(whole[: -len(ending)] + ending)):
            yield number


def _trouble_of(text: str) -> str:
    digits = re.sub("[^0-9]", "", text)
    if any(letter.isalpha() for letter in text):
        return "letters" if len(digits) >= _FEWEST else "no_number"
    if not digits:
        return "no_number"
    if text.lstrip(" (").startswith("+") and not digits.startswith(str(COUNTRY)):
        return "not_valid"
    national = digits.removeprefix(str(COUNTRY)) if len(digits) > NATIONAL_LENGTH else digits
    if len(national) == NATIONAL_LENGTH:
        return "not_assigned"
    if _SHORTEST_FOREIGN <= len(digits) <= _LONGEST and number_abroad(f"+{digits}"):
        return "foreign_without_plus"
    return "too_short" if len(national) < NATIONAL_LENGTH else "too_long"
