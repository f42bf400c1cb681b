"""Phone numbers as this API spells them: nine national digits, or `998` and nine, with or without a plus."""

import re

from alovoice_cli.errors import UsageError

_COUNTRY = "998"
_NATIONAL_LENGTH = 9
_DIGITS = re.compile(r"[0-9]+")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_DIALLED = re.compile(r"\+?[0-9]{3,15}")
_BETWEEN = r"[ \t\xa0\u2009\u202f()\u2010-\u2015-]*"
_WRITTEN = re.compile(rf"(?:\({_BETWEEN})?\+?(?:{_BETWEEN}[0-9])+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}")

SHORTEST, LONGEST = 7, 15
"""Digits of what counts as a phone number in a list: a city's own numbers have 7, E.164 ends at 15."""


def canonical(text: str) -> str:
    """One key for all the spellings of a number, for comparing and not for dialling: digits only.

    Nine digits are always national (the samples have both `994412860` and `998765432`) and get `998` before them;
    every other length stays as it is.
    """
    digits = _NOT_A_DIGIT.sub("", text)
    return _COUNTRY + digits if len(digits) == _NATIONAL_LENGTH else digits


def looks_like_phone(cell: str) -> bool:
    """Whether a cell of a list holds one phone number: 7 to 15 digits, perhaps with a plus, spaces, dashes, brackets.

    A day such as 2025-04-25 is none, nor is a number with a fraction.
    """
    written = cell.strip()
    if written.isascii() and written.isdigit():  # most cells of most lists, at a third of the time
        return SHORTEST <= len(written) <= LONGEST
    if not _WRITTEN.fullmatch(written) or _DATE.fullmatch(written):
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
