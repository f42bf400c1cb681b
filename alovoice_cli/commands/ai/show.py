"""`alovoice ai show`: an analysis that was fetched before, without asking the PBX."""

from typing import Annotated

import typer

from alovoice_cli.commands.ai.showing import (
    COLUMNS,
    AiShowOptions,
    Force,
    Format,
    MaskNumbers,
    Output,
    show_talks,
)
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session
from alovoice_cli.speech.forms import FoundTalk

EXAMPLES = examples("alovoice ai show 8001", "alovoice ai show 8001 8002 --format html -o calls.html --mask-numbers")


@shows_list(COLUMNS)
def show_stored(
    ctx: typer.Context,
    call_ids: Annotated[list[str], typer.Argument(metavar="CALL_ID...", help="As in `ai list`.")],
    form: Format = None,
    output: Output = None,
    force: Force = False,
    mask_numbers: MaskNumbers = False,
) -> None:
    """Show analyses that are kept on this machine, as `ai result` does. Asks nobody."""
    session: Session = ctx.obj
    call_ids = list(dict.fromkeys(call_ids))
    wish = AiShowOptions(form, output, force, mask_numbers)
    wish.check(session, call_ids)
    kept = {call_id: session.analyses.get(call_id) for call_id in call_ids}
    if missing := [call_id for call_id, one in kept.items() if one is None]:
        raise UsageError(
            f"no analysis of call {', '.join(missing)} is kept here for PBX {session.analyses.profile}",
            hint=f"`alovoice ai result {missing[0]}` fetches it; `alovoice ai list` shows what is kept",
        )
    found = [FoundTalk(one.call_id, one.answer, one.peer) for one in kept.values() if one is not None]
    whole = found[0].answer
    if len(found) > 1:
        whole = [{"call_id": one.call_id, "answer": one.answer} for one in found]  # type: ignore[assignment] # a list
    show_talks(session, found, wish, whole=whole)
