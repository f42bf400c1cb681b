"""`alovoice events tail`: the latest events, and with -f also new ones."""

import time
from typing import Annotated

import typer

from alovoice_cli.commands.events.selection import (
    Line,
    Number,
    Peer,
    Status,
    Store,
    Type,
    Where,
    WithTrials,
    clock_of,
    where_note,
)
from alovoice_cli.commands.options import examples
from alovoice_cli.events.conditions import EVENT_FIELDS
from alovoice_cli.events.event import STATUS_TONES, Call, Event
from alovoice_cli.events.event_table import brief, event_as_json, event_cells
from alovoice_cli.events.filters import FilterWords, read_filter
from alovoice_cli.language import pgettext
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events tail",
    "alovoice events tail -f --type callend",
    "alovoice events tail -f --json | jq -c 'select(.type == \"callstart\") | .body.number'",
    note=where_note(EVENT_FIELDS),
)
_POLL_SECONDS = 0.5
_WIDTHS = {"event": 6, "when": 11, "type": 9, "number": 12, "line": 12, "peer": 5, "said": 13}
_TITLES = {
    "event": "Event",
    "when": "When",
    "type": "Type",
    "number": "Number",
    "line": "Line",
    "peer": "Ext.",
    "said": "What",
}


def tail_events(
    ctx: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for new events until Ctrl-C.", show_default=False)
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, help="Number of events to start with.")
    ] = 10,
    type: Type = None,
    number: Number = None,
    line: Line = None,
    peer: Peer = None,
    status: Status = None,
    where: Where = None,
    with_trials: WithTrials = False,
    store: Store = None,
) -> None:
    """Print the latest events, oldest first.

    In a pipe: one JSON object per line; on a terminal: a table that grows.
    """
    session: Session = ctx.obj
    words = FilterWords(None, None, type, number, line, peer, status, where, with_trials)
    wanted = read_filter(words, EVENT_FIELDS, clock_of(session))
    events = session.event_store(store)
    reached = events.settled(0, _now(session))
    latest = list(events.told(wanted, newest_first=True, limit=lines)) if lines else []
    as_lines = session.options.json or not session.stdout.isatty()
    if not as_lines and not session.options.no_headers:
        session.display.row({name: pgettext("column", title) for name, title in _TITLES.items()}, _WIDTHS)
    for told in reversed(latest):
        _print(session, told.event, told.call, as_lines=as_lines)
        reached = max(reached, told.event.delivery.seq)
    while follow:
        time.sleep(_POLL_SECONDS)
        settled = events.settled(reached, _now(session))
        for told in events.told(wanted, after=reached) if settled > reached else ():
            if told.event.delivery.seq > settled:
                break
            _print(session, told.event, told.call, as_lines=as_lines)
        reached = max(reached, settled)


def _print(session: Session, event: Event, call: Call | None, *, as_lines: bool) -> None:
    if as_lines:
        session.display.line(event_as_json(event))
    else:
        cells = event_cells(event, call, clock_of(session), short=True)
        session.display.row(
            {**cells, "said": brief(event, _WIDTHS["said"])}, _WIDTHS, STATUS_TONES.get(event.fact.status or "", "")
        )


def _now(session: Session) -> int:
    return unix_microseconds(session.now())
