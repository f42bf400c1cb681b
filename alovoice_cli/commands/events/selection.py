"""Which events, which store, what was covered: the options that the verbs of `events` share."""

from typing import Annotated

import typer

from alovoice_cli.events.conditions import CALL_FIELDS, EVENT_FIELDS
from alovoice_cli.events.coverage import cover, describe
from alovoice_cli.events.filters import Period
from alovoice_cli.moments import ClockTime, days_ago, parse_zone, unix_microseconds
from alovoice_cli.session import Session

Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="WHEN",
        help="From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, '2025-04-25 14:30', with a zone too; or all.",
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Up to then; a day alone is included, whole.")
]
Type = Annotated[
    str | None, typer.Option("--type", metavar="TYPE", help="callstart, callend, result, route or probe; a,b for more.")
]
Number = Annotated[
    str | None, typer.Option("--number", metavar="PHONE", help="The other party, in any spelling; a,b for more.")
]
Line = Annotated[str | None, typer.Option("--line", metavar="N", help="The PBX's line.")]
Peer = Annotated[str | None, typer.Option("--peer", metavar="N", help="The extension.")]
Status = Annotated[str | None, typer.Option("--status", metavar="CODE", help="200, 304, 480, 486, 603, 603-S …")]
_LANGUAGE = (
    "Such as 'status = 486 and duration < 5', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, ()."
)
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help=f"{_LANGUAGE} Fields: {', '.join(EVENT_FIELDS)}."),
]
WhereCalls = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help=f"{_LANGUAGE} Fields: {', '.join(CALL_FIELDS)}."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="The latest N; 0 for all.")]
Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="The event store, else the profile's: a file, sqlite:///….")
]
WithTrials = Annotated[
    bool,
    typer.Option("--with-trials", help="With what `events trigger` and `certify` made up.", show_default=False),
]


def clock_of(session: Session) -> ClockTime:
    """Now, in the profile's time zone."""
    return ClockTime(session.now(), parse_zone(session.settings.timezone, "the profile's timezone"))


def since_or(days: int, since: str | None, until: str | None, clock: ClockTime) -> str | None:
    """`--since`; where neither it nor `--until` is given, the day so many days ago."""
    return since if since is not None or until is not None else days_ago(days, clock)


def tell_coverage(session: Session, store: str | None, period: Period, clock: ClockTime) -> None:
    """Says when somebody listened: what was said to nobody is in no list."""
    covered = cover(session.event_store(store).uptimes(), period, unix_microseconds(clock.now))
    session.note(describe(covered, clock))
