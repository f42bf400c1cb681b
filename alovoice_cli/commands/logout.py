"""`alovoice logout`: forgets a profile's token."""

from typing import Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.config import tokens
from alovoice_cli.language import tr
from alovoice_cli.session import Session

app = CommandApp()


@app.command("logout", epilog=examples("alovoice logout", "alovoice logout tashkent"))
def forget_token(
    ctx: typer.Context,
    of: Annotated[str | None, typer.Argument(metavar="PROFILE", help="Profile (default: the profile in use).")] = None,
) -> None:
    """Delete the stored token of a profile.

    Its settings stay. The token stays valid on the PBX.
    """
    session: Session = ctx.obj
    name = session.resolve_settings(of).profile
    if session.options.dry_run:
        text = tr("the token of profile {name} would be deleted", name=name)
        session.report(text, profile=name, forgotten=False)
        return
    forgotten = tokens.forget_token(session.paths, name)
    text = tr("no token was stored for profile {name}", name=name)
    if forgotten:
        text = tr(
            "the token of profile {name} is deleted here; to revoke it, make a new one in the settings of the PBX",
            name=name,
        )
    session.report(text, profile=name, forgotten=forgotten)
