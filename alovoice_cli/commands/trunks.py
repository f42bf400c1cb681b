"""`alovoice trunks`: the PBX's lines."""

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session

app = CommandApp()
COLUMNS = (Column("trunk", "Line"),)


@app.command("trunks", epilog=examples("alovoice trunks", "alovoice trunks --json | jq -r '.[]'"))
@shows_list(COLUMNS)
def list_trunks(ctx: typer.Context) -> None:
    """List the lines of the PBX.

    Campaigns call from these lines, and calls come in on them.
    """
    session: Session = ctx.obj
    numbers = session.client.trunks.list()
    items = [{"trunk": number} for number in numbers]
    session.show(Listing(items, COLUMNS, whole=numbers, nothing=tr("this PBX has no lines")))
