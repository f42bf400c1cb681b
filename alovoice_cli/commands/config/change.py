"""`alovoice config set|unset|use`."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.config.edits import get_value, set_value, unset_value
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
    change = set_value(session.paths, key, value, profile=session.named_profile, rehearse=session.options.dry_run)
    full = ".".join(change.place.keys).removeprefix("profiles.")
    shown = change.place.shown(change.value)
    word = value if shown == change.value else shown
    text = f"{full} would become {word}" if session.options.dry_run else f"{full} is now {word}"
    session.report(text, key=full, value=shown)
    if change.token_origin is not None:
        owner = change.place.profile
        session.warn(
            f"the stored token of profile {owner} belongs to {change.token_origin} and is not sent to another server:"
            f" run `alovoice login -p {owner}`"
        )


def unset_key(ctx: typer.Context, key: Setting) -> None:
    """Remove a setting of a profile: its default holds again."""
    session: Session = ctx.obj
    if session.options.dry_run:
        held = get_value(session.paths, key, profile=session.named_profile) is not None
        session.report(f"{key} would be removed" if held else f"{key} is not set", key=key, removed=False)
        return
    removed = unset_value(session.paths, key, profile=session.named_profile)
    session.report(f"{key} is removed" if removed else f"{key} was not set", key=key, removed=removed)


def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile to use from now on.")],
) -> None:
    """Use a profile from now on, wherever neither -p nor ALOVOICE_PROFILE names another."""
    session: Session = ctx.obj
    set_value(session.paths, "profile", name, rehearse=session.options.dry_run)
    verb = "would be" if session.options.dry_run else "is now"
    session.report(f"the profile in use {verb} {name}", profile=name)
