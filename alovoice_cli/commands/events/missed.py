"""`alovoice events missed`: who called in vain."""

from collections.abc import Sequence
from typing import Annotated

import typer

from alovoice_cli.commands.events.selection import (
    Limit,
    Line,
    Number,
    Peer,
    Since,
    Store,
    Until,
    Where,
    clock_of,
    tell_coverage,
)
from alovoice_cli.commands.everywhere import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.events.conditions import CALL_FIELDS, all_of
from alovoice_cli.events.filters import Filter, Words, read_filter
from alovoice_cli.events.glance import call_as_json, when
from alovoice_cli.events.missed import IS_MISSED, REASONS, Missed, count_reasons, judge, not_returned, reasons_text
from alovoice_cli.events.moments import Clock, days_ago
from alovoice_cli.events.rendering import iso
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events missed --since today --not-returned",
    "alovoice events missed --since 30d --line 712037006 --limit 0",
    "alovoice events missed --not-returned --json | jq -r '.[].number'",
)
COLUMNS = (
    Column("when", "When"),
    Column("number", "Number"),
    Column("line", "Line"),
    Column("status", "Code"),
    Column("reason", "Reason"),
    Column("again", "Again", numeric=True),
    Column("back", "Back", numeric=True),
    Column("returned", "Talked to"),
    Column("returned_at", "Talked to at (UTC)", shown=False),
    Column("call_id", "Call", shown=False),
    Column("peer", "Peer", shown=False),
    Column("duration", "Seconds", shown=False, numeric=True),
    Column("reported_at", "Reported (UTC)", shown=False),
)


@shows_list(COLUMNS)
def list_missed(
    ctx: typer.Context,
    open_only: Annotated[
        bool,
        typer.Option(
            "--not-returned", help="Only who was not talked to since: once each, to be called back.", show_default=False
        ),
    ] = False,
    since: Since = None,
    until: Until = None,
    number: Number = None,
    line: Line = None,
    peer: Peer = None,
    where: Where = None,
    limit: Limit = 50,
    store: Store = None,
) -> None:
    """List missed inbound calls, the latest first, each with its reason; of seven days unless --since is given.

    Talked to is whom a later call was answered with: theirs or ours, by whichever line. Again and Back count the tries.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    words = Words(since or days_ago(6, clock), until, None, number, line, peer, None, where)
    wanted = read_filter(words, CALL_FIELDS, clock)
    events = session.event_store(store)
    calls = list(events.calls(Filter(wanted.period, all_of(IS_MISSED, wanted.condition))))
    numbers = {call.number for call in calls if call.number is not None}
    judged = judge(calls, events.calls_with(numbers, calls[0].reported_at) if calls else ())
    shown = sorted(not_returned(judged) if open_only else judged, key=lambda one: -one.call.reported_at)
    cut = shown[:limit] if limit else shown
    session.show(
        Listing(
            [_cells(one, clock, short=session.stdout.isatty()) for one in cut],
            COLUMNS,
            whole=[_as_json(one) for one in cut],
            nothing="nobody waits for a call back" if open_only else "no missed calls",
        )
    )
    if len(cut) < len(shown):
        session.note(f"the latest {limit} of {len(shown)}; --limit 0 shows all")
    if judged:
        session.note(_sentence(judged))
    tell_coverage(session, store, wanted.period, clock)


def _cells(one: Missed, clock: Clock, *, short: bool) -> dict[str, object]:
    talked = f"{one.returned} {when(one.returned_at, clock, short=short)}" if one.returned_at is not None else None
    return {
        **_as_json(one),
        "when": when(one.call.reported_at, clock, short=short),
        "number": one.call.number or "hidden",
        "returned": talked,
    }


def _as_json(one: Missed) -> dict[str, object]:
    return {
        **call_as_json(one.call),
        "reason": REASONS.get(one.call.status or "", one.call.status),
        "returned": one.returned,
        "returned_at": None if one.returned_at is None else iso(one.returned_at * 1_000_000),
        "again": one.again,
        "back": one.back,
    }


def _sentence(judged: Sequence[Missed]) -> str:
    callers = sum(1 for _ in not_returned(judged))
    return f"{len(judged)} missed: {reasons_text(count_reasons(judged))}; {callers} callers not talked to since"
