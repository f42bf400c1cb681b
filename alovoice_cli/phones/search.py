"""Finds phone numbers in text: skips the text around a number, and never joins digits of two things."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final

from alovoice_cli.phones.plan import number_dialled

_BOUND: Final = "¦"  # replaces text that is no number, so that digits on both sides stay apart
_INVISIBLE: Final = dict.fromkeys(map(ord, "\xad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2066\u2069\ufeff"))
_HALVES = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LETTER_ZERO = re.compile(r"(?<=[0-9])[ОоOo](?=[0-9])")
_EXACT = re.compile(r"(?<![0-9.,])(\+?[0-9]{7,15})[.,]0+(?![0-9])")
_CHAT_LINK = re.compile(r"(?:wa\.me/|t\.me/\+|[?&]phone=)\+?([0-9]{9,15})(?![0-9])", re.IGNORECASE)
_SIP = re.compile(r"\bsips?:([^@;>\s]{1,64})@[^\s;>]*", re.IGNORECASE)
_CHAT_HOST = re.compile(r"@(?:c\.us|s\.whatsapp\.net)\b")

_DAY, _MONTH = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])"
_CLOCK = r"[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?(?:[.,][0-9]{1,9})?(?:\s?Z|\s?[+-][0-9]{2}:?[0-9]{2})?(?![0-9:])"
DATE: Final = re.compile(
    rf"(?<![0-9])(?<![0-9][-./])(?:(?:19|20)[0-9]{{2}}([-./]){_MONTH}\1{_DAY}|{_DAY}([-./]){_MONTH}\2(?:19|20)?[0-9]{{2}})"
    rf"(?![0-9])(?![-./][0-9])(?:[T\s,]+{_CLOCK})?"
)
"""A day, with or without its time."""

_AMOUNT = r"[0-9]{1,11}(?:[ .,'\xa0\u202f][0-9]{3})*(?:[.,][0-9]{1,2})?(?![0-9])"
_MONEY = r"(?:сум|сўм|so['ʻʼ’‘`]?m|sum|uzs|usd|eur|rub|руб(?:л(?:ь|я|ей))?|евро|доллар\w*|dollar\w*|ming|mln|тыс|млн)"
_ID = (
    r"(?:id|ид|uid|инн|inn|stir|стир|пинфл|pinfl|jshshir|жшшир|заказ\w?|order|buyurtma|договор\w?|shartnoma|contract"
    r"|сч[её]т\w?|invoice|ticket|заявк\w|паспорт\w?|passport|pasport|карт\w|card|karta|р/с|мфо|mfo|iban)"
)
_OTHER_THINGS: Final = (
    re.compile(r"(?:(?:https?|ftp)://|www\.)\S+", re.IGNORECASE),
    re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,9}[a-zA-Z]{2,}"),
    re.compile(r"@[\w.-]+"),
    re.compile(r"(?<!\w)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)", re.IGNORECASE),
    DATE,
    re.compile(rf"(?<![0-9:]){_CLOCK}"),
    re.compile(rf"(?<![0-9+])(?<![0-9][ -]){_AMOUNT}\s*(?:[$€£₽%]|{_MONEY}(?!\w))", re.IGNORECASE),
    re.compile(rf"(?:[$€£₽]|(?<!\w)(?:{_MONEY}|сумма|summa)(?!\w))[\s:=]*{_AMOUNT}", re.IGNORECASE),
    re.compile(rf"(?<!\w){_ID}[\s:.#№=_-]*[0-9][0-9-]*", re.IGNORECASE),
)
"""Texts with digits that are no phone numbers: links, e-mail addresses, hosts, ids, days, times, sums of money."""

_GROUP = re.compile(r"\+|[0-9]+")
_GAP = re.compile(r"[ ().=\-\xa0\u2007\u2009\u202f\u2010-\u2015\u2212]{1,4}")
_BESIDE = re.compile(r"[\s/\\,;|&+-]*(?:(?:и|или|or|and|va|yoki|ва|ёки)\s+)?", re.IGNORECASE)
_GLUED = re.compile(r"((?:998)?[0-9]{9})((?:998)?[0-9]{9})")
_WORD_BEFORE = re.compile(r"[^\W\d_]+$")
_WORD_BEHIND = re.compile(r"[^\W\d_]+")
_EXTENSION_SIGN = re.compile(r"[xхXХ][0-9]")
_LABELS = frozenset(("p", "т", "t", "м", "m", "ph", "tl", "тл"))
_WORD = 3  # letters of a word; shorter ones belong to an id such as AB1234567
_MOST_GROUPS = 14
_WHOLE = 9  # digits of a number without further groups
_STRAY = 4  # digits that may stand beside a number and are no number


@dataclass(frozen=True, slots=True)
class Found:
    """The different numbers of a text in their order. `is_clear`: no digits beside them could belong to them."""

    numbers: tuple[int, ...]
    is_clear: bool


@dataclass(slots=True)
class _Run:
    """Groups of digits that spaces, dashes, dots and brackets may join, and their place in the text."""

    groups: list[str]
    has_plus: bool
    start: int
    end: int


def cleaned(text: str) -> str:
    """Returns the text without HTML, half signs and links around numbers, and without `.0` behind them."""
    text = unescape(text) if "&" in text else text
    text = _HALVES.sub(_BOUND, text).translate(_INVISIBLE).replace("%2B", "+").replace("%2b", "+")
    text = _EXACT.sub(r"\1", _LETTER_ZERO.sub("0", text))
    if "/" in text or "=" in text:
        text = _CHAT_LINK.sub(rf" {_BOUND} +\1 ", text)  # the spaces end the link
    if "@" in text:
        text = _CHAT_HOST.sub(_BOUND, _SIP.sub(rf"{_BOUND}\1{_BOUND}", text))
    return text


def bare(text: str) -> str:
    """Returns the cleaned text without texts that hold digits and are no phone numbers."""
    text = cleaned(text)
    for thing in _OTHER_THINGS:
        text = thing.sub(_BOUND, text)
    return text


def search(text: str) -> Found:
    """Returns the phone numbers of a text: assigned numbers only, foreign numbers only with their plus."""
    text = bare(text)
    runs = list(_runs(text))
    found = [_numbers_of(run) if _stands_free(run, text) else ([], run.groups) for run in runs]
    numbers = tuple(dict.fromkeys(number for some, _ in found for number in some))
    is_clear = not any(len(group) > _STRAY or some for some, left in found for group in left)
    for place in range(len(runs) - 1):
        ends_otherwise = found[place][0] and not found[place + 1][0]
        if ends_otherwise and _BESIDE.fullmatch(text[runs[place].end : runs[place + 1].start]):
            is_clear = False
    return Found(numbers, is_clear)


def foreign_without_plus(text: str) -> int:
    """Returns the only number of a text that would be good abroad with a plus; 0 for none."""
    text = bare(text)
    runs = [run for run in _runs(text) if _stands_free(run, text)]
    groups = [group for run in runs for group in run.groups]
    return number_dialled(groups[0], has_plus=True) if len(groups) == 1 and len(groups[0]) > _WHOLE + 1 else 0


def _runs(text: str) -> Iterator[_Run]:
    run: _Run | None = None
    plus = -1
    for match in _GROUP.finditer(text):
        if match[0] == "+":
            plus = match.start()
            continue
        start, end = match.span()
        has_plus = plus >= 0 and (plus + 1 == start or bool(_GAP.fullmatch(text[plus + 1 : start])))
        if run is not None and not has_plus and _GAP.fullmatch(text[run.end : start]):
            run.groups.append(match[0])
            run.end = end
        else:
            if run is not None:
                yield run
            run = _Run([match[0]], has_plus, plus if has_plus else start, end)
        plus = -1
    if run is not None:
        yield run


def _stands_free(run: _Run, text: str) -> bool:
    """Returns whether letters beside the digits belong to a label, an extension, or a separate word only."""
    before = _WORD_BEFORE.search(text[max(run.start - 40, 0) : run.start])
    if before and not run.has_plus and len(before[0]) < _WORD and before[0].lower() not in _LABELS:
        return False
    behind = _WORD_BEHIND.match(text, run.end)
    return not behind or len(behind[0]) >= _WORD or bool(_EXTENSION_SIGN.match(text, run.end))


def _numbers_of(run: _Run) -> tuple[list[int], list[str]]:
    """Returns the numbers of a run, and the groups that belong to no number.

    Groups are joined only where the run has no other long group: parts of an account number make no phone.
    """
    numbers: list[int] = []
    joined: list[int] = []
    left: list[str] = []
    place = 0
    while place < len(run.groups):
        some, used = _first_of(run.groups[place : place + _MOST_GROUPS], has_plus=run.has_plus and not place)
        if not some and run.has_plus and not place:
            return [], run.groups  # the following digits are the rest of an unassigned number
        if not some:
            left.append(run.groups[place])
        numbers += some
        joined += some if used > 1 else []
        place += used
    if any(len(group) > _STRAY for group in left):
        numbers = [number for number in numbers if number not in joined]
    return numbers, left


def _first_of(groups: list[str], *, has_plus: bool) -> tuple[list[int], int]:
    """Returns the numbers at the beginning of the groups, and how many groups they use: one, for no number."""
    first = groups[0]
    if len(first) >= _WHOLE and (number := number_dialled(first, has_plus=has_plus)):
        return [number], 1
    if glued := _GLUED.fullmatch(first):
        both = [number_dialled(part) for part in glued.groups()]
        return (both if all(both) else []), 1
    for count in range(len(groups), 0, -1):
        digits = "".join(groups[:count])
        if _WHOLE - 2 <= len(digits) <= 2 * _WHOLE and (number := number_dialled(digits, has_plus=has_plus)):
            return [number], count
    return [], 1
