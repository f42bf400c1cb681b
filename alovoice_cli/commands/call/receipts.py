"""`alovoice call receipts`: the ledger of every request from this machine that dials, creates or costs."""

from typing import Annotated

import typer

from alovoice_cli.commands.call.local_times import local_columns, note_zone
from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import SharedStore, examples
from alovoice_cli.language import ngettext, tr
from alovoice_cli.output.listing import Column, Listing, Record, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session

app = CommandApp()
COLUMNS = (
    Column("receipt", "Receipt"),
    Column("begun_at", "When", value=lambda item: f"{item['begun_at']}"[:19].replace("T", " ") + "Z"),
    Column("profile", "PBX"),
    Column("command", "Command"),
    Column("numbers", "Numbers"),
    Column("outcome", "Outcome", words=state_word, tone=tone_by("outcome", STATE_TONES)),
    Column("our_id", "Our id", shown=False),
    Column("exit_code", "Exit code", shown=False, numeric=True),
    Column("sent", "Sent", shown=False, words=state_word),
    Column("status", "HTTP", shown=False, numeric=True),
    Column("answer", "Answer", shown=False),
    Column("settled_at", "Settled", shown=False),
    Column("method", "Method", shown=False),
    Column("path", "Path", shown=False),
    Column("pid", "Process", shown=False, numeric=True),
)
_REQUEST = Column("request", "Request")
_TIMES = ("begun_at", "settled_at")


@app.command(
    "list",
    epilog=examples(
        "alovoice call receipts list --limit 5",
        "alovoice call receipts list --json | jq -r '.[] | select(.outcome == \"unknown\") | .receipt'",
    ),
)
@shows_list(COLUMNS)
def list_receipts(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Maximum number of rows; 0: all.")] = 50,
    store: SharedStore = None,
) -> None:
    """List the requests that dial, create or cost money, newest first.

    `unknown`: the request may have been carried out; check before you repeat it.
    """
    session: Session = ctx.obj
    session.use_store(store)
    entries = [entry.as_dict() for entry in session.ledger.receipts(limit=limit + 1 if limit else 0)]
    if limit and len(entries) > limit:
        entries = entries[:limit]
        session.note(
            ngettext(
                "only the latest request is shown; --limit 0 shows all",
                "only the latest {n} requests are shown; --limit 0 shows all",
                limit,
            )
        )
    columns = local_columns(session, COLUMNS, _TIMES)
    session.show(Listing(entries, columns, nothing=tr("no requests have been sent from this computer")))
    if entries:
        note_zone(session)


@app.command("show", epilog=examples("alovoice call receipts show R-7F3K"))
def show_receipt(
    ctx: typer.Context,
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="Receipt, such as R-7F3K.")],
    store: SharedStore = None,
) -> None:
    """Show one receipt: the request, its time and its outcome."""
    session: Session = ctx.obj
    session.use_store(store)
    entry = session.ledger.receipt(receipt)
    whole = entry.as_dict()
    columns = (*local_columns(session, COLUMNS, _TIMES), _REQUEST)
    session.show(Record(whole, title=tr("Receipt {receipt}", receipt=entry.receipt), columns=columns))
    note_zone(session)
