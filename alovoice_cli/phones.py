"""Which phone numbers there are, by libphonenumber's data, and what a cell that holds none holds instead.

Of an Uzbek number five digits behind 998 decide: the data's patterns leave the last four free (a test holds this).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from alovoice_cli.errors import UsageError

HOME: Final = "UZ"
COUNTRY: Final = 998
NATIONAL_LENGTH: Final = 9
_FIRST = COUNTRY * 10**NATIONAL_LENGTH

MOBILE, LANDLINE, FOREIGN = "mobile", "landline", "foreign"
"""What a good number is."""

LIKE_A_COUNTRY: Final = {"998": "begins_with_998", "994": "begins_with_994"}

_HEAD = re.compile(r"(?:\+?998|8)?([0-9]{5})")
# What stands between digits, or hides before them: spaces of all widths, dashes, brackets, dots, Excel's ="…", marks.
_BETWEEN: Final = dict.fromkeys(
    map(
        ord,
        " \t\r\n()-.='\"\xa0\xad\u200b\u200e\u200f\u2060\ufeff\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2015",
    )
)
_ZEROS: Final = {ord(letter): "0" for letter in "ОоOo"}
_ROUNDED = re.compile(r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_DECIMAL = re.compile(r"\+?[0-9]{7,}[.,]0+")
_DATE = re.compile(r"[0-9]{4}([-./])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-./])[0-9]{1,2}\2[0-9]{4}")
_EXTENSION = re.compile(
    r"(?P<number>.*[0-9].*?)[\s,;.]*(?:доб(?:авочный)?|вн(?:утр)?|ext(?:ension)?|;ext=|ичк[иa-яё]*|ichki|x|х|#|\*)"
    r"[.:\s]*(?P<extension>[0-9]{1,7})\s*",
    re.IGNORECASE,
)
_APART = re.compile(r"\s*(?:[,;/\\|&\n\r]|\s(?:и|или|or|and|va|yoki|ва|ёки)\s)\s*", re.IGNORECASE)
_GLUED = re.compile(r"((?:\+?998)?[0-9]{9})((?:\+?998)?[0-9]{9})")
_ABROAD = re.compile(r"8\s*-?\s*10(?=[\s0-9(-])")
_LONGEST: Final = 15  # digits, of E.164
_SHORTEST_FOREIGN: Final = 11  # digits: of fewer, without a plus, an Uzbek number with a digit too many is likelier
_FEWEST = 5  # digits of what somebody may have meant for a number


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one cell holds. `number` is the whole number (998901234567) or 0; `code` its kind, or what is wrong.

    `remark` names a reading that might surprise: `letter_for_digit`, `begins_with_998`, `begins_with_994`.
    """

    number: int
    code: str
    detail: str = ""
    remark: str = ""


TROUBLES: Final = {
    "excel_rounded": ("phone number that a spreadsheet has rounded", "phone numbers that a spreadsheet has rounded"),
    "excel_decimal": (
        "phone number that a spreadsheet has made a decimal",
        "phone numbers that a spreadsheet has made decimals",
    ),
    "two_numbers": ("cell holds more than one number", "cells hold more than one number"),
    "variants": ("cell holds a number and the ending of another", "cells hold a number and the ending of another"),
    "extension": ("number has an extension", "numbers have an extension"),
    "letters": ("number has letters in it", "numbers have letters in them"),
    "too_short": ("number is too short", "numbers are too short"),
    "too_long": ("number is too long", "numbers are too long"),
    "not_assigned": ("number is of no Uzbek network or city", "numbers are of no Uzbek network or city"),
    "foreign_without_plus": ("foreign number is without its plus", "foreign numbers are without their plus"),
    "not_valid": ("number is not valid in its country", "numbers are not valid in their country"),
    "no_number": ("row holds no phone number", "rows hold no phone number"),
}
"""What is wrong with a cell, for one and for many; a rule of their order: the graver first."""

ADVICE: Final = {
    "excel_rounded": "its digits are lost: format the column as text, enter the numbers anew, save as CSV UTF-8",
    "excel_decimal": "format the column as text in the spreadsheet and save as CSV UTF-8",
    "two_numbers": "give each number a row of its own",
    "variants": "write the second number out, in a row of its own",
    "extension": "a campaign cannot dial an extension: give a direct number, or leave the row out",
    "letters": "write the number with digits only",
    "too_short": "write it with its city or network: 9 digits, or 998 and 9",
    "too_long": "count the digits: 9, or 998 and 9",
    "not_assigned": "correct the digits behind 998, or leave the row out",
    "foreign_without_plus": "write it with a plus and its country, if it is meant",
    "not_valid": "correct it, or leave the row out",
    "no_number": "correct it, or leave the row out",
}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The library's own patterns of Uzbek numbers: ten times as quick as to ask it for each number."""
    import phonenumbers

    data = phonenumbers.PhoneMetadata.metadata_for_region(HOME)
    kinds = ((MOBILE, data and data.mobile), (LANDLINE, data and data.fixed_line))
    return tuple((kind, re.compile(found.national_number_pattern or "(?!)")) for kind, found in kinds if found)


