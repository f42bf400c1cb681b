"""The only writer of JSON in this program, for people, programs and handlers, and for any value."""

import json
import re

# `re` compiles it at first use: most texts are ASCII and need no pattern.
_HALF = "[\ud800-\udfff]"
_ARMED = "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_NOT_ASCII = "[^\x00-\x7f]"


def well_formed(text: str) -> str:
    """Returns the text with U+FFFD for each half of a surrogate pair; two halves side by side become a character.

    JSON can contain a half. Unicode has no such character, and strict readers refuse the whole text for it.
    """
    if text.isascii() or re.search(_HALF, text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def json_text(value: object, *, indent: bool = False, ascii_only: bool = False) -> str:
    r"""Returns the value as well-formed JSON: two-space indent or one line; control, C1 and bidi characters escaped.

    `ascii_only` is for streams that are not UTF-8: `backslashreplace` would write `\U0001f600`, which is no JSON.
    Raises ValueError for NaN and the infinities.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2 if indent else None)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    text = re.sub(_ARMED, _escaped, well_formed(text))
    return re.sub(_NOT_ASCII, _escaped, text) if ascii_only else text


def _escaped(match: re.Match[str]) -> str:
    """Returns the character in JSON's escapes; characters over U+FFFF need two."""
    return json.dumps(match.group())[1:-1].replace("\x7f", "\\u007f")
