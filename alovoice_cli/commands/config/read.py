"""`alovoice config list|get|path`."""

from typing import Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.config.edits import get_value
from alovoice_cli.config.keys import KEYS
from alovoice_cli.config.settings import profile_rows
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing, Record
from alovoice_cli.session import Session

LIST_EXAMPLES = examples("alovoice config list", "alovoice config list --json | jq -r '.[].profile'")
GET_EXAMPLES = examples("alovoice config get timeout", "alovoice config get tashkent.base_url")
PATH_EXAMPLES = examples("alovoice config path", '"$EDITOR" "$(alovoice config path)"')

COLUMNS = (
    Column("profile", "Profile"),
    Column("current", "Current"),
    Column("base_url", "Server"),
    Column("token_from", "Token"),
    Column("encoding", "Encoding", shown=False),
    Column("timezone", "Time zone", shown=False),
    Column("timeout", "Time-out (s)", shown=False, numeric=True),
    Column("trunks", "Lines", shown=False),
    Column("insecure", "Insecure", shown=False),
    Column("store", "Event store", shown=False),
    Column("require_profile", "Needs -p", shown=False),
)


@shows_list(COLUMNS)
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles, which of them is in use, and where their tokens are."""
    session: Session = ctx.obj
    settings, broken = session.settings_or_defaults()
    rows = profile_rows(session.paths, settings.profile)
    if broken is not None:  # the list shows which profiles there are to choose from
        session.warn(f"{broken.message}: {broken.hint}")
    session.show(Listing(rows, COLUMNS, ours=True))


def show_value(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="[PROFILE.]KEY", help=f"profile, or one of: {', '.join(KEYS)}.")],
) -> None:
    """Print the value that is in force, whether set or by default."""
    session: Session = ctx.obj
    get_value(session.paths, key)
    owner, _, name = key.rpartition(".")
    settings = session.resolve_settings(owner or None)
    value = getattr(settings, name)
    if session.options.json:
        session.show(Record({"key": key, "value": value, "from": settings.origin.get(name)}, ours=True))
    else:
        session.display.value(value)


def print_path(ctx: typer.Context) -> None:
    """Print where the configuration file is, or would be."""
    session: Session = ctx.obj
    path = str(session.paths.config_file)
    if session.options.json:
        session.show(Record({"path": path}, ours=True))
    else:
        session.display.value(path)
