"""The options that `autorule create` and `autorule check` share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from alovoice_cli.campaigns.wishes import CampaignWish, ListWish
from alovoice_cli.commands.options import LIST_PANEL
from alovoice_cli.errors import UsageError

Record = Annotated[Path, typer.Option("--record", metavar="FILE", help="What is played: an MP3 file.")]
First = Annotated[str, typer.Option("--from", metavar="DAY", help="2026.11.24, 2026-11-24, today, tomorrow or +3d.")]
Last = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, inclusive.")]
Opens = Annotated[str, typer.Option("--fromtime", metavar="HH:MM", help="When calls begin, each day.")]
Closes = Annotated[str, typer.Option("--totime", metavar="HH:MM", help="The last minute of calls, inclusive.")]
RecipientsFile = Annotated[
    str | None, typer.Option("--recipients", metavar="FILE", help="Whom to call: a CSV or a workbook, or - for stdin.")
]
Numbers = Annotated[
    list[str] | None, typer.Option("--recipient", metavar="NUMBER", help="Whom to call, one by one; repeatable.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Else the audio's name and an id.")]
Trunks = Annotated[str | None, typer.Option("--trunks", metavar="A,B|all", help="By which lines; else the profile's.")]
Maxline = Annotated[int | None, typer.Option("--maxline", min=1, help="Most lines at once; the PBX says 1.")]
Goodtime = Annotated[
    int | None, typer.Option("--goodtime", min=0, help="Seconds that make a call successful; the PBX says 3.")
]
Tryes = Annotated[int | None, typer.Option("--tryes", min=1, help="Attempts a number; the PBX says 2.")]
Paused = Annotated[bool, typer.Option("--paused/--no-paused", help="Do not start by itself.")]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="'utc +5', +05:00 or Asia/Tashkent; else the profile's."),
]

_CHECKS = "The checks"
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


Split = Annotated[
    str | None,
    typer.Option("--split", metavar="N/day", help="Several campaigns, N people a day each, from the first day on."),
]
SplitFrom = Annotated[
    int, typer.Option("--split-from", metavar="PART", min=1, help="Go on with this part, after a failure.")
]

_FORECAST = "Forecast"
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


def wish_of(ctx: typer.Context) -> CampaignWish:
    """What the words ask for, by the names that the options have in both commands. Raises UsageError."""
    # The context holds paths as they were typed.
    paths = {name: Path(ctx.params[name]) for name in ("record", "clean_name", "rejected") if ctx.params[name]}
    said: dict[str, Any] = {**ctx.params, **paths}
    if said["clean_name"] is not None and not said["clean"]:
        raise UsageError(f"{said['clean_name']} is given, and no --clean", hint="the name belongs behind --clean")
    names = (
        *("encoding", "column", "header_line", "exclude_called", "exclude_unread_ok"),
        *("clean", "clean_name", "rejected", "excel"),
    )
    of_list = {"tab": said["sheet"], **{name: said[name] for name in names}}
    whom = ListWish(exclude=[Path(path) for path in said["exclude"] or ()], **of_list)
    plain = (
        *("record", "first", "last", "opens", "closes", "recipients", "name", "trunks", "maxline", "goodtime", "tryes"),
        *("paused", "timezone", "split", "night_ok", "allow_duplicate", "no_check"),
    )
    many: dict[str, Any] = {name: said[name] or () for name in ("numbers", "override_limit")}
    return CampaignWish(whom=whom, **{name: said[name] for name in plain}, **many)
