"""The telephone plans: the assigned numbers, by libphonenumber's data.

The five digits behind 998 decide about an Uzbek number: the data's patterns leave the last four free (a test checks
this).
"""

import re
from functools import cache, lru_cache
from typing import Final

HOME: Final = "UZ"
COUNTRY: Final = 998
NATIONAL_LENGTH: Final = 9
FIRST: Final = COUNTRY * 10**NATIONAL_LENGTH

MOBILE, LANDLINE, FOREIGN = "mobile", "landline", "foreign"
"""The kind of a good number."""

OPEN_NETWORKS: Final = {
    **dict.fromkeys((20, 33, 50, 70, 77, 80, 87, 88, 90, 91, 92, 93, 94, 95, 97, 98, 99), MOBILE),
    **dict.fromkeys((55, 69, 71, 76, 78), LANDLINE),
    66: "",
}
"""The kind of all numbers with these two digits; `""`: some are mobile, others landline, and all are good.

The library says the same (a test checks it), and takes 45 ms to load: a single call need not wait for that.
"""

_HEAD = re.compile(r"(?:\+?998|8)?([0-9]{5})")
_LONGEST: Final = 15  # digits, of E.164
_SHORTEST: Final = 7  # digits, with the country


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Returns the library's own patterns of Uzbek numbers: ten times faster than one library call a number."""
    import phonenumbers

    data = phonenumbers.PhoneMetadata.metadata_for_region(HOME)
    kinds = ((MOBILE, data and data.mobile), (LANDLINE, data and data.fixed_line))
    return tuple((kind, re.compile(found.national_number_pattern or "(?!)")) for kind, found in kinds if found)


def load_plans() -> None:
    """Loads the library now (45 ms), so that a listener's first foreign caller does not wait for it."""
    _patterns()


def kind_of(head: int) -> str:
    """Returns the kind of Uzbek numbers with these five digits behind 998: mobile, landline, or ''."""
    return OPEN_NETWORKS.get(head // 1000) or kind_by_library(head)


@cache
def kind_by_library(head: int) -> str:
    """Returns the same as `kind_of`, by the library's data alone."""
    national = f"{head:05}0000"
    return next((kind for kind, pattern in _patterns() if pattern.fullmatch(national)), "")


def is_assigned(head: int) -> bool:
    """Returns whether Uzbek numbers begin with these five digits behind 998."""
    return head // 1000 in OPEN_NETWORKS or bool(kind_of(head))


def is_prefix_assigned(national: str) -> bool:
    """Returns whether an Uzbek number begins with these digits behind 998."""
    head = national[:5]
    if not national or len(national) > NATIONAL_LENGTH:
        return not national
    low = int(head.ljust(5, "0"))
    return any(is_assigned(number) for number in range(low, low + 10 ** (5 - len(head))))


def is_country_prefix(digits: str) -> bool:
    """Returns whether numbers of a country begin with these digits, or with fewer of them."""
    if digits.startswith("0"):
        return False
    import phonenumbers

    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    if any(int(digits[:length]) in codes for length in range(1, min(len(digits), 3) + 1)):
        return True
    return len(digits) < 3 and any(str(code).startswith(digits) for code in codes)


def base_of(head: str) -> int | None:
    """Returns the number with 0000 at its end, such as 998901230000, from the text without its last four characters.

    Returns None unless the spelling is a plain `998…`, `+998…`, `8…` or national one of an assigned number.
    """
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    digits = int(match[1])
    return FIRST + digits * 10_000 if is_assigned(digits) else None


def kind_of_number(number: int) -> str:
    """Returns the kind of a good number: mobile, landline, foreign."""
    national = number - FIRST
    return kind_of(national // 10_000) if 0 <= national < 10**NATIONAL_LENGTH else FOREIGN


@lru_cache(maxsize=4096)  # takes 100 µs, and the same callers call again
def number_abroad(international: str) -> int:
    """Returns the whole number of digits behind a plus, by the library; 0 for no number."""
    import phonenumbers

    try:
        found = phonenumbers.parse(international, None)
    except phonenumbers.NumberParseException:
        return 0
    if not phonenumbers.is_valid_number(found):
        return 0
    return int(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)[1:])


def number_dialled(digits: str, *, has_plus: bool = False) -> int:
    """Returns the whole number of digits that a person in Uzbekistan dials; 0 for no number.

    National (901234567), with the old or new trunk prefix (8 or 0), with the country code, or with the international
    prefix (00, or 8 10).
    """
    if has_plus:
        return _international(digits)
    if len(digits) == NATIONAL_LENGTH:
        return _national(digits)
    if len(digits) == NATIONAL_LENGTH + 1 and digits[0] in "80" and (number := _national(digits[1:])):
        return number
    if digits.startswith(str(COUNTRY)):
        return _national(digits[3:])
    if digits.startswith("00"):
        return _international(digits[2:])
    return _international(digits[3:]) if digits.startswith("810") else 0


def _national(digits: str) -> int:
    return FIRST + int(digits) if len(digits) == NATIONAL_LENGTH and is_assigned(int(digits[:5])) else 0


def _international(digits: str) -> int:
    if digits.startswith(str(COUNTRY)):
        return _national(digits[3:])
    may_be = _SHORTEST <= len(digits) <= _LONGEST and digits[0] != "0"
    return number_abroad(f"+{digits}") if may_be else 0
