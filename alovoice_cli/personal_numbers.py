"""Finds numbers of bank cards, passports and persons (PINFL, JShShIR) in a text, by check digits if there are any.

A card number is 13 to 19 digits with Luhn's check digit; a PINFL is 14 digits with sex and century, the birthday and a
check digit with the weights 7 3 1 (resolution 177 of the Cabinet of Ministers of 12.04.2022, lex.uz/docs/5955665). A
passport has no check digit: two letters, Latin or the Cyrillic letters that look alike, and seven digits.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal, NamedTuple

_CARD_LENGTHS = (16, 15, 13, 14, 17, 18, 19)
_PINFL_LENGTH = 14
_WEIGHTS = (7, 3, 1)
_CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
# Uzcard, Humo, Visa, Mastercard, Maestro, UnionPay, Mir: only their numbers are found in digits that are not grouped
# like a card's.
_ISSUERS = re.compile(r"8600|9860|4|5[0-8]|2[2-7]|6[02-9]")
_DIGIT_GROUPS = re.compile(r"(?<![0-9])[0-9]+(?:[\s,./\u00a0\u2010-\u2015-]{1,3}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_FIRST_SIZES = frozenset({4, *_CARD_LENGTHS})
_CARD_GROUPS = re.compile(r"(?:4 ){3,4}[1-4]|4 6 [45]|1[3-9]")

_LOOKALIKES = str.maketrans("АВЕКМНОРСТХУавекмнорстху", "ABEKMHOPCTXYabekmhopctxy")
_LETTER = "[A-Za-zАВЕКМНОРСТХУавекмнорстху]"
# With a gap between letters and digits, only issued series count: "на 1234567" is no passport.
_SERIES = "[AaАаFfKkКк][A-Fa-fKkАВСЕКавсек]"
_BETWEEN = r"(?:[\s№#,:\u2010-\u2015-]{1,3}|\s(?:номер|рақам\w{0,4}|raqam\w{0,4})\s)"
_PASSPORT = re.compile(rf"(?<![^\W_])(?:{_LETTER}{{2}}|{_SERIES}{_BETWEEN})[0-9](?:[ \u00a0-]?[0-9]){{6}}(?![^\W_])")

Kind = Literal["card", "passport", "pinfl"]


class PersonalNumber(NamedTuple):
    """A number and its place in a text, from and to; `value` without signs, passport letters in Latin capitals."""

    kind: Kind
    value: str
    begin: int
    end: int


def find_personal_numbers(text: str) -> list[PersonalNumber]:
    """Returns the numbers in a text, in order, without overlap."""
    found = [_passport(match) for match in _PASSPORT.finditer(text)]
    for run in _DIGIT_GROUPS.finditer(text):
        found += _in_groups([match.span() for match in _GROUP.finditer(text, *run.span())], text)
    kept: list[PersonalNumber] = []
    for one in sorted(found, key=lambda number: number.begin):
        if not kept or one.begin >= kept[-1].end:
            kept.append(one)
    return kept


def is_card(digits: str) -> bool:
    """Returns whether the digits pass Luhn's check, and are not one digit throughout."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0 and len(set(digits)) > 1


def is_pinfl(digits: str) -> bool:
    """Returns whether the 14 digits are a PINFL: a birthday, and the check digit."""
    century = _CENTURIES.get(digits[:1])
    if century is None or len(digits) != _PINFL_LENGTH:
        return False
    try:
        date(century + int(digits[5:7]), int(digits[3:5]), int(digits[1:3]))
    except ValueError:
        return False
    return sum(int(digit) * _WEIGHTS[place % 3] for place, digit in enumerate(digits[:-1])) % 10 == int(digits[-1])


def _passport(match: re.Match[str]) -> PersonalNumber:
    found = match.group()
    series, digits = found[:2].translate(_LOOKALIKES).upper(), re.sub(r"[^0-9]", "", found)
    return PersonalNumber("passport", series + digits, *match.span())


def _in_groups(groups: Sequence[tuple[int, int]], text: str) -> Iterator[PersonalNumber]:
    at = 0
    while at < len(groups):
        number, used = _at(groups, at, text)
        if number is not None:
            yield number
        at += max(used, 1)


def _at(groups: Sequence[tuple[int, int]], first: int, text: str) -> tuple[PersonalNumber | None, int]:
    """Returns the number that begins with this group, and how many groups it has."""
    by_length: dict[int, tuple[str, int]] = {}
    digits = ""
    for used, (begin, end) in enumerate(groups[first : first + max(_CARD_LENGTHS)], start=1):
        digits += text[begin:end]
        if len(digits) > max(_CARD_LENGTHS):
            break
        by_length[len(digits)] = digits, used
    in_fours = groups[first][1] - groups[first][0] in _FIRST_SIZES
    for length in (_PINFL_LENGTH, *(_CARD_LENGTHS if in_fours else _CARD_LENGTHS[:1])):
        if length not in by_length:
            continue
        digits, used = by_length[length]
        kind = _kind(digits, [end - begin for begin, end in groups[first : first + used]])
        if kind is not None:
            return PersonalNumber(kind, digits, groups[first][0], groups[first + used - 1][1]), used
    return None, 0


def _kind(digits: str, sizes: Sequence[int]) -> Kind | None:
    if is_pinfl(digits):
        return "pinfl"
    usual = _CARD_GROUPS.fullmatch(" ".join(map(str, sizes))) is not None
    other = len(digits) == _CARD_LENGTHS[0] and _ISSUERS.match(digits) is not None
    return "card" if (usual or other) and is_card(digits) else None
