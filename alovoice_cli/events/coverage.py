"""The times with a listener: events of a gap are in no store."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from alovoice_cli.events.filters import Period
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import ClockTime, from_unix, span_text, unix_microseconds

UPTIME = "uptime"
"""The type of an exported line that says of which time all events were exported."""

_MICRO = 1_000_000
_SIGN_OF_LIFE = 30 * _MICRO
"""A listener gives a sign of life every ten seconds: after three missing signs it counts as gone."""
_MOST_GAPS_TOLD = 3


class Uptime(NamedTuple):
    """One listener's time, in unix microseconds: its first and last sign of life, and its orderly end.

    `imported`: the operator, or another store, says so of imported events.
    """

    began_at: int
    seen_at: int
    ended_at: int | None = None
    imported: bool = False

    def until(self, now: int) -> int:
        """Returns the last moment at which it certainly ran."""
        if self.ended_at is not None:
            return self.ended_at
        return now if now - self.seen_at <= _SIGN_OF_LIFE else self.seen_at


class ListenerGap(NamedTuple):
    """A time without a listener, in unix microseconds; `is_open`: it continues now."""

    begin: int
    end: int
    is_open: bool = False


class ImportedEvents(NamedTuple):
    """How many events of a period were imported, and when the first and the last were received (unix microseconds)."""

    total: int = 0
    first: int | None = None
    last: int | None = None


NOT_IMPORTED = ImportedEvents()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of a period: from when there are events (None: never), until when, and the gaps within."""

    begin: int | None
    end: int
    gaps: tuple[ListenerGap, ...] = ()

    def holds(self, begin: int, end: int) -> bool:
        """Returns whether all of this time is covered."""
        is_within = self.begin is not None and self.begin <= begin and end <= self.end
        return is_within and all(gap.end <= begin or end <= gap.begin for gap in self.gaps)


def cover(uptimes: Iterable[Uptime], period: Period, now: int) -> Coverage:
    """Returns the coverage of the period. Several listeners at once count as one."""
    end = min(now, period.until if period.until is not None else now)
    stretches = list(_joined(uptimes, now))
    if not stretches or stretches[0][0] >= end:
        return Coverage(None, end)
    begin = max(stretches[0][0], period.since if period.since is not None else stretches[0][0])
    gaps = []
    for (_, left), (back, _) in zip(stretches, [*stretches[1:], (now, now)], strict=True):
        gap = ListenerGap(max(left, begin), min(back, end), is_open=back == now == end)
        if gap.begin < gap.end:
            gaps.append(gap)
    return Coverage(begin, end, tuple(gaps))


def covered_stretches(uptimes: Iterable[Uptime], period: Period, now: int) -> list[tuple[int, int]]:
    """Returns the beginnings and ends of the covered times within the period, in unix microseconds."""
    since, until = period.since or 0, now if period.until is None else period.until
    within = [(max(begin, since), min(end, until)) for begin, end in _joined(uptimes, now)]
    return [(begin, end) for begin, end in within if begin <= end]


def _joined(uptimes: Iterable[Uptime], now: int) -> Iterator[tuple[int, int]]:
    """Joins touching or overlapping uptimes."""
    begin = end = None
    for left, right in sorted((uptime.began_at, uptime.until(now)) for uptime in uptimes):
        if begin is None or end is None:
            begin, end = left, right
        elif left <= end:
            end = max(end, right)
        else:
            yield begin, end
            begin, end = left, right
    if begin is not None and end is not None:
        yield begin, end


def describe(coverage: Coverage, clock: ClockTime, imported: ImportedEvents = NOT_IMPORTED) -> str:
    """Returns one line: `events from 14:02, gap 15:10–15:12`; and how many of the period's events are imported."""
    if imported.first is None or imported.last is None:
        return _listened_text(coverage, clock)
    some = ngettext("{n} event imported", "{n} events imported", imported.total)
    if coverage.holds(imported.first, imported.last):
        return joined("; ", [_listened_text(coverage, clock), some])
    told = ngettext(
        "{n} event imported from {first} to {last}, perhaps not all of that time",
        "{n} events imported from {first} to {last}, perhaps not all of that time",
        imported.total,
        first=_text(imported.first, clock),
        last=_text(imported.last, clock),
    )
    return told if coverage.begin is None else joined("; ", [_listened_text(coverage, clock), told])


def _listened_text(coverage: Coverage, clock: ClockTime) -> str:
    if coverage.begin is None:
        return tr("the listener was not running then: no events are known")
    if coverage.begin > coverage.end:
        return tr("no events yet: the period begins at {moment}", moment=_text(coverage.begin, clock))
    begin = _text(coverage.begin, clock)
    if coverage.end < unix_microseconds(clock.now):
        parts = [tr("events from {begin} to {end}", begin=begin, end=_text(coverage.end, clock))]
    else:
        parts = [tr("events from {begin}", begin=begin)]
    parts += [_gap_text(gap, clock) for gap in coverage.gaps[-_MOST_GAPS_TOLD:]]
    if (more := len(coverage.gaps) - _MOST_GAPS_TOLD) > 0:
        lost = sum(gap.end - gap.begin for gap in coverage.gaps) // _MICRO
        parts.append(
            ngettext(
                "{n} more gap ({span} in all; see `alovoice events gaps`)",
                "{n} more gaps ({span} in all; see `alovoice events gaps`)",
                more,
                span=span_text(lost),
            )
        )
    return joined(", ", parts)


def _gap_text(gap: ListenerGap, clock: ClockTime) -> str:
    if gap.is_open:
        return tr("no listener since {moment}", moment=_text(gap.begin, clock))
    begin, end = _text(gap.begin, clock), _text(gap.end, clock)
    if begin == end:
        return tr("gap at {begin} ({span})", begin=begin, span=span_text(max((gap.end - gap.begin) // _MICRO, 1)))
    same_day = _local(gap.begin, clock).date() == _local(gap.end, clock).date()
    return tr("gap {begin}–{end}", begin=begin, end=end.rpartition(" ")[2] if same_day else end)


def _text(moment: int, clock: ClockTime) -> str:
    local = _local(moment, clock)
    return f"{local:%H:%M}" if local.date() == clock.today else f"{local:%Y-%m-%d %H:%M}"


def _local(moment: int, clock: ClockTime) -> datetime:
    return from_unix(moment // _MICRO, clock.zone) or clock.now
