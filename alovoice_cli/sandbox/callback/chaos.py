"""What goes wrong on the way to a handler, to order: `dup=3%,late=5%,reorder=1%`, drawn by the seed."""

import difflib
import re
from dataclasses import dataclass

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.errors import UsageError

WORDS = ("dup", "late", "reorder")
GRAMMAR = "WORD=PERCENT%, comma-separated; WORD: dup (sent again), late (held back), reorder (overtaken by the next)"

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%?", re.ASCII)
_LATE_SECONDS = (30, 300)
_AGAIN_SECONDS = (1, 60)


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one message; seconds are virtual, and 0 where it does not happen."""

    late_seconds: int = 0
    again_seconds: int = 0
    reorder: bool = False


@dataclass(frozen=True, slots=True)
class Chaos:
    """The shares, in percent, of the messages that are sent again, late, or after the next one.

    A route question meets none of it: a caller is waiting on the line.
    """

    dup: float = 0.0
    late: float = 0.0
    reorder: float = 0.0

    def fate(self, seed: int, kind: str, call: int) -> Fate:
        """The fate of this message of this call: the same whenever it is asked for."""
        if kind == "route":
            return Fate()
        dup, late, reorder = (lot(seed, "chaos", word, kind, call) for word in WORDS)
        return Fate(
            late_seconds=_within(_LATE_SECONDS, late) if _happens(late, self.late) else 0,
            again_seconds=_within(_AGAIN_SECONDS, dup) if _happens(dup, self.dup) else 0,
            reorder=_happens(reorder, self.reorder),
        )


def parse_chaos(text: str) -> Chaos:
    """The chaos of a `--chaos` text; an empty one is none. Raises UsageError naming the part that cannot be read."""
    shares: dict[str, float] = {}
    for part in text.split(",") if text.strip() else ():
        word, _, percent = (piece.strip() for piece in part.partition("="))
        if word not in WORDS:
            near = difflib.get_close_matches(word, WORDS, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--chaos: there is no {word!r}{meant}", hint=GRAMMAR)
        match = _PERCENT.fullmatch(percent)
        if match is None or float(match[1]) > 100:
            raise UsageError(f"--chaos: {percent!r} is no percentage from 0% to 100% for {word}", hint=GRAMMAR)
        if word in shares:
            raise UsageError(f"--chaos: {word} is given twice", hint=GRAMMAR)
        shares[word] = float(match[1])
    return Chaos(**shares)


def _happens(drawn: int, percent: float) -> bool:
    return (drawn & 0xFFFFFF) / 0x1000000 * 100 < percent


def _within(bounds: tuple[int, int], drawn: int) -> int:
    return bounds[0] + (drawn >> 24) % (bounds[1] - bounds[0] + 1)
