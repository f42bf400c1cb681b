"""`alovoice events export`: the events for other programs."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from alovoice_cli.commands.events.selection import Limit, Store, clock_of, tell_coverage, where_note
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples, option_group
from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import EVENT_FIELDS
from alovoice_cli.events.coverage import UPTIME, Uptime, covered_stretches
from alovoice_cli.events.event import Call, Event
from alovoice_cli.events.event_table import event_as_json, event_cells, iso
from alovoice_cli.events.filters import FilterWords, Period, read_filter
from alovoice_cli.events.hiding import Hiding
from alovoice_cli.language import tr
from alovoice_cli.moments import ClockTime, unix_microseconds
from alovoice_cli.output.listing import Column, ListedItem, Listing
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events export --since 2025-04-01 --until 2025-04-30 > april.jsonl",
    "alovoice events export --csv --type callend --since 30d > calls.csv",
    "alovoice events export --with-uptime > history.jsonl",
    "alovoice events export --mask-numbers --csv > for-the-analyst.csv",
    note=where_note(EVENT_FIELDS),
)
_NAMES = (
    *("id", "seq", "type", "received_at", "event_call_id", "pbx_call_id", "crm_call_id", "external_id", "number"),
    *("line", "peer", "direction", "status", "duration", "started_at", "answered_at", "ended_at", "record", "queue"),
    *("rule", "duplicate_of", "body"),
)
COLUMNS = tuple(Column(name, name) for name in _NAMES)


@shows_list(COLUMNS)
def export_events(
    ctx: typer.Context,
    mask_numbers: Annotated[
        bool,
        typer.Option(
            "--mask-numbers",
            help="Mask phone numbers: 99890•••••67~3fa9c1; equal numbers look equal in one export.",
            show_default=False,
        ),
    ] = False,
    with_uptime: Annotated[
        bool,
        typer.Option(
            "--with-uptime",
            help="Add the times when listeners ran, for `events import`.",
            show_default=False,
        ),
    ] = False,
    limit: Limit = 0,
    store: Store = None,
    form: Annotated[str | None, typer.Option("--format", hidden=True)] = None,
) -> None:
    """Print events as JSON lines or CSV, oldest first.

    With --csv the body is the last column, and with --csv or --columns a delivery with several call results has a
    line for each. In CSV, text that a spreadsheet would run as a formula gets a quote before it.
    """
    session: Session = ctx.obj
    if form is not None:
        raise UsageError(
            tr("events export has no --format"), hint=tr("--csv prints CSV; without --csv it prints JSON lines")
        )
    clock = clock_of(session)
    words = option_group(ctx, FilterWords)
    wanted = read_filter(words, EVENT_FIELDS, clock)
    in_cells = session.options.csv or session.options.columns is not None
    of_a_time = FilterWords(words.since, words.until, with_trials=words.with_trials)
    if with_uptime and (in_cells or limit or words != of_a_time):
        raise UsageError(
            tr("--with-uptime exports all events of a period"),
            hint=tr("use it only with --since, --until and --with-trials"),
        )
    events = session.event_store(store)
    # Read before the events: events that are received meanwhile are in no stretch.
    uptimes = _uptime_lines(events.uptimes(), wanted.period, clock) if with_uptime else []
    found = events.told(wanted)
    if limit:
        found = iter(list(events.told(wanted, newest_first=True, limit=limit))[::-1])
    hiding = Hiding() if mask_numbers else None

    def rows() -> Iterator[ListedItem]:
        for event, call in found:
            whole = event_as_json(event)
            whole.pop("imported", None)  # an export is the same wherever its events are
            if hiding is not None:
                whole = hiding.event(whole)
            for cells in _lines(event, call, clock) if in_cells else ({},):
                shown = hiding.cells(cells) if hiding is not None else cells
                yield ListedItem({**shown, "body": whole["body"]}, whole)
        yield from uptimes

    session.show(Listing(rows(), COLUMNS), lines=not session.options.csv)
    tell_coverage(session, store, wanted.period, clock)


def _uptime_lines(uptimes: Iterable[Uptime], period: Period, clock: ClockTime) -> list[ListedItem]:
    stretches = covered_stretches(uptimes, period, unix_microseconds(clock.now))
    lines = [{"type": UPTIME, "began_at": iso(begin), "ended_at": iso(end)} for begin, end in stretches]
    return [ListedItem(line, line) for line in lines]


def _lines(event: Event, call: Call | None, clock: ClockTime) -> Iterator[dict[str, object]]:
    for fact in event.facts or (None,):
        yield event_cells(event, call, clock, short=False, fact=fact)
