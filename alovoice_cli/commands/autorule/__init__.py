"""`alovoice autorule`: auto-dial campaigns."""

import typer

from alovoice_cli.commands.autorule import check, create, export, get, watch
from alovoice_cli.commands.autorule import list as listing
from alovoice_cli.commands.autorule.unsupported import CampaignGroup

app = typer.Typer(cls=CampaignGroup)
app.command("create", epilog=create.EXAMPLES)(create.create_campaign)
app.command("check", epilog=check.EXAMPLES)(check.check_campaign)
app.command("get", epilog=get.EXAMPLES)(get.show_campaign)
app.command("list", epilog=listing.EXAMPLES)(listing.list_campaigns)
app.command("export", epilog=export.EXAMPLES)(export.export_campaign)
app.command("watch", epilog=watch.EXAMPLES)(watch.watch_campaigns)
