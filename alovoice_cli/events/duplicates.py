"""Repeated deliveries: the PBX gives none an id, so two that say the same within ten minutes are taken for one.

Time here is monotonic: a clock that is set must neither join two calls nor part one.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from alovoice_cli.events.event import PBX_TYPES

WINDOW_SECONDS = 600
MOST_KNOWN = 200_000  # some 80 MB; 300 events a second fill it within the window
REPEATABLE = tuple(kind for kind in PBX_TYPES if kind != "route")
"""A route question holds no time: a caller who calls again within the window asks the same words anew."""

First = TypeVar("First")


class Recent(Generic[First]):
    """What was kept of the first delivery of each digest, for as long as the window. One thread at a time.

    Under a flood the oldest are forgotten earlier: memory has its bounds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._first: OrderedDict[str, tuple[float, First]] = OrderedDict()

    def first(self, digest: str, own: First, *, age: float = 0.0) -> First | None:
        """What was kept of the first delivery with this digest; None where this is it, and `own` is kept of it.

        `age` is how many seconds ago the delivery came, for those read back from the store at a start.
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
        """Takes back what was kept of a first delivery: it was lost."""
        known = self._first.get(digest)
        if known is not None and known[1] is own:
            del self._first[digest]
