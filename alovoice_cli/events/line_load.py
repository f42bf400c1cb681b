"""Lines in use: the most calls at once, traffic in erlangs, the busy hour, and lines for a loss by Erlang B."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import count, repeat
from operator import sub

from alovoice_cli.events.kpi import LineFigures, rounded
from alovoice_cli.moments import from_unix

_HOUR = 3600
_QUARTER = 900  # every zone is whole quarters of an hour from UTC


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From `since` to before `until`, unix seconds, and the zone of its clock hours."""

    since: int
    until: int
    zone: tzinfo

    def moment(self, seconds: int) -> datetime:
        """Returns unix seconds as a moment in the zone; a moment beyond the calendar is the window's beginning."""
        return from_unix(seconds, self.zone) or datetime.fromtimestamp(self.since, self.zone)


def line_figures(begins: list[int], ends: list[int], window: TimeWindow, loss_pct: int) -> LineFigures:
    """Returns the figures of calls that hold a line from `begins[i]` to before `ends[i]` (unix seconds; sorts both).

    A call that ends in its first second takes one second.
    """
    ends = [end if end > begin else begin + 1 for begin, end in zip(begins, ends, strict=True)]
    begins.sort()
    ends.sort()
    peak, peak_at = _peak(begins, ends)
    bounds = sorted({window.since, window.until, *_quarters(window)})
    held = dict(zip(bounds, _line_seconds(begins, ends, bounds), strict=True))
    busy_hour, busy_seconds = _busiest(_clock_hours(window), held, window)
    sliding, sliding_seconds = _busiest(_sliding_hours(window), held, window)
    return LineFigures(
        peak,
        None if peak_at is None else window.moment(peak_at),
        None if busy_hour is None else window.moment(busy_hour),
        rounded(busy_seconds or 0, _HOUR, 2) or 0.0,
        lines_needed((busy_seconds or 0) / _HOUR, loss_pct),
        None if sliding is None else window.moment(sliding),
        rounded(sliding_seconds, _HOUR, 2) if sliding_seconds is not None else None,
        lines_needed(sliding_seconds / _HOUR, loss_pct) if sliding_seconds is not None else None,
        rounded(held[window.until] - held[window.since], window.until - window.since, 2) or 0.0,
    )


def lines_needed(erlangs: float, loss_pct: int) -> int:
    """Returns the fewest lines that lose at most this share of calls (Erlang B); 0 without traffic."""
    if erlangs <= 0:
        return 0
    lines, blocked = 0, 1.0
    while blocked > loss_pct / 100:
        lines += 1
        blocked = erlangs * blocked / (lines + erlangs * blocked)
    return lines


def _peak(begins: Sequence[int], ends: Sequence[int]) -> tuple[int, int | None]:
    """Returns the most calls at once, and the first second with so many; both sequences are sorted.

    In a second, ends go before beginnings.
    """
    if not begins:
        return 0, None
    # So many calls have begun, less those that have ended: a maximum is reached where a call begins.
    held = list(map(sub, count(1), map(bisect_right, repeat(ends), begins)))
    most = max(held)
    return most, begins[held.index(most)]


def _line_seconds(begins: Sequence[int], ends: Sequence[int], bounds: Sequence[int]) -> list[int]:
    """Returns the seconds that lines were held before each of the bounds."""
    return [begun - ended for begun, ended in zip(_since(begins, bounds), _since(ends, bounds), strict=True)]


def _since(moments: Sequence[int], bounds: Sequence[int]) -> list[int]:
    """Returns for each bound the sum of the seconds from every earlier moment to it."""
    sums, place, total = [], 0, 0
    for bound in bounds:
        following = bisect_left(moments, bound, place)
        total += sum(moments[place:following])
        place = following
        sums.append(place * bound - total)
    return sums


def _quarters(window: TimeWindow) -> range:
    """Returns the quarters of an hour that begin within the window."""
    return range(-(-window.since // _QUARTER) * _QUARTER, window.until, _QUARTER)


def _clock_hours(window: TimeWindow) -> list[int]:
    """Returns the beginning of each hour of the zone's clock that has a part in the window."""
    local = window.moment(window.since)
    first = window.since - local.minute * 60 - local.second
    return [first, *(at for at in _quarters(window) if at > window.since and window.moment(at).minute == 0)]


def _sliding_hours(window: TimeWindow) -> list[int]:
    """Returns the beginning of each 60 minutes from a quarter of an hour that are wholly within the window."""
    return [at for at in _quarters(window) if at + _HOUR <= window.until]


def _busiest(hours: Sequence[int], held: Mapping[int, int], window: TimeWindow) -> tuple[int | None, int | None]:
    """Returns the beginning of the hour with the most line seconds (the first of equals), and these seconds.

    The beginning is None where there is no traffic; both are None without hours.
    """
    at, most = None, 0 if hours else None
    for begin in hours:
        seconds = held[min(begin + _HOUR, window.until)] - held[max(begin, window.since)]
        if most is None or seconds > most:
            at, most = begin, seconds
    return at, most
