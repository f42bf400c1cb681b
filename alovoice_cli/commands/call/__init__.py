"""`alovoice call`: one call or many, the receipts of what was asked for, and whether it rang."""

import typer

from alovoice_cli.commands.call import batches, conference, ivr, out, receipts, resolve
from alovoice_cli.commands.call.waiting import CallWaitingCommand

app = typer.Typer()
app.command("conference", cls=CallWaitingCommand, epilog=conference.EXAMPLES)(conference.place_conference)
app.command("ivr", cls=CallWaitingCommand, epilog=ivr.EXAMPLES)(ivr.place_menu_call)
app.command("out", cls=CallWaitingCommand, epilog=out.EXAMPLES)(out.place_call)
app.command("resolve", cls=CallWaitingCommand, epilog=resolve.EXAMPLES)(resolve.resolve_calls)
app.add_typer(batches.app, name="batches", help="Many calls from one list: how far each batch has come.")
app.add_typer(receipts.app, name="receipts", help="What was asked of the PBX from this machine, and how it ended.")
