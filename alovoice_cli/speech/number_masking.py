"""Hides numbers in what was said (phones, cards, orders), for transcripts that leave the company.

Digits: runs of five or more, in any grouping, keep their last two. In words (Uzbek in both scripts, Russian): four
number words in a row are hidden; a price of two or three words stays.
"""

import re
from collections.abc import Mapping

from alovoice_cli.speech.folding import fold

_DIGITS = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){4,}")
_KEPT_DIGITS = 2
_WORD = re.compile(r"[^\W\d_]+(?:['ʻʼ‘’`´-][^\W\d_]+)*['ʻʼ‘’`´]?")
_FEWEST_WORDS = 4
_GAP = re.compile(r"[\s,.-]*")
_WORDS = """
nol bir ikki uch to'rt besh olti yetti sakkiz to'qqiz o'n yigirma o'ttiz qirq ellik oltmish yetmish sakson to'qson yuz
ming plyus ноль нуль один одна два две три четыре пять шесть семь восемь девять десять одиннадцать двенадцать
тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать тридцать сорок пятьдесят
шестьдесят семьдесят восемьдесят девяносто сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот плюс
"""
_NUMBER_WORDS = frozenset(map(fold, _WORDS.split()))


def mask_numbers(text: str) -> str:
    """Returns the text with long numbers hidden: `90 123 45 67` is `•• ••• •• 67`, in words `•••`."""
    return _mask_words(_DIGITS.sub(_mask_digits, text))


def mask_answer(answer: Mapping[str, object]) -> dict[str, object]:
    """Returns the server's answer with numbers hidden in `text` and `match_text`, at any depth."""
    return {key: _masked(key, value) for key, value in answer.items()}


def _masked(key: str, value: object) -> object:
    if isinstance(value, dict):
        return mask_answer(value)
    if isinstance(value, list):
        return [_masked(key, part) for part in value]
    return mask_numbers(value) if isinstance(value, str) and key in ("text", "match_text", "value") else value


def _mask_digits(match: re.Match[str]) -> str:
    found = match.group()
    left = sum(character.isdigit() for character in found) - _KEPT_DIGITS
    shown = []
    for character in found:
        if character.isdigit() and left > 0:
            character, left = "•", left - 1
        shown.append(character)
    return "".join(shown)


def _mask_words(text: str) -> str:
    runs: list[list[tuple[int, int]]] = []
    for match in _WORD.finditer(text):
        if fold(match.group()) not in _NUMBER_WORDS:
            continue
        if runs and _GAP.fullmatch(text, runs[-1][-1][1], match.start()):
            runs[-1].append(match.span())
        else:
            runs.append([match.span()])
    for run in reversed(runs):
        if len(run) >= _FEWEST_WORDS:
            text = text[: run[0][0]] + "•••" + text[run[-1][1] :]
    return text
