"""Which events, or which calls: a period and a condition, from the words of the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import (
    ALWAYS,
    EVENT_FIELDS,
    Compare,
    Condition,
    Field,
    all_of,
    fields_of,
)
from alovoice_cli.events.where import parse_where
from alovoice_cli.moments import ClockTime, parse_moment, unix_microseconds
from alovoice_cli.phones import canonical

EVER = "all"
"""`--since all`: from the first event on."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to before `until`, in unix microseconds; None: without a bound."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What was received in the period and meets the condition."""

    period: Period = field(default_factory=Period)
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Words:
    """The options as they were typed."""

    since: str | None = None
    until: str | None = None
    type: str | None = None
    number: str | None = None
    line: str | None = None
    peer: str | None = None
    status: str | None = None
    where: str | None = None


def read_period(words: Words, clock: ClockTime) -> Period:
    """`--since` and `--until`; a day alone is meant whole. Raises UsageError, also for a period upside down."""
    since = until = None
    if words.since is not None and words.since.strip().lower() != EVER:
        since = unix_microseconds(parse_moment(words.since, clock, "--since").at)
    if words.until is not None:
        until = unix_microseconds(parse_moment(words.until, clock, "--until").end)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {words.since} is not before --until {words.until}", hint="the earlier comes first")
    return Period(since, until)


def read_filter(words: Words, fields: Mapping[str, Field], clock: ClockTime) -> Filter:
    """The options as a filter on what has these fields. Raises UsageError for what makes no sense."""
    condition = all_of(
        _among("type", words.type, choices=EVENT_FIELDS["type"].choices),
        _among("number", words.number, is_phone=True),
        _among("line", words.line, is_phone=True),
        _among("peer", words.peer),
        _among("status", words.status),
        _where(words.where, fields, clock),
    )
    if "type" in fields and "type" not in fields_of(condition):
        # Our own proof that a request comes through is no event of the PBX.
        condition = all_of(Compare("type", "!=", "probe"), condition)
    return Filter(read_period(words, clock), condition)


def _where(text: str | None, fields: Mapping[str, Field], clock: ClockTime) -> Condition | None:
    if text is None:
        return None
    if not text.strip():
        raise UsageError("--where is empty", hint="leave it out to see all")
    return parse_where(text, fields, lambda moment: parse_moment(moment, clock, "").at)


def _among(name: str, text: str | None, *, choices: Sequence[str] = (), is_phone: bool = False) -> Condition | None:
    """One value, or several with commas between."""
    if text is None:
        return None
    values = [value.strip() for value in text.split(",") if value.strip()]
    for value in values:
        if choices and value not in choices:
            raise UsageError(f"--{name} {value!r} is none", hint=f"there are {', '.join(choices)}")
        if not value.isprintable():
            raise UsageError(f"--{name} {value!r} is no {name}")
    if not values:
        raise UsageError(f"--{name} is empty", hint=f"leave it out to see every {name}")
    meant = tuple((canonical(value) or value) if is_phone else value for value in values)  # `anonymous` is a text
    return Compare(name, "=", meant[0]) if len(meant) == 1 else Compare(name, "in", meant)
