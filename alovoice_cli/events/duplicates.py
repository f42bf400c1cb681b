"""Repeated deliveries: the PBX gives none an id, so two that say the same within ten minutes are taken for one.

Time here is monotonic: a clock that is set must neither join two calls nor part one.
"""

from collections import OrderedDict
from collections.abc import Callable

WINDOW_SECONDS = 600
NEVER_REPEATED = ("route", "probe")
"""A route question holds no time: a caller who calls again within the window asks the same words anew."""


class Recent:
    """The first delivery of each digest within the window. Used by one thread at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._first: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def first(self, digest: str, own_id: str, *, age: float = 0.0) -> str | None:
        """The id of the first delivery with this digest, or None where this is it; remembers it then.

        `age` is how many seconds ago the delivery came, for those read back from the store at a start.
        """
        now = self._monotonic()
        while self._first:
            digest_of_oldest, (at, _) = next(iter(self._first.items()))
            if now - at <= WINDOW_SECONDS:
                break
            del self._first[digest_of_oldest]
        known = self._first.get(digest)
        if known is not None:
            return None if known[1] == own_id else known[1]
        self._first[digest] = (now - age, own_id)
        return None
