"""`alovoice autorule`: auto-dial campaigns."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from alovoice_cli.commands.autorule import check, create, export, get, watch
from alovoice_cli.commands.autorule import list as listing
from alovoice_cli.commands.everywhere import add_global_options
from alovoice_cli.errors import UsageError

VERBS = ("stop", "pause", "resume", "delete", "update")
"""What the API cannot do to a campaign. No help page offers these words; whoever tries one is told where it is done."""


class CampaignGroup(TyperGroup):
    """The commands of `alovoice autorule`, and an answer to the verbs that the API lacks."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name."""
        found = super().get_command(ctx, cmd_name)
        return _refusal(cmd_name) if found is None and cmd_name in VERBS else found


def _refusal(verb: str) -> Any:
    app = typer.Typer(add_completion=False)

    @app.command(verb)
    def refuse(words: Annotated[list[str] | None, typer.Argument(metavar="[ID]")] = None) -> None:
        named = f"campaign {words[0]}" if words else "a campaign"
        first = "`autorule create --paused` creates one that does not start by itself; " if verb == "pause" else ""
        hint = f"{first}{verb} it in the web console of the PBX, among the auto-dial campaigns (автообзвоны)"
        raise UsageError(f"the API cannot {verb} {named}: nothing was sent", hint=hint)

    command = get_command(app)
    add_global_options(command)
    return command


app = typer.Typer(cls=CampaignGroup)
app.command("create", cls=create.CreateCommand, help=create.HELP, epilog=create.EXAMPLES)(create.create_campaign)
app.command("check", cls=check.CheckCommand, help=check.HELP, epilog=check.EXAMPLES)(check.check_campaign)
app.command("get", epilog=get.EXAMPLES)(get.show_campaign)
app.command("list", epilog=listing.EXAMPLES)(listing.list_campaigns)
app.command("export", epilog=export.EXAMPLES)(export.export_campaign)
app.command("watch", epilog=watch.EXAMPLES)(watch.watch_campaigns)
