"""Reads spans, days and opening hours: `7d`, `2026-12-30..2027-01-08`, `Mon-Fri 09:00-18:00`.

Hours are the local time of the file's zone, also over midnight and clock changes. A window belongs to the day on which
it opens: `Fri 22:00-06:00` is open on Saturday at 03:00, and closed all night if Friday is a holiday. The closing
minute is outside.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from alovoice_cli.holiday_calendar import country_holidays, known_countries, parts_of
from alovoice_cli.language import mark, tr

_SPAN = re.compile(r"([0-9]{1,5})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3660)
_DAY = re.compile(r"([0-9]{4})[-.]([0-9]{2})[-.]([0-9]{2})")
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")

SPAN_FORMS = mark("write 45s, 30m, 1h, 7d or 2w")
DAY_FORMS = mark("write 2026-12-31, or 12-31 for each year, or 2026-12-30..2027-01-08")
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOUR_FORMS = mark('write "Mon-Fri 09:00-18:00", "Sat,Sun 10:00-15:00" or "daily 00:00-24:00"')
DAY, WEEK = 1440, 10_080
STATES = 4
"""The states of a week in `OpeningHours.bits`: no holiday, today a holiday, yesterday a holiday, both."""
ALWAYS = (1 << STATES * WEEK) - 1
_WINDOW = re.compile(r"([A-Za-z]+(?:\s*[-,]\s*[A-Za-z]+)*)\s+(\S.*)")
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})")
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTRY_YEARS = range(2024, 2037)  # looked up as the file is read (UZ: 26 ms); another year when it is first asked for
Range = tuple[int, int]
"""Minutes from the midnight of the day on which it opens; the end may lie on the next day."""


def parse_span(text: str) -> timedelta | None:
    """Parses a length of time such as `7d`, up to ten years; None for other text."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    length = timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
    return length if timedelta(0) < length <= _LONGEST else None


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """Days of the calendar: ranges of dates, and yearly ranges of (month, day), ends included."""

    ranges: tuple[tuple[date, date], ...] = ()
    yearly: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()

    def __contains__(self, day: date) -> bool:
        if any(first <= day <= last for first, last in self.ranges):
            return True
        at = (day.month, day.day)
        # A range such as 12-30..01-08 continues in the next year.
        return any(first <= at <= last if first <= last else (at >= first or at <= last) for first, last in self.yearly)

    def __or__(self, other: "CalendarDays") -> "CalendarDays":
        return CalendarDays(self.ranges + other.ranges, self.yearly + other.yearly)


def parse_days(text: str) -> CalendarDays | None:
    """Parses a day or a range of days; None for other text, or days that do not exist."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        if _DAY.fullmatch(first):
            start, end = _day(first), _day(last) if dots else _day(first)
            return CalendarDays(ranges=((start, end),)) if start <= end else None
        start_of, end_of = _yearly(first), _yearly(last) if dots else _yearly(first)
    except ValueError:
        return None
    return CalendarDays(yearly=((start_of, end_of),))


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


class Holidays:
    """Days on which everything is closed: given days, and those of a country."""

    def __init__(self, days: CalendarDays = CalendarDays(), countries: Iterable[str] = ()) -> None:
        self._given = days
        self._countries = tuple(countries)
        self._years: dict[int, frozenset[date]] = {}
        for year in _COUNTRY_YEARS if self._countries else ():
            self._year(year)

    def __contains__(self, day: date) -> bool:
        return day in self._given or (bool(self._countries) and day in self._year(day.year))

    def __bool__(self) -> bool:
        return bool(self._countries or self._given.ranges or self._given.yearly)

    def _year(self, year: int) -> frozenset[date]:
        found = self._years.get(year)
        if found is None:
            found = self._years[year] = frozenset(
                day for country in self._countries for day in _country_days(country, year)
            )
        return found


def _country_days(country: str, year: int) -> Iterable[date]:
    code, _, part = country.partition("-")
    return country_holidays(code, [year], part=part or None)


def country_problem(country: str) -> str | None:
    """Returns None for a known country (`UZ`) or part (`DE-BE`), else a suggestion, which may be empty."""
    code, dash, part = country.partition("-")
    if code not in known_countries():
        return ""
    parts = parts_of(code) if dash else ()
    return None if not dash or part in parts else tr("parts of {code}: {names}", code=code, names=", ".join(parts))


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Named hours: the opening ranges for each day of the week."""

    name: str
    by_day: tuple[tuple[Range, ...], ...]
    holidays: Holidays
    bits: int = field(default=0, compare=False, repr=False)
    """Every minute of a week in each of the four STATES, for the checks that reason about whole weeks."""

    def open_at(self, local: datetime) -> bool:
        """Returns whether it is open at this local time."""
        minute, weekday = local.hour * 60 + local.minute, local.weekday()
        for opens, shuts in self.by_day[weekday]:
            if opens <= minute < shuts and not (self.holidays and local.date() in self.holidays):
                return True
        minute += DAY
        for opens, shuts in self.by_day[weekday - 1]:
            if opens <= minute < shuts:
                return not (self.holidays and _day_before(local) in self.holidays)
        return False


