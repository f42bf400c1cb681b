"""When people are not to be called: at night, on Sundays, on the public holidays of Uzbekistan."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from alovoice_cli.campaigns.schedule import Window
from alovoice_cli.findings import Finding, Severity, count
from alovoice_cli.holiday_calendar import country_holidays, library_version
from alovoice_cli.moments import DailyHours

NIGHT_OK = "--night-ok"

_SUNDAY = 6
_DAYS_NAMED = 4
_MOST_DAYS = 400
_END_OF_DATA = 2076  # the library's own
_ESTIMATED = "estimated"


def quiet_findings(window: Window, quiet: DailyHours | None) -> Iterator[Finding]:
    """The nights, Sundays and holidays that the window falls on. By the campaign's own clock."""
    if quiet is not None and quiet.overlap(window.opens, window.closes):
        message = f"{window.opens:%H:%M} to {window.closes:%H:%M} falls into the quiet hours {quiet}"
        yield _warning("quiet_hours", message, "narrow --fromtime and --totime")
    days = _days(window)
    sundays = [day for day in days if day.weekday() == _SUNDAY]
    if sundays:
        yield _warning("sunday", f"{count(len(sundays), 'Sunday')}: {_named(sundays)}", _leave_out(len(sundays)))
    yield from _holidays(days)


def _holidays(days: list[date]) -> Iterator[Finding]:
    calendar = _calendar(*{day.year for day in days})
    found = {day: calendar[day] for day in days if day in calendar}
    if not found:
        return
    names = "; ".join(f"{_day(day)} {name}" for day, name in list(found.items())[:_DAYS_NAMED])
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
    """The last year whose days were announced: the calendar estimates those that the moon rules after it."""
    while any(_ESTIMATED in name for name in _calendar(year).values()):
        year -= 1
    while not any(_ESTIMATED in name for name in _calendar(year + 1).values()) and year < _END_OF_DATA:
        year += 1
    return year


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, f"{hint}, or {NIGHT_OK}", needs=NIGHT_OK)


def _days(window: Window) -> list[date]:
    length = min((window.last - window.first).days, _MOST_DAYS)
    return [window.first + timedelta(days=ahead) for ahead in range(length + 1)]


def _named(days: list[date]) -> str:
    more = f" and {len(days) - _DAYS_NAMED} more" if len(days) > _DAYS_NAMED else ""
    return ", ".join(map(_day, days[:_DAYS_NAMED])) + more


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
