"""Exports without people's numbers: each becomes `99890•••••67`, with a tag that distinguishes similar ones.

Of a card number only the last two digits stay, of a passport and a PINFL nothing (`personal_numbers`).

The tag's key exists for one export only: within it the same number always has the same tag, so callers can be counted
and followed; two exports cannot be joined, and trying all numbers reveals nothing.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Mapping

from alovoice_cli.personal_numbers import find_personal_numbers
from alovoice_cli.phones import canonical

_KEPT_HEAD, _KEPT_TAIL, _FEWEST_HIDDEN = 5, 2, 4
_DIGITS = re.compile(r"\+?[0-9](?:[ ()\-\u2010-\u2015]{0,2}[0-9]){6,14}(?![0-9])")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_ONE_RUN = re.compile(r"(?<![0-9])\+?[0-9]{9,15}(?![0-9])")
_LINK = re.compile(r"(?<!\S)((?=\S*://)\S+)")
_NO_NUMBERS = re.compile(
    r"(?:^|_)(?:id|uid|line|trunk|time|date|duration|status|code|externalid|inner_phone|queue)(?:_|$)"
)
_OURS = ("trunk_number", "line_number", "inner_phone", "queue_number", "call_id", "externalid", "extid")


class Hiding:
    """The hiding of one export. `key` is for tests."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def number(self, text: str) -> str:
        """Returns a phone number hidden; fewer than seven digits are an extension, and stay."""
        digits = canonical(text) or _NOT_A_DIGIT.sub("", text)  # text that is no number, or several, is hidden too
        if len(digits) < 7:
            return text
        head = max(min(_KEPT_HEAD, len(digits) - _KEPT_TAIL - _FEWEST_HIDDEN), 0)
        return self._hidden(digits, head, _KEPT_TAIL)

    def _hidden(self, digits: str, head: int, tail: int) -> str:
        dots = "•" * (len(digits) - head - tail)
        tag = hmac.new(self._key, digits.encode(), "sha256").hexdigest()[:6]
        return f"{digits[:head]}{dots}{digits[len(digits) - tail :]}~{tag}"

    def event(self, shown: Mapping[str, object]) -> dict[str, object]:
        """Returns an event as JSON with hidden numbers in body and answer; of a binary body only its size."""
        body = shown["body"]
        if isinstance(body, dict) and set(body) == {"base64"}:
            hidden: object = {"hidden_bytes": len(base64.b64decode(str(body["base64"])))}
        else:
            hidden = self.value(body)
        changed = {"body": hidden, **{name: self.value(shown[name]) for name in ("answer", "query") if name in shown}}
        return {**shown, **changed}

    def cells(self, cells: Mapping[str, object]) -> dict[str, object]:
        """Returns the cells of an event, with the other party's number hidden everywhere; the PBX's own lines stay."""
        hidden = {name: self.number(str(cells[name])) for name in ("number", "peer") if cells.get(name) is not None}
        if cells.get("record") is not None:
            hidden["record"] = self.text(str(cells["record"]), in_link=True)
        return {**cells, **hidden}

    def value(self, value: object, key: str = "") -> object:
        """Returns a JSON value with its numbers hidden, at any depth; ids, times and the PBX's own lines stay."""
        if isinstance(value, dict):
            return {
                self.text(str(name)): self.value(inner, str(name).strip("[]").lower()) for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        if isinstance(value, bool) or value is None or key in _OURS or _NO_NUMBERS.search(key):
            return value
        if isinstance(value, int):
            if find_personal_numbers(str(abs(value))):
                return self.text(str(value))
            return self.number(str(value)) if len(str(abs(value))) >= 7 else value
        return self.text(value, in_link=key == "record") if isinstance(value, str) else value

    def text(self, text: str, *, in_link: bool = False) -> str:
        """Returns a text with every number hidden; within a link only digits without signs between them."""
        if in_link:
            return _ONE_RUN.sub(lambda match: self.number(match.group()), text)
        pieces = _LINK.split(text)
        pieces[::2] = map(self._words, pieces[::2])
        pieces[1::2] = (self.text(link, in_link=True) for link in pieces[1::2])
        return "".join(pieces)

    def _words(self, text: str) -> str:
        shown, at = "", 0
        for found in find_personal_numbers(text):
            shown += _DIGITS.sub(lambda match: self.number(match.group()), text[at : found.begin])
            shown += self._hidden(found.value, 0, _KEPT_TAIL if found.kind == "card" else 0)
            at = found.end
        return shown + _DIGITS.sub(lambda match: self.number(match.group()), text[at:])
