"""`alovoice events show`: one call as it went."""

from collections.abc import Iterable
from typing import Annotated

import typer

from alovoice_cli.commands.events.search import Search
from alovoice_cli.commands.events.selection import Store, clock_of
from alovoice_cli.commands.everywhere import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.event_table import call_as_json
from alovoice_cli.events.timeline import TimelineStep, status_text, timeline
from alovoice_cli.moments import ClockTime, long_text, short_text, span_text
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events show e1204",
    "alovoice events show R-7F3K",
    "alovoice events show 01KAX4S3ZD6Y0Q9X2E8R5T7WVB --json | jq .call",
)
COLUMNS = (
    Column("when", "When"),
    Column("after", "After"),
    Column("what", "What"),
    Column("detail", "Details"),
    Column("id", "Id", shown=False),
    Column("at", "At (UTC)", shown=False),
)


@shows_list(COLUMNS)
def show_call(
    ctx: typer.Context,
    id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Of an event (e1204, or its id), a call, an extid, or a receipt (R-7F3K)."),
    ],
    store: Store = None,
) -> None:
    """Show one call as it went: our own request, its start, end and result, joined by their ids.

    A result and a call have no id in common: they are joined where they tell the same beginning, line and number.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    events = session.event_store(store)
    found = Search(session, store)
    if id.isprintable():  # what no database takes is nobody's name
        found.begin(id.strip())
    if not (found.events or found.receipts):
        raise UsageError(
            f"nothing here is called {id!r}",
            hint="`alovoice events list` shows what there is; its first column will do",
        )
    found.widen()
    steps = timeline(found.events.values(), found.receipts.values())
    calls = [call_as_json(call) for call in events.calls_by_id(found.call_ids).values()]
    whole = {
        "id": id,
        "call": calls[0] if calls else None,
        "receipts": [step.whole for step in steps if step.what == "request"],
        "events": [step.whole for step in steps if step.what != "request"],
    }
    session.show(Listing(_cells(steps, clock, short=session.stdout.isatty()), COLUMNS, whole=whole))
    if calls:
        session.note(_sentence(calls[0]))


def _cells(steps: Iterable[TimelineStep], clock: ClockTime, *, short: bool) -> list[dict[str, object]]:
    cells: list[dict[str, object]] = []
    begin = None
    for step in steps:
        begin = begin or step.moment
        at = short_text(step.moment, clock) if short else long_text(step.moment, clock)
        after = span_text(int((step.moment - begin).total_seconds()))
        cells.append(
            {"when": at, "after": f"+{after}", "what": step.what, "detail": step.detail, "id": step.id, "at": step.at}
        )
    return cells


def _sentence(call: dict[str, object]) -> str:
    """The call in one line."""
    ended = status_text(str(call["status"])) if call["status"] is not None else "no end is known"
    length = f", {call['duration']}s" if call["duration"] is not None else ""
    return f"call {call['call_id']}: {ended}{length}"
