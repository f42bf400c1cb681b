"""Folds words so that one spelling finds the others: Uzbek in Latin (old and new) and Cyrillic, and Russian.

Searching compares folded texts. Folding is no transliteration: it has to send all spellings of a word to one, and may
send two words to one where the scripts themselves do not tell them apart. What it decides:

- `oʻ o' o‘ o` ö ў` are one letter, which is not `o`; `gʻ ğ ғ` likewise. Any other apostrophe, and `ъ ь`, is nothing.
- Soft hyphens, zero-width spaces and other invisible signs are nothing: they do not end a word.
- `sh ş ш щ`, `ch ç ч`, `j ж`, `x х`, `q қ`, `h ҳ`, `yu ю`, `ya я` are one each.
- `ye е э` are `e`: Uzbek writes `yetkazib` with ye and reads етказиб. `ts ц s` are `s`: sirk, konsert, концерт.
- `ё` is `yo` (yoki, ёки) and, in a second folding, the Russian `е` (счёт, счет; приём, прием). At the beginning of a
  word, where short Uzbek words have it (ёш, ёз, ёт), only the few Russian words with ё have the second folding.
- Case, accents and punctuation do not count; a gap between words is one space.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

APOSTROPHES = "'`´ʹʻʼʽʾʿˈˊˋ΄՚׳᾽᾿῾‘’‛′‵❛❜Ꞌꞌ＇｀"
"""What keyboards, recognisers and fonts write for the apostrophe of oʻ and gʻ, and for the tutuq belgisi."""
_UNSEEN = r"\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_LETTERS = {
    **dict(zip("абвгдзийклмнопрстуфхҳқжы", "abvgdziyklmnoprstufxhqjy", strict=True)),
    "ў": "ö",
    "ғ": "ğ",
    "е": "e",
    "э": "e",
    "ё": "yo",
    "ш": "sh",
    "щ": "sh",
    "ч": "ch",
    "ц": "s",
    "ю": "yu",
    "я": "ya",
    "ъ": "",
    "ь": "",
    "ş": "sh",
    "ș": "sh",
    "ç": "ch",
    "ö": "ö",
    "ğ": "ğ",
    "ŏ": "ö",
    "ǧ": "ğ",
    "õ": "ö",
    "ı": "i",
    "і": "i",
    "ї": "i",
    "є": "e",
    "ґ": "g",
    "ҷ": "ch",
    "ӯ": "ö",
    **dict.fromkeys(APOSTROPHES, ""),
}
_ONE_LETTER = (
    rf"(?P<o>[oо][{APOSTROPHES}])|(?P<g>[gг][{APOSTROPHES}])|(?P<shch>shch)"
    rf"|(?P<gap>(?:(?![{APOSTROPHES}]|[\u0300-\u036f])[\W_])+)|(?P<one>.)"
)
_UNIT = re.compile(rf"(?P<e>[yй][eе])|(?P<s>[tт][sс])|{_ONE_LETTER}", re.DOTALL)
_UNJOINED_UNIT = re.compile(_ONE_LETTER, re.DOTALL)
_UNITS = {"o": "ö", "g": "ğ", "shch": "sh", "e": "e", "s": "s", "gap": " "}
# Within a word; at its beginning ёлка, ёж, ёмкость, ёрш, ёрзать, ёкнуть and their families.
_RUSSIAN_YO = re.compile(
    rf"(?:(?<=[^\W\d_])|(?<=[^\W\d_][{APOSTROPHES}{_UNSEEN}]))ё|ё(?=л[ко]|ж|мк|рш|рз|кн|б)", re.IGNORECASE
)


class Folded(NamedTuple):
    """A folded text, and the place of each of its letters in `source` (the text in NFC)."""

    text: str
    source: str
    places: tuple[tuple[int, int], ...]


def fold(text: str) -> str:
    """Returns the folded text, without a gap at either end."""
    return fold_with_places(text).text.strip()


@lru_cache(maxsize=512)  # the turns of a call, for each phrase of the rules
def fold_with_places(text: str, *, joined: bool = True) -> Folded:
    """Returns the folded text with the places of its letters; a gap at an end stays a space.

    Without `joined` the pairs `ye` and `ts` stay two letters: `клиентский` then begins with `клиент`.
    """
    source = unicodedata.normalize("NFC", text)
    lowered = "".join(letter.lower()[:1] for letter in source)
    shown: list[int] | None = None
    if _INVISIBLE.search(lowered):
        shown = [place for place, letter in enumerate(lowered) if not _INVISIBLE.match(letter)]
        lowered = "".join(lowered[place] for place in shown)
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    for match in (_UNIT if joined else _UNJOINED_UNIT).finditer(lowered):
        kind = match.lastgroup or "one"
        folded = _UNITS[kind] if kind != "one" else _letter(match.group())
        letters.append(folded)
        places += [match.span()] * len(folded)
        if not folded and places:  # a silent letter belongs to the one before it
            before = places[-1]
            for at in range(len(places) - places[-8:].count(before), len(places)):
                places[at] = (before[0], match.end())
    if shown is not None:
        places = [(shown[begin], shown[end - 1] + 1) for begin, end in places]
    return Folded("".join(letters), source, tuple(places))


def russian_spelling(text: str) -> str | None:
    """Returns the text with `е` for a probably Russian `ё`, to be folded as well; None without one."""
    replaced, count = _RUSSIAN_YO.subn("е", unicodedata.normalize("NFC", text))
    return replaced if count else None


def foldings(text: str) -> list[str]:
    """Returns the one or two foldings of a text, or of a search text."""
    russian = russian_spelling(text)
    return [fold(text)] if russian is None else [fold(text), fold(russian)]


def _letter(letter: str) -> str:
    known = _LETTERS.get(letter)
    if known is not None:
        return known
    bare = unicodedata.normalize("NFD", letter)[0]
    return "" if unicodedata.combining(bare) else _LETTERS.get(bare, bare)
