"""`alovoice ai score`: scores calls by the supervisor's own rules."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.ai import Peer, Since, Tags, Until, WithoutTags, read_wanted
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import ExitCode
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import began
from alovoice_cli.speech.score import Group, ScoredCalls, in_order
from alovoice_cli.speech.score_rules import MEASURES, load, load_sound

EXAMPLES = examples(
    "alovoice ai score --rules qa.toml --check",
    "alovoice ai score --rules qa.toml --since 7d --by operator",
    "alovoice ai score --rules qa.toml --since 7d --fail-under 80 --json | jq '.score'",
)
COLUMNS = (
    Column("call_id", "Call"),
    Column("group", "Group"),
    Column("began", "Began"),
    Column("peer", "Extension", numeric=True),
    Column("calls", "Calls", numeric=True),
    Column("score", "Score", numeric=True),
    Column("worst_call", "Worst call"),
    Column("failed", "Failed"),
    *(Column(name, name.replace("_", " ").capitalize(), shown=False, numeric=True) for name in MEASURES),
    Column("severity", "Severity"),
    Column(
        "place", "Where", lambda item: f"{item['file']}:{item['line']}:{item['column']}" if "file" in item else None
    ),
    Column("message", "What"),
    Column("hint", "What to do"),
)
_SHOWN = {
    "call": ("call_id", "began", "peer", "score", "failed"),
    "operator": ("group", "calls", "score", "worst_call", "failed"),
    "week": ("group", "calls", "score", "worst_call", "failed"),
    "check": ("severity", "place", "message", "hint"),
}


@shows_list(COLUMNS)
def score_calls(
    ctx: typer.Context,
    rules: Annotated[Path, typer.Option("--rules", metavar="FILE", help="What a good call is, such as qa.toml.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the rules file.", show_default=False)] = False,
    by: Annotated[Literal["call", "operator", "week"], typer.Option("--by", help="What the table shows.")] = "call",
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under", metavar="N", min=0, max=100, help="Exit 8 for an average below; else the file's bar."
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
) -> int:
    """Score the kept calls, 0 to 100: talk ratio, monologues, dead air, interruptions, phrases and tags, each weighted.

    Rules: [[check]] tables with say, never_say, tag, without_tag or measure. An average below the bar: exit code 8.
    """
    session: Session = ctx.obj
    if check:
        return _check(session, rules)
    sound = load_sound(rules)
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    zone = session.clock.zone
    scored = ScoredCalls(sound, zone)
    for kept in session.analyses.all(wanted):
        scored.add(kept.talk, kept.begun_at, kept.peer)
    items = list(_items(scored, by, zone))
    session.show(Listing(items, _columns(by), whole=scored.as_json(), nothing="no analysis is kept here that fits"))
    return _judge(session, scored.everything, sound.bar if fail_under is None else fail_under)


def _judge(session: Session, everything: Group, bar: float | None) -> ExitCode:
    average = everything.average
    if average is None:
        session.warn("no call was scored")
        return ExitCode.DONE
    verdict = "" if bar is None else f"; the bar is {bar:g}"
    session.note(f"{everything.scores} scored, average {average:.1f}{verdict}")
    return ExitCode.CHECK_FAILED if bar is not None and average < bar else ExitCode.DONE


def _check(session: Session, file: Path) -> ExitCode:
    loaded = load(file)
    items = [finding.as_rule_json() for finding in loaded.findings]
    number = None if loaded.rules is None else len(loaded.rules.checks)
    whole = {"ok": loaded.rules is not None, "checks": number, "findings": items}
    session.show(Listing(items, _columns("check"), whole=whole, nothing="nothing to find fault with", ours=True))
    return ExitCode.CHECK_FAILED if loaded.rules is None else ExitCode.DONE


def _columns(by: str) -> tuple[Column, ...]:
    return tuple(column._replace(shown=column.name in _SHOWN[by]) for column in COLUMNS)


def _items(scored: ScoredCalls, by: str, zone: tzinfo) -> Iterator[dict[str, object]]:
    if by == "call":
        for call in scored.calls:
            yield {**call, "began": began(int(str(call["begun_at"])), zone)}
        return
    groups: Sequence[Group] = in_order((scored.operators if by == "operator" else scored.weeks).values())
    for group in groups:
        failed = [f"{name} {number}" for name, number in group.failures.most_common(3)]
        yield {**group.as_json("group"), "failed": failed}
