"""Reads moments, spans and time zones as operators write them, and formats them for reports."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, mark, tr

_SPAN = r"([0-9]{1,6})\s*([smhdw])"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = r"([0-9]{4})([.-])([0-9]{1,2})\2([0-9]{1,2})"
_CLOCK = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,6})?)?"
_HOURS = r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)"
_OFFSET = r"\s*(z|[+-][0-9]{2}:?[0-9]{2})"
FORMS = mark("give 2h, 7d, today, yesterday, 14:30, 2025-04-25, '2025-04-25 14:30' or 2025-04-25T14:30+05:00")
_SPAN_FORMS = mark("give 90s, 30m, 12h, 90d or 8w")
_ZONE_OFFSET = r"(?:utc|gmt)?\s*([+-])\s*([0-9]{1,2})(?::?([0-5][0-9]))?"
_ZONE_FORMS = mark("give 'utc +5', +05:00 or a name such as Asia/Tashkent")
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)  # the offsets in use in the world
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockTime(NamedTuple):
    """The present moment (aware), and the zone for days and times."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """Returns today's date in the zone."""
        return self.now.astimezone(self.zone).date()


class Moment(NamedTuple):
    """An aware moment; `is_day`: only a day was named, and the moment is its beginning."""

    at: datetime
    is_day: bool = False

    @property
    def end(self) -> datetime:
        """Returns the end of a period until this moment: it includes the whole of a named day."""
        if not self.is_day:
            return self.at
        following = self.at.date() + timedelta(days=1)
        return datetime.combine(following, time(), self.at.tzinfo)


class DailyHours(NamedTuple):
    """The minutes of each day from `begin` until before `end`, which may be after midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "DailyHours | None":
        """Parses hours such as `21:00-08:00`; returns None for other text, such as `none`."""
        match = re.fullmatch(_HOURS, text.strip(), re.ASCII)
        if match is None:
            return None
        return cls(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))

    def overlap(self, opens: time, closes: time) -> bool:
        """Returns whether a window of these minutes, both inclusive, overlaps the hours."""
        if self.begin < self.end:
            return opens < self.end and closes >= self.begin
        return opens < self.end or closes >= self.begin

    def hold(self, local: datetime) -> bool:
        """Returns whether the moment, in its own zone, is within the hours."""
        minute = local.time()
        return self.overlap(minute, minute)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def _named(option: str, text: str) -> str:
    """Returns the text in quotes, after the option's name if there is one."""
    return joined(" ", (option, repr(text))) if option else repr(text)


def parse_span(text: str, option: str) -> timedelta:
    """Parses `90s`, `30m`, `12h`, `90d`, `8w`. Raises UsageError for other text."""
    match = re.fullmatch(_SPAN, text.strip().lower())
    if match is None:
        raise UsageError(tr("{value} is not a valid length of time", value=_named(option, text)), hint=tr(_SPAN_FORMS))
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def parse_moment(text: str, clock: ClockTime, option: str) -> Moment:
    """Parses a moment: a span before now, `now`, `today`, `yesterday`, a time of today, a day, a day and time.

    A zone is optional. Raises UsageError for other text, and for days and times that do not exist.
    """
    word = text.strip().lower()
    try:
        moment = _read(word, clock)
        if moment is not None and moment.at >= _EPOCH:
            return Moment(moment.at, moment.is_day)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            tr("{value}: there is no such day or time", value=_named(option, text)), hint=tr(FORMS)
        ) from error
    if moment is not None:
        raise UsageError(tr("{value} is before 1970", value=_named(option, text)), hint=tr(FORMS))
    raise UsageError(tr("{value} is not a valid time", value=_named(option, text)), hint=tr(FORMS))


def _read(word: str, clock: ClockTime) -> Moment | None:
    if word == "now":
        return Moment(clock.now)
    if re.fullmatch(_SPAN, word):
        return Moment(clock.now - parse_span(word, ""))
    days = {"today": 0, "yesterday": 1}.get(word)
    if days is not None:
        return Moment(datetime.combine(clock.today - timedelta(days=days), time(), clock.zone), is_day=True)
    return _read_date(word, clock)


def _read_date(word: str, clock: ClockTime) -> Moment | None:
    day, rest = clock.today, word
    if match := re.match(_DAY, word):
        day = date(int(match.group(1)), int(match.group(3)), int(match.group(4)))
        rest = word[match.end() :]
        if not rest:
            return Moment(datetime.combine(day, time(), clock.zone), is_day=True)
        if not rest.startswith(("t", " ")):
            return None
    match = re.match(_CLOCK, rest.lstrip("t "))
    if match is None:
        return None
    hour, minute, second, fraction = match.groups()
    at = time(int(hour), int(minute), int(second or 0), round(float(fraction or 0) * 1_000_000) % 1_000_000)
    zone = _zone(rest.lstrip("t ")[match.end() :], clock.zone)
    return None if zone is None else Moment(datetime.combine(day, at, zone))


