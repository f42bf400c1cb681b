"""Telephone numbers for rules: one key for all spellings of a number, prefixes, and sets of a million.

A frozenset of 1,000,000 ints takes 91 MB, the sorted array here 8 MB and 4 µs a look-up. During a reload the old list
and the new one are both in memory.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import NamedTuple

from alovoice_cli.language import mark, tr
from alovoice_cli.phones import canonical, is_country_prefix, is_dialable, is_prefix_assigned

_SMALL = 20_000  # numbers up to which a frozenset's speed is worth its memory
_LONGEST = 18  # digits: one more before them still fits into 64 bits
_COUNTRY = "998"
_PREFIX = re.compile(r"\(?(\+?)([0-9][0-9 ()\xa0-]{0,30})\*")
_ABROAD = re.compile(r"(?:00|810)([1-9][0-9]*)")
_SHORTEST_OUTSIDE = 7  # digits: fewer are the PBX's own
_LONGEST_PREFIX = 14


class Number(NamedTuple):
    """A number of one call: the digits common to all its spellings, and their key. Key 0 means no number."""

    digits: str
    key: int
    domestic: bool
    """998 and nine digits: the prefixes of the country's own numbers hold for it."""

    @classmethod
    def of(cls, text: str) -> "Number":
        """Returns the number in any spelling: nine digits, twelve, a plus, spaces."""
        digits = canonical(text)
        return cls(digits, _key(digits), len(digits) == 12 and digits.startswith(_COUNTRY))


def _key(digits: str) -> int:
    # The leading 1 keeps leading zeros: 0123 is not 123.
    return int("1" + digits) if 0 < len(digits) <= _LONGEST else 0


def key_of(text: str) -> int:
    """Returns the key of the number in a text, 0 for a text without one of at least 2 digits, or with several."""
    digits = canonical(text.strip())
    return _key(digits) if len(digits) >= 2 else 0


def prefix_of(text: str) -> str:
    """Returns a prefix such as `99890*`, `+7495*` or `90*` without its star, '' for other text.

    A prefix in dialled form (`0099871*`, `871*`) becomes that of the number: `+99871`.
    """
    match = _PREFIX.fullmatch(text.strip())
    digits = re.sub("[^0-9]", "", match[2]) if match else ""
    if match is None or len(digits) > _LONGEST_PREFIX:
        return ""
    if match[1]:
        return f"+{digits}"
    if abroad := _ABROAD.fullmatch(digits):
        return f"+{abroad[1]}"
    return f"+{_COUNTRY}{digits[1:]}" if _has_trunk_prefix(digits) and not _may_be_whole(digits) else digits


def _has_trunk_prefix(digits: str) -> bool:
    """Returns whether the digits after an 8 or a 0 are the beginning of Uzbek numbers."""
    return len(digits) > 2 and digits[0] in "80" and is_prefix_assigned(digits[1:])


def _may_be_whole(digits: str) -> bool:
    """Returns whether the digits with their 8 or 0 are the beginning of Uzbek or of foreign numbers."""
    return is_prefix_assigned(digits) or is_country_prefix(digits)


def doubt_about(text: str) -> str:
    """Returns why a number or prefix in a rule or list can hardly be a caller's; '' where it can."""
    written = text.strip()
    prefix = prefix_of(written)
    if not prefix:
        digits = canonical(written)
        no_caller = len(digits) >= _SHORTEST_OUTSIDE and not is_dialable(digits)
        return tr("{number} is not a number that can call", number=written) if no_caller else ""
    if _has_trunk_prefix(prefix):
        other = f"+{_COUNTRY}{prefix[1:]}*"
        if is_prefix_assigned(prefix):
            text = mark("{prefix} is read as {one} or {another}, not as {other}")
            return tr(text, prefix=written, one=f"+{_COUNTRY}{prefix}*", another=f"+{prefix}*", other=other)
        return tr("{prefix} is read as {one}, not as {other}", prefix=written, one=f"+{prefix}*", other=other)
    return "" if _may_call(prefix) else tr("no number that can call begins with {prefix}", prefix=written)


