"""`alovoice day`: one page for a day, or for seven."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.language import tr
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.events.day import Day
    from alovoice_cli.events.day_span import DaySpan

app = CommandApp()
_STDOUT = Path("-")


@app.command(
    "day",
    epilog=examples(
        "alovoice day",
        "alovoice day yesterday --text | mail -s 'Calls of yesterday' boss@example.uz",
        "alovoice day 2026-11-23 --html day.html",
        "alovoice day yesterday --week --json | jq -r '.days[] | [.day, .missed, .score] | @tsv'",
    ),
)
def show_day(
    ctx: typer.Context,
    day: Annotated[str, typer.Argument(metavar="[today|yesterday|DATE]", help="Day to show.")] = "today",
    week: Annotated[
        bool,
        typer.Option("--week", help="Show the seven days up to this day, with speech scores.", show_default=False),
    ] = False,
    text: Annotated[
        bool, typer.Option("--text", help="Print short lines for a mail or a messenger.", show_default=False)
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page for browser and A4; - for stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing page.", show_default=False)] = False,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="Rules for speech scores; with --week.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="Event store (default: the profile's)."),
    ] = None,
) -> None:
    """Show a day: calls against targets, callers to call back.

    Six figures, calls by hour, callers to call back, lines, and times without a listener. The targets are settings
    of the profile: target_service_level, target_answer_rate, target_abandon_rate, target_wait, target_owed,
    target_callback.
    """
    from alovoice_cli.errors import UsageError  # noqa: PLC0415 - help needs none of these
    from alovoice_cli.events.day import DAYS_OF_WEEK  # noqa: PLC0415 - as said
    from alovoice_cli.events.day_span import read_days  # noqa: PLC0415 - as said
    from alovoice_cli.output.files import check_free  # noqa: PLC0415 - as said

    session: Session = ctx.obj
    if rules is not None and not week:
        raise UsageError(tr("--rules works only with --week"), hint=tr("add --week, or leave out --rules"))
    if html == _STDOUT and (text or session.options.json):
        raise UsageError(tr("only one format can be printed to stdout"), hint=tr("give --html a file name"))
    if html is not None and html != _STDOUT:
        check_free(html, force=force)
    span = read_days(day, session.clock, days=DAYS_OF_WEEK if week else 1)
    reader = session.day_reader(store)
    shown = reader.week(span, _scores(session, span, rules)) if week else reader.day(span)
    if html is not None:
        _write_page(session, shown, html, force=force)
    if html is None or text or session.options.json:
        _show(session, shown, text=text)


def _scores(session: Session, span: "DaySpan", rules: Path | None) -> dict[str, float]:
    """Returns the average speech score of each day with kept analyses, by date."""
    if not session.analyses.path.exists():
        return {}
    from alovoice_cli.moments import from_unix  # noqa: PLC0415 - a week with speech alone needs these
    from alovoice_cli.speech.score import DEFAULT_RULES, SpeechReport  # noqa: PLC0415 - as said
    from alovoice_cli.speech.score_rules import load_sound  # noqa: PLC0415 - as said
    from alovoice_cli.speech.talk import Wanted  # noqa: PLC0415 - as said

    report = SpeechReport(DEFAULT_RULES if rules is None else load_sound(rules), 0)
    wanted = Wanted(int(span.begin.timestamp()), int(span.end.timestamp()))
    for kept in session.analyses.all(wanted):
        report.add(kept.talk, from_unix(kept.begun_at, span.clock.zone), kept.override)
    averages = {group.name: group.scores.average for group in report.grouped("day")}
    return {day: round(average, 1) for day, average in averages.items() if average is not None}


def _write_page(session: Session, day: "Day", target: Path, *, force: bool) -> None:
    from alovoice_cli.events.day_page import day_page  # noqa: PLC0415 - pages alone
    from alovoice_cli.output.files import write_private  # noqa: PLC0415 - as said

    page = day_page(day)
    if target == _STDOUT:
        session.display.write(page)
        return
    write_private(target, session.masker.hide(page), force=force)
    session.note(tr("written: {files}", files=target))


def _show(session: Session, day: "Day", *, text: bool) -> None:
    from alovoice_cli.events.day_text import day_message, day_screen  # noqa: PLC0415 - help needs none of these
    from alovoice_cli.output.listing import Record  # noqa: PLC0415 - as said

    display = session.display
    if session.options.json:
        session.show(Record(day.as_fields(), whole=day.as_json(), ours=True))
    elif text:
        display.write(day_message(day))
    elif session.stdout.isatty():
        display.screen(day_screen(day, width=display.width, ascii_only=display.ascii_only))
    else:
        session.show(Record(day.as_fields(), ours=True))
