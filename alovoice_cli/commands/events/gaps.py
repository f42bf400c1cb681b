"""`alovoice events gaps`: the times from which the history may lack events."""

import typer

from alovoice_cli.commands.events.selection import Limit, Since, Store, Until, WithTrials, clock_of, since_or
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.events.conditions import Compare
from alovoice_cli.events.coverage import Coverage, ImportedEvents, ListenerGap, cover, describe
from alovoice_cli.events.event import Call
from alovoice_cli.events.event_table import iso, when
from alovoice_cli.events.filters import Filter, FilterWords, Period, read_period
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import ClockTime, span_text, unix_microseconds
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice events gaps", "alovoice events gaps --since all --limit 0 --json")
COLUMNS = (
    Column("what", "What"),
    Column("begin", "From"),
    Column("end", "To"),
    Column("length", "Length", numeric=True),
    Column("number", "Number"),
    Column("line", "Line"),
    Column("event_call_id", "Event call id", shown=False),
    Column("seconds", "Seconds", shown=False, numeric=True),
    Column("begin_utc", "From (UTC)", shown=False),
    Column("end_utc", "To (UTC)", shown=False),
)
_MICRO = 1_000_000
_LONGEST_CALL = 2 * 3600 * _MICRO
"""A call that began later than this ago may still be going on."""
_NO_LISTENER, _NO_END, _IMPORTED = mark("no listener"), mark("no end"), mark("imported")


@shows_list(COLUMNS)
def list_gaps(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    with_trials: WithTrials = False,
    limit: Limit = 50,
    store: Store = None,
) -> None:
    """List the times without a listener, and calls without an end.

    Newest first; the period is seven days unless it is given. Events that the PBX sent during a gap are lost. A call
    without an end began more than two hours ago. Imported events are listed as imported, unless they were imported
    with --complete.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    period = read_period(FilterWords(since_or(6, since, until, clock), until), clock)
    events, now = session.event_store(store), unix_microseconds(clock.now)
    covered, imported = cover(events.uptimes(), period, now), events.imported(period)
    ended = now - _LONGEST_CALL
    began = Period(period.since, ended if period.until is None else min(period.until, ended))
    without_end = Filter(began, Compare("status", "=", None), with_trials)
    unended = events.calls(without_end, newest_first=True, limit=limit + 1 if limit else 0)
    short = session.stdout.isatty()
    rows = [_gap(_NO_LISTENER, gap, clock, short=short) for gap in covered.gaps]
    rows += [_gap(_IMPORTED, gap, clock, short=short) for gap in _imported_alone(imported, covered)]
    rows += [_unended(call, clock, short=short) for call in unended]
    rows.sort(key=lambda row: str(row["begin_utc"]), reverse=True)
    cut = rows[:limit] if limit else rows
    session.show(Listing(cut, COLUMNS, whole=[_as_json(row) for row in cut], nothing=tr("no gaps")))
    if len(cut) < len(rows):
        session.note(tr("only the latest {limit} are shown; --limit 0 shows all", limit=limit))
    session.note(describe(covered, clock, imported))


def _imported_alone(imported: ImportedEvents, covered: Coverage) -> list[ListenerGap]:
    """Returns the time of imported events that nobody states to be complete, up to the first listener."""
    if imported.first is None or imported.last is None or covered.holds(imported.first, imported.last):
        return []
    end = imported.last if covered.begin is None else min(imported.last, covered.begin)
    return [ListenerGap(imported.first, end)] if imported.first < end else []


def _gap(what: str, gap: ListenerGap, clock: ClockTime, *, short: bool) -> dict[str, object]:
    seconds = max((gap.end - gap.begin) // _MICRO, 1)
    return {
        "what": tr(what),
        "begin": when(gap.begin // _MICRO, clock, short=short),
        "end": tr("now") if gap.is_open else when(gap.end // _MICRO, clock, short=short),
        "length": span_text(seconds),
        "seconds": seconds,
        "begin_utc": iso(gap.begin),
        "end_utc": None if gap.is_open else iso(gap.end),
    }


def _unended(call: Call, clock: ClockTime, *, short: bool) -> dict[str, object]:
    return {
        "what": tr(_NO_END),
        "begin": when(call.reported_at, clock, short=short),
        "number": call.number,
        "line": call.line,
        "event_call_id": call.call_id,
        "begin_utc": iso(call.reported_at * _MICRO),
        "end_utc": None,
    }


def _as_json(row: dict[str, object]) -> dict[str, object]:
    names = ("what", "begin_utc", "end_utc", "seconds", "event_call_id", "number", "line")
    older = {"call_id": row["event_call_id"]} if "event_call_id" in row else {}  # the name that programs read
    return {name: row[name] for name in names if name in row} | older
