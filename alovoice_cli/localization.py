"""Numbers and dates for people, in the language of the run.

Lengths of time are in `moments`. All texts remember their English. A moment is written in its own time zone, which the
caller chooses.
"""

from datetime import date, datetime

from alovoice_cli.language import Translated, language_in_use, mark, pgettext, tr

WEEKDAYS = (
    mark("Monday"),
    mark("Tuesday"),
    mark("Wednesday"),
    mark("Thursday"),
    mark("Friday"),
    mark("Saturday"),
    mark("Sunday"),
)


def weekday_name(day: date) -> str:
    """Returns `Monday`."""
    return tr(WEEKDAYS[day.weekday()])


def short_weekday(day: date) -> str:
    """Returns `Mon`."""
    names = (
        pgettext("weekday", "Mon"),
        pgettext("weekday", "Tue"),
        pgettext("weekday", "Wed"),
        pgettext("weekday", "Thu"),
        pgettext("weekday", "Fri"),
        pgettext("weekday", "Sat"),
        pgettext("weekday", "Sun"),
    )
    return names[day.weekday()]


def short_month(day: date) -> str:
    """Returns `Nov`, the form after the number of the day."""
    names = (
        pgettext("month", "Jan"),
        pgettext("month", "Feb"),
        pgettext("month", "Mar"),
        pgettext("month", "Apr"),
        pgettext("month", "May"),
        pgettext("month", "Jun"),
        pgettext("month", "Jul"),
        pgettext("month", "Aug"),
        pgettext("month", "Sep"),
        pgettext("month", "Oct"),
        pgettext("month", "Nov"),
        pgettext("month", "Dec"),
    )
    return names[day.month - 1]


def day_text(day: date) -> str:
    """Returns `28 Nov`."""
    return pgettext("date", "{day} {month}", day=day.day, month=short_month(day))


def weekday_text(day: date, *, year: bool = False) -> str:
    """Returns `Sat 28 Nov`, or with the year `Sat 28 Nov 2026`."""
    parts = {"weekday": short_weekday(day), "day": day.day, "month": short_month(day)}
    if year:
        return pgettext("date", "{weekday} {day} {month} {year}", **parts, year=day.year)
    return pgettext("date", "{weekday} {day} {month}", **parts)


def days_text(first: date, last: date, *, year: bool = False) -> str:
    """Returns `Mon 24 – Wed 26 Nov`; repeats the month and the year if they differ.

    With `year` the year is always written.
    """
    twice = first.year != last.year
    end = weekday_text(last, year=year or twice)
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        begin = pgettext("date", "{weekday} {day}", weekday=short_weekday(first), day=first.day)
    else:
        begin = weekday_text(first, year=twice)
    return pgettext("date", "{begin} – {end}", begin=begin, end=end)


def moment_text(moment: datetime, zone: str) -> str:
    """Returns `Thu 26 Nov 10:00 (utc +5)`."""
    return pgettext("date", "{day} {time} ({zone})", day=weekday_text(moment), time=f"{moment:%H:%M}", zone=zone)


def decimal_text(value: float, digits: int = 1) -> str:
    """Returns the number with these decimals: `85.5`, in Russian and Uzbek `85,5`."""
    english = f"{value:.{digits}f}"
    if language_in_use() == "en" or digits == 0:
        return english
    return Translated(english.replace(".", ","), english)


def percent_text(percent: float, digits: int = 0) -> str:
    """Returns `85 %`, or with decimals `85.5 %`; 100 is the whole."""
    return tr("{number} %", number=decimal_text(percent, digits))
