"""`alovoice numbers check`: reads and explains a list of phone numbers, and cleans it on request."""

from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.campaigns.options import ListOptions
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import (
    FINDINGS,
    LIST_PANEL,
    Exclude,
    ExcludeCalled,
    ExcludeUnreadOk,
    HeaderLine,
    ListColumn,
    ListEncoding,
    ListSheet,
    Rejected,
    examples,
)
from alovoice_cli.language import tr
from alovoice_cli.moments import parse_zone
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice numbers check clients.csv",
    "alovoice numbers check clients.csv --exclude do-not-call.csv --clean good.csv --rejected bad.csv",
    "alovoice numbers check clients.csv --json | jq .recipients",
)


@shows_list(FINDINGS)
def check_numbers(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="List: CSV or workbook (.xlsx, .xls, .ods); - for stdin.")
    ],
    encoding: ListEncoding = None,
    column: ListColumn = None,
    sheet: ListSheet = None,
    header_line: HeaderLine = None,
    exclude: Exclude = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    exclude_called: ExcludeCalled = None,
    clean: Annotated[
        Path | None,
        typer.Option("--clean", metavar="OUT.csv", help="Write the cleaned list.", rich_help_panel=LIST_PANEL),
    ] = None,
    rejected: Rejected = None,
) -> int:
    """Check a list of phone numbers as `autorule create` does.

    Every bad row is explained. Exit code 8: an error was found, such as numbers that a spreadsheet has rounded. A
    do-not-call file may have a column `until`: the day up to which the number of the row is excluded. Of several
    columns the first good number of each row is used.
    """
    # Here and not above: help needs no phonenumbers.
    from alovoice_cli.campaigns.files import open_list  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns.list_check import ListScreen, check_list  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns.schedule import today_in  # noqa: PLC0415 - as said above
    from alovoice_cli.phones import number_of  # noqa: PLC0415 - as said above

    session: Session = ctx.obj
    options = ListOptions(
        encoding=encoding,
        column=column,
        exclude=exclude or (),
        exclude_called=exclude_called,
        exclude_unread_ok=exclude_unread_ok,
        clean=clean is not None,
        clean_name=clean,
        rejected=rejected,
        tab=sheet,
        header_line=header_line,
        excel=session.options.excel,
    )
    settings, now = session.settings, session.now()
    screen = ListScreen(
        first_day=today_in(parse_zone(settings.timezone), now),
        now=now,
        called_since=lambda since: session.campaigns.called_numbers(settings.profile, since),
        own_lines=frozenset(filter(None, map(number_of, settings.trunks or ()))),
    )
    with session.display.transfer(tr("reading")) as moved:
        seen = check_list(open_list(file, None, session.stdin), options, screen, moved)
    items = [finding.as_dict() for finding in seen.report.in_order]
    whole = seen.as_dict() if session.options.json else None  # for a long list as much work as reading it
    session.show(Listing(items, FINDINGS, whole, nothing=tr("no findings"), ours=True))
    for remark in seen.remarks:
        session.note(remark)
    return seen.report.exit_code