def _zone(text: str, default: tzinfo) -> tzinfo | None:
    if not text:
        return default
    match = re.fullmatch(_OFFSET, text, re.IGNORECASE)
    if match is None:
        return None
    word = match.group(1).upper()
    return UTC if word == "Z" else datetime.strptime(word, "%z").tzinfo


def days_ago(days: int, clock: ClockTime) -> str:
    """Returns the day this many days before today, in the form of an option's value."""
    return (clock.today - timedelta(days=days)).isoformat()


def unix_microseconds(moment: datetime) -> int:
    """Returns an aware moment as unix microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_unix(seconds: int, zone: tzinfo) -> datetime | None:
    """Returns unix seconds as a moment in the zone; None beyond the calendar (an error of the PBX)."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    except (OverflowError, ValueError):
        return None


def minute_text(seconds: int | None, zone: tzinfo) -> str:
    """Returns unix seconds to the minute, in the zone; '' if unknown or beyond the calendar."""
    moment = None if seconds is None else from_unix(seconds, zone)
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def short_text(moment: datetime, clock: ClockTime) -> str:
    """Returns the moment for a narrow column: `14:02:07` today, `04-25 14:02` this year, else only the day."""
    local = moment.astimezone(clock.zone)
    if local.date() == clock.today:
        return f"{local:%H:%M:%S}"
    return f"{local:%m-%d %H:%M}" if local.year == clock.today.year else f"{local:%Y-%m-%d}"


def long_text(moment: datetime, clock: ClockTime) -> str:
    """Returns the moment to the second, in the zone: `2025-04-25 14:02:07`."""
    return f"{moment.astimezone(clock.zone):%Y-%m-%d %H:%M:%S}"


def zoned_text(value: object) -> str:
    """Returns an ISO 8601 moment with an offset as a terminal shows it: `2026-11-23 19:00 +05:00`."""
    return f"{datetime.fromisoformat(str(value)):%Y-%m-%d %H:%M} {str(value)[-6:]}"


def span_text(seconds: int) -> str:
    """Returns a length of time: `7 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`."""
    if seconds < 60:
        return tr("{seconds} s", seconds=seconds)
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=f"{rest:02}")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return tr("{hours} h {minutes} min", hours=hours, minutes=f"{minutes:02}")
    days, hours = divmod(hours, 24)
    return tr("{days} d {hours} h", days=days, hours=hours)


def parse_zone(text: str, option: str = "--timezone") -> tzinfo:
    """Parses a zone: `utc +5`, `+05:00`, `+5`, `Z`, or an IANA name; raises UsageError for other text.

    The sign is as in `utc +5`, east is plus, also after `GMT`; only IANA names such as `Etc/GMT-5` reverse it.
    """
    word = text.strip().lower().replace("\N{MINUS SIGN}", "-")
    if word in ("z", "utc", "gmt"):
        return UTC
    match = re.fullmatch(_ZONE_OFFSET, word)
    if match is None:
        return _named_zone(text.strip(), option)
    size = timedelta(hours=int(match.group(2)), minutes=int(match.group(3) or 0))
    offset = -size if match.group(1) == "-" else size
    if not _WEST <= offset <= _EAST:
        raise UsageError(
            tr("{value}: there is no such UTC offset", value=_named(option, text)),
            hint=tr("offsets go from utc -12 to utc +14"),
        )
    return timezone(offset)


def _named_zone(name: str, option: str) -> tzinfo:
    import zoneinfo  # noqa: PLC0415 - most zones are an offset

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        # For a wrong name, a folder (`America`) raises OSError and `../x` ValueError.
        raise UsageError(
            tr("{value} is not a known time zone", value=_named(option, name)),
            hint=_nearest_zone(name) or tr(_ZONE_FORMS),
        ) from error


def _nearest_zone(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelt zone needs it
    from zoneinfo import available_timezones  # noqa: PLC0415 - same

    by_lower = {zone.lower(): zone for zone in available_timezones() if not zone.startswith("Etc/")}
    by_city = {lower.rpartition("/")[2]: zone for lower, zone in sorted(by_lower.items(), reverse=True)}
    wanted = name.lower().replace(" ", "_")
    known = by_lower if "/" in wanted else by_city | by_lower
    nearest = get_close_matches(wanted, known, n=1, cutoff=0.75)
    return tr("did you mean {name}?", name=known[nearest[0]]) if nearest else ""
