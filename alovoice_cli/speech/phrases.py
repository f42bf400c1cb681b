"""Finds phrases in the turns of a talk, in any spelling; `to'lov*` stands for a word with any ending."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from alovoice_cli.language import tr
from alovoice_cli.speech.folding import APOSTROPHES, fold_with_places, russian_spelling
from alovoice_cli.speech.talk import Talk
from alovoice_cli.speech.turns import SpeechTurn, speech_turns

# A star elsewhere is a sign between words, as others are.
_ANY_ENDING = re.compile(rf"(?<=[^\W_]|[{APOSTROPHES}])\*(?!\S)")
_SIGNS_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_WORD_BEGINS, _WORD_ENDS = "(?<![^ ])", "(?![^ ])"

Mark = tuple[int, int]


class SoughtPhrase(NamedTuple):
    """A phrase to search for: its text, and its patterns over folded texts.

    `joined` patterns are for texts folded as usual, the others for texts folded without `joined`. `literals`: one of
    them stands in every folded text that has the phrase.
    """

    text: str
    joined: tuple[re.Pattern[str], ...]
    unjoined: tuple[re.Pattern[str], ...]
    literals: tuple[str, ...]

    @property
    def with_endings(self) -> "SoughtPhrase | None":
        """Returns the phrase with a star; None where it is not one word without a star, which misses other forms."""
        if self.unjoined or " " in self.literals[0] or not self.literals[0].isalpha():
            return None
        return read_phrase(f"{_SIGNS_AROUND.sub('', self.text)}*", word=True)

    def marks(self, text: str) -> list[Mark]:
        """Returns the places of the phrase in the text (NFC), from and to."""
        found: list[Mark] = []
        for spelling in (text, russian_spelling(text)):  # the same length, letter by letter
            for patterns, joined in ((self.joined, True), (self.unjoined, False)):
                if spelling is None or not patterns:
                    continue
                folded = fold_with_places(spelling, joined=joined)
                for pattern in patterns:
                    for match in pattern.finditer(folded.text):
                        found.append((folded.places[match.start()][0], folded.places[match.end() - 1][1]))
        return found


def misplaced_star(text: str) -> bool:
    """Returns whether a `*` is not at the end of a word."""
    return "*" in _ANY_ENDING.sub("", text)


def read_phrase(text: str, *, word: bool) -> SoughtPhrase | None:
    """Returns the phrase to search for; with `word` its words are whole. None where nothing is left to search for."""
    spellings = [spelling for spelling in (text, russian_spelling(text)) if spelling is not None]
    pieces = [_pieces(spelling, joined=True) for spelling in spellings]
    if not all(all(map(str.strip, parts[:-1])) and any(parts) for parts in pieces):
        return None
    starred = len(pieces[0]) > 1
    unjoined = [_pieces(spelling, joined=False) for spelling in spellings] if starred else []
    return SoughtPhrase(
        text,
        tuple(_pattern(parts, word=word) for parts in pieces),
        tuple(_pattern(parts, word=word) for parts in unjoined),
        tuple(_literal(parts) for parts in pieces),
    )


def _pieces(text: str, *, joined: bool) -> list[str]:
    """Returns the folded text between the stars; a gap between words is at the beginning of the second piece."""
    first, *others = _ANY_ENDING.split(text)
    folded = [fold_with_places(first, joined=joined).text.lstrip()]
    folded += [fold_with_places(other, joined=joined).text for other in others]
    return [*folded[:-1], folded[-1].rstrip()]


def _pattern(pieces: Sequence[str], *, word: bool) -> re.Pattern[str]:
    pattern = "[^ ]*".join(map(re.escape, pieces))
    return re.compile(_WORD_BEGINS + pattern + _WORD_ENDS if word else pattern)


def _literal(pieces: Sequence[str]) -> str:
    """Returns the longest piece; before an ending its last letter may be one with the ending's first (ts, ye)."""
    sure = [piece[:-1] if piece[-1] in "ty" else piece for piece in pieces[:-1]]
    return max((piece.strip() for piece in [*sure, pieces[-1]]), key=len)


class FoundPhrase(NamedTuple):
    """A phrase found in a turn: its range of the text."""

    turn: SpeechTurn
    begin: int
    end: int

    @property
    def place(self) -> int:
        """Returns the fragment in which the phrase begins."""
        return self.turn.place_of(self.begin)


def found_in(
    said: Sequence[SpeechTurn], phrases: Sequence[SoughtPhrase], *, speaker: str | None
) -> Iterator[FoundPhrase]:
    """Yields the places of the phrases in the turns of one side, or of all; in order, without overlap in a turn."""
    for turn in said:
        if speaker is None or turn.direction == speaker:
            marks = [mark for phrase in phrases for mark in phrase.marks(turn.text)]
            yield from (FoundPhrase(turn, begin, end) for begin, end in without_overlap(marks))


def without_overlap(marks: Sequence[Mark]) -> list[Mark]:
    """Returns the marks in order; of those that overlap the first, the longest of those that begin alike."""
    kept: list[Mark] = []
    for begin, end in sorted(set(marks), key=lambda mark: (mark[0], -mark[1])):
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, end))
    return kept


def find_phrase(talk: Talk, phrase: SoughtPhrase, *, speaker: str | None, context: int) -> dict[int, list[Mark]]:
    """Returns the fragments of one side (or of all) that have a part of the phrase, with marks, and those around.

    Returns nothing where the phrase is not found.
    """
    matched: dict[int, list[Mark]] = {}
    for found in found_in(speech_turns(talk.fragments), [phrase], speaker=speaker):
        for place, begin, end in found.turn.parts(found.begin, found.end):
            matched.setdefault(place, []).append((begin, end))
    last = len(talk.fragments)
    around = {near for place in matched for near in range(max(place - context, 0), min(place + context + 1, last))}
    return {place: matched.get(place, []) for place in sorted(around)}


def other_form(phrase: SoughtPhrase, talks: Iterable[Talk], speaker: str | None) -> str | None:
    """Returns a longer form of a word that one side (or anybody) said: `to'lovni (call 8001)`; None without one."""
    longer = phrase.with_endings
    for talk in talks if longer is not None else ():
        for found in found_in(speech_turns(talk.fragments), [longer] if longer else [], speaker=speaker):
            form = found.turn.text[found.begin : found.end]
            if not phrase.marks(form):
                return tr("{form!r} (call {call})", form=form, call=talk.call_id)
    return None
