"""The days of a report: which days the operator means, and the part of them that has passed."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from alovoice_cli.errors import UsageError
from alovoice_cli.events.filters import Period
from alovoice_cli.language import mark, tr
from alovoice_cli.localization import days_text
from alovoice_cli.moments import ClockTime, parse_moment, unix_microseconds

_DAYS = mark("give today, yesterday or a date that has begun, such as 2026-11-23")


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Whole days of the profile's zone, from `begin` to before `end`, as they are known by the clock."""

    begin: datetime
    end: datetime
    clock: ClockTime

    @property
    def now(self) -> datetime:
        """Returns the moment, in the zone."""
        return self.clock.now.astimezone(self.clock.zone)

    @property
    def is_running(self) -> bool:
        """Returns whether the last day is not over."""
        return self.now < self.end

    @property
    def period(self) -> Period:
        """Returns the part that has passed."""
        return Period(unix_microseconds(self.begin), unix_microseconds(min(self.end, self.now)))

    @property
    def days(self) -> "list[DaySpan]":
        """Returns each day."""
        found, begin = [], self.begin
        while begin < self.end:
            following = _midnight(begin, 1)
            found.append(DaySpan(begin, following, self.clock))
            begin = following
        return found

    @property
    def title(self) -> str:
        """Returns the days and the part that is known, such as `Mon 23 Nov 2026, so far (until 13:05)`."""
        last = _midnight(self.end, -1)
        days = days_text(self.begin, last, year=True)
        return tr("{days}, so far (until {time})", days=days, time=f"{self.now:%H:%M}") if self.is_running else days


def read_days(word: str, clock: ClockTime, *, days: int = 1) -> DaySpan:
    """Returns the days that end with the named one: `today`, `yesterday` or a date.

    Raises UsageError for other text, and for a day that has not begun.
    """
    try:
        moment = parse_moment(word, clock, "the day")
    except UsageError as error:
        raise UsageError(tr("the day {word!r} is not a valid day", word=word), hint=tr(_DAYS)) from error
    if not moment.is_day:
        raise UsageError(tr("the day {word!r} is not a valid day", word=word), hint=tr(_DAYS))
    if moment.at > clock.now:
        raise UsageError(tr("the day {day} has not begun", day=f"{moment.at:%Y-%m-%d}"), hint=tr(_DAYS))
    return DaySpan(_midnight(moment.at, 1 - days), _midnight(moment.at, 1), clock)


def _midnight(day: datetime, days: int) -> datetime:
    return datetime.combine(day.date() + timedelta(days=days), time(), day.tzinfo)