@cache
def kind_of(head: int) -> str:
    """What an Uzbek number is whose first five digits behind 998 are these: mobile, landline, or nothing."""
    national = f"{head:05}0000"
    for kind, pattern in _patterns():
        if pattern.fullmatch(national):
            return kind
    import phonenumbers
    from phonenumbers import PhoneNumber, PhoneNumberType

    found = phonenumbers.number_type(PhoneNumber(country_code=COUNTRY, national_number=int(national)))
    return "" if found == PhoneNumberType.UNKNOWN else MOBILE


def base_of(head: str) -> int | None:
    """The number whose last four digits are still missing, such as 998901230000, of all but a number's last four signs.

    None where it is not a plain `998…`, `+998…`, `8…` or national spelling, or nobody has such numbers.
    """
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    digits = int(match[1])
    return _FIRST + digits * 10_000 if kind_of(digits) else None


def compact_of(cell: str) -> str:
    """The cell without what may stand between a number's digits, and round them."""
    return cell.translate(_BETWEEN)


def remark_on(compact: str) -> str:
    """The remark on a number of nine digits that begins like a country's code and is national all the same."""
    return LIKE_A_COUNTRY.get(compact[:3], "") if len(compact) == NATIONAL_LENGTH else ""


def kind_of_number(number: int) -> str:
    """What a good number is: mobile, landline, foreign."""
    national = number - _FIRST
    return kind_of(national // 10_000) if 0 <= national < 10**NATIONAL_LENGTH else FOREIGN


def number_of(cell: str) -> int:
    """The number that a cell is; 0 where it is none, or more than one."""
    base, tail = base_of(cell[:-4]), cell[-4:]
    return base + int(tail) if base and tail.isascii() and tail.isdigit() else read_cell(cell).number


def read_cell(cell: str) -> Verdict:
    """What a cell of a phone column holds; the caller's quick path has not known it."""
    text = cell.strip().strip("\ufeff\u200b\u200e\u200f").strip()
    if not text:
        return Verdict(0, "empty")
    if _ROUNDED.fullmatch(text):
        return Verdict(0, "excel_rounded", text)
    if _DECIMAL.fullmatch(text):
        return Verdict(0, "excel_decimal", text)
    if _DATE.fullmatch(text):
        return Verdict(0, "no_number", text)
    number = _plain(text)
    if number:
        return Verdict(number, kind_of_number(number), text, remark_on(compact_of(text)))
    zeroed = text.translate(_ZEROS)
    if zeroed != text and (number := _plain(zeroed)):
        return Verdict(number, kind_of_number(number), text, remark="letter_for_digit")
    return _name(text)


def numbers_in(cell: str) -> Iterator[int]:
    """Every number that a cell can be read as, also beside an extension or another number: what must not be called."""
    found = read_cell(cell)
    if found.number:
        yield found.number
        return
    if match := _EXTENSION.fullmatch(cell.strip()):
        cell = match["number"]
    glued = _GLUED.fullmatch(cell.translate(_BETWEEN))
    for part in glued.groups() if glued else _APART.split(cell):
        number = _plain(part.translate(_ZEROS))
        if number:
            yield number


def _plain(text: str) -> int:
    """The number that the text is without what stands between its digits; 0 where it is none."""
    compact = text.translate(_BETWEEN)
    base = base_of(compact[:-4])
    tail = compact[-4:]
    if base is not None and tail.isascii() and tail.isdigit():
        return base + int(tail)
    abroad = _ABROAD.sub("+", text, count=1) if text.startswith("8") else text
    abroad = "+" + compact[2:] if compact.startswith("00") else abroad
    return _international(abroad) if abroad.startswith(("+", "tel:", "(+")) else 0


def _international(text: str) -> int:
    digits = text.removeprefix("tel:").translate(_BETWEEN)
    if not (digits[1:].isascii() and digits[1:].isdigit() and digits.startswith("+") and len(digits) <= _LONGEST + 1):
        return _plain(digits) if text.startswith("tel:") and not digits.startswith("+") else 0
    return int(digits[1:]) if _is_valid(digits) else 0


def _is_valid(international: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(international, None))
    except phonenumbers.NumberParseException:
        return False


def _name(text: str) -> Verdict:
    """What a cell is that is no number: named for what it is."""
    digits = re.sub("[^0-9]", "", text)
    if len(digits) < _FEWEST and any(letter.isalpha() for letter in text):
        return Verdict(0, "no_number", text)
    if code := _several(text):
        return Verdict(0, code, text)
    match = _EXTENSION.fullmatch(text)
    if match and _plain(match["number"].translate(_ZEROS)):
        return Verdict(0, "extension", text)
    if any(letter.isalpha() for letter in text):
        return Verdict(0, "letters" if len(digits) >= _FEWEST else "no_number", text)
    return Verdict(0, _miscounted(text, digits), text)


def _several(text: str) -> str:
    parts = [part for part in _APART.split(text) if part]
    glued = _GLUED.fullmatch(text.translate(_BETWEEN))
    if glued:
        parts = list(glued.groups())
    if len(parts) < 2 or not _plain(parts[0].translate(_ZEROS)):
        return ""
    rest = [part.translate(_ZEROS) for part in parts[1:]]
    if any(_plain(part) for part in rest):
        return "two_numbers"
    return "variants" if all(part.translate(_BETWEEN).isdigit() for part in rest) else ""


def _miscounted(text: str, digits: str) -> str:
    if not digits:
        return "no_number"
    if text.lstrip(" (").startswith("+") and not digits.startswith(str(COUNTRY)):
        return "not_valid"
    national = digits.removeprefix(str(COUNTRY)) if len(digits) > NATIONAL_LENGTH else digits
    if len(national) == NATIONAL_LENGTH:
        return "not_assigned"
    if _SHORTEST_FOREIGN <= len(digits) <= _LONGEST and _is_valid("+" + digits):
        return "foreign_without_plus"
    return "too_short" if len(national) < NATIONAL_LENGTH else "too_long"


# --- as the API spells them --------------------------------------------------------------------------------------

_NOT_A_DIGIT = re.compile(r"[^0-9]")
_DIALLED = re.compile(r"\+?[0-9]{3,15}")
_SIGNS_BETWEEN = r"[ \t\xa0\u2009\u202f()\u2010-\u2015-]*"
_WRITTEN = re.compile(rf"(?:\({_SIGNS_BETWEEN})?\+?(?:{_SIGNS_BETWEEN}[0-9])+")
_PHONE_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}")

