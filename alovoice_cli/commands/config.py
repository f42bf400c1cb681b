"""`alovoice config`: profiles and their settings."""

from typing import Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.config.edits import find_place, get_value, set_value, unset_value
from alovoice_cli.config.keys import KEYS
from alovoice_cli.config.listen_options import NOTIFY, TELEGRAM, ListenSettings
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import SANDBOX, read_config
from alovoice_cli.config.settings import Flags, known_profiles, resolve
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.output.listing import Column, Listing, Record
from alovoice_cli.session import Session

LIST_EXAMPLES = examples("alovoice config list", "alovoice config list --json | jq -r '.[].profile'")
_KEYS_NOTE = f"Settings: {', '.join(KEYS)}."
GET_EXAMPLES = examples("alovoice config get timeout", "alovoice config get tashkent.base_url", note=_KEYS_NOTE)
PATH_EXAMPLES = examples("alovoice config path", '"$EDITOR" "$(alovoice config path)"')
SET_EXAMPLES = examples(
    "alovoice config set timezone Asia/Tashkent",
    "alovoice config set tashkent.trunks 712037006,712037007",
    note=_KEYS_NOTE,
)
UNSET_EXAMPLES = examples("alovoice config unset tashkent.timeout", note=_KEYS_NOTE)
USE_EXAMPLES = examples("alovoice config use tashkent")

COLUMNS = (
    Column("profile", "Profile"),
    Column("current", "Current"),
    Column("base_url", "Server"),
    Column("token_from", "Token"),
    Column("encoding", "Encoding", shown=False),
    Column("timezone", "Time zone", shown=False),
    Column("lang", "Language", shown=False),
    Column("timeout", "Time-out (s)", shown=False, numeric=True),
    Column("trunks", "Lines", shown=False),
    Column("insecure", "Insecure", shown=False),
    Column("store", "Event store", shown=False),
    Column("peer_names", "Names", shown=False),
    Column("require_profile", "Needs -p", shown=False),
)
_SETTINGS = (
    "encoding",
    "timezone",
    "lang",
    "timeout",
    "trunks",
    "store",
    "peer_names",
    "insecure",
    "require_profile",
)

Setting = Annotated[str, typer.Argument(metavar="[PROFILE.]KEY", help="Setting of the profile in use, or of PROFILE.")]


@shows_list(COLUMNS)
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles and where their tokens are."""
    session: Session = ctx.obj
    settings, broken = session.settings_or_defaults()
    rows = _rows(session.paths, settings.profile)
    if broken is not None:  # the list shows which profiles there are to choose from
        session.warn(joined(": ", (broken.message, broken.hint)))
    session.show(Listing(rows, COLUMNS, ours=True))


def _rows(paths: Paths, current: str) -> list[dict[str, object]]:
    """Returns a row for each profile: its settings by name, `token_from`, and whether it is the `current` one.

    Raises BadConfigError for a malformed config.toml.
    """
    rows: list[dict[str, object]] = []
    for name in known_profiles(read_config(paths.config_file), paths):
        settings = resolve(Flags(profile=name), {}, paths, paths.config)
        own = tr("the sandbox's own") if name == SANDBOX else settings.token_source() or None
        row = {"profile": name, "current": name == current, "base_url": settings.base_url, "token_from": own}
        rows.append(row | {setting: getattr(settings, setting) for setting in _SETTINGS})
    return rows


def show_value(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="[PROFILE.]KEY", help="Setting of the profile in use, or of PROFILE; or profile.")
    ],
) -> None:
    """Print the current value of a setting."""
    session: Session = ctx.obj
    place = find_place(key, read_config(session.paths.config_file), None)
    settings = session.resolve_settings(None if key == place.label else place.profile)
    value: object
    origin: str | None
    if place.tables == (NOTIFY, TELEGRAM):
        value, origin = settings.telegram.get(place.name), f"profile {settings.profile}"
        if value is None:
            value, origin = place.key.default, "default"
    elif place.tables:
        found, origin = ListenSettings.of(settings).find(place.name)
        value = place.key.shown(found)
    else:
        value, origin = getattr(settings, place.name), settings.origin.get(place.name)
    if session.options.json:
        session.show(Record({"key": key, "value": value, "from": origin}, ours=True))
    else:
        session.display.value(value)


def print_path(ctx: typer.Context) -> None:
    """Print the path of the configuration file."""
    session: Session = ctx.obj
    path = str(session.paths.config_file)
    if session.options.json:
        session.show(Record({"path": path}, ours=True))
    else:
        session.display.value(path)


def set_key(
    ctx: typer.Context, key: Setting, value: Annotated[str, typer.Argument(metavar="VALUE", help="New value.")]
) -> None:
    """Change a setting of a profile.

    A new profile is created. Comments in the file are kept.
    """
    session: Session = ctx.obj
    checked = set_value(session.paths, key, value, profile=session.named_profile, rehearse=True)
    more = _names_in(session, str(checked.value)) if checked.place.label == "peer_names" else {}
    change = set_value(session.paths, key, value, profile=session.named_profile, rehearse=session.options.dry_run)
    full = ".".join(change.place.keys).removeprefix("profiles.")
    shown = change.place.shown(change.value)
    word = value if shown == change.value else shown
    text = tr("{key} is now {value}", key=full, value=word)
    if session.options.dry_run:
        text = tr("{key} would become {value}", key=full, value=word)
    names = (ngettext("{n} name", "{n} names", number) for number in more.values())
    session.report(joined(": ", (text, *names)), key=full, value=shown, **more)
    if change.token_origin is not None:
        owner = change.place.profile
        session.warn(
            tr(
                "the token of profile {profile} belongs to {origin} and is not sent to another server:"
                " run `alovoice login -p {profile}`",
                profile=owner,
                origin=change.token_origin,
            )
        )


def _names_in(session: Session, path: str) -> dict[str, int]:
    """Returns how many names are in the file of extensions; raises as the reader does."""
    from alovoice_cli.campaigns.peer_list import read_peer_names  # noqa: PLC0415 - few settings are files

    return {"names": len(read_peer_names(session.paths.from_home(path)))}


def unset_key(ctx: typer.Context, key: Setting) -> None:
    """Reset a setting of a profile to its default."""
    session: Session = ctx.obj
    if session.options.dry_run:
        held = get_value(session.paths, key, profile=session.named_profile) is not None
        text = tr("{key} would be removed", key=key) if held else tr("{key} is not set", key=key)
        session.report(text, key=key, removed=False)
        return
    removed = unset_value(session.paths, key, profile=session.named_profile)
    text = tr("{key} is removed", key=key) if removed else tr("{key} was not set", key=key)
    session.report(text, key=key, removed=removed)


def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PROFILE", help="Profile to use from now on.")],
) -> None:
    """Choose the default profile.

    It is used when neither -p nor ALOVOICE_PROFILE names another one.
    """
    session: Session = ctx.obj
    set_value(session.paths, "profile", name, rehearse=session.options.dry_run)
    text = tr("the profile in use is now {name}", name=name)
    if session.options.dry_run:
        text = tr("the profile in use would be {name}", name=name)
    session.report(text, profile=name)
