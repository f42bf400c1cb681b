"""A day, or seven, in one value: figures against targets, calls by hour, callers who are owed a call, lines, coverage.

All forms (terminal, text, HTML, JSON) are made from this value, so that their figures are equal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.events.coverage import Coverage, describe
from alovoice_cli.events.event_table import iso
from alovoice_cli.events.filters import Period
from alovoice_cli.events.kpi import Kpi, KpiSettings
from alovoice_cli.events.missed import MissedCall, not_returned
from alovoice_cli.events.peer_names import PeerNames
from alovoice_cli.moments import ClockTime, from_unix, parse_moment, span_text, unix_microseconds

DAYS_OF_WEEK = 7
NOTHING = "–"
"""Shown for a figure that cannot be known."""
_MICRO = 1_000_000
_ABOUT_RINGING = {
    "total": "the PBX counts the ringing in a call's duration, so waits are not known",
    "unclear": "calls do not agree on whether their duration counts the ringing, so waits are not known",
}


@dataclass(frozen=True, slots=True)
class DayTargets:
    """The targets of the profile: percentages, seconds, callers; None where no target is set."""

    service_level: float | None = None
    answer_rate: float | None = None
    abandon_rate: float | None = None
    wait: int | None = None
    owed: int | None = None
    callback: int | None = None


@dataclass(frozen=True, slots=True)
class DaySettings:
    """What the profile says about days: its name, the targets, the limits of the key figures, the extensions' names."""

    profile: str
    targets: DayTargets = field(default_factory=DayTargets)
    kpi: KpiSettings = field(default_factory=KpiSettings)
    names: PeerNames = field(default_factory=PeerNames)
    trunk_lines: int | None = None


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Whole days of the profile's zone, from `begin` to before `end`, as they are known by the clock."""

    begin: datetime
    end: datetime
    clock: ClockTime

    @property
    def now(self) -> datetime:
        """Returns the moment, in the zone."""
        return self.clock.now.astimezone(self.clock.zone)

    @property
    def is_running(self) -> bool:
        """Returns whether the last day is not over."""
        return self.now < self.end

    @property
    def period(self) -> Period:
        """Returns the part that has passed."""
        return Period(unix_microseconds(self.begin), unix_microseconds(min(self.end, self.now)))

    @property
    def days(self) -> "list[DaySpan]":
        """Returns each day."""
        found, begin = [], self.begin
        while begin < self.end:
            following = _midnight(begin, 1)
            found.append(DaySpan(begin, following, self.clock))
            begin = following
        return found

    @property
    def title(self) -> str:
        """Returns the days and the part that is known, such as `Mon 23 Nov 2026, so far (until 13:05)`."""
        last = _midnight(self.end, -1)
        days = f"{last:%a} {last.day} {last:%b %Y}"
        if last != self.begin:
            days = f"{self.begin:%a} {self.begin.day} {self.begin:%b} – {days}"
        return f"{days}, so far (until {self.now:%H:%M})" if self.is_running else days


def read_days(word: str, clock: ClockTime, *, days: int = 1) -> DaySpan:
    """Returns the days that end with the named one: `today`, `yesterday` or a date.

    Raises UsageError for other text, and for a day that has not begun.
    """
    moment = parse_moment(word, clock, "the day")
    if not moment.is_day:
        raise UsageError(f"{word!r} is no day", hint="give today, yesterday or a date such as 2026-11-23")
    if moment.at > clock.now:
        raise UsageError(f"{moment.at:%Y-%m-%d} has not begun", hint="give today, yesterday or a date before today")
    return DaySpan(_midnight(moment.at, 1 - days), _midnight(moment.at, 1), clock)


def _midnight(day: datetime, days: int) -> datetime:
    return datetime.combine(day.date() + timedelta(days=days), time(), day.tzinfo)


Unit = Literal["%", "s", ""]


