"""The options of `autorule create` and `autorule check`, and the campaign that they describe.

The options become one `CampaignOptions`; each command leaves out the options that only the other one has (`without`).
"""

from collections.abc import Collection, Set
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alovoice_cli.campaigns.options import CampaignOptions, ForecastOptions, ListOptions
from alovoice_cli.commands.command_classes import refuse_missing
from alovoice_cli.commands.options import (
    LIST_PANEL,
    Exclude,
    ExcludeCalled,
    ExcludeUnreadOk,
    HeaderLine,
    ListColumn,
    ListEncoding,
    ListSheet,
    Rejected,
)
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.session import Session
from alovoice_cli.spreadsheet import format_for

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client
    from alovoice_cli.campaigns.campaign_record import CreatedCampaign
    from alovoice_cli.campaigns.definition import Definition, DefinitionDefaults
    from alovoice_cli.campaigns.preparation import CampaignContext, PreparedCampaign

_REQUIRED = "Required, unless --from-file or --like has them"
_CAMPAIGN, _CHECKS, _FORECAST = "Campaign", "Checks", "Forecast"


def _option(flag: str, metavar: str | None, help: str, *, panel: str = _CAMPAIGN, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=help, rich_help_panel=panel, **more)


_required, _of_list = partial(_option, panel=_REQUIRED), partial(_option, panel=LIST_PANEL)


def _flag(flag: str, help: str, panel: str) -> Any:
    return typer.Option(flag, help=help, rich_help_panel=panel, show_default=False)


Text = str | None
Count = int | None


