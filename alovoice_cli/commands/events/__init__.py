"""`alovoice events`: what the PBX told the listener, the only history of calls there is."""

import typer

from alovoice_cli.commands.events import export, gaps, missed, prune, show, stats, tail
from alovoice_cli.commands.events import list as listing

app = typer.Typer()
app.command("list", epilog=listing.EXAMPLES)(listing.list_events)
app.command("show", epilog=show.EXAMPLES)(show.show_call)
app.command("tail", epilog=tail.EXAMPLES)(tail.tail_events)
app.command("stats", epilog=stats.EXAMPLES)(stats.show_statistics)
app.command("missed", epilog=missed.EXAMPLES)(missed.list_missed)
app.command("gaps", epilog=gaps.EXAMPLES)(gaps.list_gaps)
app.command("export", epilog=export.EXAMPLES)(export.export_events)
app.command("prune", epilog=prune.EXAMPLES)(prune.prune_events)
