"""`alovoice ai send`: starts the analysis of recorded calls."""

from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.everywhere import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import worst
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.api.ai import Sending

EXAMPLES = examples("alovoice ai send 1716209468.1234", "alovoice ai send 8001 8002 8003 --json")
COLUMNS = (
    Column("call_id", "Call"),
    Column("outcome", "Outcome"),
    Column("aicallid", "Analysis"),
    Column("begin_time", "Began (unix)", numeric=True),
    Column("stereoaudio", "Recording", shown=False),
    Column("problem", "Problem"),
)


@shows_list(COLUMNS)
def send_calls(
    ctx: typer.Context,
    call_ids: Annotated[list[str], typer.Argument(metavar="CALL_ID...", help="The calls' ids on the PBX.")],
) -> None:
    """Start the analysis of recorded calls, one request a call. It may cost: nothing is asked for twice by itself."""
    session: Session = ctx.obj
    sendings = session.client.ai.send_each(call_ids)
    problems = [sending.problem for sending in sendings if sending.problem is not None]
    code = worst([problem.exit_code for problem in problems])
    gravest = next((problem for problem in problems if problem.exit_code == code), None)
    if len(sendings) > 1 or gravest is None:
        whole = sendings[0].answer if len(sendings) == 1 else [sending.as_json() for sending in sendings]
        session.show(Listing([_row(sending) for sending in sendings], COLUMNS, whole=whole))
    if gravest is not None:
        raise gravest


def _row(sending: "Sending") -> dict[str, object]:
    answer = (sending.answer or {}).get("answer") or {}
    problem = sending.problem.message if sending.problem else None
    return {"call_id": sending.call_id, "outcome": sending.outcome, "problem": problem, **answer}
