"""`alovoice skill`: one page for AI agents, made from the command tree."""

from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.session import Session

app = CommandApp()


@app.command("skill", epilog=examples("alovoice skill", "alovoice skill --install ~/.agents/skills"))
def print_page(
    ctx: typer.Context,
    install: Annotated[
        Path | None,
        typer.Option(
            "--install",
            metavar="DIR",
            file_okay=False,
            help="Write the page to DIR/alovoice/SKILL.md instead.",
        ),
    ] = None,
) -> None:
    """Print a page for AI agents about this program.

    It has the exit codes, what forbids a second run, and every command with its effect on the PBX.
    """
    from alovoice_cli.reference.agent_page import FILE_NAME, write_agent_page  # noqa: PLC0415 - help needs no tree
    from alovoice_cli.reference.machine_tree import as_json  # noqa: PLC0415 - same

    session: Session = ctx.obj
    if install is None and session.options.json:
        raise UsageError(tr("the page is no JSON"), hint=tr("`alovoice help --json` prints the command tree"))
    tree = as_json()
    page = write_agent_page(tree)
    if install is None:
        session.display.write(page)
        return
    target = install.expanduser() / str(tree["program"]) / FILE_NAME
    _write(target, page, rehearse=session.options.dry_run)
    is_rehearsed = session.options.dry_run
    told = tr("would be written: {file}", file=target) if is_rehearsed else tr("written: {file}", file=target)
    session.report(told, file=str(target), written=not is_rehearsed)


def _write(target: Path, page: str, *, rehearse: bool) -> None:
    """Writes the page over an older one. Raises UsageError for a file of another hand, and for an error of the disk."""
    try:
        if target.exists() and f"\nname: {target.parent.name}\n" not in target.read_text("utf-8", "replace"):
            raise UsageError(
                tr("{file} is no page of this command, and stays as it is", file=target),
                hint=tr("name another directory"),
            )
        if not rehearse:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page, "utf-8", newline="\n")
    except OSError as error:
        message = tr("{file} cannot be written: {reason}", file=target, reason=error.strerror)
        raise UsageError(message, hint=tr("name another directory")) from error
