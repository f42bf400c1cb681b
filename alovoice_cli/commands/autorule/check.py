"""`alovoice autorule check`: everything that `create` looks at, all at once, and nothing is sent."""

from contextlib import ExitStack

import typer

from alovoice_cli.commands.autorule import options
from alovoice_cli.commands.autorule.filling import FromFile, Like
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import (
    FINDINGS,
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
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice autorule check --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule check --from-file campaign.toml --clean good.csv --rejected bad.csv",
    "alovoice autorule check --from-file campaign.toml --forecast --answer-rate 40% --tariff 95",
)


@shows_list(FINDINGS)
def check_campaign(
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
    forecast: options.ShowForecast = False,
    answer_rate: options.AnswerRate = None,
    seconds_per_call: options.SecondsPerCall = None,
    tariff: options.Tariff = None,
    seed: options.Seed = 1,
) -> int:
    """Check a campaign as `create` would, and send nothing: the list, the recording, days and hours, lines, limits.

    Exit code 8 where there is an error, 2 where only a limit of the profile is broken. Asks the PBX for its lines.

    --forecast simulates the dialling 200 times. How the real dialler paces its lines is not documented; assumed is: a
    line takes the next call 2 s after the last one; a second try waits 10 minutes and goes before new people; 62 %
    answer after 4 to 24 s and talk 1 to 60 s (--answer-rate, --seconds-per-call), 12 % are busy, 6 % out of reach, the
    others ring for 40 s; a call begun in the window is finished after it. What was assumed stands with the result.
    """
    # Here and not above: help needs neither phonenumbers nor holidays.
    from alovoice_cli.campaigns.foretold import forecast_as_dict  # noqa: PLC0415
    from alovoice_cli.commands.autorule import foretelling  # noqa: PLC0415
    from alovoice_cli.commands.autorule.preparation import Preparation  # noqa: PLC0415

    session: Session = ctx.obj
    with ExitStack() as files:
        ready = Preparation(session, options.wish_of(ctx), files, strict=False)
        ready.write_lists()
        made = None
        if forecast:
            assumed = foretelling.read_assumptions(answer_rate, seconds_per_call, tariff, seed)
            made = foretelling.make_forecast(session, ready.numbers_to_call, ready.draft, assumed)
        if made is not None:
            ready.report.add(foretelling.forecast_finding(made))
        found = ready.report.in_order
        items = [finding.as_dict() for finding in found]
        whole = None  # of a long list as much work as to read the list
        if session.options.json:
            whole = ready.as_dict() | ({} if made is None else {"forecast": forecast_as_dict(made, tariff)})
        session.show(Listing(items, FINDINGS, whole, nothing="nothing was found", ours=True))
        ready.tell()
        if made is not None and not (session.options.json or session.options.csv or session.options.columns):
            foretelling.show_forecast(session, made, tariff)
        session.note(ready.report.verdict)
    return ready.report.exit_code