def _may_call(prefix: str) -> bool:
    whole = prefix.lstrip("+")
    if whole.startswith(_COUNTRY):
        return is_prefix_assigned(whole[3:])
    if prefix.startswith("+"):
        return is_country_prefix(whole)
    is_inside = len(prefix) < _SHORTEST_OUTSIDE - 1 and not prefix.startswith("00")
    return is_inside or is_prefix_assigned(prefix) or is_country_prefix(prefix)


class SortedKeys:
    """Many keys in 8 bytes each, in order and each once."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[int]) -> None:
        self._keys = array("Q", (key for key, _ in groupby(sorted(keys))))

    def __contains__(self, key: int) -> bool:
        place = bisect_left(self._keys, key)
        return place < len(self._keys) and self._keys[place] == key

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> int:
        return self._keys[index]


class NumberSet:
    """Whole numbers and prefixes, searched in microseconds at any size.

    A prefix with a plus or with 998 begins with the country code. Any other is national: `90*` is 998 90…, and also
    foreign or internal numbers that begin so.
    """

    __slots__ = ("_abroad", "_home", "_lengths_abroad", "_lengths_home", "keys", "prefixes")

    def __init__(self, keys: Collection[int] = (), prefixes: Iterable[str] = ()) -> None:
        self.keys: frozenset[int] | SortedKeys = (
            SortedKeys(keys) if len(keys) > _SMALL else frozenset(keys)  # a set of a million is never made
        )
        self.prefixes = frozenset(prefixes)
        whole = {prefix.lstrip("+") for prefix in self.prefixes if prefix.startswith(("+", _COUNTRY))}
        national = {prefix for prefix in self.prefixes if not prefix.startswith(("+", _COUNTRY))}
        self._home = frozenset(whole | {_COUNTRY + prefix for prefix in national})
        self._abroad = frozenset(whole | national)
        self._lengths_home = tuple(sorted({len(prefix) for prefix in self._home}))
        self._lengths_abroad = tuple(sorted({len(prefix) for prefix in self._abroad}))

    def has(self, number: Number) -> bool:
        """Returns whether the number is in the set, or begins with one of the prefixes."""
        if number.key in self.keys:
            return True
        if not self.prefixes:
            return False
        prefixes = self._home if number.domestic else self._abroad
        for length in self._lengths_home if number.domestic else self._lengths_abroad:
            if number.digits[:length] in prefixes:
                return True
        return False

    def __len__(self) -> int:
        return len(self.keys) + len(self.prefixes)

    def some(self, count: int) -> list[str]:
        """Returns at most this many whole numbers, as digits, from all over the set."""
        keys = self.keys if isinstance(self.keys, SortedKeys) else sorted(self.keys)
        step = max(len(keys) // max(count, 1), 1)
        return [str(keys[index])[1:] for index in range(0, len(keys), step)][:count]

    def within(self, other: "NumberSet") -> bool:
        """Returns whether every number of this set is certainly in the other; False also if unknown."""
        if self is other:
            return True
        if isinstance(self.keys, SortedKeys) or not len(self):  # an empty set stands for numbers that have no name
            return False
        if self._home and not all(other._begins(p, other._home) for p in self._home):
            return False
        if self._abroad and not all(other._begins(p, other._abroad) for p in self._abroad):
            return False
        return all(other.has(_number_of(key)) for key in self.keys)

    def apart_from(self, other: "NumberSet") -> bool:
        """Returns whether no number is in both, by their whole numbers; False if unknown."""
        if self.prefixes or isinstance(self.keys, SortedKeys):
            return False
        return not any(other.has(_number_of(key)) for key in self.keys)

    @staticmethod
    def _begins(prefix: str, prefixes: frozenset[str]) -> bool:
        return any(prefix[:length] in prefixes for length in range(1, len(prefix) + 1))


def national(digits: str) -> str:
    """Returns a canonical number in the form of the API's samples: nine digits for an Uzbek number."""
    return digits[3:] if len(digits) == 12 and digits.startswith(_COUNTRY) else digits


def _number_of(key: int) -> Number:
    return Number.of(str(key)[1:])
