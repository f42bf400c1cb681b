"""When a campaign may ring: its days, its daily window and its time zone, in the operator's words and in the API's.

And when nobody should be called: quiet hours, Sundays, the public holidays of Uzbekistan.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, Severity, count
from alovoice_cli.holiday_calendar import country_holidays, library_version
from alovoice_cli.localization import day_text, days_text
from alovoice_cli.moments import DailyHours

_DAY = re.compile(r"([0-9]{4})([.-])([0-9]{2})\2([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})")
_DAYS_AHEAD = re.compile(r"\+([0-9]{1,4})d")
_MINUTE = re.compile(r"([0-9]{1,2}):([0-9]{2})(:[0-9]{2})?")

_DAY_FORMS = "give 2025.04.25, 2025-04-25, today, tomorrow or +3d"

MOST_DAYS_AHEAD = 366
_TASHKENT = timedelta(hours=5)
_DAYS_LOOKED_AT = 400  # a zone's rules repeat each year: an offset that is constant for 400 days stays constant


def today_in(zone: tzinfo, now: datetime) -> date:
    """Returns the date in the campaign's zone at the aware moment `now`; the machine's zone has no influence."""
    return now.astimezone(zone).date()


def parse_day(text: str, today: date, option: str = "the day") -> date:
    """Parses a day as `YYYY.MM.DD`, ISO, `today`, `tomorrow` or `+3d`, counted from the campaign's `today`.

    Raises UsageError for other text, for a day that does not exist, and for more than 366 days ahead.
    """
    word = text.strip().lower()
    ahead = 0 if word == "today" else 1 if word == "tomorrow" else None
    if match := _DAYS_AHEAD.fullmatch(word):
        ahead = int(match.group(1))
    if ahead is not None:
        return _day_ahead(today, ahead, option)
    match = _DAY.fullmatch(word)
    if match is None:
        raise UsageError(f"{option} {text!r} is no day", hint=_other_spelling(word) or _DAY_FORMS)
    try:
        return date(int(match.group(1)), int(match.group(3)), int(match.group(4)))
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not in the calendar", hint=_DAY_FORMS) from error


def _day_ahead(today: date, days: int, option: str) -> date:
    if days > MOST_DAYS_AHEAD:
        raise UsageError(f"{option} +{days}d is more than {MOST_DAYS_AHEAD} days ahead", hint="write the day out")
    try:
        return today + timedelta(days=days)
    except OverflowError as error:
        raise UsageError(f"{option} +{days}d is beyond the calendar", hint=_DAY_FORMS) from error


def _other_spelling(word: str) -> str:
    """Returns a day written day first, as is usual in Uzbekistan, in the API's order; else ''."""
    match = _DAY_FIRST.fullmatch(word)
    if match is None:
        return ""
    day, month, year = (int(part) for part in match.groups())
    try:
        return f"the year comes first: {date(year, month, day):%Y.%m.%d}"
    except ValueError:
        return ""


def parse_minute(text: str, option: str = "the time") -> time:
    """Parses a minute as `HH:MM`, 24 hours; raises UsageError for seconds, `24:00` and other text."""
    match = _MINUTE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option} {text!r} is no time of day", hint="give HH:MM, 24 hours: 09:00, 18:30")
    hour, minute = int(match.group(1)), int(match.group(2))
    if match.group(3):
        raise UsageError(f"{option} {text!r} has seconds", hint=f"give hours and minutes: {hour:02}:{minute:02}")
    if (hour, minute) == (24, 0):
        raise UsageError(f"{option} 24:00 is the next day", hint="the last minute of a day is 23:59; it is inclusive")
    try:
        return time(hour, minute)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not on the clock", hint="give 00:00 to 23:59") from error


