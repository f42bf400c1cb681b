"""A day, or seven, in one value: figures against targets, calls by hour, callers who are owed a call, lines, coverage.

All forms (terminal, text, HTML, JSON) are made from this value, so that their figures are equal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from alovoice_cli.events.coverage import NOT_IMPORTED, Coverage, ImportedEvents, describe
from alovoice_cli.events.day_span import DaySpan
from alovoice_cli.events.headline_figures import NOTHING, DayTargets, Figure, doubts, headline_figures
from alovoice_cli.events.kpi import FEW_CALLS, Kpi, KpiSettings
from alovoice_cli.events.missed import MissedCall
from alovoice_cli.events.peer_names import PeerNames
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.localization import decimal_text, short_weekday
from alovoice_cli.moments import ClockTime, from_unix, span_text

DAYS_OF_WEEK = 7
_MICRO = 1_000_000
_FEW_REMARK = mark("* fewer than {number} inbound calls: the rates say little")


@dataclass(frozen=True, slots=True)
class DaySettings:
    """What the profile says about days: its name, the targets, the limits of the key figures, the extensions' names."""

    profile: str
    targets: DayTargets = field(default_factory=DayTargets)
    kpi: KpiSettings = field(default_factory=KpiSettings)
    names: PeerNames = field(default_factory=PeerNames)
    trunk_lines: int | None = None


