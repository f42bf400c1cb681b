"""`alovoice ai report`: the figures of a period, on the terminal or as a page."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from alovoice_cli.commands.ai import (
    Peer,
    Since,
    Tags,
    Until,
    WithoutTags,
    average_words,
    read_wanted,
    score_word,
    warn_of_sides,
)
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.moments import ClockTime, from_unix
from alovoice_cli.output.files import check_free, write_private
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.number_masking import mask_answer
from alovoice_cli.speech.number_masking import mask_numbers as hide_numbers
from alovoice_cli.speech.score import DEFAULT_RULES, ScoreTally, SpeechReport
from alovoice_cli.speech.score_rules import load_sound
from alovoice_cli.speech.talk import Talk, clock, read_talk

if TYPE_CHECKING:
    from alovoice_cli.events.peer_names import PeerNames

EXAMPLES = examples(
    "alovoice ai report --since 7d",
    "alovoice ai report --since 60d --by week",
    "alovoice ai report --since 30d --by tag --json | jq '.groups[].calls'",
    "alovoice ai report --since 30d --rules qa.toml --html report.html --mask-numbers",
)
By = Literal["day", "week", "operator", "tag"]
COLUMNS = (
    Column("group", "Group"),
    Column("peer", "Extension", shown=False),
    Column("calls", "Calls", numeric=True),
    Column("score", "Score", numeric=True, words=score_word),
    Column("rules_score", "By rules", shown=False, numeric=True),
    Column("overridden", "Set by hand", shown=False, numeric=True),
    Column("change", "Change", shown=False, numeric=True),
    Column("operator", "Operator", numeric=True),
    Column("silence", "Silence", numeric=True),
    Column("interruptions", "Interruptions", numeric=True),
    Column("length", "Length", numeric=True, shown=False),
    Column("chart", "", bar=True),
    Column("good", "Good", numeric=True, shown=False),
    Column("worst_call", "Worst call", shown=False),
)
_LEFT_OUT = ("silence", "interruptions")  # of tags, whose names are long, and of weeks: the bar needs the room
_TITLES = {"day": mark("Day"), "week": mark("Week"), "operator": mark("Extension"), "tag": mark("Tag")}


@shows_list(COLUMNS)
def report_calls(
    ctx: typer.Context,
    by: Annotated[By, typer.Option("--by", help="Group calls by this.")] = "day",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a self-contained HTML page.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="FILE", help="Rules for scores, as in `ai score` (default: no scores)."),
    ] = None,
    worst: Annotated[int, typer.Option("--worst", metavar="N", min=0, help="Number of worst calls on the page.")] = 10,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing page.", show_default=False)] = False,
    mask_numbers: Annotated[
        bool, typer.Option("--mask-numbers", help="Mask long numbers in what was said.", show_default=False)
    ] = False,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
) -> None:
    """Summarize the stored calls by day, week, operator or tag.

    The report has scores, the operators' share of the talk, and silence. --by week shows the trend of each operator,
    in ISO weeks. A score that was set by hand counts; the score of the rules is shown beside it. The page of --html
    has trends, the distribution of the talk ratio, and the worst calls as dialogues.
    """
    session: Session = ctx.obj
    if html is not None:
        check_free(html, force=force)
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    now = session.clock
    report = SpeechReport(DEFAULT_RULES if rules is None else load_sound(rules), worst)
    sides: Counter[str] = Counter()
    for kept in session.analyses.all(wanted):
        talk = kept.talk
        sides.update(talk.unknown_sides)
        override = kept.override
        if override is not None and mask_numbers:
            override = replace(override, note=hide_numbers(override.note))
        report.add(talk, from_unix(kept.begun_at, now.zone), override)
    if html is not None:
        _write_page(session, report, html, now, force=force, masked=mask_numbers, rules=rules)
    _show(session, report, by)
    warn_of_sides(session, sides)


def _show(session: Session, report: SpeechReport, by: By) -> None:
    drawn = session.stdout.isatty()
    trends = report.trends if by == "week" else []
    groups: list[tuple[ScoreTally, dict[str, object]]] = [(one.group, one.as_json()) for one in trends]
    if by != "week":
        groups = [(group, {}) for group in report.grouped(by)]
    whole = report.as_json() | {"by": by, "groups": [{**group.as_json(), **trend} for group, trend in groups]}
    names = session.peer_names if by in ("operator", "week") else None
    items = [_cells(group, trend, names) for group, trend in groups]
    columns = _columns(by, drawn=drawn, overridden=report.everything.scores.overridden > 0)
    left_out = session.show(Listing(items, columns, whole=whole, nothing=tr("no stored analysis matches")))
    if not report.everything.calls:
        return
    scores, calls = report.everything.scores, report.everything.calls
    bar = f"{report.bar:g}"
    parts = [ngettext("{n} call", "{n} calls", calls)]
    if scores.average is not None:
        parts.append(tr("average score {average}", average=average_words(scores)))
    parts.append(tr("{number} at {bar} or above", number=report.everything.good, bar=bar))
    note = joined(", ", parts)
    if report.rules is DEFAULT_RULES:
        note = joined("; ", [note, tr("the scores are based on times only; give your own rules with --rules")])
    session.note(note)
    if drawn and not session.options.json and "chart" not in left_out:
        session.note(session.display.legend([tr("calls at {bar} or above", bar=bar), tr("below")]))


def _columns(by: By, *, drawn: bool, overridden: bool) -> tuple[Column, ...]:
    shown = {column.name for column in COLUMNS if column.shown} | ({"rules_score"} if overridden else set())
    if by == "week":
        shown |= {"peer", "change"}
    if drawn and by in ("tag", "week"):
        shown -= {*_LEFT_OUT}
    if not drawn:
        shown.discard("chart")
    return tuple(
        column._replace(title=_TITLES[by] if column.name == "group" else column.title, shown=column.name in shown)
        for column in COLUMNS
    )


def _cells(group: ScoreTally, trend: dict[str, object], names: "PeerNames | None") -> dict[str, object]:
    """Returns the cells; `names` are those of the extensions, where the groups are extensions or their weeks."""
    named: dict[str, object] = {}
    if names is not None:
        peer = trend["peer"] if trend else group.name
        named = {"peer" if trend else "group": names.label(str(peer or "")) or tr("all")}
    return {
        **group.as_json(),
        **trend,
        **named,
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
    period = " – ".join(dict.fromkeys((days[0], days[-1]))) if days else tr("no calls")
    heading = tr("Speech report, PBX {profile}, {period}", profile=session.settings.profile, period=period)
    by_rules = tr("The scores are based on times only: talk ratio, dead air, monologues, interruptions, first word.")
    if rules is not None:
        by_rules = ngettext(
            "The scores are based on {file}: {n} check.",
            "The scores are based on {file}: {n} checks.",
            len(report.rules.checks),
            file=rules.name,
        )
    text = report_page(heading, report, _talks(session, report, masked=masked), now.zone, by_rules=by_rules)
    write_private(target, session.masker.hide(text), force=force)
    session.note(tr("written: {files}", files=target))


def _talks(session: Session, report: SpeechReport, *, masked: bool) -> dict[str, Talk]:
    talks = {}
    for call_id, _ in report.worst:
        kept = session.analyses.get(call_id)
        if kept is not None:
            answer = mask_answer(kept.answer) if masked else kept.answer
            talks[call_id] = read_talk(call_id, answer, peer=kept.peer) or kept.talk
    return talks
