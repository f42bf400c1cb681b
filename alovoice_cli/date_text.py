"""Days in words, in the operator's language and without the machine's locale: `Sat`, `28 Nov`, `Sat 28 Nov`."""

from datetime import date

from alovoice_cli.language import pgettext, tr


def weekday_text(day: date) -> str:
    """Returns the day of the week, short: `Sat`."""
    names = (
        pgettext("day of the week", "Mon"),
        pgettext("day of the week", "Tue"),
        pgettext("day of the week", "Wed"),
        pgettext("day of the week", "Thu"),
        pgettext("day of the week", "Fri"),
        pgettext("day of the week", "Sat"),
        pgettext("day of the week", "Sun"),
    )
    return names[day.weekday()]


def day_text(day: date) -> str:
    """Returns a day of this year: `28 Nov`."""
    months = (
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
    return tr("{day} {month}", day=day.day, month=months[day.month - 1])


def weekday_and_day_text(day: date) -> str:
    """Returns a day of this year with its day of the week: `Sat 28 Nov`."""
    return tr("{weekday} {day}", weekday=weekday_text(day), day=day_text(day))


def days_text(first: date, last: date) -> str:
    """Returns the days from `first` to `last`: `Mon 24 – Wed 26 Nov`; the month and the year where they differ."""
    end = weekday_and_day_text(last)
    if first == last:
        return end
    begin = weekday_and_day_text(first)
    if first.year != last.year:
        begin = tr("{day} {year}", day=begin, year=first.year)
        end = tr("{day} {year}", day=end, year=last.year)
    elif first.month == last.month:
        begin = tr("{weekday} {day}", weekday=weekday_text(first), day=first.day)
    return tr("{begin} – {end}", begin=begin, end=end)
