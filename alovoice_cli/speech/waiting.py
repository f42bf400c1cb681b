"""Waits for what takes its time without pestering the server: soon at first, then ever less often."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

GROWTH = 1.5
LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How to wait, in seconds: `budget` in all, `first` before the second question, then 1.5 times longer each time."""

    budget: float
    first: float

    def pauses(self, clock: Callable[[], float]) -> Iterator[float]:
        """The pauses between questions; they end when the budget is used up, the last one cut to fit."""
        deadline, pause = clock() + self.budget, self.first
        while (left := deadline - clock()) > 0:
            yield min(pause, left)
            pause = min(pause * GROWTH, max(LONGEST_SECONDS, self.first))
