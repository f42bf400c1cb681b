"""`alovoice ai audio`: the recording of an analysed call."""

from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import NotReadyError
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session
from alovoice_cli.speech.transcript import recording_path

EXAMPLES = examples("alovoice ai audio 1716209468.1234 -o call.mp3")


def save_audio(
    ctx: typer.Context,
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help="The call's id on the PBX.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to save it.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.", show_default=False)] = False,
) -> None:
    """Save the stereo recording of an analysed call. The file appears under its name only when it is whole."""
    session: Session = ctx.obj
    where = recording_path(session.client.ai.result(call_id))
    if where is None:
        raise NotReadyError(
            f"the PBX names no recording of call {call_id}", hint=f"`alovoice ai send {call_id}` starts an analysis"
        )
    with session.display.transfer("downloading") as moved:
        size = session.client.ai.audio(where, output, force=force, progress=moved)
    session.show(Record({"call_id": call_id, "file": str(output), "bytes": size}, title="Recording saved"))
