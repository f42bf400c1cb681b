"""Counts calls by hour, day, line, extension or status; missed calls stay separated by their reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, NamedTuple

from alovoice_cli.events.event import ANSWERED_STATUS, MISSED_STATUSES
from alovoice_cli.moments import from_unix

By = Literal["hour", "day", "weekday", "line", "peer", "number", "status", "rule"]

NONE = "none"
"""The group of calls without the grouping value: no line, no extension, or no status because no end."""

QUARTER_SECONDS = 900
"""Every time zone is whole quarters of an hour from UTC, so counts by quarter can be added up to local hours."""

CLOCKS: Mapping[str, str] = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "weekday": "%A"}
"""The form of the groups by time."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NO_RULE = "no rule"
"""The group of route questions without a deciding rule: fallback, or an override."""


class CallCount(NamedTuple):
    """The store's count of calls with these common values. `group` is a quarter's number, or a text."""

    group: int | str | None
    direction: str | None
    status: str | None
    calls: int
    talk_seconds: int


@dataclass(slots=True)
class StatusTally:
    """One group's calls. `missed` are inbound, by status; `other` ended without a talk; `open` have no end."""

    group: str
    calls: int = 0
    answered: int = 0
    missed: dict[str, int] = field(default_factory=dict)
    other: int = 0
    open: int = 0
    talk_seconds: int = 0

    @property
    def all_missed(self) -> int:
        """Returns how many inbound calls nobody answered, for any reason."""
        return sum(self.missed.values())

    def add(self, count: CallCount) -> None:
        """Adds some calls."""
        self.calls += count.calls
        if count.status is None:
            self.open += count.calls
        elif count.status == ANSWERED_STATUS:
            self.answered += count.calls
            self.talk_seconds += count.talk_seconds
        elif count.direction == "inc" and count.status in MISSED_STATUSES:
            self.missed[count.status] = self.missed.get(count.status, 0) + count.calls
        else:
            self.other += count.calls

    def as_json(self) -> dict[str, object]:
        """Returns the counts as plain values."""
        return {
            "group": self.group,
            "calls": self.calls,
            "answered": self.answered,
            "missed": self.all_missed,
            "missed_by_reason": {status: self.missed[status] for status in MISSED_STATUSES if status in self.missed},
            "other": self.other,
            "open": self.open,
            "talk_seconds": self.talk_seconds,
        }


def tally(counts: Iterable[CallCount], by: By, zone: tzinfo) -> list[StatusTally]:
    """Returns the groups: hours and days by time, in the zone; the others with the most calls first."""
    tallies: dict[str, StatusTally] = {}
    for count in counts:
        group = _group_name(count.group, by, zone)
        tallies.setdefault(group, StatusTally(group)).add(count)
    if by in CLOCKS:
        return sorted(tallies.values(), key=lambda tally: by_time(tally.group))
    return sorted(tallies.values(), key=lambda tally: (-tally.calls, tally.group))


def by_time(group: str) -> tuple[int, str]:
    """Returns the place of a group by time: weekdays from Monday on, hours and days as they are written."""
    return (_WEEKDAYS.index(group) if group in _WEEKDAYS else 0, group)


def total(tallies: Iterable[StatusTally]) -> StatusTally:
    """Returns the sum of all groups."""
    whole = StatusTally("total")
    for tally in tallies:
        whole.calls += tally.calls
        whole.answered += tally.answered
        whole.other += tally.other
        whole.open += tally.open
        whole.talk_seconds += tally.talk_seconds
        for status, count in tally.missed.items():
            whole.missed[status] = whole.missed.get(status, 0) + count
    return whole


def _group_name(group: int | str | None, by: By, zone: tzinfo) -> str:
    if by in CLOCKS:
        local = from_unix(int(group or 0) * QUARTER_SECONDS, zone)
        return f"{local:{CLOCKS[by]}}" if local else "unknown"
    if group is None:
        return NO_RULE if by == "rule" else NONE
    return str(group)
