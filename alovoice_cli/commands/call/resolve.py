"""`alovoice call resolve`: did it ring?"""

from collections.abc import Sequence
from typing import Annotated

import typer

from alovoice_cli.batch.call_evidence import PlacedCall, read_receipt
from alovoice_cli.batch.resolve import CallSearch, CallVerdict
from alovoice_cli.batch.verdict_text import WORDS, as_json, moment_text, sentence
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.events.event import STATUS_TONES, status_word
from alovoice_cli.language import ngettext, tr
from alovoice_cli.moments import parse_span
from alovoice_cli.output.listing import Column, Listing, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice call resolve R-7F3K",
    "alovoice call resolve R-7F3K --wait 5m",
    "alovoice call resolve --batch out-clients-3f9a2b1c",
    "alovoice call resolve --all --json | jq -r '.[] | select(.resend_safe) | .receipt'",
)
COLUMNS = (
    Column("receipt", "Receipt"),
    Column("when", "When"),
    Column("numbers", "Numbers"),
    Column(
        "answer",
        "Did it ring?",
        value=lambda item: tr(WORDS[str(item["answer"])]),
        tone=tone_by("answer", {**dict.fromkeys(WORDS, "doubt"), "rang": "good", "did_not_ring": "bad"}),
    ),
    Column("said", "Why"),
    Column("our_id", "Our id", shown=False),
    Column("why", "Reason", shown=False),
    Column("basis", "Matched by", shown=False),
    Column("status", "Status", shown=False, words=status_word, tone=tone_by("status", STATUS_TONES)),
    Column("answered_by", "Answered by", shown=False),
    Column("duration", "Seconds", shown=False, numeric=True),
    Column("resend_safe", "Safe to send again", shown=False),
    Column("outcome", "Outcome", shown=False, words=state_word, tone=tone_by("outcome", STATE_TONES)),
)
_WORST_FIRST = (ExitCode.UNKNOWN_OUTCOME, ExitCode.NOT_READY, ExitCode.REFUSED)


@shows_list(COLUMNS)
def resolve_calls(
    ctx: typer.Context,
    request: Annotated[
        str | None, typer.Argument(metavar="RECEIPT|EXTID", help="Receipt (R-7F3K), or your id of the call.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All calls of this PBX with an unknown outcome.")] = False,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="Rows of this batch with an unknown outcome.")
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="SPAN", help="Search until it is known: 90s, 5m; alone: 90s."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Event store (default: the profile's).")
    ] = None,
) -> int:
    """Find out from the received events whether a call rang.

    Sends nothing. Exit code 0: it rang; 1: it did not ring, and the call can safely be repeated; 6: unknown (no
    event yet, no listener was running, or two calls match); 9: still unknown after --wait. Of several calls the
    worst code counts, in the order 6, 9, 1, 0.
    """
    session: Session = ctx.obj
    if [request is not None, every, batch is not None].count(True) != 1:
        raise UsageError(
            tr("name a call, or give --all or --batch NAME"),
            hint=tr("a call is named by its receipt (`alovoice call receipts list`) or by your id of it"),
        )
    session.use_store(store)
    patience = parse_span(wait, "--wait") if wait is not None else None
    search = CallSearch(session, store)
    if batch is not None:
        wanted = _of_batch(session, batch)
    else:
        wanted = search.unknown() if request is None else [_find(session, request)]
    if patience is None:
        verdicts = search.look(wanted)
    else:
        verdicts = search.watch(wanted, patience, lambda verdict: verdict.is_settled)
    _show(session, verdicts, is_one=request is not None)
    return _worst(verdicts, waited=patience is not None and search.is_listened())


def _of_batch(session: Session, name: str) -> list[PlacedCall]:
    """Returns the calls of a batch's unknown rows. Raises UsageError for an unknown batch."""
    from alovoice_cli.batch.batch_report import journal_rows

    receipts = [str(row["receipt"]) for row in journal_rows(session, name, "unknown") if row["receipt"]]
    return [_find(session, receipt) for receipt in receipts]


def _find(session: Session, word: str) -> PlacedCall:
    """Returns the call of this receipt or id.

    Raises UsageError for none, several, another PBX's, or another request.
    """
    own = session.ledger.receipts_of([word.strip()])
    if len(own) > 1:
        names = ", ".join(entry.receipt for entry in own)
        raise UsageError(
            ngettext("{n} request has the id {id}", "{n} requests have the id {id}", len(own), id=word),
            hint=tr("name one by its receipt: {receipts}", receipts=names),
        )
    entry = own[0] if own else session.ledger.receipt(word)
    asked = read_receipt(entry)
    if asked is None:
        raise UsageError(
            tr(
                "the receipt {receipt} belongs to `{command}`, not to a call",
                receipt=entry.receipt,
                command=entry.command,
            ),
            hint=tr("`alovoice call receipts show {receipt}` shows this request", receipt=entry.receipt),
        )
    if asked.profile != session.settings.profile:
        raise UsageError(
            tr("the request {receipt} was sent to PBX {profile}", receipt=entry.receipt, profile=asked.profile),
            hint=tr("add `-p {profile}`", profile=asked.profile),
        )
    return asked


def _show(session: Session, verdicts: Sequence[CallVerdict], *, is_one: bool) -> None:
    clock = session.clock
    said = [sentence(verdict, clock) for verdict in verdicts]
    whole = [{**as_json(verdict), "said": text} for verdict, text in zip(verdicts, said, strict=True)]
    short = session.stdout.isatty()
    cells = [
        {**row, "when": moment_text(verdict.asked.begun_at, clock, short=short)}
        for verdict, row in zip(verdicts, whole, strict=True)
    ]
    nothing = tr("there are no calls with an unknown outcome")
    session.show(Listing(cells, COLUMNS, whole=whole[0] if is_one else whole, nothing=nothing))


def _worst(verdicts: Sequence[CallVerdict], *, waited: bool) -> ExitCode:
    codes = {
        ExitCode.NOT_READY if waited and verdict.answer == "no_trace_yet" else verdict.exit_code for verdict in verdicts
    }
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.DONE)
