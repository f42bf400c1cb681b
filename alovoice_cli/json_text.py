"""The JSON that this program writes, for people, programs and handlers: one writer, whatever the values hold."""

import json
import re

# Compiled by `re` at first use: most texts are ASCII, and need none.
_HALF = "[\ud800-\udfff]"
_ARMED = "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_NOT_ASCII = "[^\x00-\x7f]"


def well_formed(text: str) -> str:
    """The text with U+FFFD in the place of each half of a surrogate pair; two halves side by side are a character.

    JSON can spell a half. Unicode has no such character, and strict readers refuse the whole text for it.
    """
    if text.isascii() or re.search(_HALF, text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def json_text(value: object, *, indent: bool = False, ascii_only: bool = False) -> str:
    """The value as JSON text: two-space indent or one line; control, C1 and bidi characters escaped; well formed.

    `ascii_only` is for streams that are not UTF-8: `backslashreplace` would write `\\U0001f600`, which is no JSON.
    Raises ValueError for NaN and the infinities.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2 if indent else None)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    text = re.sub(_ARMED, _escaped, well_formed(text))
    return re.sub(_NOT_ASCII, _escaped, text) if ascii_only else text


def _escaped(match: re.Match[str]) -> str:
    """The character as JSON escapes it, of which those beyond U+FFFF need two."""
    return json.dumps(match.group())[1:-1].replace("\x7f", "\\u007f")
