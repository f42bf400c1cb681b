"""The last step of `autorule create`: sends one campaign, or the several of `--split`, and shows them."""

from collections.abc import Sequence

from alovoice_cli.api.autorule import Campaign
from alovoice_cli.api.client import Client
from alovoice_cli.api.files import FilePart
from alovoice_cli.campaigns.draft import CampaignPart
from alovoice_cli.campaigns.preparation import PreparedCampaign, record_of_part
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing, Record
from alovoice_cli.session import Session

_COLUMNS = (
    Column("id", "Id", numeric=True),
    Column("name", "Name"),
    Column("from", "Day"),
    Column("status", "Status"),
)


def tell_parts(session: Session, ready: PreparedCampaign, parts: Sequence[CampaignPart]) -> None:
    """Says before the question what will be sent where it is more than one campaign."""
    days, first = [f"{part.draft.window.first:%Y.%m.%d}" for part in parts], ready.options.split_from
    if len(days) > 1:
        remark = f"{len(days)} campaigns, a day each: {days[0]} to {days[-1]}"
        session.note(remark if first == 1 else f"{remark}; from part {first} on")


def send(session: Session, client: Client, ready: PreparedCampaign, parts: Sequence[CampaignPart]) -> None:
    """Sends and shows the parts, one after the other; what stops it leaves the earlier ones created, and says so."""
    wanted = parts[ready.options.split_from - 1 :]
    created: list[Campaign] = []
    try:
        for part in wanted:
            created.append(_send_part(session, client, ready, part, len(wanted)))
            session.note(f"receipt {session.last_receipt}")
    except BaseException:
        if created:
            _tell_stopped(session, ready, created, len(parts))
        raise
    if len(parts) == 1:
        session.show(Record(created[0], title=f"Campaign {created[0].get('id', '')}", whole=created[0]))
    else:
        session.show(Listing(created, _COLUMNS))


def _send_part(session: Session, client: Client, ready: PreparedCampaign, part: CampaignPart, planned: int) -> Campaign:
    options, files = ready.options, ready.files
    list_name = files.list_name if part.people is files.people else "recipients.csv"
    with session.display.transfer("uploading") as moved:
        return client.autorule.create(
            part.draft.to_wire(),
            record=FilePart(options.record.name, "audio/mpeg", files.audio, str(options.record)),
            recipients=FilePart(list_name, "text/csv", part.people, part.source),
            numbers=options.numbers,
            progress=moved,
            campaign=record_of_part(ready, part, session.masker.hide),
            planned=planned,
        )


def _tell_stopped(session: Session, ready: PreparedCampaign, created: Sequence[Campaign], parts: int) -> None:
    session.show(Listing(created, _COLUMNS))
    stopped = ready.options.split_from + len(created)
    session.warn(
        f"{len(created)} of {parts} campaigns are created, as shown; part {stopped} was stopped: when it is"
        f" mended, the same line with --split-from {stopped} goes on (after exit code 6, look in the console first)"
    )
