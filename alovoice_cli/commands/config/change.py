"""`alovoice config set|unset|use`."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.config.edits import get_value, set_value, unset_value, use_profile
from alovoice_cli.config.keys import KEYS
from alovoice_cli.session import Session

SET_EXAMPLES = examples(
    "alovoice config set timezone Asia/Tashkent", "alovoice config set tashkent.trunks 712037006,712037007"
)
UNSET_EXAMPLES = examples("alovoice config unset tashkent.timeout")
USE_EXAMPLES = examples("alovoice config use tashkent")

Setting = Annotated[
    str, typer.Argument(metavar="[PROFILE.]KEY", help=f"Of the profile in use, or PROFILE's: {', '.join(KEYS)}.")
]


def set_key(
    ctx: typer.Context, key: Setting, value: Annotated[str, typer.Argument(metavar="VALUE", help="What it becomes.")]
) -> None:
    """Set a setting of a profile, and keep the comments of the file. A profile that is new is made."""
    session: Session = ctx.obj
    if session.options.dry_run:
        session.note(f"{key} would become {value}")
        return
    change = set_value(session.paths, key, value, profile=session.named_profile)
    session.note(f"{'.'.join(change.place.keys).removeprefix('profiles.')} is now {value}")


def unset_key(ctx: typer.Context, key: Setting) -> None:
    """Remove a setting of a profile: its default holds again."""
    session: Session = ctx.obj
    if session.options.dry_run:
        get_value(session.paths, key)
        session.note(f"{key} would be removed")
        return
    removed = unset_value(session.paths, key, profile=session.named_profile)
    session.note(f"{key} is removed" if removed else f"{key} was not set")


def use(
    ctx: typer.Context,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile to use from now on.")],
) -> None:
    """Use a profile from now on, wherever neither -p nor ALOVOICE_PROFILE names another."""
    session: Session = ctx.obj
    if session.options.dry_run:
        session.note(f"the profile in use would be {profile}")
        return
    use_profile(session.paths, profile)
    session.note(f"the profile in use is now {profile}")
