"""`alovoice autorule list`: the campaigns that were created from this computer; the API cannot list campaigns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.autorule import CAMPAIGN_TONES
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import SharedStore, examples
from alovoice_cli.errors import NotFoundError
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import ClockTime, parse_moment, parse_zone
from alovoice_cli.output.listing import Column, Item, Listing, state_word, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session
from alovoice_cli.store_urls import is_server_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alovoice_cli.campaigns.campaign_record import CreatedCampaign

EXAMPLES = examples(
    "alovoice autorule list --since 7d --refresh",
    "alovoice autorule list --status unknown --json | jq -r '.[].receipt'",
)


def _fields(item: Item) -> dict[str, str]:
    fields = item["fields"]
    return fields if isinstance(fields, dict) else {}


def _reached(item: Item) -> str | None:
    """Returns `reached/rows` as last counted."""
    counts = item["counts"]
    return f"{counts['reached']}/{counts['rows']}" if isinstance(counts, dict) else None


def _column(name: str, title: str, *, shown: bool = False) -> Column:
    return Column(name, title, value=lambda item: _fields(item).get(name), shown=shown)


COLUMNS = (
    Column("campaign", "Campaign", value=lambda item: item["id"] or item["receipt"], numeric=True),
    _column("name", "Name", shown=True),
    Column("status", "Status", tone=tone_by("status", CAMPAIGN_TONES)),
    Column("count", "Numbers", numeric=True),
    Column("reached", "Reached", value=_reached, numeric=True),
    _column("from", "From", shown=True),
    _column("to", "To", shown=True),
    Column("created", "Created", value=lambda item: f"{item['begun_at']}"[:10]),
    Column("id", "Id", numeric=True, shown=False),
    Column("receipt", "Receipt", shown=False),
    Column("outcome", "Outcome", shown=False, words=state_word, tone=tone_by("outcome", STATE_TONES)),
    Column("begun_at", "Created (UTC)", shown=False),
    Column("seen_at", "Seen (UTC)", shown=False),
    _column("fromtime", "Opens"),
    _column("totime", "Closes"),
    _column("timezone", "Zone"),
    _column("trunks", "Lines"),
    _column("maxline", "At once"),
    _column("tryes", "Tries"),
    _column("paused", "Paused"),
    Column("digest", "Digest", shown=False),
)


@shows_list(COLUMNS)
def list_campaigns(
    ctx: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            "--status", metavar="STATUS", help="Only campaigns with this status: new, done, unknown, refused."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="7d|DAY", help="Only campaigns created since then.")
    ] = None,
    store: SharedStore = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask the PBX for the current status of each campaign.")
    ] = False,
) -> None:
    """List the campaigns created from this computer, newest first.

    The status is the last known one. Reached counts the rows whose recipients were reached, by the received events.
    `unknown`: the response was lost, and the campaign may exist: check in the web console before you create it
    again.
    """
    session: Session = ctx.obj
    session.use_store(store)
    profile = session.settings.profile
    clock = ClockTime(session.now(), parse_zone(session.settings.timezone, tr("the profile's timezone")))
    begun = None if since is None else parse_moment(since, clock, "--since").at
    campaigns = session.campaigns.campaigns(profile, begun)
    if refresh:
        for number in dict.fromkeys(created.id for created in campaigns if created.id):
            _refresh(session, profile, number)
        campaigns = session.campaigns.campaigns(profile, begun)
    listed = [created for created in campaigns if status is None or created.status == status]
    if counted := _count(session, listed):
        again = {created.receipt: created for created in session.campaigns.campaigns(profile, begun)}
        listed = [again[created.receipt] if created.receipt in counted else created for created in listed]
    shown = [created.as_dict() for created in listed]
    nothing = tr("no campaign was created from this computer on PBX {profile}", profile=profile)
    if status or since:
        nothing = tr("no such campaign")
    session.show(Listing(shown, COLUMNS, nothing=nothing, ours=True))


def _count(session: Session, listed: "Sequence[CreatedCampaign]") -> set[str]:
    """Counts what has become of campaigns whose counts may have changed; returns their receipts."""
    changing = [created for created in listed if not (created.counts or {}).get("is_final")]
    # A look at the file alone: the store's own module takes a third of the time of a list.
    url = session.event_store_url()
    if not changing or not (is_server_url(url) or Path(url.removeprefix("sqlite:///")).exists()):
        return set()
    # Here and not above: the counts of campaigns that are over need neither lists nor events.
    from alovoice_cli.commands.autorule.gathering import count_lately  # noqa: PLC0415 - as said above

    return count_lately(session, changing)


def _refresh(session: Session, profile: str, number: str) -> None:
    try:
        answer = session.client.autorule.get(number)
    except NotFoundError:
        text = mark("campaign {campaign} is no longer on PBX {profile}; the last known data is shown")
        session.warn(tr(text, campaign=number, profile=profile))
        return
    session.campaigns.note(profile, number, answer, session.masker)