def campaign_options(
    ctx: typer.Context,
    record: Annotated[Text, _required("--record", "FILE", "Audio file to play (MP3).")] = None,
    first: Annotated[Text, _required("--from", "DAY", "First and last day: 2026-11-24, tomorrow, +3d.")] = None,
    last: Annotated[Text, _required("--to", "DAY", "First and last day: 2026-11-24, tomorrow, +3d.")] = None,
    opens: Annotated[Text, _required("--fromtime", "HH:MM", "Daily calling hours, last minute included.")] = None,
    closes: Annotated[Text, _required("--totime", "HH:MM", "Daily calling hours, last minute included.")] = None,
    recipients: Annotated[
        Text, _of_list("--recipients", "FILE", "List of numbers: CSV or workbook; - for stdin.")
    ] = None,
    numbers: Annotated[list[str] | None, _of_list("--recipient", "NUMBER", "One number; repeatable.")] = None,
    name: Annotated[Text, _option("--name", "TEXT", "Name (default: name of the audio file and an id).")] = None,
    trunks: Annotated[Text, _option("--trunks", "A,B|all", "Lines to call from (default: the profile's).")] = None,
    maxline: Annotated[Count, _option("--maxline", None, "Maximum lines used at once (PBX default: 1).", min=1)] = None,
    goodtime: Annotated[
        Count, _option("--goodtime", None, "Talk seconds of a successful call (PBX default: 3).", min=0)
    ] = None,
    tryes: Annotated[Count, _option("--tryes", None, "Attempts per number (PBX default: 2).", min=1)] = None,
    paused: Annotated[bool | None, _option("--paused/--no-paused", None, "Create the campaign paused.")] = None,
    timezone: Annotated[
        Text, _option("--timezone", "ZONE", "Time zone, such as +05:00 (default: the profile's).")
    ] = None,
    encoding: ListEncoding = None,
    column: ListColumn = None,
    sheet: ListSheet = None,
    header_line: HeaderLine = None,
    exclude: Exclude = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    exclude_called: ExcludeCalled = None,
    clean: Annotated[
        bool,
        _flag("--clean", "Upload the cleaned list; OUT.csv: only write it.", LIST_PANEL),
    ] = False,
    clean_name: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT.csv]", help="Upload the cleaned list; OUT.csv: only write it.", rich_help_panel=LIST_PANEL
        ),
    ] = None,
    rejected: Rejected = None,
    night_ok: Annotated[bool, _flag("--night-ok", "Allow quiet hours, Sundays and holidays.", _CHECKS)] = False,
    allow_duplicate: Annotated[
        bool, _flag("--allow-duplicate", "Allow the same campaign again within 24 hours.", _CHECKS)
    ] = False,
    override_limit: Annotated[
        list[str] | None,
        _option("--override-limit", "NAME", "Ignore this limit of the profile; repeatable.", panel=_CHECKS),
    ] = None,
    no_check: Annotated[bool, _flag("--no-check", "Skip checks that only warn, but not quiet hours.", _CHECKS)] = False,
    from_file: Annotated[
        Text,
        _option("--from-file", "FILE", "Read options from a campaign.toml (see export)."),
    ] = None,
    like: Annotated[Text, _option("--like", "ID", "Copy the options of this campaign (id or receipt).")] = None,
    split: Annotated[Text, _option("--split", "N/day", "Create several campaigns, N recipients per day.")] = None,
    split_from: Annotated[int, _option("--split-from", "PART", "Continue with this part after a failure.", min=1)] = 1,
    confirm: Annotated[Count, _option("--confirm", "N", "Agree to exactly N recipients.", panel=_CHECKS, min=0)] = None,
    forecast: Annotated[
        bool, _option("--forecast", None, "Simulate the dialling: when it ends, what it costs.", panel=_FORECAST)
    ] = False,
    answer_rate: Annotated[
        Text, _option("--answer-rate", "SHARE", "Share of answered calls: 0.4 or 40%.", panel=_FORECAST)
    ] = None,
    seconds_per_call: Annotated[
        float | None,
        _option("--seconds-per-call", "S", "Average talk time in seconds.", panel=_FORECAST, min=1, max=3600),
    ] = None,
    tariff: Annotated[
        float | None, _option("--tariff", "PRICE", "Price of a minute of talk.", panel=_FORECAST, min=0)
    ] = None,
    seed: Annotated[int, _option("--seed", "N", "Seed of the random numbers.", panel=_FORECAST, min=0)] = 1,
) -> CampaignOptions:
    """Returns the options of a campaign: of the command line, and of `--from-file` or `--like`."""
    session: Session = ctx.obj
    if clean_name is not None and not clean:
        message = tr("{name} is given without --clean", name=clean_name)
        raise UsageError(message, hint=tr("write the name after --clean"))
    files = {"record": record, "recipients": recipients, "recipient": numbers}
    said = _defaults(session, from_file, like, [key for key, value in files.items() if value])
    needed = {"record": record, "from": first, "to": last, "fromtime": opens, "totime": closes}
    known = said.known(needed)
    _check_known(ctx, needed.keys() - known.keys())
    of_list = ListOptions(
        encoding=encoding, column=column, tab=sheet, header_line=header_line, exclude=exclude or (),
        exclude_called=exclude_called, exclude_unread_ok=exclude_unread_ok, clean=clean, clean_name=clean_name,
        rejected=rejected, excel=session.options.excel
    )  # fmt: skip
    return CampaignOptions(
        record=Path(known["record"]), first=known["from"], last=known["to"],
        opens=known["fromtime"], closes=known["totime"],
        recipients=said.text("recipients", recipients), numbers=said.texts("recipient", numbers),
        name=said.text("name", name), trunks=said.joined("trunks", trunks),
        maxline=said.whole("maxline", maxline, least=1), goodtime=said.whole("goodtime", goodtime, least=0),
        tryes=said.whole("tryes", tryes, least=1), paused=said.flag("paused", paused),
        timezone=said.text("timezone", timezone),
        of_list=of_list, split=split, split_from=split_from, confirm=confirm, night_ok=night_ok,
        # The first parts of a split campaign exist already, and look like its twins.
        allow_duplicate=allow_duplicate or split_from > 1,
        override_limit=frozenset(override_limit or ()), no_check=no_check,
        forecast=ForecastOptions(answer_rate, seconds_per_call, tariff, seed) if forecast else None,
        known_digests=said.digests,
    )  # fmt: skip


def _check_known(ctx: typer.Context, missing: Set[str]) -> None:
    """Raises UsageError that names all missing options."""
    if missing:
        params = [param for param in ctx.command.params if param.opts[0].removeprefix("--") in missing]
        refuse_missing(ctx, params, tr("--from-file FILE or --like ID can supply them"))


def _defaults(
    session: Session, from_file: str | None, like: str | None, given: Collection[str]
) -> "DefinitionDefaults":
    """Returns the definition behind the options; `given` are the files and numbers of the command line."""
    # Here and not above: help needs neither TOML nor locks.
    from alovoice_cli.campaigns.definition import DefinitionDefaults, open_definition  # noqa: PLC0415 - as said above

    if from_file is not None and like is not None:
        raise UsageError(tr("--from-file and --like cannot be used together"), hint=tr("choose one of them"))
    if from_file is not None:
        definition = open_definition(from_file, session.stdin.buffer, session.cwd)
    else:
        definition = {} if like is None else created_definition(session, like)
    return DefinitionDefaults(definition).beside(given)


