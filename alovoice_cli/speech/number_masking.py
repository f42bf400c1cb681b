"""Hides numbers in what was said (phones, cards, passports, orders), for transcripts that leave the company.

Digits: runs of five or more, in any grouping, keep their last two. Personal numbers (cards, passports, PINFL) are found
by their checksums in any grouping; a passport and a PINFL keep nothing. In words (Uzbek in both scripts, Russian): four
number words in a row are hidden; a price of two or three words stays. Numbers are sought in whole turns: a card number
is often said in four fragments.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from alovoice_cli.personal_numbers import find_personal_numbers
from alovoice_cli.speech.folding import APOSTROPHES, fold
from alovoice_cli.speech.talk import Fragment, dicts, inner_answer, number, read_talk
from alovoice_cli.speech.turns import speech_turns

_DIGITS = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){4,}")
_KEPT_DIGITS = 2
_WORD = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}-][^\W\d_]+)*[{APOSTROPHES}]?|\d+")
_FEWEST_WORDS = 4
_GAP = re.compile(r"[\s,.-]*")
_DOT = "•"
_IN_WORDS = "•••"
_WORDS = """
nol bir ikki uch to'rt besh olti yetti sakkiz to'qqiz o'n yigirma o'ttiz qirq ellik oltmish yetmish sakson to'qson yuz
ming plyus ноль нуль один одна два две три четыре пять шесть семь восемь девять десять одиннадцать двенадцать
тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать тридцать сорок пятьдесят
шестьдесят семьдесят восемьдесят девяносто сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот плюс
"""
_NUMBER_WORDS = frozenset(map(fold, _WORDS.split()))


def mask_numbers(text: str) -> str:
    """Returns the text with long numbers hidden: `90 123 45 67` is `•• ••• •• 67`, in words `•••`."""
    return "".join(_masked_letters(text, ()))


def mask_fragments(fragments: Sequence[Fragment]) -> list[str]:
    """Returns the texts of a talk's fragments with the numbers of each turn hidden."""
    masked = [part.text for part in fragments]
    for turn in speech_turns(fragments):
        letters = _masked_letters(turn.text, turn.starts)
        if "".join(letters) != turn.text:
            for place, start, stop in turn.spans():
                masked[place] = "".join(letters[start:stop])
    return masked


def mask_answer(answer: Mapping[str, object]) -> dict[str, object]:
    """Returns the server's answer with numbers hidden in `text`, `match_text` and `value`, at any depth."""
    talk = read_talk("", answer)
    if talk is None:
        return _masked_fields(answer, {})
    shown = mask_fragments(talk.fragments)
    ordered = sorted(dicts(inner_answer(answer)["stalk"]), key=lambda part: number(part.get("begin")) or 0)
    texts = {id(part): text for part, text in zip(ordered, shown, strict=True)}
    masked = _masked_fields(answer, texts)
    _mask_matches(inner_answer(masked), [part.text for part in talk.fragments], shown)
    return masked


def _masked_fields(fields: Mapping[str, object], texts: Mapping[int, str]) -> dict[str, object]:
    masked = {key: _masked(key, value, texts) for key, value in fields.items()}
    if id(fields) in texts and fields.get("text") is not None:
        masked["text"] = texts[id(fields)]
    return masked


def _masked(key: str, value: object, texts: Mapping[int, str]) -> object:
    if isinstance(value, dict):
        return _masked_fields(value, texts)
    if isinstance(value, list):
        return [_masked(key, part, texts) for part in value]
    return mask_numbers(value) if isinstance(value, str) and key in ("text", "match_text", "value") else value


def _mask_matches(inner: Mapping[str, object], said: Sequence[str], shown: Sequence[str]) -> None:
    """Hides what a tag matched where it is a part of a hidden number: four digits of a card."""
    before, after = (unicodedata.normalize("NFC", "\n".join(texts)).lower() for texts in (said, shown))
    for tag in dicts(inner.get("tags")) if before != after else ():
        match = tag.get("match_text")
        if isinstance(match, str) and match and isinstance(tag, dict):
            sought = unicodedata.normalize("NFC", match).lower()
            if before.count(sought) > after.count(sought):
                tag["match_text"] = _IN_WORDS


def _masked_letters(text: str, starts: Sequence[int]) -> list[str]:
    """Returns a string for each letter of the text; words that become dots begin again after each of the `starts`."""
    letters = list(text)
    for match in _DIGITS.finditer(text):
        _mask_digits(letters, *match.span(), kept=_KEPT_DIGITS)
    for found in find_personal_numbers(text):
        _mask_digits(letters, found.begin, found.end, kept=_KEPT_DIGITS if found.kind == "card" else 0)
    for begin, end in _number_words("".join(letters)):
        within = starts[bisect_right(starts, begin) : bisect_left(starts, end)]
        for start, stop in zip((begin, *within), (*(later - 1 for later in within), end), strict=True):
            letters[start:stop] = [_IN_WORDS, *[""] * (stop - start - 1)]
    return letters


def _mask_digits(letters: list[str], begin: int, end: int, *, kept: int) -> None:
    """Replaces letters and digits by dots; the last `kept` ones stay as they are."""
    places = [place for place in range(begin, end) if letters[place].isalnum() or letters[place] == _DOT]
    for place in places[: len(places) - kept]:
        letters[place] = _DOT


def _number_words(text: str) -> Iterable[tuple[int, int]]:
    """Returns the runs of number words that are long enough, with short groups of digits between them."""
    runs: list[list[re.Match[str]]] = []
    for match in _WORD.finditer(text):
        if not match.group().isdecimal() and fold(match.group()) not in _NUMBER_WORDS:
            continue
        if runs and _GAP.fullmatch(text, runs[-1][-1].end(), match.start()):
            runs[-1].append(match)
        else:
            runs.append([match])
    for run in runs:
        if len(run) >= _FEWEST_WORDS and not all(match.group().isdecimal() for match in run):
            yield run[0].start(), run[-1].end()
