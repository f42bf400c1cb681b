"""`alovoice autorule`: auto-dial campaigns."""

import typer

from alovoice_cli.commands.autorule import create, get

app = typer.Typer()
app.command("create", epilog=create.EXAMPLES)(create.create_campaign)
app.command("get", epilog=get.EXAMPLES)(get.show_campaign)
