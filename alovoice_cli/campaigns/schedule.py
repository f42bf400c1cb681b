"""When a campaign may call: its days, its daily window and its time zone, in the operator's words and in the API's.

And when nobody should be called: quiet hours, Sundays, the public holidays of Uzbekistan.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.holiday_calendar import ESTIMATED, country_holidays, holiday_text, library_version
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.localization import day_text, days_text
from alovoice_cli.moments import DailyHours

_DAY = re.compile(r"([0-9]{4})([.-])([0-9]{2})\2([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})")
_DAYS_AHEAD = re.compile(r"\+([0-9]{1,4})d")
_MINUTE = re.compile(r"([0-9]{1,2}):([0-9]{2})(:[0-9]{2})?")

_DAY_FORMS = mark("give 2025.04.25, 2025-04-25, today, tomorrow or +3d")

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
        message = tr("{option}: {day!r} is not a date", option=option, day=text)
        raise UsageError(message, hint=_other_spelling(word) or tr(_DAY_FORMS))
    try:
        return date(int(match.group(1)), int(match.group(3)), int(match.group(4)))
    except ValueError as error:
        message = tr("{option}: there is no day {day!r}", option=option, day=text)
        raise UsageError(message, hint=tr(_DAY_FORMS)) from error


def _day_ahead(today: date, days: int, option: str) -> date:
    if days > MOST_DAYS_AHEAD:
        message = tr(
            "{option}: +{days}d is more than {most} days ahead", option=option, days=days, most=MOST_DAYS_AHEAD
        )
        raise UsageError(message, hint=tr("write the full date"))
    try:
        return today + timedelta(days=days)
    except OverflowError as error:
        message = tr("{option}: +{days}d is beyond the calendar", option=option, days=days)
        raise UsageError(message, hint=tr(_DAY_FORMS)) from error


def _other_spelling(word: str) -> str:
    """Returns a hint for a date with the day first, as is usual in Uzbekistan; '' for any other text."""
    match = _DAY_FIRST.fullmatch(word)
    if match is None:
        return ""
    day, month, year = (int(part) for part in match.groups())
    try:
        return tr("the year comes first: {day}", day=f"{date(year, month, day):%Y.%m.%d}")
    except ValueError:
        return ""


def parse_minute(text: str, option: str = "the time") -> time:
    """Parses a minute as `HH:MM`, 24 hours; raises UsageError for seconds, `24:00` and other text."""
    match = _MINUTE.fullmatch(text.strip())
    if match is None:
        message = tr("{option}: {time!r} is not a time of day", option=option, time=text)
        raise UsageError(message, hint=tr("give HH:MM, 24 hours: 09:00, 18:30"))
    hour, minute = int(match.group(1)), int(match.group(2))
    if match.group(3):
        message = tr("{option}: {time!r} has seconds", option=option, time=text)
        raise UsageError(message, hint=tr("give hours and minutes: {time}", time=f"{hour:02}:{minute:02}"))
    if (hour, minute) == (24, 0):
        message = tr("{option}: 24:00 is the next day", option=option)
        raise UsageError(message, hint=tr("the last minute of a day is 23:59; the campaign still calls in it"))
    try:
        return time(hour, minute)
    except ValueError as error:
        message = tr("{option}: there is no time {time!r}", option=option, time=text)
        raise UsageError(message, hint=tr("give 00:00 to 23:59")) from error


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
        """Returns `Mon 24 – Wed 26 Nov, 10:00–20:59 Tashkent, 3 days × 11 h`, in the campaign's own zone."""
        minutes = (self.closes.hour - self.opens.hour) * 60 + self.closes.minute - self.opens.minute + 1
        hours = f"{minutes / 60:.1f}".removesuffix(".0")
        days = (self.last - self.first).days + 1
        parts = [days_text(self.first, self.last), f"{self.opens:%H:%M}–{self.closes:%H:%M} {self.place}"]
        if minutes > 0 and days > 0:  # reversed is an error: there is no length
            parts.append(
                tr("{hours} h", hours=hours)
                if days == 1
                else ngettext("{n} day × {hours} h", "{n} days × {hours} h", days, hours=hours)
            )
        return joined(", ", parts)

    @property
    def place(self) -> str:
        """Returns the zone's name for people: the city of an IANA name, Tashkent for utc +5, or an offset: `utc +4`."""
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
                tr("--from {first} is after --to {last}", first=_wire_day(self.first), last=_wire_day(self.last)),
                hint=tr("give the first day with --from and the last with --to; both may be the same day"),
            )

    def _check_minutes(self) -> None:
        if self.opens < self.closes:
            return
        opens, closes = f"{self.opens:%H:%M}", f"{self.closes:%H:%M}"
        if self.opens == self.closes:
            hint = tr("--totime must be later than --fromtime")
        else:
            hint = tr(
                "to call from {closes} to {opens}, swap the two; to call at night, create two campaigns: {opens} to"
                " 23:59, and 00:00 to {closes} a day later",
                opens=opens,
                closes=closes,
            )
        message = tr("--fromtime {opens} is not before --totime {closes}", opens=opens, closes=closes)
        raise CheckFailedError(message, hint=hint)

    def _check_offset(self) -> None:
        """Refuses a zone whose clock changes within the campaign: the API has one offset for the whole."""
        days = min((self.last - self.first).days, _DAYS_LOOKED_AT)
        for day in (self.first + timedelta(days=number) for number in range(days + 1)):
            if any(self._offset_at(day, minute) != self.offset for minute in (self.opens, self.closes)):
                raise CheckFailedError(
                    tr(
                        "the clock of {zone} changes on {day}, and a campaign has one offset from UTC",
                        zone=self.zone,
                        day=_wire_day(day),
                    ),
                    hint=tr(
                        "end the campaign the day before and create a second one, or give an offset such as 'utc +5'"
                    ),
                )

    def _check_past(self, now: datetime) -> None:
        clock = now.astimezone(timezone(self.offset))
        if (self.last, self.closes) >= (clock.date(), clock.time().replace(second=0, microsecond=0)):
            return
        raise CheckFailedError(
            tr(
                "the campaign's window ended on {day} at {time}: now it is {now} ({zone})",
                day=_wire_day(self.last),
                time=f"{self.closes:%H:%M}",
                now=f"{clock:%Y.%m.%d %H:%M}",
                zone=wire_offset(self.offset),
            ),
            hint=tr("give a later day with --to (tomorrow, +3d), or a later time with --totime"),
        )

    def _offset_at(self, day: date, minute: time) -> timedelta:
        return datetime.combine(day, minute, self.zone).utcoffset() or timedelta(0)


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


