"""Spans of time as operators write them: `7d`, a date, `2026-12-30..2027-01-08`, every `12-31`."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_SPAN = re.compile(r"([0-9]{1,5})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3660)
_DAY = re.compile(r"([0-9]{4})[-.]([0-9]{2})[-.]([0-9]{2})")
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")

SPAN_FORMS = "write 45s, 30m, 1h, 7d or 2w"
DAY_FORMS = "write 2026-12-31, each year's 12-31, or 2026-12-30..2027-01-08"


def parse_span(text: str) -> timedelta | None:
    """A length of time such as `7d`, up to ten years; None where the text is none."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    length = timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
    return length if timedelta(0) < length <= _LONGEST else None


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the calendar: ranges of dates, and ranges of (month, day) that come back each year, ends included."""

    ranges: tuple[tuple[date, date], ...] = ()
    yearly: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()

    def __contains__(self, day: date) -> bool:
        if any(first <= day <= last for first, last in self.ranges):
            return True
        at = (day.month, day.day)
        # A range such as 12-30..01-08 runs over the turn of the year.
        return any(first <= at <= last if first <= last else (at >= first or at <= last) for first, last in self.yearly)

    def __or__(self, other: "Days") -> "Days":
        return Days(self.ranges + other.ranges, self.yearly + other.yearly)


def parse_days(text: str) -> Days | None:
    """A day or a range of days, None where the text is neither or the calendar lacks it."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        if _DAY.fullmatch(first):
            start, end = _day(first), _day(last) if dots else _day(first)
            return Days(ranges=((start, end),)) if start <= end else None
        start_of, end_of = _yearly(first), _yearly(last) if dots else _yearly(first)
    except ValueError:
        return None
    return Days(yearly=((start_of, end_of),))


def _day(text: str) -> date:
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return date(*map(int, match.groups()))


def _yearly(text: str) -> tuple[int, int]:
    match = _YEARLY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    month, day = map(int, match.groups())
    date(2024, month, day)  # a leap year: 02-29 is a day of some years
    return month, day