class OwedCaller(NamedTuple):
    """A caller whom nobody talked to since a missed call. `since` is the end of that call, in unix seconds.

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
    """One hour (`09:00`) or one day (`2026-11-23`): its inbound calls. The rest is told of days alone.

    `is_known`: a listener was there at some time of the day, or calls are known of it.
    """

    name: str
    offered: int
    answered: int
    missed: int
    answer_rate: float | None = None
    service_level: float | None = None
    mean_wait: float | None = None
    owed: int | None = None
    score: float | None = None
    is_known: bool = True

    @property
    def is_few(self) -> bool:
        """Returns whether the rates of a day stand for too few calls to say much."""
        return self.answer_rate is not None and self.offered < FEW_CALLS

    @property
    def label(self) -> str:
        """Returns the name, marked where the rates say little."""
        return f"{self.name}*" if self.is_few else self.name

    @property
    def counts(self) -> tuple[str, str, str]:
        """Returns offered, answered and missed calls as text."""
        if not self.is_known:
            return NOTHING, NOTHING, NOTHING
        return str(self.offered), str(self.answered), str(self.missed)


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
    imported: ImportedEvents = NOT_IMPORTED
    trunk_lines: int | None = None

    @property
    def title(self) -> str:
        """Returns the PBX and the days."""
        return tr("PBX {profile}: {days}", profile=self.profile, days=self.span.title)

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
    def owed_command(self) -> str:
        """Returns the command that lists all callers who are owed a call."""
        last = self.span.days[-1].begin
        return f"alovoice events missed --not-returned --since {self.span.begin:%Y-%m-%d} --until {last:%Y-%m-%d}"

    @property
    def remarks(self) -> list[str]:
        """Returns why figures are missing, each reason once with its figures, and what makes others less sure."""
        by_reason: dict[str, list[str]] = {}
        for figure in self.figures:
            if figure.why:
                by_reason.setdefault(figure.why, []).append(figure.name)
        missing = [
            tr("{nothing} {figures}: {why}", nothing=NOTHING, figures=joined(", ", names), why=why)
            for why, names in by_reason.items()
        ]
        few = [tr(_FEW_REMARK, number=FEW_CALLS)] if any(row.is_few for row in self.rows) else []
        return [*missing, *doubts(self.kpi), *few]

    @property
    def calls_text(self) -> str:
        """Returns the numbers of calls, in one sentence."""
        calls, out = self.kpi.inbound, self.kpi.outbound
        parts = [tr("answered {number}", number=calls.answered), tr("missed {number}", number=calls.missed)]
        parts += [tr("other {number}", number=calls.other)] if calls.other else []
        parts += [tr("open {number}", number=calls.open)] if calls.open else []
        return tr(
            "Calls in: {inbound} ({parts}); out: {outbound} (answered {answered})",
            inbound=calls.offered,
            parts=joined(", ", parts),
            outbound=out.seizures,
            answered=out.answered,
        )

    @property
    def lines_text(self) -> str:
        """Returns how many lines were in use at most, and how many the busy hour needs."""
        lines = self.kpi.lines
        if not lines.peak or lines.peak_at is None:
            return tr("Lines: none was in use")
        texts = [tr("Lines: at most {peak} in use, at {time}", peak=lines.peak, time=self._at(lines.peak_at))]
        if self.trunk_lines:
            texts[0] = tr(
                "Lines: at most {peak} in use (a line carries {most} calls), at {time}",
                peak=lines.peak,
                most=self.trunk_lines,
                time=self._at(lines.peak_at),
            )
        if lines.busy_hour is not None:
            texts.append(
                tr(
                    "busy hour {hour}, {erlangs} erlangs carried: with {lines} at most 1 % of calls would be lost",
                    hour=self._at(lines.busy_hour),
                    erlangs=decimal_text(lines.busy_hour_erlangs or 0, 2),
                    lines=ngettext("{n} line", "{n} lines", lines.busy_hour_lines_1pct or 0),
                )
            )
        return joined("; ", texts)

    @property
    def coverage_text(self) -> str:
        """Returns when a listener was there; the times of a single day are told without the date."""
        last = min(self.span.now, self.span.end - timedelta(microseconds=1)) + timedelta(days=2 * self.is_week)
        return describe(self.coverage, ClockTime(last, self.span.clock.zone), self.imported)

    def since_text(self, seconds: int) -> str:
        """Returns a moment of the period, and for how long it is past: `09:12 (3 h 53 min)`."""
        moment = from_unix(seconds, self.span.clock.zone)
        past = span_text(max(int(self.span.now.timestamp()) - seconds, 0))
        return past if moment is None else tr("{time} ({span})", time=self._at(moment), span=past)

    def _at(self, moment: datetime) -> str:
        return joined(" ", [short_weekday(moment), f"{moment:%H:%M}"]) if self.is_week else f"{moment:%H:%M}"

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
            "coverage": self._coverage_as_json(),
            "remarks": self.remarks,
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
        return {**caller._asdict(), "since": self._iso(caller.since), "waiting_seconds": waiting}

    def _coverage_as_json(self) -> dict[str, object]:
        covered = self.coverage
        return {
            "since": None if covered.begin is None else self._iso(covered.begin // _MICRO),
            "until": self._iso(covered.end // _MICRO),
            "gaps": [
                {"since": self._iso(gap.begin // _MICRO), "until": self._iso(gap.end // _MICRO)} for gap in covered.gaps
            ],
            "imported_events": self.imported.total,
        }

    def _iso(self, seconds: int) -> str | None:
        moment = from_unix(seconds, self.span.clock.zone)
        return None if moment is None else moment.isoformat()


def _row_as_json(row: DayRow, *, is_day: bool) -> dict[str, object]:
    if not is_day:
        return {"hour": row.name, "offered": row.offered, "answered": row.answered, "missed": row.missed}
    told = row._asdict()
    del told["name"]
    return {"day": row.name, **told, "few": row.is_few}


class DayFacts(NamedTuple):
    """What an event store says of a span: `judged` are its missed calls."""

    kpi: Kpi
    judged: Sequence[MissedCall]
    coverage: Coverage
    imported: ImportedEvents = NOT_IMPORTED

    @property
    def is_known(self) -> bool:
        """Returns whether a listener was there at some time of the span, or calls are known of it."""
        return self.kpi.inbound.offered > 0 or self.coverage.begin is not None


def day_of(settings: DaySettings, span: DaySpan, facts: DayFacts, days: Sequence[DayRow] = ()) -> Day:
    """Returns the day; of several days the rows are `days`, else the hours."""
    kpi = facts.kpi
    owed = owed_callers(facts.judged, settings.names)
    hours = [DayRow(hour.hour, hour.offered, hour.answered, hour.missed) for hour in kpi.hours]
    return Day(
        profile=settings.profile,
        span=span,
        kpi=kpi,
        figures=headline_figures(kpi, settings.targets, len(owed) if facts.is_known else None),
        rows=tuple(days) or tuple(_without_edges(hours)),
        owed=tuple(owed),
        coverage=facts.coverage,
        imported=facts.imported,
        trunk_lines=settings.trunk_lines,
    )


def day_row(span: DaySpan, facts: DayFacts, score: float | None) -> DayRow:
    """Returns one of several days."""
    kpi, calls = facts.kpi, facts.kpi.inbound
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
        is_known=facts.is_known,
    )


def _without_edges(hours: Sequence[DayRow]) -> Sequence[DayRow]:
    """Returns the hours from the first with a call to the last."""
    busy = [place for place, row in enumerate(hours) if row.offered]
    return hours[busy[0] : busy[-1] + 1] if busy else ()


def owed_callers(judged: Iterable[MissedCall], names: PeerNames) -> list[OwedCaller]:
    """Returns who is still owed a call, the longest waiting first; hidden numbers are left out."""
    by_number: dict[str, list[MissedCall]] = {}
    for missed in judged:
        if missed.is_owed and missed.call.number is not None:
            by_number.setdefault(missed.call.number, []).append(missed)
    owed = []
    for number, calls in by_number.items():
        last = max(calls, key=lambda missed: missed.call.reported_at)
        tried = max(missed.back for missed in calls)
        line, peer = last.call.line or "", names.label(last.call.peer)
        owed.append(OwedCaller(number, last.since, len(calls), tried, line, peer))
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
