"""Repeated deliveries: the PBX gives them no id, so two equal ones within ten minutes count as one.

Time here is monotonic: a change of the clock must neither join two calls nor separate one.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from alovoice_cli.events.event import PBX_TYPES

WINDOW_SECONDS = 600
MOST_KNOWN = 200_000  # some 80 MB; 300 events a second fill it within the window
REPEATABLE = tuple(kind for kind in PBX_TYPES if kind != "route")
"""A route question contains no time: a second call within the window has the same content."""

First = TypeVar("First")


class Recent(Generic[First]):
    """The values kept for the first delivery of each digest, during the window. One thread at a time.

    Under a flood the oldest are forgotten earlier: the memory is bounded.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._first: OrderedDict[str, tuple[float, First]] = OrderedDict()

    def first(self, digest: str, own: First, *, age: float = 0.0) -> First | None:
        """Returns the value of the first delivery with this digest; None for a new one, whose value `own` is kept.

        `age` is how many seconds ago the delivery came, for deliveries read back from the store at a start.
        """
        now = self._monotonic()
        while self._first:
            oldest, (at, _) = next(iter(self._first.items()))
            if now - at <= WINDOW_SECONDS and len(self._first) < MOST_KNOWN:
                break
            del self._first[oldest]
        known = self._first.get(digest)
        if known is not None and now - known[0] <= WINDOW_SECONDS:
            return known[1]
        self._first[digest] = (now - age, own)
        return None

    def forget(self, digest: str, own: First) -> None:
        """Removes the value of a first delivery that was lost."""
        known = self._first.get(digest)
        if known is not None and known[1] is own:
            del self._first[digest]
