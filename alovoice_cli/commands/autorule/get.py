"""`alovoice autorule get`: one campaign from the PBX."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice autorule get 124", "alovoice autorule get 124 --json | jq -r .status")


def show_campaign(
    ctx: typer.Context,
    campaign_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the campaign, as `autorule create` shows it.")
    ],
) -> None:
    """Show a campaign: hours, lines, status, number of recipients."""
    session: Session = ctx.obj
    campaign = session.client.autorule.get(campaign_id)
    session.show(
        Record(campaign, title=tr("Campaign {campaign}", campaign=campaign.get("id", campaign_id)), whole=campaign)
    )
