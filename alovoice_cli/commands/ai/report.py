"""`alovoice ai report`: the figures of a period, on the terminal or as a page."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.ai import Peer, Since, Tags, Until, WithoutTags, read_wanted
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.moments import ClockTime, from_unix
from alovoice_cli.output.files import check_free, write_private
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.number_masking import mask_answer
from alovoice_cli.speech.score import DEFAULT_RULES, ScoreTally, SpeechReport
from alovoice_cli.speech.score_rules import load_sound
from alovoice_cli.speech.talk import Talk, clock, read_talk

EXAMPLES = examples(
    "alovoice ai report --since 7d",
    "alovoice ai report --since 30d --by tag --json | jq '.groups[].calls'",
    "alovoice ai report --since 30d --rules qa.toml --html report.html --mask-numbers",
)
By = Literal["day", "operator", "tag"]
COLUMNS = (
    Column("group", "Group"),
    Column("calls", "Calls", numeric=True),
    Column("score", "Score", numeric=True),
    Column("operator", "Operator", numeric=True),
    Column("silence", "Silence", numeric=True),
    Column("interruptions", "Broke in", numeric=True),
    Column("length", "Length", numeric=True, shown=False),
    Column("chart", "", bar=True),
    Column("good", "Good", numeric=True, shown=False),
    Column("worst_call", "Worst call", shown=False),
)
_LEFT_OUT = ("silence", "interruptions")  # of tags, whose names are long: the bar needs the room
_TITLES = {"day": "Day", "operator": "Extension", "tag": "Tag"}


@shows_list(COLUMNS)
def report_calls(
    ctx: typer.Context,
    by: Annotated[By, typer.Option("--by", help="What is counted together.")] = "day",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page that opens offline.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="FILE", help="What scores go by, as in `ai score`; else times alone."),
    ] = None,
    worst: Annotated[int, typer.Option("--worst", metavar="N", min=0, help="The page shows the N worst calls.")] = 10,
    force: Annotated[bool, typer.Option("--force", help="Replace a page that is there.", show_default=False)] = False,
    mask_numbers: Annotated[
        bool, typer.Option("--mask-numbers", help="Hide long numbers in what was said.", show_default=False)
    ] = False,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
) -> None:
    """Count the kept calls by day, operator or tag: scores, the operators' share, silence, interruptions; or a page.

    The page has trends of scores and tags, the distribution of the talk ratio, and the worst calls as dialogues.
    """
    session: Session = ctx.obj
    if html is not None:
        check_free(html, force=force)
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    now = session.clock
    report = SpeechReport(DEFAULT_RULES if rules is None else load_sound(rules), worst)
    for kept in session.analyses.all(wanted):
        report.add(kept.talk, from_unix(kept.begun_at, now.zone))
    if html is not None:
        _write_page(session, report, html, now, force=force, masked=mask_numbers, rules=rules)
    _show(session, report, by)


def _show(session: Session, report: SpeechReport, by: By) -> None:
    drawn = session.stdout.isatty()
    crowded = drawn and by == "tag"
    columns = tuple(
        column._replace(
            title=_TITLES[by] if column.name == "group" else column.title,
            shown=drawn if column.name == "chart" else column.shown and not (crowded and column.name in _LEFT_OUT),
        )
        for column in COLUMNS
    )
    groups = report.grouped(by)
    whole = report.as_json() | {"by": by, "groups": [group.as_json() for group in groups]}
    nothing = "no analysis is kept here that fits"
    session.show(Listing([_cells(group) for group in groups], columns, whole=whole, nothing=nothing))
    if not report.everything.calls:
        return
    average = report.everything.scores.average
    told = "" if average is None else f", average score {average:.1f}"
    by_times = "; scores go by times alone, --rules names your own" if report.rules is DEFAULT_RULES else ""
    session.note(
        f"{report.everything.calls} calls{told}, {report.everything.good} at {report.bar:g} or above{by_times}"
    )
    if drawn and not session.options.json:
        session.note(session.display.legend([f"calls at {report.bar:g} or above", "below"]))


def _cells(group: ScoreTally) -> dict[str, object]:
    return {
        **group.as_json(),
        "operator": _percent(group.talk_ratio),
        "silence": _percent(group.silence_share),
        "length": clock(group.length_ms / group.calls) if group.calls else "",
        "chart": [group.good, group.calls - group.good],
    }


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _write_page(
    session: Session,
    report: SpeechReport,
    target: Path,
    now: ClockTime,
    *,
    force: bool,
    masked: bool,
    rules: Path | None,
) -> None:
    from alovoice_cli.speech.report_page import report_page

    days = [group.name for group in report.grouped("day")]
    period = f"{days[0]} – {days[-1]}" if days else "no calls"
    heading = f"Speech report, PBX {session.settings.profile}, {period}"
    by_rules = "Scores go by times alone: talk ratio, dead air, monologues, interruptions, first word."
    if rules is not None:
        by_rules = f"Scores go by {rules.name}: {len(report.rules.checks)} checks."
    text = report_page(heading, report, _talks(session, report, masked=masked), now.zone, by_rules=by_rules)
    write_private(target, session.masker.hide(text), force=force)
    session.note(f"written: {target}")


def _talks(session: Session, report: SpeechReport, *, masked: bool) -> dict[str, Talk]:
    talks = {}
    for call_id, _, _ in report.worst:
        kept = session.analyses.get(call_id)
        if kept is not None:
            answer = mask_answer(kept.answer) if masked else kept.answer
            talks[call_id] = read_talk(call_id, answer, peer=kept.peer) or kept.talk
    return talks
