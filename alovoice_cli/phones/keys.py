"""One key for all spellings of a number, and the spelling of a number."""

import re
from typing import Final

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.phones.plan import COUNTRY, NATIONAL_LENGTH, is_assigned, number_abroad, number_dialled

SHORTEST, LONGEST = 7, 15
"""The digits of a phone number in a list: a city's local numbers have 7, E.164 allows 15."""

_HOME_LENGTH: Final = 12
_SHORTEST_EXTENSION, _LONGEST_EXTENSION = 2, 5
_NOT_A_DIGIT: Final = r"[^0-9]"
_DIALLED: Final = r"\+?[0-9]{3,15}"
_SIGNS_BETWEEN = r"[ \t\xa0\u2009\u202f()\u2010-\u2015-]*"
_WRITTEN: Final = rf"(?:\({_SIGNS_BETWEEN})?\+?(?:{_SIGNS_BETWEEN}[0-9])+"
_LABELLED: Final = r"(?i)[\s¦]*(?:(?:tel|callto):)?([^¦]*)[\s¦]*"
_PHONE_DATE: Final = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}"


def canonical(text: str) -> str:
    """Returns one key for all spellings of a number, for comparing and not for dialling: digits only.

    An Uzbek number becomes 998 and nine digits. A foreign number loses its plus (with 00 in front where its digits are
    also an Uzbek number). Other texts, such as an extension, keep their digits. Empty for a text with no number, or
    several.
    """
    plain = text.removeprefix("+")
    if plain.isascii() and plain.isdigit():
        return _key_of_digits(plain, has_plus=plain != text)
    if len(re.sub(_NOT_A_DIGIT, "", text)) < _SHORTEST_EXTENSION:  # `anonymous`, for a hidden caller
        return ""
    # The patterns for a number among words take 10 ms to compile; a plain number needs none.
    from alovoice_cli.phones.search import bare, cleaned, foreign_without_plus, search

    numbers = search(text).numbers
    if numbers:
        return key_of_number(numbers[0]) if len(numbers) == 1 else ""
    if number := foreign_without_plus(text):
        return key_of_number(number)
    rest = cleaned(text)
    match = re.fullmatch(_LABELLED, rest) if bare(text) == rest else None
    written = match[1].strip().rstrip(")") if match else ""
    if not re.fullmatch(_WRITTEN, written):
        return ""
    return _key_of_digits(re.sub(_NOT_A_DIGIT, "", written), has_plus="+" in written)


def key_of_number(number: int) -> str:
    """Returns the key of a whole number, equal to the key of its spelling: with 00 where the digits are ambiguous."""
    digits = str(number)
    return digits if _key_of_digits(digits) == digits else f"00{digits}"


def _key_of_digits(digits: str, *, has_plus: bool = False) -> str:
    if len(digits) == _HOME_LENGTH and digits.startswith(str(COUNTRY)):
        return digits
    if has_plus and (number := number_dialled(digits, has_plus=True)):
        return key_of_number(number)
    if len(digits) == NATIONAL_LENGTH:
        return str(COUNTRY) + digits  # nine digits are national: the samples have both `994412860` and `998765432`
    if len(digits) > NATIONAL_LENGTH and (number := number_dialled(digits)):
        return key_of_number(number)
    for prefix in ("00", "810"):
        if digits.startswith(prefix + str(COUNTRY)) and len(digits) == len(prefix) + _HOME_LENGTH:
            return digits.removeprefix(prefix)  # a network that the library does not know yet
    return digits if len(digits) <= LONGEST else ""


def spelled(number: int) -> str:
    """Returns a whole number as files and the API write it: 998901234567, and with a plus for a foreign one."""
    text = str(number)
    return text if len(text) == _HOME_LENGTH and text.startswith(str(COUNTRY)) else f"+{text}"


def is_dialable(text: str) -> bool:
    """Returns whether a telephone plan has the number, or it is an extension of 2 to 5 digits."""
    key = canonical(text)
    if len(key) < NATIONAL_LENGTH - 2:
        return _SHORTEST_EXTENSION <= len(key) <= _LONGEST_EXTENSION
    if len(key) == _HOME_LENGTH and key.startswith(str(COUNTRY)):
        return is_assigned(int(key[3:8]))
    return bool(number_abroad("+" + key.removeprefix("00")))


def looks_like_phone(cell: str) -> bool:
    """Returns whether a cell is one phone number: 7 to 15 digits, with optional plus, spaces, dashes, brackets.

    A day such as 2025-04-25 and a number with a fraction are none.
    """
    written = cell.strip()
    if written.isascii() and written.isdigit():  # enough for most cells of most lists, in a third of the time
        return SHORTEST <= len(written) <= LONGEST
    if not re.fullmatch(_WRITTEN, written) or re.fullmatch(_PHONE_DATE, written):
        return False
    return SHORTEST <= len(re.sub(_NOT_A_DIGIT, "", written)) <= LONGEST


def parse_dialled(text: str, option: str) -> str:
    """Returns the number that a command sends as typed: optional plus, 3 to 15 digits, without outer spaces.

    Raises UsageError for other text, with an accepted spelling if there is one.
    """
    typed = text.strip()
    if re.fullmatch(_DIALLED, typed):
        return typed
    compact = ("+" if "+" in typed else "") + re.sub(_NOT_A_DIGIT, "", typed)
    if re.fullmatch(_WRITTEN, typed) and re.fullmatch(_DIALLED, compact):
        message = tr("{option} {number!r} has other characters between its digits", option=option, number=text)
        raise UsageError(message, hint=tr("write it as {number}", number=compact))
    raise UsageError(
        tr("{option} {number!r} is not a valid phone number", option=option, number=text),
        hint=tr("give 3 to 15 digits, with or without a plus"),
    )
