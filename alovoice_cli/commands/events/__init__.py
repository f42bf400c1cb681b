"""`alovoice events`: what the PBX said, and what stands in for it: events sent anew, or made up."""

import typer

from alovoice_cli.commands.events import certify

app = typer.Typer()
app.command("certify", epilog=certify.EXAMPLES)(certify.certify_handler)
