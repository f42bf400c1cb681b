"""What a good call is: checks, each of which holds for a call, does not, or says nothing of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from alovoice_cli.speech.folding import fold, foldings, hits
from alovoice_cli.speech.measures import Measures
from alovoice_cli.speech.talk import Talk


class Test(Protocol):
    """Whether something holds for a call; None where it cannot be told."""

    def holds(self, talk: Talk, measures: Measures) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a score: its name, what it weighs, and the test."""

    name: str
    weight: float
    test: Test


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file. `bar` is the average score below which `ai score` fails, where the file names one."""

    checks: tuple[Check, ...]
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class HasTag:
    """The analysis gave this tag, or did not (`wanted` False)."""

    name: str
    wanted: bool = True

    def holds(self, talk: Talk, measures: Measures) -> bool:
        sought = fold(self.name)
        return any(fold(name) == sought for name in talk.tag_names) == self.wanted


@dataclass(frozen=True, slots=True)
class Says:
    """One of the phrases is said, in any spelling; or none is (`wanted` False). `within_ms` of the call's beginning."""

    phrases: tuple[str, ...]
    wanted: bool = True
    speaker: str | None = None
    within_ms: float | None = None

    def holds(self, talk: Talk, measures: Measures) -> bool:
        needles = [folded for phrase in self.phrases for folded in foldings(phrase)]
        said = any(
            hits(part.text, needles, word=True)
            for part in talk.fragments
            if (self.speaker is None or part.direction == self.speaker)
            and (self.within_ms is None or (part.begin_ms or 0) <= self.within_ms)
        )
        return said == self.wanted


@dataclass(frozen=True, slots=True)
class Lies:
    """A measure lies between two bounds, either of which may be left out; None where the call has no such measure."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, talk: Talk, measures: Measures) -> bool | None:
        value = MEASURES[self.measure](measures)
        if value is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


MEASURES: Mapping[str, Callable[[Measures], float | None]] = {
    "talk_ratio": lambda found: found.talk_ratio,
    "longest_monologue": lambda found: found.longest_monologue_ms / 1000,
    "dead_air": lambda found: found.longest_silence_ms / 1000,
    "silence_share": lambda found: found.silence_share,
    "interruptions": lambda found: float(found.operator_interruptions),
    "first_word": lambda found: _seconds(found.first_operator_ms),
    "length": lambda found: found.length_ms / 1000,
}
"""The operator's share of the talk (0 to 1), the operator's longest monologue, the longest silence and the share of
silence, how often the operator broke in, when the operator first spoke, the length. Times in seconds."""
