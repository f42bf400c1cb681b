"""Measures a talk by its times alone: talk time, silence, interruptions.

Definitions (those of diarised-call analytics, so that the figures can be compared with other tools'):

- A side's talk time is the union of its phrases: overlaps count once. - The operator's share refers to the talk time of
both. - Silence and overlap are between the first phrase and the last: ringing and hanging up do not count. - An
interruption begins while the other side speaks and overlaps it for more than half a second. Pauses under a quarter of a
second do not end the other side's speech. - A monologue is one side's phrases with pauses of up to three seconds,
without a turn of the other side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from alovoice_cli.speech.talk import CLIENT, OPERATOR, Talk, spans

GRACE_MS = 500
JOIN_GAP_MS = 250
EDGE_MS = 100
LONGEST_PAUSE_MS = 3000

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measures:
    """Times in milliseconds. None for shares and first words without any speech."""

    length_ms: float
    operator_ms: float
    client_ms: float
    silence_ms: float
    longest_silence_ms: float
    overlap_ms: float
    longest_monologue_ms: float
    """The operator's."""
    operator_interruptions: int
    """How often the operator interrupted the client."""
    client_interruptions: int
    first_operator_ms: float | None

    @property
    def talk_ratio(self) -> float | None:
        """Returns the operator's share of the talk time, 0 to 1."""
        both = self.operator_ms + self.client_ms
        return self.operator_ms / both if both else None

    @property
    def silence_share(self) -> float | None:
        """Returns the share of silence between the first phrase and the last, 0 to 1."""
        return self.silence_ms / self.length_ms if self.length_ms else None

    def as_json(self) -> dict[str, object]:
        """Returns all figures, with the shares."""
        return {**asdict(self), "talk_ratio": _round(self.talk_ratio), "silence_share": _round(self.silence_share)}


def measure(talk: Talk) -> Measures:
    """Returns the figures of a talk. Phrases without both times, or of neither side, are ignored."""
    operator = merged(spans(talk.fragments, OPERATOR))
    client = merged(spans(talk.fragments, CLIENT))
    both = merged([*operator, *client])
    length = both[-1][1] - both[0][0] if both else 0
    spoken = _total(both)
    gaps = [after[0] - before[1] for before, after in pairwise(both)]
    return Measures(
        length_ms=length,
        operator_ms=_total(operator),
        client_ms=_total(client),
        silence_ms=length - spoken,
        longest_silence_ms=max(gaps, default=0),
        overlap_ms=_total(operator) + _total(client) - spoken,
        longest_monologue_ms=_longest_turn(operator, client),
        operator_interruptions=len(_interruptions(operator, client)),
        client_interruptions=len(_interruptions(client, operator)),
        first_operator_ms=operator[0][0] if operator else None,
    )


def merged(parts: Iterable[Span], *, gap: float = 0) -> list[Span]:
    """Returns the union of the spans, in order; spans less than `gap` apart are joined too."""
    joined: list[Span] = []
    for begin, end in sorted(parts):
        if joined and (begin <= joined[-1][1] or begin - joined[-1][1] < gap):
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _total(parts: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in parts)


def _interruptions(own: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    under_way = _Lookup(merged(other, gap=JOIN_GAP_MS))
    return [
        span
        for span in own
        if (over := under_way.at(span[0])) is not None and min(span[1], over[1]) - span[0] > GRACE_MS
    ]


def _longest_turn(own: Sequence[Span], other: Sequence[Span]) -> float:
    """Returns this side's longest turn; a phrase wholly within the other side's turn takes no turn."""
    against = {True: _Lookup(merged(other, gap=JOIN_GAP_MS)), False: _Lookup(merged(own, gap=JOIN_GAP_MS))}
    longest, turn, owner = 0.0, (0.0, 0.0), None
    for begin, end, mine in sorted([(*span, True) for span in own] + [(*span, False) for span in other]):
        over = against[mine].at(begin)
        if over is not None and end <= over[1] + EDGE_MS:
            continue
        if owner is mine and begin - turn[1] <= LONGEST_PAUSE_MS:
            turn = (turn[0], max(turn[1], end))
        else:
            turn, owner = (begin, end), mine
        if mine:
            longest = max(longest, turn[1] - turn[0])
    return longest


class _Lookup:
    """Finds the span at a moment, for moments in rising order."""

    def __init__(self, parts: Sequence[Span]) -> None:
        self._parts, self._place = parts, 0

    def at(self, moment: float) -> Span | None:
        """Returns the span that began before the moment and ends after it."""
        while self._place < len(self._parts) and self._parts[self._place][1] <= moment:
            self._place += 1
        here = self._parts[self._place] if self._place < len(self._parts) else None
        return here if here is not None and here[0] < moment else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
