"""Exports without people's numbers: each becomes `99890•••••67`, and a tag that tells two alike apart.

The tag is made with a key that lives as long as one export: within it the same number always looks the same, so that
callers can be counted and followed; two exports cannot be joined, and trying all numbers finds nothing.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Mapping

from alovoice_cli.phones import canonical

_KEPT_HEAD, _KEPT_TAIL = 5, 2
_DIGITS = re.compile(r"\+?[0-9](?:[ ()\-\u2010-\u2015]{0,2}[0-9]){6,14}(?![0-9])")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_ONE_RUN = re.compile(r"(?<![0-9])\+?[0-9]{9,15}(?![0-9])")
_NO_NUMBERS = re.compile(
    r"(?:^|_)(?:id|uid|line|trunk|time|date|duration|status|code|externalid|inner_phone|queue)(?:_|$)"
)
_OURS = ("trunk_number", "line_number", "inner_phone", "queue_number", "call_id", "externalid", "extid")


class Hiding:
    """One export's way of hiding. `key` is for tests."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def number(self, text: str) -> str:
        """A phone number hidden; what has fewer than seven digits is an extension, and stays."""
        digits = canonical(text) or _NOT_A_DIGIT.sub("", text)  # what is no number, or several, is hidden all the same
        if len(digits) < 7:
            return text
        dots = "•" * max(len(digits) - _KEPT_HEAD - _KEPT_TAIL, 0)
        tag = hmac.new(self._key, digits.encode(), "sha256").hexdigest()[:6]
        return f"{digits[:_KEPT_HEAD]}{dots}{digits[-_KEPT_TAIL:]}~{tag}"

    def event(self, shown: Mapping[str, object]) -> dict[str, object]:
        """An event as JSON with the numbers in its body and answer hidden; of bytes that are no text, their size."""
        body = shown["body"]
        if isinstance(body, dict) and set(body) == {"base64"}:
            hidden: object = {"hidden_bytes": len(base64.b64decode(str(body["base64"])))}
        else:
            hidden = self.value(body)
        changed = {"body": hidden, **{name: self.value(shown[name]) for name in ("answer", "query") if name in shown}}
        return {**shown, **changed}

    def cells(self, cells: Mapping[str, object]) -> dict[str, object]:
        """The cells of an event, with the other party's number hidden wherever it stands; the PBX's own lines stay."""
        hidden = {name: self.number(str(cells[name])) for name in ("number", "peer") if cells.get(name) is not None}
        if cells.get("record") is not None:
            hidden["record"] = self.text(str(cells["record"]), in_link=True)
        return {**cells, **hidden}

    def value(self, value: object, key: str = "") -> object:
        """A JSON value with the numbers in it hidden, at any depth; ids, times and the PBX's own lines stay."""
        if isinstance(value, dict):
            return {
                self.text(str(name)): self.value(inner, str(name).strip("[]").lower()) for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        if isinstance(value, bool) or value is None or key in _OURS or _NO_NUMBERS.search(key):
            return value
        if isinstance(value, int):
            return self.number(str(value)) if len(str(abs(value))) >= 7 else value
        return self.text(value, in_link=key == "record") if isinstance(value, str) else value

    def text(self, text: str, *, in_link: bool = False) -> str:
        """A text with every number in it hidden; within a link only what has no signs between its digits."""
        pattern = _ONE_RUN if in_link or "://" in text else _DIGITS
        return pattern.sub(lambda match: self.number(match.group()), text)
