"""`alovoice ai result`: what was said in a call, and the tags that the analysis gave it."""

from typing import Annotated, Any

import typer

from alovoice_cli.commands import many
from alovoice_cli.commands.everywhere import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import NotReadyError, UsageError
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.transcript import read_transcript, tag_names

EXAMPLES = examples(
    "alovoice ai result 1716209468.1234",
    "alovoice ai result 8001 --json | jq -r '.answer.stalk[].text'",
    "alovoice ai result --batch calls.csv --jobs 4 > results.jsonl",
)


COLUMNS = (
    Column("time", "Time"),
    Column("direction", "Who"),
    Column("text", "Said"),
    Column("begin", "Begin (ms)", shown=False, numeric=True),
    Column("end", "End (ms)", shown=False, numeric=True),
    Column("tags", "Tags", shown=False),
    Column("fragment_id", "Fragment", shown=False),
)


@shows_list(COLUMNS)
@many.takes_batch("reads")
def show_result(
    ctx: typer.Context,
    call_id: Annotated[str | None, typer.Argument(metavar="CALL_ID", help="The call's id on the PBX.")] = None,
    **words: Any,
) -> int:
    """Show the analysis of a call: who said what and when, and its tags. Not finished yet: exit code 9."""
    session: Session = ctx.obj
    if words["batch"] is not None:
        if call_id:
            raise UsageError("give the calls once", hint="either CALL_ID, or --batch FILE")
        return many.run(session, "ai result", words, {})
    many.refuse_batch_words(words)
    if call_id is None:
        raise UsageError("Missing argument 'CALL_ID'", hint="give it, or a list of rows with --batch FILE")
    answer = session.client.ai.result(call_id)
    lines = read_transcript(answer)
    if lines is None:
        raise NotReadyError(
            f"the analysis of call {call_id} is not ready",
            hint=f"run `alovoice ai result {call_id}` again in a while; `alovoice ai send {call_id}` starts one",
        )
    session.show(Listing(lines, COLUMNS, whole=answer, nothing="nothing was said in this call"))
    if tags := tag_names(answer):
        session.note("tags: " + ", ".join(tags))
    return 0
