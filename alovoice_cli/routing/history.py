"""The past and the turns that rules need. The event store answers questions about the past (`stores.history`)."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class History(Protocol):
    """The calls of a number before this one. Numbers are canonical: digits only, Uzbek numbers with 998.

    Every `since` is an aware moment. Answers may be slow and may raise: the code that serves a live caller sets the
    deadline.
    """

    def last_peer(self, number: str, since: datetime) -> str | None:
        """Returns the extension of the number's last answered call since then, None where there was none."""
        ...

    def calls(self, number: str, since: datetime) -> int:
        """Returns how often the number has called since then, without this call."""
        ...

    def missed(self, number: str, since: datetime) -> int:
        """Returns how many of its calls were missed since then."""
        ...


HistoryAt = Callable[[datetime], History]
"""The past as it was known at an aware moment."""


class GivenHistory:
    """An invented past, the same for every number and every span; by default of a caller without a past."""

    def __init__(self, last_peer: str | None = None, calls: int = 0, missed: int = 0) -> None:
        self._last_peer, self._calls, self._missed = last_peer, calls, missed

    def last_peer(self, number: str, since: datetime) -> str | None:
        """Returns the given extension."""
        return self._last_peer

    def calls(self, number: str, since: datetime) -> int:
        """Returns the given count."""
        return self._calls

    def missed(self, number: str, since: datetime) -> int:
        """Returns the given count."""
        return self._missed


NO_HISTORY = GivenHistory()

Turns = Callable[[str], int]
"""Returns the turn in the `round_robin` of this rule: a number that grows with each call of the rule."""


def first_turn(rule: str) -> int:
    """Returns always the first turn: for tests and comparisons, which must not use up turns."""
    return 0


class CountedTurns:
    """Turns of a running listener, in memory; a rule keeps its place after a reload. For any thread."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, rule: str) -> int:
        with self._lock:
            self._taken[rule] += 1
            return self._taken[rule] - 1
