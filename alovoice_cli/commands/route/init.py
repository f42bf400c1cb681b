"""`alovoice route init`: a rules file to start from."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.language import mark, tr
from alovoice_cli.output.files import write_new
from alovoice_cli.routing.example import example_rules
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice route init", "alovoice route init rules.toml && alovoice route check rules.toml --strict")


def write_rules(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="New file.")] = Path("rules.toml"),
) -> None:
    """Write a commented rules file to start from.

    It contains the lines and the time zone of the profile, and passes `route check --strict`. An existing file is
    not replaced.
    """
    session: Session = ctx.obj
    settings = session.settings
    lines = [line for line in settings.trunks if line.isdecimal()]
    rehearse = session.options.dry_run
    write_new(file, example_rules(lines, settings.timezone).encode(), rehearse=rehearse)
    line = f"alovoice route check {shlex.quote(str(file))}"
    text = mark("written: {file}; put in your own lines, queues and extensions, then run `{command}`")
    if rehearse:
        text = mark("would be written: {file}; put in your own lines, queues and extensions, then run `{command}`")
    session.report(tr(text, file=file, command=line), files=[str(file)], written=not rehearse)
