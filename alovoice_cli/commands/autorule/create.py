"""`alovoice autorule create`: checks everything that can be checked here, then creates the campaign once."""

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from alovoice_cli.campaigns.findings import Severity, count
from alovoice_cli.commands.autorule import options
from alovoice_cli.commands.autorule.filling import FromFile, Like
from alovoice_cli.commands.many import Confirm
from alovoice_cli.commands.options import (
    Exclude,
    ExcludeCalled,
    ExcludeUnreadOk,
    ForExcel,
    HeaderLine,
    ListColumn,
    ListEncoding,
    ListSheet,
    Rejected,
    examples,
)
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.commands.autorule.preparation import Preparation

EXAMPLES = examples(
    "alovoice autorule create --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule create --record promo.mp3 --recipient 901234567 --name 'Trial' "
    "--from today --to today --fromtime 10:00 --totime 19:59 --trunks all --dry-run",
    "alovoice autorule create --from-file campaign.toml --from tomorrow --to +3d --split 500/day",
)


def create_campaign(
    ctx: typer.Context,
    record: options.Record,
    first: options.First,
    last: options.Last,
    opens: options.Opens,
    closes: options.Closes,
    recipients: options.RecipientsFile = None,
    numbers: options.Numbers = None,
    name: options.Name = None,
    trunks: options.Trunks = None,
    maxline: options.Maxline = None,
    goodtime: options.Goodtime = None,
    tryes: options.Tryes = None,
    paused: options.Paused = False,
    timezone: options.Timezone = None,
    encoding: ListEncoding = None,
    column: ListColumn = None,
    sheet: ListSheet = None,
    header_line: HeaderLine = None,
    exclude: Exclude = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    exclude_called: ExcludeCalled = None,
    clean: options.Clean = False,
    clean_name: options.CleanName = None,
    rejected: Rejected = None,
    excel: ForExcel = False,
    night_ok: options.NightOk = False,
    allow_duplicate: options.AllowDuplicate = False,
    override_limit: options.OverrideLimit = None,
    no_check: options.NoCheck = False,
    from_file: FromFile = None,
    like: Like = None,
    split: options.Split = None,
    split_from: options.SplitFrom = 1,
    confirm: Confirm = None,
) -> None:
    """Create an auto-dial campaign. What is wrong with files, days or lines is said before anything is sent.

    There is no way to change or delete a campaign through the API: the same checks as `autorule check` run first.
    The list goes out byte for byte; with --clean alone, cleaned. --dry-run shows what would be sent.
    """
    # Here and not above: help needs neither phonenumbers nor holidays.
    from alovoice_cli.commands.autorule.preparation import Preparation  # noqa: PLC0415
    from alovoice_cli.commands.autorule.sending import Order, cut, send, tell_pieces  # noqa: PLC0415

    session: Session = ctx.obj
    wish = options.wish_of(ctx)
    if split_from > 1:  # its first parts are there already: they are meant to be its twins
        wish = replace(wish, allow_duplicate=True)
    with ExitStack() as files:
        ready = Preparation(session, wish, files, strict=True, confirm=confirm)
        pieces = cut(files, ready.draft, ready.people, ready.source, ready.layout, split, split_from)
        order = Order(
            pieces,
            split_from,
            ready.audio,
            wish.record,
            ready.layout,
            numbers or (),
            ready.digest,
            wish.allow_duplicate,
        )
        # `--confirm` answers how many are called, and not that a night is meant.
        is_agreed = session.options.dry_run or (session.display.asks and confirm is None)
        unasked = None if is_agreed else ready.report.without_consent()
        for finding in ready.report.in_order:
            if unasked is not None and finding.needs:
                continue  # the refusal itself says it
            say = session.note if finding.severity is Severity.NOTE else session.warn
            say(finding.sentence)
        ready.tell()
        tell_pieces(session, order)
        if unasked is not None:
            raise unasked
        _agree(session, ready, confirm)
        if not session.options.dry_run:
            ready.write_lists()
        send(session, ready.client, order)


def _agree(session: Session, ready: "Preparation", confirm: int | None) -> None:
    from alovoice_cli.consent import Reach, agree  # noqa: PLC0415 - as above

    people, profile = ready.numbers_to_call, session.settings.profile
    warnings = [found.sentence for found in ready.report.in_order if found.severity is Severity.WARNING]
    about = (*warnings, ready.summary)
    many = people > session.settings.confirm_above and session.display.is_asked
    if confirm is None and not many:
        question = f"Create this campaign on PBX {profile}? It cannot be changed afterwards."
        session.display.confirm(question, about)
        return
    agree(session, Reach(people, f"{count(people, 'person', 'people')} on PBX {profile}"), confirm, about)
