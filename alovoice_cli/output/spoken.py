"""What a conversation on a terminal is made of."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said: by whom, when, on which side it stands; `marks` are places in the text, from and to."""

    who: str
    time: str
    text: str
    side: str
    marks: Sequence[tuple[int, int]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation: a line above it, what was said, and lines below it."""

    title: str
    said: Sequence[Said]
    below: Sequence[str] = ()
