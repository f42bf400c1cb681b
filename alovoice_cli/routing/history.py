"""What rules ask about the past, as small protocols: the event store answers them, here stands who knows nothing."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class History(Protocol):
    """The calls of a number before this one. Numbers are canonical: digits only, 998 before nine of them.

    Every `since` is an aware moment. Answers may be slow and may raise: who serves a live caller sets the deadline.
    """

    def last_peer(self, number: str, since: datetime) -> str | None:
        """The extension of the number's last answered call since then, None where there was none."""
        ...

    def calls(self, number: str, since: datetime) -> int:
        """How often the number has called since then, this call not counted."""
        ...

    def missed(self, number: str, since: datetime) -> int:
        """How many of its calls were missed since then."""
        ...


HistoryAt = Callable[[datetime], History]
"""The past as it was known at an aware moment."""


class NoHistory:
    """Knows of no call: conditions about the past do not match."""

    def last_peer(self, number: str, since: datetime) -> str | None:
        """None."""
        return None

    def calls(self, number: str, since: datetime) -> int:
        """None."""
        return 0

    def missed(self, number: str, since: datetime) -> int:
        """None."""
        return 0


class GivenHistory:
    """A past that a test makes up: the same for every number and every span."""

    def __init__(self, last_peer: str | None = None, calls: int = 0, missed: int = 0) -> None:
        self._last_peer, self._calls, self._missed = last_peer, calls, missed

    def last_peer(self, number: str, since: datetime) -> str | None:
        """The extension that was given."""
        return self._last_peer

    def calls(self, number: str, since: datetime) -> int:
        """The count that was given."""
        return self._calls

    def missed(self, number: str, since: datetime) -> int:
        """The count that was given."""
        return self._missed


class Turns(Protocol):
    """Whose turn it is in a `round_robin`."""

    def next(self, rule: str) -> int:
        """A number that grows by one with each call that the rule takes."""
        ...


class FirstTurn:
    """It is always the first one's turn: for tests and comparisons, which take no turn from anybody."""

    def next(self, rule: str) -> int:
        """0."""
        return 0


class CountedTurns:
    """Turns of a running listener, in memory; a rule keeps its place when the file is read anew. For any thread."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def next(self, rule: str) -> int:
        """0, 1, 2, … for each rule."""
        with self._lock:
            turn = self._taken.get(rule, 0)
            self._taken[rule] = turn + 1
        return turn
