"""The calls of a simulated day that nobody asked for through the API: who calls when, and whom.

Everything is drawn by the seed and the hour, so that the same day has the same calls, to the second and in order. No
two calls of one series begin in the same second: a call has no id of its own when it begins, and two that say the same
could not be told apart.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.errors import UsageError

ZONE = timezone(timedelta(hours=5))
"""Tashkent, where the simulated customer works; it has no summer time."""
DAY_RATE = 40.0
"""Inbound calls in a full hour of a day, where `--inbound` does not say."""
MOST_AN_HOUR = 1000.0

_RATE = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)/h", re.ASCII)
_NIGHT = (0.03, 0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15)
_WORK = (0.45, 0.9, 1.15, 1.2, 0.95, 0.75, 0.95, 1.1, 1.1, 0.85)
_EVENING = (0.5, 0.35, 0.25, 0.15, 0.1, 0.05)
_BUSYNESS = (*_NIGHT, *_WORK, *_EVENING)
_DAY_SHARES = {"inbound": 1.0, "outbound": 0.22, "internal": 0.12, "conference": 0.08}
_ONLY_INBOUND = {"inbound": 1.0}
_REGULARS, _REGULAR_IN_100 = 150, 55
_OPERATORS = ("90", "91", "93", "94", "95", "97", "98", "99", "33", "88", "77", "71")
_QUEUED_IN_100 = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that begins at `at` (virtual unix seconds). `mark` names it in every further lot; `again` counts repeats.

    `number` is the outside party's, in nine digits; `queue` the department whose route is asked, if it is one's.
    """

    at: int
    kind: str
    mark: str
    number: str
    line: str
    queue: str = ""
    again: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """What arrivals are drawn from."""

    seed: int
    rate: float
    lines: Sequence[str]
    queues: Sequence[str]

    def of_day(self, day: date) -> Iterator[Arrival]:
        """A day from midnight to midnight: quiet nights, full mornings; calls in, out, inside, and requested ones."""
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())
        for hour, busyness in enumerate(_BUSYNESS):
            yield from self._hour(midnight + 3600 * hour, self.rate * busyness, _DAY_SHARES)

    def from_now(self, moment: float) -> Iterator[Arrival]:
        """Inbound calls at an even rate from this moment on, without end."""
        start = int(moment) + 1
        while True:
            yield from self._hour(start, self.rate, _ONLY_INBOUND)
            start += 3600

    def _hour(self, start: int, rate: float, shares: Mapping[str, float]) -> Iterator[Arrival]:
        places: dict[int, tuple[str, str]] = {}
        for kind, share in shares.items():
            whole, part = divmod(rate * share, 1)
            count = int(whole) + (lot(self.seed, "count", start, kind) % 1000 < part * 1000)
            for number in range(count):
                mark = f"{kind} {start} {number}"
                second = lot(self.seed, "second", mark) % 3600
                while second in places:
                    second = (second + 1) % 3600
                places[second] = (kind, mark)
        for second, (kind, mark) in sorted(places.items()):
            yield self._arrival(start + second, kind, mark)

    def _arrival(self, at: int, kind: str, mark: str) -> Arrival:
        drawn = lot(self.seed, "arrival", mark)
        queue = self.queues[drawn % len(self.queues)] if (drawn >> 16) % 100 < _QUEUED_IN_100 else ""
        line = self.lines[(drawn >> 32) % len(self.lines)]
        return Arrival(at, kind, mark, self._caller(mark), line, queue if kind == "inbound" else "")

    def _caller(self, mark: str) -> str:
        """More than half of those who call are known by their numbers; the others call once."""
        drawn = lot(self.seed, "caller", mark)
        is_regular = drawn % 100 < _REGULAR_IN_100
        person = lot(self.seed, "regular", (drawn >> 8) % _REGULARS) if is_regular else drawn >> 8
        return f"{_OPERATORS[person % len(_OPERATORS)]}{(person >> 8) % 10_000_000:07}"


def parse_rate(text: str) -> float:
    """The inbound calls an hour of `--inbound 40/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not 0 < float(match[1]) <= MOST_AN_HOUR:
        raise UsageError(
            f"--inbound {text!r} is no rate over 0/h and up to {MOST_AN_HOUR:.0f}/h", hint="write it as 40/h"
        )
    return float(match[1])


def parse_day(text: str, today: date) -> date:
    """The day of `--day 2026-03-02` or `--day today`. Raises UsageError."""
    if text.strip().lower() == "today":
        return today
    try:
        return date.fromisoformat(text.strip().replace(".", "-"))
    except ValueError as error:
        raise UsageError(f"--day {text!r} is no day", hint="write it as 2026-03-02, or today") from error
