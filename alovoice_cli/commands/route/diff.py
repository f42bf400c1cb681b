"""`alovoice route diff`: the callers that other rules would send elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.events.coverage import cover, describe
from alovoice_cli.events.filters import FilterWords, read_period
from alovoice_cli.language import joined, ngettext, spaced, tr
from alovoice_cli.moments import ClockTime, parse_zone, unix_microseconds
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.routing.comparing import CallerMove, Comparison, StoredQuestions, compare
from alovoice_cli.routing.lint import check
from alovoice_cli.routing.live import served
from alovoice_cli.routing.rules import FALLBACK
from alovoice_cli.session import Session

COLUMNS = (
    Column("callers", "Callers", numeric=True),
    Column("calls", "Calls", numeric=True),
    Column("old_rule", "Old rule"),
    Column("old_action", "Old step"),
    Column("new_rule", "New rule"),
    Column("new_action", "New step"),
    Column("examples", "For example"),
)
EXAMPLES = examples(
    "alovoice route diff rules.toml new.toml --since 30d",
    "alovoice route diff rules.toml new.toml --json | jq -r '.moves[].examples[].from_number'",
)


@shows_list(COLUMNS)
def compare_rules(
    ctx: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Current rules file.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="New rules file.", show_default=False)],
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="WHEN", help="Route questions from this time on: 7d, yesterday, 2026-11-23; or all."
        ),
    ] = "30d",
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Up to this time; a day is included whole.")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Event store (default: the profile's).")
    ] = None,
) -> None:
    """Compare two rules files on the stored route questions.

    Both files answer every question, with its own time and the caller's past at that time. The table shows which
    callers would go elsewhere, the largest group first. Exit code 8: the rules have errors. --json has calls,
    callers, moved_calls, moved_callers, unreadable, and the moves.
    """
    session: Session = ctx.obj
    now = session.now()
    before, after = served(check(old, now), old), served(check(new, now), new)
    clock = ClockTime(now, parse_zone(session.settings.timezone, tr("the profile's timezone")))
    period = read_period(FilterWords(since, until), clock)
    asked = StoredQuestions(session.event_store(store).route_questions(period))
    found = compare(before, after, asked, session.past(store).as_of)
    whole = {
        "calls": found.calls,
        "callers": found.callers,
        "moved_calls": found.moved_calls,
        "moved_callers": found.moved_callers,
        "unreadable": asked.unreadable,
        "moves": [move.as_json() for move in found.moves],
    }
    nothing = tr("no caller would go elsewhere") if found.calls else tr("no route question of this time is stored")
    cells = [_cells(move, clock) for move in found.moves]
    session.show(Listing(cells, COLUMNS, whole=whole, nothing=nothing, ours=True))
    if found.calls or not session.stdout.isatty():
        session.note(_summary(found, asked.unreadable) if found.calls else nothing)
    covered = cover(session.event_store(store).uptimes(), period, unix_microseconds(now))
    session.note(describe(covered, clock))


def _cells(move: CallerMove, clock: ClockTime) -> dict[str, object]:
    return {
        "callers": move.callers,
        "calls": move.calls,
        "old_rule": move.old_rule or FALLBACK,
        "old_action": move.old_action,
        "new_rule": move.new_rule or FALLBACK,
        "new_action": move.new_action,
        "examples": "; ".join(
            f"{question.from_number or tr('hidden')} {at.astimezone(clock.zone):%m-%d %H:%M}"
            for question, at in move.examples
        ),
    }


def _summary(found: Comparison, unreadable: int) -> str:
    parts = [
        tr("questions: {questions}, callers: {callers}", questions=spaced(found.calls), callers=spaced(found.callers)),
        ngettext("{n} caller would go elsewhere", "{n} callers would go elsewhere", found.moved_callers),
    ]
    if found.moved_calls:
        share = f"{found.moved_calls * 100 / found.calls:.1f} %"
        parts.append(tr("their calls: {calls} ({share})", calls=spaced(found.moved_calls), share=share))
    if unreadable:
        parts.append(ngettext("{n} question cannot be read", "{n} questions cannot be read", unreadable))
    return joined("; ", parts)
