"""`alovoice demo`: a tour of the program on the embedded PBX."""

import typer

from alovoice_cli.commands.demo import tour

app = typer.Typer()
app.command("demo", epilog=tour.EXAMPLES)(tour.run_tour)
