"""The options of `autorule create` and `autorule check`: one list for both, which becomes one `CampaignOptions`.

Each command leaves out what only the other one has (`without_options`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from alovoice_cli.campaigns.options import CampaignOptions, ForecastOptions, ListOptions
from alovoice_cli.commands.batch_options import Confirm
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
from alovoice_cli.session import Session

_CHECKS = "The checks"
_FORECAST = "Forecast"
FORECAST_OPTIONS = ("forecast", "answer_rate", "seconds_per_call", "tariff", "seed")
SENDING_OPTIONS = ("split_from", "confirm")

Record = Annotated[str | None, typer.Option("--record", metavar="FILE", help="What is played: an MP3 file (required).")]
First = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", help="2026.11.24, 2026-11-24, today, tomorrow or +3d (required)."),
]
Last = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, inclusive (required).")]
Opens = Annotated[
    str | None, typer.Option("--fromtime", metavar="HH:MM", help="When calls begin, each day (required).")
]
Closes = Annotated[
    str | None, typer.Option("--totime", metavar="HH:MM", help="The last minute of calls, inclusive (required).")
]
RecipientsFile = Annotated[
    str | None, typer.Option("--recipients", metavar="FILE", help="Whom to call: a CSV or a workbook, or - for stdin.")
]
Numbers = Annotated[
    list[str] | None, typer.Option("--recipient", metavar="NUMBER", help="Whom to call, one by one; repeatable.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Else the audio's name and an id.")]
Trunks = Annotated[str | None, typer.Option("--trunks", metavar="A,B|all", help="By which lines; else the profile's.")]
Maxline = Annotated[int | None, typer.Option("--maxline", min=1, help="Maximum concurrent calls (server default: 1).")]
Goodtime = Annotated[
    int | None, typer.Option("--goodtime", min=0, help="Seconds that make a call successful (server default: 3).")
]
Tryes = Annotated[int | None, typer.Option("--tryes", min=1, help="Attempts a number (server default: 2).")]
Paused = Annotated[bool | None, typer.Option("--paused/--no-paused", help="Do not start by itself.")]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="'utc +5', +05:00 or Asia/Tashkent; else the profile's."),
]
Clean = Annotated[
    bool,
    typer.Option(
        "--clean",
        help="With a name, [OUT.csv]: write the cleaned list there. Without: upload it cleaned.",
        show_default=False,
        rich_help_panel=LIST_PANEL,
    ),
]
CleanName = Annotated[
    Path | None, typer.Argument(metavar="[OUT.csv]", help="The name that --clean may have.", show_default=False)
]
NightOk = Annotated[
    bool,
    typer.Option(
        "--night-ok",
        help="Quiet hours, Sundays and holidays are meant.",
        show_default=False,
        rich_help_panel=_CHECKS,
    ),
]
AllowDuplicate = Annotated[
    bool,
    typer.Option(
        "--allow-duplicate",
        help="The same campaign within 24 hours is meant.",
        show_default=False,
        rich_help_panel=_CHECKS,
    ),
]
OverrideLimit = Annotated[
    list[str] | None,
    typer.Option(
        "--override-limit", metavar="NAME", help="Go beyond this limit of the profile.", rich_help_panel=_CHECKS
    ),
]
NoCheck = Annotated[
    bool,
    typer.Option(
        "--no-check",
        help="Skip what only warns; quiet hours hold all the same.",
        show_default=False,
        rich_help_panel=_CHECKS,
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(
        "--from-file",
        metavar="FILE",
        help="A campaign.toml (see export): what it says, these options may say otherwise.",
    ),
]
Like = Annotated[
    str | None,
    typer.Option("--like", metavar="ID", help="As the campaign of this id or receipt, but for what is said here."),
]
Split = Annotated[
    str | None,
    typer.Option("--split", metavar="N/day", help="Several campaigns, N people a day each, from the first day on."),
]
SplitFrom = Annotated[
    int, typer.Option("--split-from", metavar="PART", min=1, help="Go on with this part, after a failure.")
]
ShowForecast = Annotated[
    bool,
    typer.Option(
        "--forecast", rich_help_panel=_FORECAST, help="Simulate the dialling: when it ends, and what it costs."
    ),
]
AnswerRate = Annotated[
    str | None,
    typer.Option("--answer-rate", metavar="SHARE", rich_help_panel=_FORECAST, help="How many answer: 0.4 or 40%."),
]
SecondsPerCall = Annotated[
    float | None,
    typer.Option(
        "--seconds-per-call",
        metavar="S",
        min=1,
        max=3600,
        rich_help_panel=_FORECAST,
        help="How long they talk, in the mean.",
    ),
]
Tariff = Annotated[
    float | None,
    typer.Option("--tariff", metavar="PRICE", min=0, rich_help_panel=_FORECAST, help="The price of a minute of talk."),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, rich_help_panel=_FORECAST, help="Of the forecast's luck.")
]


def without_options(names: tuple[str, ...]) -> type[TyperCommand]:
    """A command that has all options of its function but these."""

    class Chosen(TyperCommand):
        """The command with fewer options."""

        def __init__(self, *words: Any, params: list[Any], **settings: Any) -> None:
            super().__init__(*words, params=[param for param in params if param.name not in names], **settings)

    return Chosen


def campaign_command(run: Callable[[Session, CampaignOptions], int | None]) -> Callable[..., int | None]:
    """The command function of a campaign: the options, from the command line and the definition, are given to `run`."""

    def command(
        ctx: typer.Context,
        record: Record = None,
        first: First = None,
        last: Last = None,
        opens: Opens = None,
        closes: Closes = None,
        recipients: RecipientsFile = None,
        numbers: Numbers = None,
        name: Name = None,
        trunks: Trunks = None,
        maxline: Maxline = None,
        goodtime: Goodtime = None,
        tryes: Tryes = None,
        paused: Paused = None,
        timezone: Timezone = None,
        encoding: ListEncoding = None,
        column: ListColumn = None,
        sheet: ListSheet = None,
        header_line: HeaderLine = None,
        exclude: Exclude = None,
        exclude_unread_ok: ExcludeUnreadOk = False,
        exclude_called: ExcludeCalled = None,
        clean: Clean = False,
        clean_name: CleanName = None,
        rejected: Rejected = None,
        night_ok: NightOk = False,
        allow_duplicate: AllowDuplicate = False,
        override_limit: OverrideLimit = None,
        no_check: NoCheck = False,
        from_file: FromFile = None,
        like: Like = None,
        split: Split = None,
        split_from: SplitFrom = 1,
        confirm: Confirm = None,
        forecast: ShowForecast = False,
        answer_rate: AnswerRate = None,
        seconds_per_call: SecondsPerCall = None,
        tariff: Tariff = None,
        seed: Seed = 1,
    ) -> int | None:
        # Here and not above: help needs neither locks nor digests.
        from alovoice_cli.commands.autorule.definitions import find_defaults  # noqa: PLC0415 - as said above

        session: Session = ctx.obj
        if clean_name is not None and not clean:
            raise UsageError(f"{clean_name} is given, and no --clean", hint="the name belongs behind --clean")
        given_files = {"record": record, "recipients": recipients, "recipient": numbers}
        said = find_defaults(session, from_file, like, {key for key, value in given_files.items() if value})
        of_list = ListOptions(
            encoding=encoding, column=column, tab=sheet, header_line=header_line, exclude=exclude or (),
            exclude_called=exclude_called, exclude_unread_ok=exclude_unread_ok, clean=clean, clean_name=clean_name,
            rejected=rejected, excel=session.options.excel
        )  # fmt: skip
        options = CampaignOptions(
            record=Path(said.needed("record", record)),
            first=said.needed("from", first), last=said.needed("to", last),
            opens=said.needed("fromtime", opens), closes=said.needed("totime", closes),
            recipients=said.text("recipients", recipients), numbers=said.texts("recipient", numbers),
            name=said.text("name", name), trunks=said.joined("trunks", trunks),
            maxline=said.whole("maxline", maxline, least=1), goodtime=said.whole("goodtime", goodtime, least=0),
            tryes=said.whole("tryes", tryes, least=1), paused=said.flag("paused", paused),
            timezone=said.text("timezone", timezone),
            of_list=of_list, split=split, split_from=split_from, confirm=confirm, night_ok=night_ok,
            # The first parts of a split campaign are there already, and look like its twins.
            allow_duplicate=allow_duplicate or split_from > 1,
            override_limit=frozenset(override_limit or ()), no_check=no_check,
            forecast=ForecastOptions(answer_rate, seconds_per_call, tariff, seed) if forecast else None,
        )  # fmt: skip
        return run(session, options)

    command.__doc__, command.__module__ = run.__doc__, run.__module__  # the help page, and its examples
    return command
