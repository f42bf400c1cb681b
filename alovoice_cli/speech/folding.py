"""Folds words so that one spelling finds the others: Uzbek in Latin (old and new) and Cyrillic, and Russian.

Searching compares folded texts. Folding is no transliteration: it has to send all spellings of a word to one, and may
send two words to one where the scripts themselves do not tell them apart. What it decides:

- `oʻ o' o‘ o` ö ў` are one letter, which is not `o`; `gʻ ğ ғ` likewise. Any other apostrophe, and `ъ ь`, is nothing.
- `sh ş ш щ`, `ch ç ч`, `j ж`, `x х`, `q қ`, `h ҳ`, `yu ю`, `ya я` are one each.
- `ye е э` are `e`: Uzbek writes `yetkazib` with ye and reads етказиб. `ts ц s` are `s`: sirk, konsert, концерт.
- `ё` is `yo` (yoki, ёки); behind a consonant it may be Russian for `е` (счёт, счет), so there is a second folding.
- Case, accents and punctuation do not count; a gap between words is one space.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from alovoice_cli.speech.talk import Talk

_APOSTROPHES = "'ʻʼ‘’`´ʹ′＇"
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
    **dict.fromkeys(_APOSTROPHES, ""),
}
_UNIT = re.compile(
    rf"(?P<o>[oо][{_APOSTROPHES}])|(?P<g>[gг][{_APOSTROPHES}])|(?P<shch>shch)|(?P<e>[yй][eе])|(?P<s>[tт][sс])"
    rf"|(?P<gap>(?:(?![{_APOSTROPHES}]|[\u0300-\u036f])[\W_])+)|(?P<one>.)",
    re.DOTALL,
)
_UNITS = {"o": "ö", "g": "ğ", "shch": "sh", "e": "e", "s": "s", "gap": " "}
_RUSSIAN_YO = re.compile("(?<=[бвгджзклмнпрстфхцчшщ])ё", re.IGNORECASE)


class Folded(NamedTuple):
    """A folded text, and the place of each of its letters in `source` (the text in NFC)."""

    text: str
    source: str
    places: tuple[tuple[int, int], ...]

    def find(self, needle: str, *, word: bool = False) -> list[tuple[int, int]]:
        """Returns the places of the folded search text in `source`, from and to; `word`: whole words only."""
        found, at = [], self.text.find(needle)
        while at >= 0 and needle:
            end = at + len(needle)
            if not word or self._is_word(at, end):
                found.append((self.places[at][0], self.places[end - 1][1]))
            at = self.text.find(needle, end)
        return found

    def _is_word(self, begin: int, end: int) -> bool:
        text = self.text
        return (begin == 0 or text[begin - 1] == " ") and (end == len(text) or text[end] == " ")


def fold(text: str) -> str:
    """Returns the folded text, without a gap at either end."""
    return fold_with_places(text).text.strip()


def fold_with_places(text: str) -> Folded:
    """Returns the folded text with the places of its letters; a gap at an end stays a space."""
    source = unicodedata.normalize("NFC", text)
    lowered = "".join(letter.lower()[:1] for letter in source)
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    for match in _UNIT.finditer(lowered):
        kind = match.lastgroup or "one"
        folded = _UNITS[kind] if kind != "one" else _letter(match.group())
        letters.append(folded)
        places += [match.span()] * len(folded)
        if not folded and places:  # a silent letter belongs to the one before it
            before = places[-1]
            for at in range(len(places) - places[-8:].count(before), len(places)):
                places[at] = (before[0], match.end())
    return Folded("".join(letters), source, tuple(places))


def russian_spelling(text: str) -> str | None:
    """Returns the text with `е` for a probably Russian `ё`, to be folded as well; None without one."""
    replaced, count = _RUSSIAN_YO.subn("е", unicodedata.normalize("NFC", text))
    return replaced if count else None


def foldings(text: str) -> list[str]:
    """Returns the one or two foldings of a text, or of a search text."""
    russian = russian_spelling(text)
    return [fold(text)] if russian is None else [fold(text), fold(russian)]


def hits(text: str, needles: Sequence[str], *, word: bool = False) -> list[tuple[int, int]]:
    """Returns the places of a folded search text in the text (NFC), in order, without overlap."""
    found: set[tuple[int, int]] = set()
    for spelling in (text, russian_spelling(text)):  # the folding has the same length letter by letter
        if spelling is not None:
            folded = fold_with_places(spelling)
            found.update(place for needle in needles for place in folded.find(needle, word=word))
    kept: list[tuple[int, int]] = []
    for begin, end in sorted(found, key=lambda place: (place[0], -place[1])):
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, end))
    return kept


def find_phrases(
    talk: Talk, needles: Sequence[str], *, speaker: str | None, context: int, word: bool
) -> dict[int, list[tuple[int, int]]]:
    """Returns the phrases of one side (or both) with the search text and their marks, and the phrases around.

    Returns nothing where no phrase matches.
    """
    fragments = talk.fragments
    matched = {
        place: marks
        for place, part in enumerate(fragments)
        if (speaker is None or part.direction == speaker) and (marks := hits(part.text, needles, word=word))
    }
    around = {
        near for place in matched for near in range(max(place - context, 0), min(place + context + 1, len(fragments)))
    }
    return {place: matched.get(place, []) for place in sorted(around)}


def _letter(letter: str) -> str:
    known = _LETTERS.get(letter)
    if known is not None:
        return known
    bare = unicodedata.normalize("NFD", letter)[0]
    return "" if unicodedata.combining(bare) else _LETTERS.get(bare, bare)
