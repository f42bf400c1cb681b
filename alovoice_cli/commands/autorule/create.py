"""`alovoice autorule create`: checks everything that can be checked here, then creates the campaign once."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.commands.autorule import CAMPAIGN_TONES
from alovoice_cli.commands.autorule.options import campaign_options, prepare, write_asked_lists
from alovoice_cli.commands.options import OptionGroupCommand, examples, option_group
from alovoice_cli.findings import Severity
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.output.listing import Column, Listing, Record, tone_by
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alovoice_cli.api.autorule import Campaign
    from alovoice_cli.api.client import Client
    from alovoice_cli.campaigns.draft import CampaignPart
    from alovoice_cli.campaigns.preparation import PreparedCampaign

EXAMPLES = examples(
    "alovoice autorule create --from-file campaign.toml --dry-run",
    "alovoice autorule create --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule create --record promo.mp3 --recipient 901234567 --name 'Trial' "
    "--from today --to today --fromtime 10:00 --totime 19:59 --trunks all --dry-run",
    "alovoice autorule create --from-file campaign.toml --from tomorrow --to +3d --split 500/day",
)
_CREATED = (
    Column("id", "Id", numeric=True),
    Column("name", "Name"),
    Column("from", "Day"),
    Column("status", "Status", tone=tone_by("status", CAMPAIGN_TONES)),
)


class CreateCommand(OptionGroupCommand):
    """The command with the options of a campaign."""

    build = staticmethod(campaign_options)
    without = ("forecast", "answer_rate", "seconds_per_call", "tariff", "seed")


def create_campaign(ctx: typer.Context) -> None:
    """Create an auto-dial campaign. The checks of `autorule check` run first. The API cannot change or delete a
    campaign. --dry-run shows what would be sent.
    """
    session: Session = ctx.obj
    options = option_group(ctx, CampaignOptions)
    with ExitStack() as opened:
        ready, client = prepare(session, options, opened, strict=True)
        parts = ready.parts()
        # `--confirm` confirms the number of people, not a call at night.
        is_agreed = session.options.dry_run or (session.display.asks and options.confirm is None)
        unasked = None if is_agreed else ready.report.without_consent()
        for finding in ready.report.in_order:
            if unasked is not None and finding.needs:
                continue  # the refusal contains it
            say = session.note if finding.severity is Severity.NOTE else session.warn
            say(finding.sentence)
        for remark in ready.remarks:
            session.note(remark)
        _tell_parts(session, ready, parts)
        if unasked is not None:
            raise unasked
        _agree(session, ready)
        if not session.options.dry_run:
            write_asked_lists(session, ready)
        _send(session, client, ready, parts)


def _agree(session: Session, ready: "PreparedCampaign") -> None:
    from alovoice_cli.consent import Reach, agree  # noqa: PLC0415 - help asks nothing

    people, profile, confirm = ready.numbers_to_call, session.settings.profile, ready.options.confirm
    warnings = [found.sentence for found in ready.report.in_order if found.severity is Severity.WARNING]
    about = (*warnings, ready.summary)
    many = people > session.settings.confirm_above and session.display.is_asked
    if confirm is None and not many:
        question = tr("Create this campaign on PBX {profile}? It cannot be changed afterwards.", profile=profile)
        session.display.confirm(question, about)
        return
    summary = ngettext("{n} person on PBX {profile}", "{n} people on PBX {profile}", people, profile=profile)
    agree(session, Reach(people, summary), confirm, about)


def _tell_parts(session: Session, ready: "PreparedCampaign", parts: "Sequence[CampaignPart]") -> None:
    """Describes, before the question, what will be sent for several campaigns."""
    days, first = [f"{part.draft.window.first:%Y.%m.%d}" for part in parts], ready.options.split_from
    if len(days) > 1:
        remark = ngettext(
            "{n} campaign of one day: {first} to {last}",
            "{n} campaigns of one day each: {first} to {last}",
            len(days),
            first=days[0],
            last=days[-1],
        )
        session.note(remark if first == 1 else joined("; ", [remark, tr("starting with part {part}", part=first)]))


def _send(session: Session, client: "Client", ready: "PreparedCampaign", parts: "Sequence[CampaignPart]") -> None:
    """Sends and shows the parts one after another; after an error the earlier parts stay created, which is reported."""
    wanted = parts[ready.options.split_from - 1 :]
    created: list[Campaign] = []
    try:
        for part in wanted:
            created.append(_send_part(session, client, ready, part, len(wanted)))
            session.note(tr("receipt {receipt}", receipt=session.last_receipt))
    except BaseException:
        if created:
            _tell_stopped(session, ready, created, len(parts))
        raise
    if len(parts) == 1:
        session.show(
            Record(created[0], title=tr("Campaign {campaign}", campaign=created[0].get("id", "")), whole=created[0])
        )
    else:
        session.show(Listing(created, _CREATED))


def _send_part(
    session: Session, client: "Client", ready: "PreparedCampaign", part: "CampaignPart", planned: int
) -> "Campaign":
    from alovoice_cli.api.request import FilePart  # noqa: PLC0415 - help sends nothing

    options, audio = ready.options, ready.files.audio
    with session.display.transfer(tr("uploading")) as moved:
        return client.autorule.create(
            part.draft.to_wire(),
            record=FilePart(options.record.name, "audio/mpeg", audio, str(options.record)),
            recipients=FilePart(part.people.name, "text/csv", part.people.file, part.people.path),
            numbers=options.numbers,
            progress=moved,
            campaign=ready.record_of(part),
            planned=planned,
        )


def _tell_stopped(session: Session, ready: "PreparedCampaign", created: "Sequence[Campaign]", parts: int) -> None:
    session.show(Listing(created, _CREATED))
    stopped = ready.options.split_from + len(created)
    session.warn(
        tr(
            "campaigns created: {created} of {parts}; part {part} failed: when the cause is fixed, run the same command"
            " with --split-from {part} to continue (after exit code 6, check in the web console first)",
            created=len(created),
            parts=parts,
            part=stopped,
        )
    )