@dataclass(frozen=True, slots=True)
class Window:
    """The days `first` to `last`, with the minutes `opens` to `closes` on each: all inclusive, in its zone."""

    first: date
    last: date
    opens: time
    closes: time
    zone: tzinfo

    @property
    def offset(self) -> timedelta:
        """Returns the zone's offset from UTC when the first day's window opens: the API has offsets only."""
        return self._offset_at(self.first, self.opens)

    def check(self, now: datetime) -> None:
        """Raises CheckFailedError for an impossible window: reversed, over midnight, of a changing offset, past.

        `now` is aware. The last minute counts to its end: the server answers `totime` 20:59 with 20:59:59.
        """
        for _, problem in self.problems(now):
            raise problem

    def problems(self, now: datetime) -> Iterator[tuple[str, CheckFailedError]]:
        """Yields the errors of `check`, each with its code; reversed days are the only error reported."""
        checks: tuple[tuple[str, Callable[[], None]], ...] = (
            ("days_reversed", self._check_days),
            ("hours_reversed", self._check_minutes),
            ("clock_change", self._check_offset),
            ("past", lambda: self._check_past(now)),
        )
        for code, check in checks:
            try:
                check()
            except CheckFailedError as problem:
                yield code, problem
                if code == "days_reversed":
                    return

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Returns the first minute of the first day and the last minute of the last day, both aware."""
        zone = timezone(self.offset)
        return datetime.combine(self.first, self.opens, zone), datetime.combine(self.last, self.closes, zone)

    def describe(self) -> str:
        """`Mon 24 – Wed 26 Nov, 10:00–20:59 Tashkent, 3 days × 11 h`, in the campaign's own zone."""
        minutes = (self.closes.hour - self.opens.hour) * 60 + self.closes.minute - self.opens.minute + 1
        hours = f"{minutes / 60:.1f}".removesuffix(".0")
        days = (self.last - self.first).days + 1
        length = f", {hours} h" if days == 1 else f", {days} days × {hours} h"
        if minutes <= 0 or days <= 0:  # reversed, which is an error: there is no length to tell
            length = ""
        return f"{days_text(self.first, self.last)}, {self.opens:%H:%M}–{self.closes:%H:%M} {self.place}{length}"

    @property
    def place(self) -> str:
        """Returns the zone's name for people: the city of an IANA name, Tashkent for its offset, else `utc +4`."""
        name = getattr(self.zone, "key", "Asia/Tashkent" if self.offset == _TASHKENT else "")
        return str(name).rpartition("/")[2].replace("_", " ") or wire_offset(self.offset)

    def to_wire(self) -> dict[str, str]:
        """Returns the five form fields of `addAutorule` for the time: from, to, fromtime, totime, timezone."""
        return {
            "from": _wire_day(self.first),
            "to": _wire_day(self.last),
            "fromtime": f"{self.opens:%H:%M}",
            "totime": f"{self.closes:%H:%M}",
            "timezone": wire_offset(self.offset),
        }

    def _check_days(self) -> None:
        if self.first > self.last:
            raise CheckFailedError(
                f"--from {_wire_day(self.first)} is after --to {_wire_day(self.last)}",
                hint="the first day comes first; both may be the same day",
            )

    def _check_minutes(self) -> None:
        if self.opens < self.closes:
            return
        opens, closes = f"{self.opens:%H:%M}", f"{self.closes:%H:%M}"
        if self.opens == self.closes:
            hint = "--totime must be later than --fromtime"
        else:
            hint = (
                f"for the hours {closes} to {opens} swap the two; for a night, make two campaigns: "
                f"{opens} to 23:59, and 00:00 to {closes} a day later"
            )
        raise CheckFailedError(f"--fromtime {opens} is not before --totime {closes}", hint=hint)

    def _check_offset(self) -> None:
        """Refuses a zone whose clock changes within the campaign: the API has one offset for the whole."""
        days = min((self.last - self.first).days, _DAYS_LOOKED_AT)
        for day in (self.first + timedelta(days=number) for number in range(days + 1)):
            if any(self._offset_at(day, minute) != self.offset for minute in (self.opens, self.closes)):
                raise CheckFailedError(
                    f"the clock of {self.zone} changes on {_wire_day(day)}, and a campaign has one offset from UTC",
                    hint="end the campaign the day before and make a second one, or give an offset such as 'utc +5'",
                )

    def _check_past(self, now: datetime) -> None:
        clock = now.astimezone(timezone(self.offset))
        if (self.last, self.closes) >= (clock.date(), clock.time().replace(second=0, microsecond=0)):
            return
        raise CheckFailedError(
            f"the window ended on {_wire_day(self.last)} at {self.closes:%H:%M}: "
            f"it is {clock:%Y.%m.%d %H:%M} at {wire_offset(self.offset)} now",
            hint="give --to a later day (tomorrow, +3d), or --totime a later minute",
        )

    def _offset_at(self, day: date, minute: time) -> timedelta:
        offset = datetime.combine(day, minute, self.zone).utcoffset()
        return timedelta(0) if offset is None else offset


