"""`alovoice autorule`: auto-dial campaigns.

`stop` and the like are no commands: no help page, manual or completion shows them. An operator who tries one reads that
the API cannot do it, and where it can be done.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.main import get_command

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.command_tree import LazyGroup
from alovoice_cli.commands.global_options import add_global_options
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, tr
from alovoice_cli.output.listing import Tone
from alovoice_cli.receipts import STATE_TONES

# Read here, before the module `list` of this package, once it is imported, stands under the name of the type.
_Words = Annotated[list[str] | None, typer.Argument(metavar="[ID]")]
CAMPAIGN_TONES: Mapping[str, Tone] = {**STATE_TONES, "running": "good"}
"""The meaning of a campaign's status for people: the PBX's words, and the outcomes of requests that created none."""
VERBS = ("stop", "pause", "resume", "delete", "update")


class CampaignGroup(LazyGroup):
    """The commands of `alovoice autorule`, and an answer to the verbs that the API lacks."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Returns the command of this name."""
        found = super().get_command(ctx, cmd_name)
        return _refusal(cmd_name) if found is None and cmd_name in VERBS else found


def _refusal(verb: str) -> Any:
    app = CommandApp()

    @app.command(verb)
    def refuse(words: _Words = None) -> None:
        message = tr("the API cannot {verb} a campaign: nothing was sent", verb=verb)
        if words:
            message = tr("the API cannot {verb} campaign {campaign}: nothing was sent", verb=verb, campaign=words[0])
        hint = tr("do it in the web console of the PBX, among the auto-dial campaigns (автообзвоны)")
        if verb == "pause":
            hint = joined("; ", [hint, tr("`autorule create --paused` creates one that does not start by itself")])
        raise UsageError(message, hint=hint)

    command = get_command(app)
    add_global_options(command)
    return command
