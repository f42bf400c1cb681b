"""`alovoice ai send`: starts the analysis of recorded calls, at most once for each call."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alovoice_cli.batch.limits import check_budget, check_call_ids
from alovoice_cli.batch.row_selection import analyses_sent
from alovoice_cli.commands.ai.recorded_calls import CallChoice, as_list, find_to_send
from alovoice_cli.commands.batch_options import SendingCommand as SendingCommand
from alovoice_cli.commands.batch_options import batch_options, needed_ids, refuse_batch_options, refuse_both, run
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError, UsageError, worst
from alovoice_cli.language import tr
from alovoice_cli.moments import minute_text
from alovoice_cli.output.display import nobody_answers
from alovoice_cli.output.listing import Column, Listing, cell_text, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.api.ai import Sending
    from alovoice_cli.batch.options import BatchOptions
    from alovoice_cli.receipts import Receipt

EXAMPLES = examples(
    "alovoice ai send 1716209468.1234",
    "alovoice ai send 8001 8002 8003 --budget 100 --json",
    "alovoice ai send 8001 --again",
    "alovoice ai send --batch calls.csv --map call_id=Id --jobs 4",
    "alovoice ai send --since yesterday --min-duration 20s --dry-run",
    "alovoice ai send --since yesterday --until yesterday --peer 101 --yes",
)
COLUMNS = (
    Column("call_id", "Call"),
    Column("outcome", "Outcome", words=state_word, tone=tone_by("outcome", STATE_TONES)),
    Column("aicallid", "Analysis"),
    Column("begin_time", "Began"),
    Column("stereoaudio", "Recording", shown=False),
    Column("problem", "Problem"),
)
_COMMAND = "ai send"
_PANEL = "Calls of the event store"


def _choice(flag: str, metavar: str | None, help: str, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=help, rich_help_panel=_PANEL, show_default=False, **more)


@dataclass(frozen=True, slots=True)
class _Row:
    """The result for one call. `outcome` is that of the request, or `already` where it was sent before."""

    call_id: str
    outcome: str
    answer: Mapping[str, object] | None
    problem: AlovoiceError | None = None

    def as_json(self) -> dict[str, object]:
        error = self.problem.as_json() if self.problem else None
        return {"call_id": self.call_id, "outcome": self.outcome, "answer": self.answer, "error": error}

    def cells(self) -> dict[str, object]:
        inner = (self.answer or {}).get("answer")
        problem = self.problem.message if self.problem else None
        told = inner if isinstance(inner, dict) else {}
        return {"call_id": self.call_id, "outcome": self.outcome, "problem": problem, **told}


@shows_list(COLUMNS)
def send_calls(
    ctx: typer.Context,
    call_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CALL_ID...", help="Ids of the calls on the PBX.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Send calls again that were sent before.", show_default=False)
    ] = False,
    budget: Annotated[
        int | None,
        typer.Option("--budget", metavar="N", min=0, help="Maximum analyses in 24 hours."),
    ] = None,
    since: Annotated[
        str | None,
        _choice("--since", "WHEN", "Recorded calls from this time on: 2h, yesterday, 2025-04-25."),
    ] = None,
    until: Annotated[str | None, _choice("--until", "WHEN", "Calls up to this time; a day is included whole.")] = None,
    peer: Annotated[str | None, _choice("--peer", "N", "Calls of this extension; several: a,b.")] = None,
    line: Annotated[str | None, _choice("--line", "N", "Calls on this line; several: a,b.")] = None,
    min_duration: Annotated[
        str | None, _choice("--min-duration", "SPAN", "Minimum duration of a call: 20s, 2m.")
    ] = None,
    limit: Annotated[int, _choice("--limit", "N", "Maximum number of calls, newest first; 0: all.", min=0)] = 0,
    with_imported: Annotated[
        bool, _choice("--with-imported", None, "Include calls that `events import` added.")
    ] = False,
    store: Annotated[
        str | None,
        _choice("--store", "URL", "Event store (default: the profile's)."),
    ] = None,
) -> int:
    """Start the speech analysis of recorded calls.

    One request per call; an analysis may cost money. CALL_ID is the id of the PBX (`pbx_call_id` in `events list`);
    with --since the recorded calls of the event store are sent. A call that was sent from this computer before is
    not sent again without --again: `already` marks it, and its earlier response is shown.
    """
    session: Session = ctx.obj
    session.use_store(store)
    options = batch_options(ctx)
    choice = CallChoice(since, until, peer, line, min_duration, limit, with_imported, store, again)
    if since is not None:
        refuse_both(call_ids or options.source, "--since", "CALL_ID, --batch")
        return _send_found(session, choice, options._replace(again=again, budget=budget))
    _refuse_choice(choice)
    if options.source is not None:
        refuse_both(call_ids, "CALL_ID")
        # As below: no other process may request the same calls between reading the ledger and sending.
        with session.turn(_COMMAND):
            return run(session, _COMMAND, options._replace(again=again, budget=budget, store=store), {})
    refuse_batch_options(options)
    call_ids = list(dict.fromkeys(needed_ids(ctx, call_ids, since=True)))
    check_call_ids(session, call_ids, store=store)
    if session.options.dry_run:
        session.client.ai.send_each(call_ids)
        return 0
    from_earlier, sendings = _send(session, call_ids, again=again, budget=budget)
    rows = [*from_earlier, *(_Row(one.call_id, one.outcome, one.answer, one.problem) for one in sendings)]
    _show(session, sorted(rows, key=lambda row: call_ids.index(row.call_id)))
    return 0


def _refuse_choice(choice: CallChoice) -> None:
    """Raises UsageError for options that choose calls, without --since."""
    for name in ("until", "peer", "line", "min_duration", "limit", "with_imported"):
        if getattr(choice, name):
            raise UsageError(
                tr(
                    "{option} needs --since: it chooses among the calls of the event store",
                    option=f"--{name.replace('_', '-')}",
                ),
                hint=tr("add --since WHEN; --since all is the whole store"),
            )


def _send_found(session: Session, choice: CallChoice, options: "BatchOptions") -> int:
    """Sends the calls of the event store as a batch."""
    is_agreed = session.options.yes or session.options.dry_run or options.confirm is not None
    # No other process may request the same calls between the look into the ledger and the requests.
    with session.turn(_COMMAND):
        calls = find_to_send(session, choice)
        if not calls:
            return 0
        if not (is_agreed or session.display.is_asked):
            raise nobody_answers("--yes")
        return run(session, _COMMAND, options, {}, table=as_list(session, calls))


def _send(
    session: Session, call_ids: Sequence[str], *, again: bool, budget: int | None
) -> tuple[list[_Row], "list[Sending]"]:
    # Between the look into the ledger and the request no other process may request the same call.
    with session.turn(_COMMAND):
        earlier = {} if again else analyses_sent(session, call_ids)
        left = [call_id for call_id in call_ids if call_id not in earlier]
        if budget is not None:
            check_budget(session, "/callsendai/", budget, len(left))
        return [_told_before(session, call_id, entry) for call_id, entry in earlier.items()], (
            session.client.ai.send_each(left) if left else []
        )


def _told_before(session: Session, call_id: str, entry: "Receipt") -> _Row:
    answer = _answer_in(entry.answer or "")
    if entry.outcome == "done" or session.analyses.get(call_id) is not None:
        session.note(
            tr(
                "call {call} was sent before, on {day} (receipt {receipt}), and is not sent again; to send it again,"
                " add --again",
                call=call_id,
                day=entry.begun_at[:10],
                receipt=entry.receipt,
            )
        )
        return _Row(call_id, "already", answer)
    problem = OutcomeUnknownError(
        tr(
            "call {call} may have been sent before (receipt {receipt}), and is not sent again",
            call=call_id,
            receipt=entry.receipt,
        ),
        hint=tr("check with `alovoice ai result {call}`; --again sends it again, which may cost twice", call=call_id),
    )
    return _Row(call_id, "unknown", answer, problem)


def _answer_in(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # the ledger stores a long answer shortened
        return None
    return value if isinstance(value, dict) else None


def _began(zone: tzinfo, begin_time: object) -> str:
    return minute_text(begin_time, zone) if isinstance(begin_time, int) else cell_text(begin_time)


def _show(session: Session, rows: Sequence[_Row]) -> None:
    problems = [row.problem for row in rows if row.problem is not None]
    code = worst([problem.exit_code for problem in problems])
    gravest = next((problem for problem in problems if problem.exit_code == code), None)
    if len(rows) > 1 or gravest is None:
        whole = rows[0].answer if len(rows) == 1 else [row.as_json() for row in rows]
        words = partial(_began, session.clock.zone)
        columns = tuple(column._replace(words=words) if column.name == "begin_time" else column for column in COLUMNS)
        session.show(Listing([row.cells() for row in rows], columns, whole=whole))
    if gravest is not None:
        raise gravest
