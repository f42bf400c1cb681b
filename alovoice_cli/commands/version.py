"""`alovoice version`: prints the version."""

import typer

from alovoice_cli import __version__
from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

app = CommandApp()


@app.command("version", epilog=examples("alovoice version", "alovoice version --json | jq -r .version"))
def print_version(ctx: typer.Context) -> None:
    """Print the version."""
    session: Session = ctx.obj
    if session.options.json:
        session.show(Record({"version": __version__}, ours=True))
    else:
        session.display.write(f"alovoice {__version__}\n")