class Figure(NamedTuple):
    """A headline figure. `target` is a least value, or with `at_most` a greatest; `why` explains a value of None."""

    key: str
    name: str
    value: float | None
    unit: Unit
    target: float | None = None
    at_most: bool = False
    why: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Returns whether the target is met; None without a target or a value."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def text(self) -> str:
        """Returns the value with its unit."""
        if self.value is None:
            return NOTHING
        if self.unit == "s":
            return f"{self.value:g} s" if self.value < 60 else span_text(int(self.value + 0.5))
        return f"{self.value:.1f} %" if self.unit == "%" else str(self.value)

    @property
    def target_text(self) -> str:
        """Returns the target with its unit, as short as it can be; '' without a target."""
        if self.target is None:
            return ""
        if self.unit != "s":
            return f"{self.target:g} {self.unit}".rstrip()
        seconds = int(self.target)
        for size, letter in ((3600, "h"), (60, "m")):
            if seconds % size == 0:
                return f"{seconds // size}{letter}"
        return f"{seconds} s" if seconds < 60 else span_text(seconds)

    def as_json(self) -> dict[str, object]:
        """Returns value, target, whether the target is met, and why there is no value."""
        return {"value": self.value, "target": self.target, "met": self.is_met, "why": self.why or None}


class OwedCaller(NamedTuple):
    """A caller whom nobody talked to since a missed call. `since` is that call's time, in unix seconds.

    `missed` counts the missed calls since then, `tried` our own unanswered calls; `peer` is the called extension's
    label, `line` the line of the latest call.
    """

    number: str
    since: int
    missed: int
    tried: int
    line: str
    peer: str


class DayRow(NamedTuple):
    """One hour (`09:00`) or one day (`2026-11-23`): its inbound calls. The rest is told of days alone."""

    name: str
    offered: int
    answered: int
    missed: int
    answer_rate: float | None = None
    service_level: float | None = None
    mean_wait: float | None = None
    owed: int | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What came of a day, or of seven days (`rows` are hours, or the days)."""

    profile: str
    span: DaySpan
    kpi: Kpi
    figures: tuple[Figure, ...]
    rows: tuple[DayRow, ...]
    owed: tuple[OwedCaller, ...]
    coverage: Coverage
    trunk_lines: int | None = None

    @property
    def is_week(self) -> bool:
        """Returns whether the rows are days."""
        return len(self.span.days) > 1

    @property
    def has_scores(self) -> bool:
        """Returns whether a day has a speech score."""
        return any(row.score is not None for row in self.rows)

    @property
    def owed_hidden(self) -> int:
        """Returns the missed calls from hidden numbers: nobody can be called back."""
        return self.kpi.callback.still_owed_hidden

    @property
    def reasons(self) -> list[str]:
        """Returns why figures are missing, each reason once with the names of its figures."""
        by_reason: dict[str, list[str]] = {}
        for figure in self.figures:
            if figure.why:
                by_reason.setdefault(figure.why, []).append(figure.name.lower())
        return [f"{NOTHING} {', '.join(names)}: {why}" for why, names in by_reason.items()]

    @property
    def calls_text(self) -> str:
        """Returns the numbers of calls, in one sentence."""
        calls, out = self.kpi.inbound, self.kpi.outbound
        parts = [f"{calls.answered} answered, {calls.missed} missed"]
        parts += [f"{count} {word}" for count, word in ((calls.other, "other"), (calls.open, "not ended")) if count]
        return f"in: {calls.offered} ({', '.join(parts)}); out: {out.seizures} ({out.answered} answered)"

    @property
    def lines_text(self) -> str:
        """Returns how many lines were in use at most, and how many the busy hour needs."""
        lines = self.kpi.lines
        if not lines.peak or lines.peak_at is None:
            return "Lines: none was in use"
        each = f" (a trunk carries {self.trunk_lines})" if self.trunk_lines else ""
        text = f"Lines: at most {lines.peak} in use{each}, at {self._at(lines.peak_at)}"
        if lines.busy_hour is not None:
            text += f"; busy hour {self._at(lines.busy_hour)}, {lines.busy_hour_erlangs} erlangs carried: "
            text += f"{lines.busy_hour_lines_1pct} lines would lose at most 1 % of calls"
        return text

    @property
    def coverage_text(self) -> str:
        """Returns when a listener was there; the times of the last day are told without the date."""
        last = min(self.span.now, self.span.end - timedelta(microseconds=1))
        return describe(self.coverage, ClockTime(last, self.span.clock.zone))

    def since_text(self, seconds: int) -> str:
        """Returns a moment of the period, and for how long it is past: `09:12 (3h 53m)`."""
        moment = from_unix(seconds, self.span.clock.zone)
        past = span_text(max(int(self.span.now.timestamp()) - seconds, 0))
        return past if moment is None else f"{self._at(moment)} ({past})"

    def _at(self, moment: datetime) -> str:
        return f"{moment:%a %H:%M}" if self.is_week else f"{moment:%H:%M}"

    def as_json(self) -> dict[str, object]:
        """Returns all of it; rates are percentages, times are ISO 8601 with the zone's offset."""
        whole = self.kpi.as_json()
        return {
            "profile": self.profile,
            "since": self.span.begin.isoformat(),
            "until": self.span.end.isoformat(),
            "so_far": self.span.is_running,
            "as_of": self.span.now.isoformat(timespec="seconds"),
            "figures": {figure.key: figure.as_json() for figure in self.figures},
            "inbound": whole["inbound"],
            "outbound": whole["outbound"],
            "days" if self.is_week else "hours": [_row_as_json(row, is_day=self.is_week) for row in self.rows],
            "owed": [self._owed_as_json(caller) for caller in self.owed],
            "owed_hidden": self.owed_hidden,
            "lines": whole["lines"],
            "trunk_lines": self.trunk_lines,
            "coverage": {
                "since": None if self.coverage.begin is None else iso(self.coverage.begin),
                "until": iso(self.coverage.end),
                "gaps": [{"since": iso(gap.begin), "until": iso(gap.end)} for gap in self.coverage.gaps],
            },
        }

    def as_fields(self) -> dict[str, object]:
        """Returns the day as one value a name, without lists."""
        calls = self.kpi.inbound
        return {
            "profile": self.profile,
            "since": self.span.begin.isoformat(),
            "until": self.span.end.isoformat(),
            "so_far": self.span.is_running,
            **{figure.key: figure.value for figure in self.figures},
            "owed_hidden": self.owed_hidden,
            **{name: getattr(calls, name) for name in ("offered", "answered", "missed", "other", "open")},
            "peak": self.kpi.lines.peak,
            "coverage": self.coverage_text,
        }

    def _owed_as_json(self, caller: OwedCaller) -> dict[str, object]:
        waiting = max(int(self.span.now.timestamp()) - caller.since, 0)
        return {**caller._asdict(), "since": iso(caller.since * _MICRO), "waiting_seconds": waiting}


