"""An answer whose body is whole, and what may be said of it: text for people, JSON for programs."""

import json
import math
import re
from dataclasses import dataclass

from alovoice_cli.masking import Masker, disarm, mask_fields, mask_text

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DEEPEST = 100
_DETAIL = 300
_LOOKED_AT = 64 * 1024  # bytes of a body that is shown in part
_BOM = b"\xef\xbb\xbf"


class UnreadableError(Exception):
    """A body that is not what the document promises. The text says how."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `seconds` is how long the one exchange took."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return self.status // 100 == 2

    def text(self) -> str:
        """The body as text. Raises UnreadableError when it is no UTF-8."""
        try:
            return self.body.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableError("the answer is no UTF-8 text") from error

    def json(self) -> object:
        """The body as JSON.

        Raises UnreadableError also for what Python's parser lets through and nobody can print again: NaN, infinities,
        lone surrogates, numbers of thousands of digits, nesting deeper than 100.
        """
        text = self.text()
        try:
            value: object = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableError("the answer is no JSON") from error
        if not _shallow(value):
            raise UnreadableError(f"the answer is nested deeper than {_DEEPEST}")
        if _SURROGATE.search(self.body):
            _check_unicode(value)
        return value

    def json_or_text(self) -> object:
        """JSON where it is some, else the text. Raises UnreadableError for bytes that are neither."""
        try:
            return self.json()
        except UnreadableError:
            return self.text()


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def _shallow(value: object) -> bool:
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [item for inner in layer for item in _children(inner)]
        if not layer:
            return True
    return False


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_unicode(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableError("the answer holds half a character") from error


def readable(body: bytes, masker: Masker, limit: int = _DETAIL) -> str:
    """The body as text for people: secrets masked, control characters disarmed, spaces run together, capped.

    Takes the same time for a body of any length: it is cut before it is masked.
    """
    head = body[:_LOOKED_AT]
    text = masker.hide(_without_secrets(head))
    is_cut = len(head) < len(body)
    if is_cut:
        text = text[: max(len(text) - masker.longest, 0)]  # the cut may have left the half of a known secret
    text = disarm(" ".join(text.split()))
    return text if len(text) <= limit and not is_cut else text[: limit - 1] + "…"


def _without_secrets(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        value = Reply(200, "", (), body).json()
    except UnreadableError:
        return mask_text(text)
    return json.dumps(mask_fields(value), ensure_ascii=False) if isinstance(value, (dict, list)) else mask_text(text)
