"""`alovoice ai send`: starts the analysis of recorded calls."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alovoice_cli.commands import many
from alovoice_cli.commands.everywhere import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError, worst
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.api.ai import Sending

EXAMPLES = examples(
    "alovoice ai send 1716209468.1234",
    "alovoice ai send 8001 8002 8003 --json",
    "alovoice ai send --batch calls.csv --map call_id=Id --jobs 4",
)
COLUMNS = (
    Column("call_id", "Call"),
    Column("outcome", "Outcome"),
    Column("aicallid", "Analysis"),
    Column("begin_time", "Began (unix)", numeric=True),
    Column("stereoaudio", "Recording", shown=False),
    Column("problem", "Problem"),
)


@shows_list(COLUMNS)
@many.takes_batch()
def send_calls(
    ctx: typer.Context,
    call_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CALL_ID...", help="The calls' ids on the PBX.")
    ] = None,
    **words: Any,
) -> int:
    """Start the analysis of recorded calls, one request a call. It may cost: nothing is asked for twice by itself."""
    session: Session = ctx.obj
    if words["batch"] is not None:
        if call_ids:
            raise UsageError("give the calls once", hint="either CALL_ID, repeated, or --batch FILE")
        return many.run(session, "ai send", words, {})
    many.refuse_batch_words(words)
    if not call_ids:
        raise UsageError("Missing argument 'CALL_ID...'", hint="give it, or a list of rows with --batch FILE")
    sendings = session.client.ai.send_each(call_ids)
    problems = [sending.problem for sending in sendings if sending.problem is not None]
    code = worst([problem.exit_code for problem in problems])
    gravest = next((problem for problem in problems if problem.exit_code == code), None)
    if len(sendings) > 1 or gravest is None:
        whole = sendings[0].answer if len(sendings) == 1 else [sending.as_json() for sending in sendings]
        session.show(Listing([_row(sending) for sending in sendings], COLUMNS, whole=whole))
    if gravest is not None:
        raise gravest
    return 0


def _row(sending: "Sending") -> dict[str, object]:
    answer = (sending.answer or {}).get("answer") or {}
    problem = sending.problem.message if sending.problem else None
    return {"call_id": sending.call_id, "outcome": sending.outcome, "problem": problem, **answer}
