"""The options that the verbs of `events` share: which events, which store, which coverage."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from alovoice_cli.commands.options import OptionGroupCommand
from alovoice_cli.events.coverage import cover, describe
from alovoice_cli.events.filters import FilterWords, Period
from alovoice_cli.language import tr
from alovoice_cli.moments import ClockTime, days_ago, parse_zone, unix_microseconds
from alovoice_cli.session import Session

_PANEL = "Filter"


def _option(name: str, metavar: str, help: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help, rich_help_panel=_PANEL)


Since = Annotated[
    str | None,
    _option(
        "--since",
        "WHEN",
        "From this time on: 2h, 7d, today, yesterday, 14:30, '2025-04-25 14:30', with a time zone; or all.",
    ),
]
Until = Annotated[str | None, _option("--until", "WHEN", "Up to this time; a day is included whole.")]
Type = Annotated[str | None, _option("--type", "TYPE", "callstart, callend, result, route, probe; several: a,b.")]
Number = Annotated[str | None, _option("--number", "PHONE", "Number of the other party; several: a,b.")]
Line = Annotated[str | None, _option("--line", "N", "Line of the PBX.")]
Peer = Annotated[str | None, _option("--peer", "N", "Extension.")]
Status = Annotated[str | None, _option("--status", "CODE", "Status code, such as 200, 304, 486, 603-S.")]
Where = Annotated[
    str | None, _option("--where", "CONDITION", "Condition, such as 'status = 486 and duration < 5' (see below).")
]
WhereCalls = Annotated[
    str | None, _option("--where", "CONDITION", "Condition, such as 'status = 486 and duration < 5' (see below).")
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, help="Maximum number of rows, newest first; 0: all.")
]
Store = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Event store (default: the profile's)."),
]
WithTrials = Annotated[
    bool,
    typer.Option("--with-trials", help="Include test events of `events trigger` and `certify`.", show_default=False),
]


def _filter_words(
    since: Since = None,
    until: Until = None,
    type: Type = None,
    number: Number = None,
    line: Line = None,
    peer: Peer = None,
    status: Status = None,
    where: Where = None,
    with_trials: WithTrials = False,
) -> FilterWords:
    """Returns the options that select events."""
    return FilterWords(since, until, type, number, line, peer, status, where, with_trials)


def where_note(fields: Iterable[str]) -> str:
    """Returns the note below the options of a command with `--where`: its operators and its fields."""
    operators = "= != < <= > >= ~ (contains), in (a, b), none, and, or, not, ()"
    return f"Operators of --where: {operators}.\nFields of --where: {', '.join(fields)}."


class EventsCommand(OptionGroupCommand):
    """A command with the options that select events: `option_group(ctx, FilterWords)`."""

    build = staticmethod(_filter_words)


def clock_of(session: Session) -> ClockTime:
    """Returns the present moment, in the profile's time zone."""
    return ClockTime(session.now(), parse_zone(session.settings.timezone, tr("the profile's timezone")))


def since_or(days: int, since: str | None, until: str | None, clock: ClockTime) -> str | None:
    """Returns `--since`; without it and `--until`, the day this many days ago."""
    return since if since is not None or until is not None else days_ago(days, clock)


def tell_coverage(session: Session, store: str | None, period: Period, clock: ClockTime) -> None:
    """Says when somebody listened: what was said to nobody is in no list."""
    events = session.event_store(store)
    covered = cover(events.uptimes(), period, unix_microseconds(clock.now))
    session.note(describe(covered, clock, events.imported(period)))
