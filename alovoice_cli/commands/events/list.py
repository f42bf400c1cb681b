"""`alovoice events list`: the received events, the latest first."""

from collections.abc import Iterator

import typer

from alovoice_cli.commands.events.selection import Limit, Store, clock_of, tell_coverage, where_note
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples, option_group
from alovoice_cli.events.conditions import EVENT_FIELDS
from alovoice_cli.events.event import STATUS_TONES, status_word
from alovoice_cli.events.event_table import event_as_json, event_cells
from alovoice_cli.events.filters import FilterWords, read_filter
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column, ListedItem, Listing, tone_by
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events list --since today --type callend",
    "alovoice events list --number '90 123-45-67' --limit 0",
    "alovoice events list --where 'status = 486 and duration < 5'",
    "alovoice events list --json | jq -r '.[] | select(.type == \"callend\") | .body.record'",
    note=where_note(EVENT_FIELDS),
)
COLUMNS = (
    Column("event", "Event"),
    Column("when", "When"),
    Column("type", "Type"),
    Column("number", "Number"),
    Column("line", "Line"),
    Column("peer", "Extension"),
    Column("said", "What", tone=tone_by("status", STATUS_TONES)),
    Column("id", "Id", shown=False),
    Column("seq", "Seq", shown=False, numeric=True),
    Column("received_at", "Received (UTC)", shown=False),
    Column("event_call_id", "Event call id", shown=False),
    Column("pbx_call_id", "PBX call id", shown=False),
    Column("crm_call_id", "CRM call id", shown=False),
    Column("external_id", "Our extid", shown=False),
    Column("direction", "Direction", shown=False),
    Column("status", "Status", shown=False, words=status_word, tone=tone_by("status", STATUS_TONES)),
    Column("duration", "Seconds", shown=False, numeric=True),
    Column("started_at", "Started (unix)", shown=False, numeric=True),
    Column("answered_at", "Answered (unix)", shown=False, numeric=True),
    Column("ended_at", "Ended (unix)", shown=False, numeric=True),
    Column("record", "Recording", shown=False),
    Column("queue", "Queue", shown=False),
    Column("answer", "Answer", shown=False),
    Column("rule", "Rule", shown=False),
    Column("duplicate_of", "Repeats", shown=False),
    Column("problem", "Problem", shown=False),
    Column("sender", "Sender", shown=False),
)


@shows_list(COLUMNS)
def list_events(
    ctx: typer.Context,
    limit: Limit = 50,
    store: Store = None,
) -> None:
    """List the events that the PBX sent, newest first.

    `events show` takes the id in the first column. A callend has no number or line of its own: they are those of its
    call.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    wanted = read_filter(option_group(ctx, FilterWords), EVENT_FIELDS, clock)
    short, is_cut = session.stdout.isatty(), False

    def rows() -> Iterator[ListedItem]:
        nonlocal is_cut
        found = session.event_store(store).told(wanted, newest_first=True, limit=limit + 1 if limit else 0)
        for count, (event, call) in enumerate(found):
            is_cut = bool(limit) and count == limit
            if not is_cut:
                yield ListedItem(event_cells(event, call, clock, short=short), event_as_json(event))

    session.show(Listing(rows(), COLUMNS, nothing=tr("no events found")))
    if is_cut:
        session.note(tr("only the latest {limit} are shown; --limit 0 shows all", limit=limit))
    tell_coverage(session, store, wanted.period, clock)