class HolidayHours(NamedTuple):
    """The hours named `holidays`: whole days, from midnight to midnight."""

    holidays: Holidays
    name: str = "holidays"

    def open_at(self, local: datetime) -> bool:
        """Returns whether the day is a holiday."""
        return local.date() in self.holidays

    @property
    def bits(self) -> int:
        """As in OpeningHours."""
        week = (1 << WEEK) - 1
        return week << WEEK | week << 3 * WEEK


AnyHours = OpeningHours | HolidayHours


def _day_before(local: datetime) -> date:
    return date.fromordinal(max(local.toordinal() - 1, 1))


def make_hours(name: str, windows: Iterable[tuple[int, Range]], holidays: Holidays) -> OpeningHours:
    """Returns hours from pairs of a day of the week and a range."""
    pairs = tuple(windows)
    by_day = tuple(tuple(span for day, span in pairs if day == weekday) for weekday in range(7))
    return OpeningHours(name, by_day, holidays, _bits(pairs))


def _bits(windows: Iterable[tuple[int, Range]]) -> int:
    today, yesterday = 0, 0  # minutes that a holiday on the same day, or on the day before, takes away
    for weekday, (opens, shuts) in windows:
        start = weekday * DAY
        today |= _span(start + opens, start + min(shuts, DAY))
        if shuts > DAY:
            next_day = (start + DAY) % WEEK
            yesterday |= _span(next_day + max(opens - DAY, 0), next_day + shuts - DAY)
    both = today | yesterday
    return both | yesterday << WEEK | today << 2 * WEEK  # the fourth state: nothing is open


def _span(start: int, end: int) -> int:
    return ((1 << (end - start)) - 1) << start if end > start else 0


def parse_windows(text: str) -> list[tuple[int, Range]] | None:
    """Parses the windows of one line: `Mon-Fri 09:00-13:00, 14:00-18:00`. None for other text.

    A range that ends before it begins continues after midnight; one that ends at its beginning is refused.
    """
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        return None
    days = _parse_weekdays(match.group(1))
    ranges = [_parse_range(part.strip()) for part in match.group(2).split(",")]
    if days is None or None in ranges:
        return None
    return [(day, span) for day in days for span in ranges if span]


def _parse_range(text: str) -> Range | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
    opens, shuts = first_hour * 60 + first_minute, last_hour * 60 + last_minute
    if first_minute > 59 or last_minute > 59 or opens >= DAY or shuts > DAY or opens == shuts:
        return None
    return opens, shuts if shuts > opens else shuts + DAY


def _parse_weekdays(text: str) -> list[int] | None:
    if text.lower() in ("daily", "everyday"):
        return list(range(7))
    days: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        start, end = _weekday(first), _weekday(last) if dash else _weekday(first)
        if start is None or end is None:
            return None
        days += [(start + ahead) % 7 for ahead in range((end - start) % 7 + 1)]
    return sorted(set(days))


def _weekday(word: str) -> int | None:
    lower = word.lower()
    for index, full in enumerate(_FULL_NAMES):
        if lower in (full, full[:3]) or (len(lower) > 3 and full.startswith(lower)):
            return index
    return None


def describe(bits: int) -> str:
    """Describes the minutes of a week's first state as `Mon-Fri 18:00-24:00, Sun 00:00-24:00`."""
    by_day = [_ranges_of(bits >> weekday * DAY & (1 << DAY) - 1) for weekday in range(7)]
    groups: list[tuple[int, int]] = []
    for weekday in range(7):
        if groups and by_day[groups[-1][0]] == by_day[weekday]:
            groups[-1] = (groups[-1][0], weekday)
        else:
            groups.append((weekday, weekday))
    return ", ".join(
        f"{DAY_NAMES[first]}{'' if first == last else '-' + DAY_NAMES[last]} {by_day[first]}"
        for first, last in groups
        if by_day[first]
    )


def _ranges_of(day: int) -> str:
    ranges = []
    start = None
    for minute in range(DAY + 1):
        inside = bool(day >> minute & 1)
        if inside and start is None:
            start = minute
        elif not inside and start is not None:
            ranges.append(f"{start // 60:02}:{start % 60:02}-{minute // 60:02}:{minute % 60:02}")
            start = None
    return " ".join(ranges)
