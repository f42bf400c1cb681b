"""`alovoice call batches`: the batches of this machine, and the progress of each."""

from typing import Annotated

import typer

from alovoice_cli.batch_rows import STATES
from alovoice_cli.commands.batch_options import ResumingCommand, batch_options
from alovoice_cli.commands.call.local_times import local_columns, note_zone
from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import SharedStore, examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column, Listing, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session

app = CommandApp()
BATCHES = (
    Column("name", "Batch"),
    Column("created_at", "Begun", value=lambda item: f"{item['created_at']}"[:16].replace("T", " ") + "Z"),
    Column("rows", "Rows", numeric=True),
    Column("done", "Done", numeric=True),
    Column("refused", "Refused", numeric=True),
    Column("unsent", "Unsent", numeric=True),
    Column("unknown", "Unknown", numeric=True),
    Column("pending", "Waiting", numeric=True),
    Column("left_out", "Left out", numeric=True),
    Column("profile", "PBX", shown=False),
    Column("command", "Command", shown=False),
    Column("source", "List", shown=False),
    Column("path", "File", shown=False),
    Column("problem", "Problem", shown=False),
)
ROWS = (
    Column("row", "Row", numeric=True),
    Column("numbers", "Numbers"),
    Column("outcome", "Outcome", words=state_word, tone=tone_by("outcome", STATE_TONES)),
    Column("extid", "Our id"),
    Column("receipt", "Receipt"),
    Column("attempts", "Attempts", numeric=True),
    Column("problem", "Problem"),
    Column("sent", "Sent", shown=False, words=state_word),
    Column("status", "HTTP", shown=False, numeric=True),
    Column("answer", "Answer", shown=False),
    Column("began_at", "Begun", shown=False),
    Column("ended_at", "Ended", shown=False),
    Column("key", "Key", shown=False),
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the batch, or path of its journal.")]


@app.command("list", epilog=examples("alovoice call batches list", "alovoice call batches list --json"))
@shows_list(BATCHES)
def list_batches(ctx: typer.Context, store: SharedStore = None) -> None:
    """List the batches of this computer and their progress.

    Left out are duplicates, rows of excluded numbers, and rows that an earlier batch has sent.
    """
    from alovoice_cli.batch.batch_report import list_journals

    session: Session = ctx.obj
    session.use_store(store)
    batches, columns = list_journals(session), local_columns(session, BATCHES, {"created_at"})
    session.show(Listing(batches, columns, nothing=tr("no batch was started on this computer"), ours=True))
    if batches:
        note_zone(session)


@app.command(
    "show",
    epilog=examples(
        "alovoice call batches show out-clients-3f9a2b1c",
        "alovoice call batches show out-clients-3f9a2b1c --state unknown --json",
    ),
)
@shows_list(ROWS)
def show_batch(
    ctx: typer.Context,
    name: Name,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only rows with this outcome: done, refused, unsent, unknown, pending, and so on.",
        ),
    ] = None,
    store: SharedStore = None,
) -> None:
    """Show a batch row by row.

    `unknown`: the request may have been carried out; it is not sent again without your decision. Rows that are not
    sent: `duplicate` (another row calls the same number), `excluded` (a do-not-call file has the number),
    `sent_before` (sent, or maybe sent, within 24 hours).
    """
    from alovoice_cli.batch.batch_report import journal_rows

    session: Session = ctx.obj
    session.use_store(store)
    if state is not None and state not in STATES:
        raise UsageError(
            tr("--state {value} is not a valid state", value=repr(state)),
            hint=tr("states: {names}", names=", ".join(STATES)),
        )
    rows = journal_rows(session, name, state)
    columns = local_columns(session, ROWS, {"began_at", "ended_at"})
    session.show(Listing(rows, columns, nothing=tr("there are no such rows"), ours=True))
    if rows and "_at" in (session.options.columns or ""):
        note_zone(session)


@app.command(
    "resume",
    cls=ResumingCommand,
    epilog=examples(
        "alovoice call batches resume out-clients-3f9a2b1c",
        "alovoice call batches resume out-clients-3f9a2b1c --rate 10/m --report report.csv",
    ),
)
def resume(ctx: typer.Context, name: Name) -> int:
    """Continue a batch from its journal.

    The list is not needed. Waiting and unsent rows are sent; unknown rows are not.
    """
    from alovoice_cli.batch.batch_report import journals_of
    from alovoice_cli.batch.start import resume_batch

    session: Session = ctx.obj
    options = batch_options(ctx)._replace(journal=name)
    return resume_batch(session, journals_of(session).existing(name), options)


@app.command("forget", epilog=examples("alovoice call batches forget out-clients-3f9a2b1c"))
def forget(
    ctx: typer.Context,
    name: Name,
    accept_risk: Annotated[
        bool, typer.Option("--accept-risk", help="Delete it although rows are waiting or unknown.", show_default=False)
    ] = False,
    store: SharedStore = None,
) -> None:
    """Delete the journal of a batch.

    The same list then starts from its first row, without the rows that were sent within 24 hours.
    """
    from alovoice_cli.batch.batch_report import forget_journal

    session: Session = ctx.obj
    session.use_store(store)
    told = forget_journal(session, name, accept_risk=accept_risk)
    session.report(tr("deleted: {rows}", rows=told), forgotten=name)
