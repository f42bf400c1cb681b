"""`alovoice call`: one call or many, and the receipts of what was asked for."""

import typer

from alovoice_cli.commands.call import batches, conference, ivr, out, receipts

app = typer.Typer()
app.command("conference", epilog=conference.EXAMPLES)(conference.place_conference)
app.command("ivr", epilog=ivr.EXAMPLES)(ivr.place_menu_call)
app.command("out", epilog=out.EXAMPLES)(out.place_call)
app.add_typer(batches.app, name="batches", help="Many calls from one list: how far each batch has come.")
app.add_typer(receipts.app, name="receipts", help="What was asked of the PBX from this machine, and how it ended.")