SHORTEST, LONGEST = 7, 15
"""Digits of what counts as a phone number in a list: a city's own numbers have 7, E.164 ends at 15."""


def canonical(text: str) -> str:
    """One key for all the spellings of a number, for comparing and not for dialling: digits only.

    Nine digits are always national (the samples have both `994412860` and `998765432`) and get `998` before them;
    every other length stays as it is.
    """
    digits = _NOT_A_DIGIT.sub("", text)
    return str(COUNTRY) + digits if len(digits) == NATIONAL_LENGTH else digits


def looks_like_phone(cell: str) -> bool:
    """Whether a cell of a list holds one phone number: 7 to 15 digits, perhaps with a plus, spaces, dashes, brackets.

    A day such as 2025-04-25 is none, nor is a number with a fraction.
    """
    written = cell.strip()
    if written.isascii() and written.isdigit():  # most cells of most lists, at a third of the time
        return SHORTEST <= len(written) <= LONGEST
    if not _WRITTEN.fullmatch(written) or _PHONE_DATE.fullmatch(written):
        return False
    return SHORTEST <= len(_NOT_A_DIGIT.sub("", written)) <= LONGEST


def parse_dialled(text: str, option: str) -> str:
    """A number that a command sends as it was typed: an optional plus and 3 to 15 digits; outer spaces are dropped.

    Raises UsageError for all else, and offers the spelling that is accepted where there is one.
    """
    typed = text.strip()
    if _DIALLED.fullmatch(typed):
        return typed
    compact = ("+" if "+" in typed else "") + _NOT_A_DIGIT.sub("", typed)
    if _WRITTEN.fullmatch(typed) and _DIALLED.fullmatch(compact):
        raise UsageError(f"{option} {text!r} has other signs between its digits", hint=f"write it as {compact}")
    raise UsageError(f"{option} {text!r} is no phone number", hint="give 3 to 15 digits, with or without a plus")


def spelled(number: int) -> str:
    """A whole number as a person's file and the API have it: 998901234567, and with a plus where it is foreign."""
    text = str(number)
    is_home = len(text) == len(str(_FIRST)) and text.startswith(str(COUNTRY))
    return text if is_home else f"+{text}"


def is_dialable(text: str) -> bool:
    """Whether some telephone plan knows the number, or it is an extension of 2 to 5 digits."""
    digits = canonical(text)
    return 2 <= len(digits) <= _FEWEST or bool(read_cell(text).number) or _is_valid(f"+{digits}")