def wire_offset(offset: timedelta) -> str:
    """Returns an offset in the API's form: `utc +5`, and, undocumented, `utc +5:30`, `utc +0`."""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"utc {sign}{hours}" + (f":{rest:02}" if rest else "")


def _wire_day(day: date) -> str:
    # Not strftime: its %Y does not pad the year to four digits on every platform.
    return f"{day.year:04}.{day.month:02}.{day.day:02}"


NIGHT_OK = "--night-ok"

_SUNDAY = 6
_DAYS_NAMED = 4
_MOST_DAYS = 400
_END_OF_DATA = 2076  # the library's own
_ESTIMATED = "estimated"


def quiet_findings(window: Window, quiet: DailyHours | None) -> Iterator[Finding]:
    """Yields the nights, Sundays and holidays within the window, by the campaign's own clock."""
    if quiet is not None and quiet.overlap(window.opens, window.closes):
        message = f"{window.opens:%H:%M} to {window.closes:%H:%M} falls into the quiet hours {quiet}"
        yield _warning("quiet_hours", message, "narrow --fromtime and --totime")
    days = _days_of(window)
    sundays = [day for day in days if day.weekday() == _SUNDAY]
    if sundays:
        yield _warning("sunday", f"{count(len(sundays), 'Sunday')}: {_named(sundays)}", _leave_out(len(sundays)))
    yield from _holidays(days)


def _holidays(days: list[date]) -> Iterator[Finding]:
    calendar = _calendar(*{day.year for day in days})
    found = {day: calendar[day] for day in days if day in calendar}
    if not found:
        return
    names = "; ".join(f"{day_text(day)} {name}" for day, name in list(found.items())[:_DAYS_NAMED])
    more = f" and {len(found) - _DAYS_NAMED} more" if len(found) > _DAYS_NAMED else ""
    guess = ", those marked so are estimates" if any(_ESTIMATED in name for name in found.values()) else ""
    source = f"by holidays {library_version()}, whose data is of {_year_of_data(days[0].year)}{guess}"
    message = f"{count(len(found), 'public holiday')}: {names}{more} ({source})"
    yield _warning("holiday", message, f"{_leave_out(len(found))}; the government moves days at short notice")


def _leave_out(days: int) -> str:
    return f"leave {'it' if days == 1 else 'them'} out of the days"


def _calendar(*years: int) -> Mapping[date, str]:
    return country_holidays("UZ", years, language="en_US")


def _year_of_data(year: int) -> int:
    """Returns the last year with announced days: for later years the calendar estimates lunar holidays."""
    while any(_ESTIMATED in name for name in _calendar(year).values()):
        year -= 1
    while not any(_ESTIMATED in name for name in _calendar(year + 1).values()) and year < _END_OF_DATA:
        year += 1
    return year


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, f"{hint}, or {NIGHT_OK}", needs=NIGHT_OK)


def _days_of(window: Window) -> list[date]:
    length = min((window.last - window.first).days, _MOST_DAYS)
    return [window.first + timedelta(days=ahead) for ahead in range(length + 1)]


def _named(days: list[date]) -> str:
    more = f" and {len(days) - _DAYS_NAMED} more" if len(days) > _DAYS_NAMED else ""
    return ", ".join(map(day_text, days[:_DAYS_NAMED])) + more
