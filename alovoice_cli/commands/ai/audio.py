"""`alovoice ai audio`: the recordings of analysed calls."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.ai import refuse_known_otherwise
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import AlovoiceError, ExitCode, NotReadyError, UsageError, worst
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.talk import recording_path

EXAMPLES = examples(
    "alovoice ai audio 1716209468.1234 -o call.mp3",
    "alovoice ai audio 8001 8002 -o recordings --resume",
)
COLUMNS = (Column("call_id", "Call"), Column("file", "File"), Column("bytes", "Bytes", numeric=True))
_ENDS_ALL = (ExitCode.AUTH, ExitCode.NETWORK)


@shows_list(COLUMNS)
def save_audio(
    ctx: typer.Context,
    call_ids: Annotated[list[str], typer.Argument(metavar="CALL_ID...", help="Ids of the calls on the PBX.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE|DIR", help="File, or directory (default: CALL_ID.wav or .mp3)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.", show_default=False)] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue after an interruption; keep finished files.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Save the stereo recordings of analysed calls.

    A file gets its name when it is complete. Several calls are saved in a directory; an error of one does not stop
    the others.
    """
    session: Session = ctx.obj
    call_ids = list(dict.fromkeys(call_ids))
    refuse_known_otherwise(session, call_ids)
    folder = output if output is not None and output.is_dir() else Path() if output is None else None
    if len(call_ids) > 1 and folder is None:
        message = tr("{path} is not a directory, but several calls need one", path=output)
        raise UsageError(message, hint=tr("create it first: mkdir {path}", path=output))
    saved: list[dict[str, object]] = []
    problems: list[AlovoiceError] = []
    for call_id in call_ids:
        target = folder / _name(call_id) if folder is not None else output
        assert target is not None
        try:
            one = _save(session, call_id, target, named=folder is None, force=force, resume=resume)
            saved.append({"call_id": call_id, **one})
        except AlovoiceError as problem:
            if len(call_ids) == 1:
                raise
            problems.append(problem)
            if problem.exit_code in _ENDS_ALL:
                break
    whole = saved[0] if len(call_ids) == 1 else saved
    session.show(Listing(saved, COLUMNS, whole=whole, nothing=tr("nothing was saved")))
    _tell(session, problems)


def _save(session: Session, call_id: str, target: Path, *, named: bool, force: bool, resume: bool) -> dict[str, object]:
    if resume and not force and (there := session.client.ai.saved(target, named=named)) is not None:
        return {"file": str(there), "bytes": there.stat().st_size}
    where = recording_path(session.client.ai.result(call_id))
    if where is None:
        raise NotReadyError(
            tr("the PBX has no recording of call {call}", call=call_id),
            hint=tr("`alovoice ai send {call}` starts an analysis", call=call_id),
        )
    with session.display.transfer(tr("downloading")) as moved:
        file, size = session.client.ai.recording(where, target, named=named, force=force, resume=resume, progress=moved)
    return {"file": str(file), "bytes": size}


def _name(call_id: str) -> str:
    return re.sub(r"[^\w.@+-]", "_", call_id).lstrip(".")


def _tell(session: Session, problems: Sequence[AlovoiceError]) -> None:
    """Raises the gravest problem, and prints the others as warnings."""
    if not problems:
        return
    code = worst([problem.exit_code for problem in problems])
    gravest = next((problem for problem in problems if problem.exit_code == code), problems[0])
    for problem in problems:
        if problem is not gravest:
            session.warn(problem.message)
    raise gravest
