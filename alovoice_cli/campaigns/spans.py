"""Spans of time as people write them: `7d`, `12h`, `30m`, `45s`, `1h30m`."""

import re
from datetime import UTC, datetime, timedelta

from alovoice_cli.campaigns.schedule import parse_day
from alovoice_cli.errors import UsageError

_PART = re.compile(r"([0-9]{1,6})\s*([dhms])")
_SPAN = re.compile(rf"(?:{_PART.pattern}\s*)+")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_FORMS = "give 7d, 12h, 30m, 45s or 1h30m"


def parse_span(text: str, option: str) -> timedelta:
    """A span above nothing; a bare number is seconds. Raises UsageError."""
    word = text.strip().lower()
    parts = [(word, "s")] if word.isascii() and word.isdigit() and len(word) < 7 else _PART.findall(word)
    if not parts or not (_SPAN.fullmatch(word) or word.isdigit()):
        raise UsageError(f"{option} {text!r} is no span of time", hint=_FORMS)
    span = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0))
    if not span:
        raise UsageError(f"{option} {text!r} is no time at all", hint=_FORMS)
    return span


def parse_since(text: str, now: datetime, offset: timedelta, option: str = "--since") -> datetime:
    """The moment that a span before the aware `now`, or a day (`2026-11-24`, `today`) at this offset, begins with."""
    if _SPAN.fullmatch(text.strip().lower()):
        return now - parse_span(text, option)
    local = now.astimezone(UTC) + offset
    day = parse_day(text, local.date(), option)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - offset


def span_text(span: timedelta) -> str:
    """The span in its two largest units: `2 d 3 h`, `14 min`, `40 s`."""
    seconds = max(0, round(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
