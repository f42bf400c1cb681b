"""`alovoice autorule create`: checks everything that can be checked here, then creates the campaign once."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.commands.autorule.options import FORECAST_OPTIONS, campaign_command, without_options
from alovoice_cli.commands.options import examples
from alovoice_cli.findings import Severity, count
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.campaigns.preparation import PreparedCampaign

EXAMPLES = examples(
    "alovoice autorule create --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule create --record promo.mp3 --recipient 901234567 --name 'Trial' "
    "--from today --to today --fromtime 10:00 --totime 19:59 --trunks all --dry-run",
    "alovoice autorule create --from-file campaign.toml --from tomorrow --to +3d --split 500/day",
)
CreateCommand = without_options(FORECAST_OPTIONS)


def _create(session: Session, options: CampaignOptions) -> None:
    """Create an auto-dial campaign. What is wrong with files, days or lines is said before anything is sent.

    There is no way to change or delete a campaign through the API: the same checks as `autorule check` run first.
    The list goes out byte for byte; with --clean alone, cleaned. --dry-run shows what would be sent.
    """
    # Here and not above: help needs neither phonenumbers nor holidays.
    from alovoice_cli.campaigns.preparation import campaign_parts  # noqa: PLC0415 - as said above
    from alovoice_cli.commands.autorule import preparation  # noqa: PLC0415 - as said above
    from alovoice_cli.commands.autorule.sending import send, tell_parts  # noqa: PLC0415 - as said above

    with ExitStack() as opened:
        ready, client = preparation.prepare(session, options, opened, strict=True)
        parts = campaign_parts(ready, opened)
        # `--confirm` answers how many are called, and not that a night is meant.
        is_agreed = session.options.dry_run or (session.display.asks and options.confirm is None)
        unasked = None if is_agreed else ready.report.without_consent()
        for finding in ready.report.in_order:
            if unasked is not None and finding.needs:
                continue  # the refusal itself says it
            say = session.note if finding.severity is Severity.NOTE else session.warn
            say(finding.sentence)
        preparation.tell_remarks(session, ready)
        tell_parts(session, ready, parts)
        if unasked is not None:
            raise unasked
        _agree(session, ready)
        if not session.options.dry_run:
            preparation.write_asked_lists(session, ready)
        send(session, client, ready, parts)


create_campaign = campaign_command(_create)


def _agree(session: Session, ready: "PreparedCampaign") -> None:
    from alovoice_cli.consent import Reach, agree  # noqa: PLC0415 - help asks nothing

    people, profile, confirm = ready.numbers_to_call, session.settings.profile, ready.options.confirm
    warnings = [found.sentence for found in ready.report.in_order if found.severity is Severity.WARNING]
    about = (*warnings, ready.summary)
    many = people > session.settings.confirm_above and session.display.is_asked
    if confirm is None and not many:
        question = f"Create this campaign on PBX {profile}? It cannot be changed afterwards."
        session.display.confirm(question, about)
        return
    agree(session, Reach(people, f"{count(people, 'person', 'people')} on PBX {profile}"), confirm, about)
