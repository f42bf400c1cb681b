"""The turns of a talk: what one side says in a row, although the recogniser cuts it into fragments.

A phrase that begins in one fragment and ends in the next is found in the turn. Short remarks of the other side ("mhm")
do not end a turn, as in the measures of monologues.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alovoice_cli.speech.measures import EDGE_MS, JOIN_GAP_MS, Span, merged
from alovoice_cli.speech.talk import Fragment, spans


@dataclass(frozen=True, slots=True)
class SpeechTurn:
    """Fragments of one side in a row: their places in the talk, and their texts (NFC) joined by spaces."""

    direction: str
    places: tuple[int, ...]
    text: str
    starts: tuple[int, ...]
    """Where each fragment's text begins in `text`."""

    def place_of(self, at: int) -> int:
        """Returns the place in the talk of the fragment at this position of the text."""
        return self.places[bisect_right(self.starts, at) - 1]

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Yields the place of each fragment, and from where to where its text is in `text`."""
        ends = [*(start - 1 for start in self.starts[1:]), len(self.text)]
        return zip(self.places, self.starts, ends, strict=True)

    def parts(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yields what a piece of the text covers: the place of each fragment, and from where to where in its text."""
        for place, start, stop in self.spans():
            if (inner := max(begin, start)) < (outer := min(end, stop)):
                yield place, inner - start, outer - start


def speech_turns(fragments: Sequence[Fragment]) -> list[SpeechTurn]:
    """Returns the turns of fragments in the order of their beginnings; each fragment is in one turn."""
    return [_turn(fragments, places) for places in _in_a_row(fragments)]


def _in_a_row(fragments: Sequence[Fragment]) -> list[list[int]]:
    speech = {side: merged(spans(fragments, side), gap=JOIN_GAP_MS) for side in {one.direction for one in fragments}}
    rows: list[list[int]] = []
    current: list[int] | None = None
    aside: list[int] | None = None
    for place, part in enumerate(fragments):
        before = next((row for row in (current, aside) if row and fragments[row[0]].direction == part.direction), None)
        within = current is not None and _lies_within(part, speech[fragments[current[0]].direction])
        if before is None or (before is aside and before[-1] != place - 1):
            before = []
            rows.append(before)
        before.append(place)
        if before is current:
            aside = None
        elif within:
            aside = before
        else:
            current, aside = before, None
    return rows


def _lies_within(part: Fragment, speech: Sequence[Span]) -> bool:
    if part.begin_ms is None or part.end_ms is None:
        return False
    at = bisect_right(speech, part.begin_ms, key=lambda span: span[0]) - 1
    return at >= 0 and part.end_ms <= speech[at][1] + EDGE_MS


def _turn(fragments: Sequence[Fragment], places: Sequence[int]) -> SpeechTurn:
    texts = [unicodedata.normalize("NFC", fragments[place].text) for place in places]
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    return SpeechTurn(fragments[places[0]].direction, tuple(places), " ".join(texts), tuple(starts))