def created_definition(session: Session, label: str) -> "Definition":
    """Returns the definition of a campaign that was created from here. Raises UsageError for another one."""
    from alovoice_cli.campaigns.definition import define  # noqa: PLC0415 - as in _defaults

    created = find_created(session, label)
    return define(created.fields, created.record, created.recipients, session.campaigns.numbers(created.receipt))


def find_created(session: Session, label: str) -> "CreatedCampaign":
    """Returns the campaign with this id or receipt. Raises UsageError for one that was not created from here."""
    profile = session.settings.profile
    created = session.campaigns.campaign(profile, label)
    if created is None:
        raise UsageError(
            tr(
                "campaign {campaign} was not created from this computer on PBX {profile}",
                campaign=label,
                profile=profile,
            ),
            hint=tr("see `alovoice autorule list`; `alovoice autorule get` shows what the PBX knows about it"),
        )
    return created


def prepare(
    session: Session, options: CampaignOptions, opened: ExitStack, *, strict: bool
) -> "tuple[PreparedCampaign, Client]":
    """Returns the campaign, ready to be sent, its findings, and its client; `opened` closes its files.

    `strict` is for `create`: unreadable input raises, and errors stop before the PBX is asked.
    """
    # Here and not above: help needs neither phonenumbers nor holidays.
    from alovoice_cli.api.trunks import probe  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns import preparation  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns.list_check import CheckReport  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns.preflight import PbxAnswer  # noqa: PLC0415 - as said above
    from alovoice_cli.consent import Reach, check_confirmed  # noqa: PLC0415 - as said above

    context, report = _context(session, options), CheckReport(strict=strict)
    window = preparation.check_window(options, context, report)
    with session.display.transfer(tr("reading")) as moved:
        files = preparation.read_files(
            options, context, window, report, stdin=session.stdin, opened=opened, moved=moved
        )
    for path in files.changed(options.known_digests):
        session.warn(tr("{path} has changed since the campaign was created from it", path=path))
    report.stop()
    if options.confirm is not None:  # before the PBX is asked for anything
        check_confirmed(Reach(files.numbers_to_call, ""), options.confirm)
    client = session.client_for(override_limits=options.override_limit)

    def ask_pbx() -> PbxAnswer:
        answer = probe(client, session.now())
        return PbxAnswer(answer.lines, answer.skew_seconds, answer.problem)

    rehearsed = strict and session.options.dry_run  # a rehearsal makes no request of its own
    ready = preparation.prepare_campaign(options, context, window, files, report, ask_pbx=ask_pbx, rehearsed=rehearsed)
    return ready, client


def _context(session: Session, options: CampaignOptions) -> "CampaignContext":
    from alovoice_cli.api.endpoints import ADD_AUTORULE  # noqa: PLC0415 - as in prepare
    from alovoice_cli.campaigns.preflight import CampaignLimits  # noqa: PLC0415 - as in prepare
    from alovoice_cli.campaigns.preparation import CampaignContext  # noqa: PLC0415 - as in prepare
    from alovoice_cli.dialling import DAY  # noqa: PLC0415 - as in prepare

    settings, store, now = session.settings, session.campaigns, session.now()
    profile, daily = settings.profile, settings.max_campaigns_per_day
    # Campaigns that an older version created within a day count too: as twins, and against the limit.
    store.adopt(session.ledger.placed(profile, now - DAY, ADD_AUTORULE.path))
    return CampaignContext(
        profile=profile,
        trunks=tuple(settings.trunks or ()),
        quiet_hours=settings.quiet_hours,
        timezone=settings.timezone,
        limits=CampaignLimits(settings.max_recipients, settings.allowed_prefixes, daily, options.override_limit),
        now=now,
        made_today=0 if daily is None else store.created_count(profile, now - DAY),
        called_since=partial(store.called_numbers, profile),
        busy_lines=partial(store.busy_lines, profile),
        find_twin=partial(store.find_twin, profile, now - DAY),
        make_id=session.ledger.make_id,
        hide=session.masker.hide,
    )


def write_asked_lists(session: Session, ready: "PreparedCampaign") -> None:
    """Writes the files of `--clean OUT` and `--rejected OUT`, and reports them."""
    from alovoice_cli.campaigns.cleaning import write_lists  # noqa: PLC0415 - as in prepare

    asked, whom = ready.options.of_list, ready.files.whom
    if whom is not None and asked.written:
        write_lists(whom, asked.clean_name, asked.rejected, format_for(excel=asked.excel))
        session.note(tr("written: {files}", files=", ".join(asked.written)))
