"""Hides tokens and secrets, and disarms text that could control a terminal: the only module that does either."""

import base64
import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from urllib.parse import quote, quote_plus

from alovoice_cli.language import Translated

DOTS = "••••"
_TAIL = 4
_SHORTEST_HIDDEN = 6
_SHORTEST_WITH_TAIL = 9  # in `voip123`, the vendor's sample of a SIP password, the last four are half

_SECRET_WORDS = ("secret", "passw", "token", "qr", "windowsapp", "authorization")
_SECRET_KEY = "|".join(_SECRET_WORDS)

# Text that cannot be parsed: truncated or wrong JSON, `key=value`, headers. Every repeat is possessive, and a
# name without a value is consumed all the same: no letter is looked at more than a fixed number of times.
_SECRET_NAME = (
    rf"""(?is)(?:{_SECRET_KEY})[\w.-]*+"""
    r"""(?P<equals>\\*+["']?\s*+[:=]\s*+|(?:[^"\\]|\\.){0,80}+"\s*+:\s*+)?+"""
)
_QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_ESCAPED = (
    r'(?<!\\)(?P<slashes>\\++)(?P<quote>["\'])(?:.*?(?<!\\)(?P=slashes)(?P=quote)|.*+)'  # a string within a string
)
_SECRET_VALUE = (
    rf"""(?is){_QUOTED}|{_ESCAPED}|'[^']*+'?+|(?P<opens>[\[{{])|(?:(?:bearer|basic|digest)[ \t]++)?[^\s,;&}}\]]++"""
)
_BRACKET_OR_STRING = rf"(?s){_QUOTED}|{_ESCAPED}|[\[\]{{}}]"

# C0 but tab and newline, DEL, C1, line and paragraph separators, bidi controls, lone surrogates.
_ARMED = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_ARMED_IN_A_LINE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Returns the pattern, compiled at its first use: most commands need none."""
    return re.compile(pattern)


def mask(secret: str) -> str:
    """Returns four dots, and the last four characters of a long secret."""
    return DOTS + secret[-_TAIL:] if len(secret) >= _SHORTEST_WITH_TAIL else DOTS


@lru_cache(maxsize=1024)
def is_secret_key(key: str) -> bool:
    """Returns whether a field of this name is secret: `secret`, `windowsapp`, `mobileqr` (getpeers) and the like."""
    return re.search(_SECRET_KEY, key, re.IGNORECASE) is not None


def mask_fields(value: object) -> object:
    """Returns the JSON value with every secret field masked, at any depth; empty and boolean values stay."""
    if isinstance(value, dict):
        return {key: _mask_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_fields(item) for item in value]
    return value


def mask_text(text: str) -> str:
    """Returns the text with values behind secret keys masked: for bodies that are not valid JSON.

    Takes time in proportion to the text's length, for every text.
    """
    folded = text.casefold()
    if not any(word in folded for word in _SECRET_WORDS):  # ten times faster than the search below
        return text
    parts: list[str] = []
    shown_up_to = at = 0
    while name := _compiled(_SECRET_NAME).search(text, at):
        at = name.end()
        value = _compiled(_SECRET_VALUE).match(text, at) if name["equals"] is not None else None
        if value is not None:
            parts += (text[shown_up_to:at], DOTS)
            shown_up_to = at = _end_of_brackets(text, at) if value["opens"] else value.end()
    parts.append(text[shown_up_to:])
    return "".join(parts)


def _end_of_brackets(text: str, start: int) -> int:
    """Returns the place behind the bracket that closes the one at `start`; the text's end without one."""
    depth = 0
    for match in _compiled(_BRACKET_OR_STRING).finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return len(text)


def _mask_field(key: str, item: object) -> object:
    return _mask_whole(item) if is_secret_key(key) else mask_fields(item)


def _mask_whole(item: object) -> object:
    """Masks everything under a secret's name: every text and number in it counts as secret."""
    if isinstance(item, dict):
        return {key: _mask_whole(inner) for key, inner in item.items()}
    if isinstance(item, list):
        return [_mask_whole(inner) for inner in item]
    if item is None or isinstance(item, bool) or item == "":
        return item
    return mask(str(item))


class Masker:
    """Hides known secrets in any text, in all their spellings: raw, percent-encoded, base64, JSON."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        self._longest_first: tuple[tuple[str, str], ...] = ()
        self._shortest = 0
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hides this secret too from now on. A text under 6 characters is ignored: it occurs in ordinary words."""
        if len(secret) < _SHORTEST_HIDDEN:
            return
        for spelling in _spellings(secret):
            self._known[spelling] = mask(secret)
        # Sorted here and not in `hide`, which a batch calls dozens of times a row.
        self._longest_first = tuple(sorted(self._known.items(), key=lambda known: len(known[0]), reverse=True))
        self._shortest = len(self._longest_first[-1][0])

    @property
    def longest(self) -> int:
        """Returns the length of the longest spelling of a known secret, 0 without one."""
        return len(self._longest_first[0][0]) if self._longest_first else 0

    def hide(self, text: str) -> str:
        """Returns the text with every known secret masked."""
        if len(text) < self._shortest:  # most texts: keys, numbers, states
            return text
        if isinstance(text, Translated):
            return Translated(self._hidden(text), self._hidden(text.english))
        return self._hidden(text)

    def _hidden(self, text: str) -> str:
        for spelling, shown in self._longest_first:
            text = text.replace(spelling, shown)
        return text

    def hide_in(self, value: object) -> object:
        """Returns the JSON value with every known secret masked in its texts and keys, at any depth."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(str(key)): self.hide_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.hide_in(item) for item in value]
        return value


def _spellings(secret: str) -> Iterable[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(raw, safe="")
    yield quote_plus(raw)
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(raw).decode("ascii").rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def disarm(text: str, *, one_line: bool = True) -> str:
    r"""Returns the text with control and direction characters made visible: `^[` for ESC, `\u202e` for bidi.

    With `one_line`, tabs and line ends are shown as `\t` and `\n` too.
    """
    return _compiled(_ARMED_IN_A_LINE if one_line else _ARMED).sub(_show, text)


def _show(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