def _row_as_json(row: DayRow, *, is_day: bool) -> dict[str, object]:
    if is_day:
        return {"day": row.name, **{name: value for name, value in row._asdict().items() if name != "name"}}
    return {"hour": row.name, "offered": row.offered, "answered": row.answered, "missed": row.missed}


def day_of(
    settings: DaySettings,
    span: DaySpan,
    kpi: Kpi,
    judged: Iterable[MissedCall],
    coverage: Coverage,
    days: Sequence[DayRow] = (),
) -> Day:
    """Returns the day: `judged` are its missed calls, `days` the rows of several days."""
    hours = [DayRow(hour.hour, hour.offered, hour.answered, hour.missed) for hour in kpi.hours]
    return Day(
        profile=settings.profile,
        span=span,
        kpi=kpi,
        figures=headline_figures(kpi, settings.targets),
        rows=tuple(days) or tuple(_without_edges(hours)),
        owed=tuple(owed_callers(judged, settings.names)),
        coverage=coverage,
        trunk_lines=settings.trunk_lines,
    )


def day_row(span: DaySpan, kpi: Kpi, score: float | None) -> DayRow:
    """Returns one of several days."""
    calls = kpi.inbound
    return DayRow(
        f"{span.begin:%Y-%m-%d}",
        calls.offered,
        calls.answered,
        calls.missed,
        calls.answer_rate_pct,
        kpi.service_level.net_pct,
        kpi.wait.asa_s,
        kpi.callback.still_owed,
        score,
    )


