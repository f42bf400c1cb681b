"""Letters for terminals whose encoding lacks ours: cp866, cp1251, ASCII.

A stream that was prepared writes the nearest letters that it has, and never fails: quotes and dashes become those of
ASCII, Uzbek `oʻ` becomes `o'`, Cyrillic becomes Latin. All others are written as `\\u...`. A stream with UTF-8 never
comes here.
"""

import codecs
from typing import TextIO

_NAME = "alovoice.fallback"
_MARKS = str.maketrans(
    {
        **dict.fromkeys("ʻʼʹ’‘‚`´", "'"),
        **dict.fromkeys("«»“”„", '"'),
        **dict.fromkeys("–—‒―−", "-"),
        "…": "...",
        "•": "*",
        "·": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "→": "->",
        "←": "<-",
        "↻": "~",
        "✓": "+",
        "✗": "x",
        "☎": "*",
        "№": "No.",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
    }
)
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёўқғҳ"
_LATIN = (
    *("a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh"),
    *("ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "e", "o'", "q", "g'", "h"),
)
_LETTERS = dict(zip(_CYRILLIC, _LATIN, strict=True))


def make_readable(stream: TextIO) -> None:
    """Makes the stream write the nearest letters that its encoding has."""
    reconfigure = getattr(stream, "reconfigure", None)  # a test's own stream may have none
    if reconfigure is not None:
        codecs.register_error(_NAME, _replace)
        reconfigure(errors=_NAME)


def _replace(problem: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(problem, UnicodeEncodeError)
    lacking = problem.object[problem.start : problem.end]
    return "".join(_nearest(letter, problem.encoding) for letter in lacking), problem.end


def _nearest(letter: str, encoding: str) -> str:
    text = letter.translate(_MARKS)
    if text == letter and letter.lower() in _LETTERS:
        text = _LETTERS[letter.lower()]
        text = text if letter.islower() else text.capitalize()
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return letter.encode("ascii", "backslashreplace").decode("ascii")
    return text
