"""`alovoice events stats`: counts of calls."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.events import GROUP_TITLES
from alovoice_cli.commands.events.selection import (
    Line,
    Number,
    Peer,
    Since,
    Status,
    Store,
    Until,
    WhereCalls,
    WithTrials,
    clock_of,
    since_or,
    tell_coverage,
    where_note,
)
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import CALL_FIELDS, EVENT_FIELDS
from alovoice_cli.events.event import MISSED_STATUSES, STATUS_TONES
from alovoice_cli.events.filters import Filter, FilterWords, read_filter
from alovoice_cli.events.missed import reasons_text
from alovoice_cli.events.statistics import NONE, By, StatusTally, tally, total
from alovoice_cli.events.timeline import status_text
from alovoice_cli.language import joined, mark, ngettext, spaced, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.moments import ClockTime, span_text
from alovoice_cli.output.listing import Column, Listing, tone_by
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.stores.events import EventStore

EXAMPLES = examples(
    "alovoice events stats",
    "alovoice events stats --by hour --since yesterday --until yesterday",
    "alovoice events stats --by peer --since 30d --where 'direction = inc'",
    "alovoice events stats --by rule --since today",
    "alovoice events stats --kpi --since yesterday --until yesterday",
    "alovoice events stats --kpi --by hour --target 15s",
    note=where_note(CALL_FIELDS),
)
COLUMNS = (
    Column("group", "Group", tone=tone_by("status", STATUS_TONES)),
    Column("calls", "Calls", numeric=True),
    Column("answered", "Answered", numeric=True),
    Column("304", "Not answered", numeric=True),
    Column("480", "Unavailable", numeric=True),
    Column("486", "Busy", numeric=True),
    Column("603", "Declined", numeric=True),
    Column("603-S", "Hung up", numeric=True),
    Column("other", "Other", numeric=True),
    Column("open", "Open", numeric=True),
    Column("talk", "Talk", numeric=True),
    Column("chart", "", bar=True),
    Column("missed", "Missed", numeric=True, shown=False),
    Column("talk_seconds", "Talk (s)", numeric=True, shown=False),
)
_QUESTIONS = Column("calls", "Asked", numeric=True)
_KPI_GROUPS = ("hour", "weekday", "line", "peer", "number", "day")
FIGURE_COLUMNS = (Column("figure", "Figure"), Column("value", "Value"))
GROUP_COLUMNS = (
    Column("group", "Group"),
    Column("offered", "Offered", numeric=True),
    Column("answered", "Answered", numeric=True),
    Column("answer_rate_pct", "Ans. %", numeric=True),
    Column("abandon_rate_pct", "Aband. %", numeric=True),
    Column("net_pct", "SL %", numeric=True),
    Column("asa_s", "ASA s", numeric=True),
    Column("aht_talk_only_s", "Talk s", numeric=True),
    Column("few", "Few", shown=False),
    Column("seizures", "Out", numeric=True, shown=False),
    Column("asr_pct", "ASR %", numeric=True, shown=False),
    Column("missed", "Missed", numeric=True, shown=False),
    Column("p90_s", "P90 s", numeric=True, shown=False),
    Column("acd_s", "Out talk s", numeric=True, shown=False),
)
_PARTS = (mark("answered"), mark("missed"), mark("other"), mark("no end"))
_OF_RULES = ("group", "calls", "chart")
_OF_STATUSES = ("group", "calls", "talk", "talk_seconds", "chart")  # the status determines all other columns


@shows_list((*COLUMNS, *FIGURE_COLUMNS, *GROUP_COLUMNS))
def show_statistics(
    ctx: typer.Context,
    by: Annotated[
        By | None,
        typer.Option("--by", help="Group calls by this (default: day); rule: route questions."),
    ] = None,
    kpi: Annotated[
        bool,
        typer.Option("--kpi", help="Show key figures: service level, waits, lines, callbacks.", show_default=False),
    ] = False,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="SPAN", help="Target time of the service level (default: profile, or 20s)."),
    ] = None,
    short: Annotated[
        str | None,
        typer.Option("--short", metavar="SPAN", help="Ignore calls abandoned earlier (default: profile, or 5s)."),
    ] = None,
    since: Since = None,
    until: Until = None,
    number: Number = None,
    line: Line = None,
    peer: Peer = None,
    status: Status = None,
    where: WhereCalls = None,
    with_trials: WithTrials = False,
    store: Store = None,
) -> None:
    """Count calls: answered, missed, unfinished; talk time.

    The period is today for --by hour and --kpi, otherwise seven days, unless --since or --until is given. Repeated
    deliveries count once. A call belongs to the hour and day in which it began.
    """
    session: Session = ctx.obj
    _check_kpi(kpi, by, (target, short))
    clock = clock_of(session)
    is_of_today = by == "hour" or (kpi and by is None)
    since = since_or(0 if is_of_today else 6, since, until, clock)
    kind = "route" if by == "rule" else None
    words = FilterWords(since, until, kind, number, line, peer, status, where, with_trials)
    wanted = read_filter(words, EVENT_FIELDS if by == "rule" else CALL_FIELDS, clock)
    events = session.event_store(store)
    if kpi:
        from alovoice_cli.commands.events.key_figures import (  # noqa: PLC0415 - plain counts need none of them
            KpiQuestion,
            kpi_settings,
            show_kpi,
            show_kpi_by,
        )

        asked = KpiQuestion(wanted, kpi_settings(session, target, short), clock)
        if by is None:
            show_kpi(session, events, asked, FIGURE_COLUMNS)
        else:
            show_kpi_by(session, events, asked, by, GROUP_COLUMNS)
    else:
        _show_counts(session, events, wanted, by or "day", clock)
    tell_coverage(session, store, wanted.period, clock)


def _check_kpi(kpi: bool, by: By | None, limits: Sequence[str | None]) -> None:
    """Raises UsageError where key figures are grouped by what they are not, or limits are given without them."""
    if kpi and by is not None and by not in _KPI_GROUPS:
        raise UsageError(
            tr("--by {group} cannot be used with --kpi", group=by),
            hint=tr("use one of: {names}", names=", ".join(_KPI_GROUPS)),
        )
    if not kpi and any(limit is not None for limit in limits):
        raise UsageError(tr("--target and --short are limits of the key figures"), hint=tr("add --kpi"))


def _show_counts(session: Session, events: "EventStore", wanted: Filter, by: By, clock: ClockTime) -> None:
    tallies = tally(events.counts(wanted, by), by, clock.zone)
    drawn = session.stdout.isatty()
    left_out = session.show(
        Listing(
            [_cells(one, by, session, year=str(clock.today.year)) for one in tallies],
            _columns(session, by, total(tallies)),
            whole=[one.as_json() | {"by": by} for one in tallies],
            nothing=tr("no calls") if by != "rule" else tr("no route questions"),
        )
    )
    if tallies and by != "rule":
        session.note(_sentence(total(tallies)))
        if drawn and "chart" not in left_out:
            session.note(session.display.legend([tr(part) for part in _PARTS]))
    session.note(tr("size of the event store: {size} MB", size=decimal_text(events.size() / 1_000_000)))


def _columns(session: Session, by: By, whole: StatusTally) -> tuple[Column, ...]:
    """Returns the columns with values; the chart is for people, the seconds are for programs.

    On a terminal, where titles are words and need room, an ending that no call had has no column. Talk comes before the
    endings there: a narrow terminal drops columns from the right.
    """
    drawn = session.stdout.isatty()
    counts = {**dict.fromkeys(MISSED_STATUSES, 0), **whole.missed, "other": whole.other, "open": whole.open}
    columns: list[Column] = []
    for column in COLUMNS:
        fitting = {"rule": _OF_RULES, "status": _OF_STATUSES}.get(by)
        shown = column.shown and (fitting is None or column.name in fitting)
        if column.name in ("talk", "talk_seconds") and by != "rule":
            shown = drawn is (column.name == "talk")
        if column.name == "chart":
            shown = drawn
        if drawn and counts.get(column.name) == 0:
            shown = False
        if column.name == "group":
            column = column._replace(title=GROUP_TITLES[by])
        elif column.name == "calls" and by == "rule":
            column = _QUESTIONS
        columns.append(column._replace(shown=shown))
    if drawn and not session.options.csv:
        names = [column.name for column in columns]
        columns.insert(names.index("answered") + 1, columns.pop(names.index("talk")))
    return tuple(columns)


def _cells(one: StatusTally, by: By, session: Session, year: str) -> dict[str, object]:
    short = session.stdout.isatty()
    group = one.group.removeprefix(f"{year}-") if short and by in ("hour", "day") else one.group
    if by == "peer":
        group = session.peer_names.label(group)
    return {
        **one.as_json(),
        "group": status_text(group) if by == "status" and short and group != NONE else group,
        **{status: one.missed.get(status, 0) for status in MISSED_STATUSES},
        "talk": span_text(one.talk_seconds),
        "status": one.group if by == "status" else None,
        "chart": [one.answered, one.all_missed, one.other, one.open] if by != "rule" else [one.calls],
    }


def _sentence(whole: StatusTally) -> str:
    reasons = reasons_text(whole.missed)
    missed = tr("missed {number}", number=spaced(whole.all_missed))
    if reasons:
        missed = tr("missed {number} ({reasons})", number=spaced(whole.all_missed), reasons=reasons)
    parts = (
        ngettext(
            "{n} call: answered {answered}", "{n} calls: answered {answered}", whole.calls, answered=whole.answered
        ),
        missed,
        tr("other {number}", number=spaced(whole.other)),
        tr("without an end {number}", number=spaced(whole.open)),
        tr("talk {span}", span=span_text(whole.talk_seconds)),
    )
    return joined(", ", parts)