def _without_edges(hours: Sequence[DayRow]) -> Sequence[DayRow]:
    """Returns the hours from the first with a call to the last."""
    busy = [place for place, row in enumerate(hours) if row.offered]
    return hours[busy[0] : busy[-1] + 1] if busy else ()


def headline_figures(kpi: Kpi, targets: DayTargets) -> tuple[Figure, ...]:
    """Returns the six figures that a supervisor asks for."""
    calls, callback, limits = kpi.inbound, kpi.callback, kpi.settings
    nobody = "" if calls.ended else "no inbound call has ended"
    unknown = _ABOUT_RINGING.get(kpi.duration_test.verdict, "the wait of too many answered calls is not known")
    unanswered = nobody or ("" if calls.answered else "no inbound call was answered")
    no_return = "nobody was called back and reached" if callback.episodes else "no known caller was missed"
    short = f"who hung up under {limits.short_abandon_seconds} s left out"
    hidden = f"and {callback.still_owed_hidden} hidden" if callback.still_owed_hidden else ""
    return tuple(
        figure._replace(why="" if figure.value is not None else figure.why)
        for figure in (
            Figure(
                "service_level_pct",
                "Service level",
                kpi.service_level.net_pct,
                "%",
                targets.service_level,
                why=nobody or unknown,
                note=f"within {limits.service_seconds} s; {short}",
            ),
            Figure("answer_rate_pct", "Answer rate", calls.answer_rate_pct, "%", targets.answer_rate, why=nobody),
            Figure(
                "abandon_rate_pct",
                "Abandon rate",
                calls.abandon_rate_pct,
                "%",
                targets.abandon_rate,
                at_most=True,
                why=nobody or "every caller hung up at once",
            ),
            Figure(
                "mean_wait_s", "Mean wait", kpi.wait.asa_s, "s", targets.wait, at_most=True, why=unanswered or unknown
            ),
            Figure("still_owed", "Owed a call", callback.still_owed, "", targets.owed, at_most=True, note=hidden),
            Figure(
                "callback_p50_s",
                "Callback delay",
                callback.reached_p50_s,
                "s",
                targets.callback,
                at_most=True,
                why=no_return,
                note="the median until a talk",
            ),
        )
    )


def owed_callers(judged: Iterable[MissedCall], names: PeerNames) -> list[OwedCaller]:
    """Returns who is still owed a call, the longest waiting first; hidden numbers are left out."""
    calls = [missed for missed in judged if missed.returned is None]
    by_number: dict[str, list[MissedCall]] = {}
    for missed in calls:
        by_number.setdefault(missed.call.number or "", []).append(missed)
    owed = []
    for latest in not_returned(calls):
        number = latest.call.number or ""
        if not any(letter.isdigit() for letter in number):
            continue
        open_calls = sorted(by_number[number], key=lambda missed: missed.call.reported_at)
        first = open_calls[0]
        label = names.label(latest.call.peer)
        owed.append(
            OwedCaller(number, first.call.reported_at, len(open_calls), first.back, latest.call.line or "", label)
        )
    return sorted(owed, key=lambda caller: (caller.since, caller.number))


@dataclass(frozen=True, slots=True)
class LiveDay:
    """A day that goes on: calls in progress, whether a listener is up, what waits to be forwarded."""

    day: Day
    calls_in: int
    calls_out: int
    listener_is_up: bool
    outbox_waiting: int
    outbox_dead: int

    @property
    def signature(self) -> tuple[object, ...]:
        """Returns all that is news when it changes: no times of waiting."""
        day = self.day
        now = (self.calls_in, self.calls_out, self.listener_is_up, self.outbox_waiting, self.outbox_dead)
        return (*now, day.span.begin, day.figures, day.rows, day.owed, day.kpi.outbound)

    def as_json(self) -> dict[str, object]:
        """Returns the day with what goes on now as `now`."""
        now = {
            "calls_in": self.calls_in,
            "calls_out": self.calls_out,
            "listener": self.listener_is_up,
            "outbox_waiting": self.outbox_waiting,
            "outbox_dead": self.outbox_dead,
        }
        return {"now": now, **self.day.as_json()}