def quiet_findings(window: Window, quiet: DailyHours | None) -> Iterator[Finding]:
    """Yields the nights, Sundays and holidays within the window, by the campaign's own clock."""
    if quiet is not None and quiet.overlap(window.opens, window.closes):
        message = tr(
            "{opens} to {closes} falls into the quiet hours {quiet}",
            opens=f"{window.opens:%H:%M}",
            closes=f"{window.closes:%H:%M}",
            quiet=quiet,
        )
        hint = tr("narrow --fromtime and --totime, or add {option}", option=NIGHT_OK)
        yield _warning("quiet_hours", message, hint)
    days = _days_of(window)
    sundays = [day for day in days if day.weekday() == _SUNDAY]
    if sundays:
        message = ngettext(
            "{n} Sunday: {days}", "{n} Sundays: {days}", len(sundays), days=_named(list(map(day_text, sundays)), ", ")
        )
        yield _warning("sunday", message, _leave_out(len(sundays)))
    yield from _holidays(days)


def _holidays(days: list[date]) -> Iterator[Finding]:
    calendar = _calendar(*{day.year for day in days})
    found = {day: calendar[day] for day in days if day in calendar}
    if not found:
        return
    names = [joined(" ", [day_text(day), holiday_text(name)]) for day, name in found.items()]
    message = ngettext(
        "{n} public holiday: {days} (source: holidays {version}, with the days announced up to {year})",
        "{n} public holidays: {days} (source: holidays {version}, with the days announced up to {year})",
        len(found),
        days=_named(names, "; "),
        version=library_version(),
        year=_year_of_data(days[0].year),
    )
    late = tr("the government moves days at short notice")
    yield _warning("holiday", message, joined("; ", [_leave_out(len(found)), late]))


def _leave_out(days: int) -> str:
    if days == 1:
        return tr("remove this day from the campaign, or add {option}", option=NIGHT_OK)
    return tr("remove these days from the campaign, or add {option}", option=NIGHT_OK)


def _calendar(*years: int) -> Mapping[date, str]:
    return country_holidays("UZ", years, language="en_US")


def _year_of_data(year: int) -> int:
    """Returns the last year with announced days: for later years the calendar estimates lunar holidays."""
    while any(ESTIMATED in name for name in _calendar(year).values()):
        year -= 1
    while not any(ESTIMATED in name for name in _calendar(year + 1).values()) and year < _END_OF_DATA:
        year += 1
    return year


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, hint, needs=NIGHT_OK)


def _days_of(window: Window) -> list[date]:
    length = min((window.last - window.first).days, _MOST_DAYS)
    return [window.first + timedelta(days=ahead) for ahead in range(length + 1)]


def _named(days: list[str], separator: str) -> str:
    named = joined(separator, days[:_DAYS_NAMED])
    if (more := len(days) - _DAYS_NAMED) > 0:
        return ngettext("{days} and {n} more", "{days} and {n} more", more, days=named)
    return named
