"""Hides tokens and secrets, and disarms text that could drive a terminal: the only place where either is decided."""

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

DOTS = "••••"
_TAIL = 4
_SHORTEST_HIDDEN = 6
_SHORTEST_WITH_TAIL = 9  # of `voip123`, the vendor's sample of a SIP password, the last four would be half

_SECRET_KEY = re.compile(r"secret|passw|token|qr|windowsapp|authorization", re.IGNORECASE)

# A secret's key and its value in text that cannot be parsed: JSON that was cut or is wrong, `key=value`, headers.
_SECRET_TEXT = re.compile(
    r"""(\\?["']?[\w.-]*(?:secret|passw|token|qr|windowsapp|authorization)[\w.-]*\\?["']?\s*[:=]\s*)"""
    r"""("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&}\]]+)""",
    re.IGNORECASE,
)

# C0 but tab and newline, DEL, C1, line and paragraph separators, bidi controls, lone surrogates.
_ARMED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ARMED_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def mask(secret: str) -> str:
    """Four dots, and the last four characters where the secret is long enough to spare them."""
    return DOTS + secret[-_TAIL:] if len(secret) >= _SHORTEST_WITH_TAIL else DOTS


@lru_cache(maxsize=1024)
def is_secret_key(key: str) -> bool:
    """Whether a field of this name holds a secret: `secret`, `windowsapp`, `mobileqr` (getpeers) and their like."""
    return _SECRET_KEY.search(key) is not None


def mask_fields(value: object) -> object:
    """The same JSON value with every secret field masked, at any depth; empty and boolean values stay as they are."""
    if isinstance(value, dict):
        return {key: _mask_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_fields(item) for item in value]
    return value


def mask_text(text: str) -> str:
    """The text with whatever stands behind a secret's key masked: for bodies that are not the JSON they should be."""
    return _SECRET_TEXT.sub(rf"\1{DOTS}", text)


def _mask_field(key: str, item: object) -> object:
    return _mask_whole(item) if is_secret_key(key) else mask_fields(item)


def _mask_whole(item: object) -> object:
    """What stands under a secret's name: every text and number in it is taken for a secret."""
    if isinstance(item, dict):
        return {key: _mask_whole(inner) for key, inner in item.items()}
    if isinstance(item, list):
        return [_mask_whole(inner) for inner in item]
    if item is None or isinstance(item, bool) or item == "":
        return item
    return mask(str(item))


class Masker:
    """Hides known secrets in any text, in the spellings in which they travel: raw, percent-encoded, base64, JSON."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        self._longest_first: tuple[tuple[str, str], ...] = ()
        self._shortest = 0
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on hide this secret too. One under 6 characters is none: hiding it would tear up ordinary words."""
        if len(secret) < _SHORTEST_HIDDEN:
            return
        for spelling in _spellings(secret):
            self._known[spelling] = mask(secret)
        # Sorted here and not in `hide`, which a batch calls dozens of times a row.
        self._longest_first = tuple(sorted(self._known.items(), key=lambda known: len(known[0]), reverse=True))
        self._shortest = len(self._longest_first[-1][0])

    def hide(self, text: str) -> str:
        """The text with every known secret masked."""
        if len(text) < self._shortest:  # most texts: keys, numbers, states
            return text
        for spelling, shown in self._longest_first:
            text = text.replace(spelling, shown)
        return text

    def hide_in(self, value: object) -> object:
        """The same JSON value with every known secret masked in its texts, keys included, at any depth."""
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
    """The text with control and direction characters shown instead of obeyed: `^[` for ESC, `\\u202e` for bidi.

    With `one_line`, tabs and line ends are shown as `\\t` and `\\n` too.
    """
    return (_ARMED_IN_A_LINE if one_line else _ARMED).sub(_show, text)


def _show(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
