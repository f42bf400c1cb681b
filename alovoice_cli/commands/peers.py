"""`alovoice peers`: the PBX's extensions."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import ShowSecrets, examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.peer_names import kept_text, names_told
from alovoice_cli.language import pgettext, tr
from alovoice_cli.output.files import write_private
from alovoice_cli.output.listing import Column, Listing, tone_by
from alovoice_cli.session import Session

app = CommandApp()


def _status_words(status: object) -> str:
    """Returns whether an extension is on, for people; another word of the PBX stays."""
    return {"on": pgettext("extension", "on"), "off": pgettext("extension", "off")}.get(str(status), str(status))


COLUMNS = (
    Column("number", "Extension", numeric=True),
    Column("username", "User"),
    Column("status", "Status", tone=tone_by("status", {"on": "good", "off": "quiet"}), words=_status_words),
    Column("lastip", "Last address"),
    Column("extnumber", "Outside number"),
    Column("trunk_id", "Trunk", numeric=True),
    Column("dnd", "Do not disturb"),
    Column("secret", "SIP password", shown=False),
    Column("windowsapp", "Windows app", shown=False),
    Column("mobileqr", "Mobile QR", shown=False),
    Column("type", "Type", shown=False),
    Column("id", "Id", shown=False, numeric=True),
    Column("paystatus", "Pay status", shown=False),
    Column("payto", "Paid to", shown=False),
    Column("block", "Blocked", shown=False),
    Column("isws", "Web phone", shown=False),
    Column("isdef", "Default", shown=False),
    Column("rule", "Rule", shown=False),
    Column("amoid", "amoCRM", shown=False),
    Column("bxid", "Bitrix24", shown=False),
)
_WITH_SECRETS = ("number", "secret", "windowsapp", "mobileqr")


@app.command(
    "peers",
    epilog=examples("alovoice peers --status on", "alovoice peers --json | jq -r '.[] | select(.dnd) | .number'"),
)
@shows_list(COLUMNS)
def list_peers(
    ctx: typer.Context,
    status: Annotated[
        Literal["on", "off"] | None, typer.Option("--status", help="Only extensions that are on, or off.")
    ] = None,
    number: Annotated[
        str | None, typer.Option("--number", metavar="N", help="Only the extension with this number.")
    ] = None,
    show_secrets: ShowSecrets = False,
) -> None:
    """List the extensions of the PBX.

    SIP passwords and the links that set up a phone are masked.
    """
    session: Session = ctx.obj
    if show_secrets and session.stdout.isatty():
        session.warn(tr("SIP passwords follow: anybody who reads this screen can place calls at your cost"))
    all_peers = session.client.peers.list()
    _keep_names(session, all_peers)
    peers = [
        peer
        for peer in all_peers
        if (status is None or peer.get("status") == status) and (number is None or str(peer.get("number")) == number)
    ]
    columns = tuple(c._replace(shown=c.name in _WITH_SECRETS) for c in COLUMNS) if show_secrets else COLUMNS
    nothing = tr("no such extension") if status or number else tr("no extensions")
    session.show(Listing(peers, columns, nothing=nothing), show_secrets=show_secrets)


def _keep_names(session: Session, peers: Sequence[Mapping[str, object]]) -> None:
    """Stores the extensions' names from the PBX, for reports; an error is ignored."""
    path, names = session.settings.told_names_path, names_told(peers, session.masker.hide)
    if names or path.exists():
        with suppress(OSError, UsageError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, kept_text(names, session.settings.base_url), force=True)
