"""`alovoice ai score`: scores calls by the supervisor's own rules."""

import os
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import tzinfo
from itertools import islice
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
from alovoice_cli.commands.options import SEVERITY_TONES, examples
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.language import joined, mark, spaced, tr
from alovoice_cli.moments import minute_text
from alovoice_cli.output.files import write_new
from alovoice_cli.output.listing import Column, Listing, state_word, tone_by
from alovoice_cli.session import Session
from alovoice_cli.speech.phrases import SoughtPhrase, other_form
from alovoice_cli.speech.score import Group, ScoredCalls, in_order
from alovoice_cli.speech.score_rules import EXAMPLE, load, load_sound
from alovoice_cli.speech.talk import ScoreOverride, Wanted

if TYPE_CHECKING:
    from alovoice_cli.events.peer_names import PeerNames

EXAMPLES = examples(
    "alovoice ai score --init scores.toml",
    "alovoice ai score --rules qa.toml --check",
    "alovoice ai score --rules qa.toml --since 7d --by operator",
    "alovoice ai score 8001 --set 70 --note 'The client was cut off by the line'",
    "alovoice ai score --rules qa.toml --since 7d --fail-under 80 --json | jq '.score'",
)
_MEASURE_TITLES = {
    "talk_ratio": mark("Talk ratio"),
    "longest_monologue": mark("Longest monologue"),
    "dead_air": mark("Dead air"),
    "silence_share": mark("Silence share"),
    "interruptions": mark("Interruptions"),
    "first_word": mark("First word"),
    "length": mark("Length"),
}
COLUMNS = (
    Column("call_id", "Call"),
    Column("group", "Group"),
    Column("began", "Began"),
    Column("peer", "Extension", numeric=True),
    Column("calls", "Calls", numeric=True),
    Column("score", "Score", numeric=True, words=score_word),
    Column("rules_score", "By rules", numeric=True),
    Column("overridden", "Set by hand", shown=False, numeric=True),
    Column("change", "Change", numeric=True),
    Column("worst_call", "Worst call"),
    Column("failed", "Failed"),
    Column("note", "Note"),
    Column("set_by", "Set by", shown=False),
    *(Column(name, title, shown=False, numeric=True) for name, title in _MEASURE_TITLES.items()),
    Column("severity", "Severity", words=state_word, tone=tone_by("severity", SEVERITY_TONES)),
    Column(
        "place",
        "Place",
        lambda item: f"{item['file']}:{item['line']}:{item['column']}" if "file" in item else None,
    ),
    Column("message", "Finding"),
    Column("hint", "What to do"),
)
_SHOWN = {
    "call": ("call_id", "began", "peer", "score", "failed"),
    "operator": ("group", "calls", "score", "worst_call", "failed"),
    "week": ("group", "peer", "calls", "score", "change", "worst_call", "failed"),
    "check": ("severity", "place", "message", "hint"),
}
_BY_HAND = ("rules_score", "note")  # shown where a score was set by hand
_EXAMPLE_NAME = "scores.toml"
_MOST_SEARCHED = 500  # calls, for another form of a word
_LONGEST_NOTE = 2000


@shows_list(COLUMNS)
def score_calls(
    ctx: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(metavar="[CALL_ID|FILE]", help="One call, as in `ai list`; with --init: the new file."),
    ] = None,
    rules: Annotated[Path | None, typer.Option("--rules", metavar="FILE", help="Rules file, such as qa.toml.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the rules file only.", show_default=False)] = False,
    by: Annotated[
        Literal["call", "operator", "week"], typer.Option("--by", help="Show a row per call, operator or week.")
    ] = "call",
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under", metavar="N", min=0, max=100, help="Exit code 8 below this average (default: from the file)."
        ),
    ] = None,
    init: Annotated[
        bool,
        typer.Option("--init", help="Write a rules file to start from (scores.toml).", show_default=False),
    ] = False,
    set_score: Annotated[
        float | None, typer.Option("--set", metavar="N", help="Set the score of CALL_ID by hand, 0 to 100.")
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="Reason for --set; required with it.")
    ] = None,
    unset: Annotated[
        bool, typer.Option("--unset", help="Remove the score of CALL_ID that was set by hand.", show_default=False)
    ] = False,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
) -> int:
    """Score the stored calls from 0 to 100.

    The rules file has [[check]] tables with say, never_say, tag, without_tag or measure (talk ratio, monologues,
    dead air, interruptions), each with a weight. A phrase is searched in whole turns, in any spelling; "to'lov*" is
    the word with any ending. A score that was set by hand replaces the score of the rules in averages. Exit code 8:
    the average is below the limit.
    """
    session: Session = ctx.obj
    if init + unset + (set_score is not None) + check > 1:
        message = tr("--init, --check, --set and --unset cannot be used together")
        raise UsageError(message, hint=tr("choose one of them"))
    if note is not None and set_score is None:
        raise UsageError(tr("--note needs --set"), hint=tr("add --set N"))
    if init:
        return _write_example(session, Path(target or _EXAMPLE_NAME))
    if set_score is not None or unset:
        return _override(session, target, set_score, note)
    if rules is None:
        raise UsageError(tr("--rules FILE is missing"), hint=tr("`alovoice ai score --init` writes an example"))
    if check:
        return _check(session, rules)
    sound = load_sound(rules)
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    if target is not None:
        wanted = replace(wanted, call_ids=(_known_call(session, target),))
    scored = _scored(session, ScoredCalls(sound, session.clock.zone), wanted)
    items = list(_items(scored, by, session.peer_names, session.clock.zone))
    columns = _columns(by, overridden=scored.everything.overridden > 0)
    session.show(Listing(items, columns, whole=scored.as_json(), nothing=tr("no stored analysis matches")))
    return _judge(session, scored.everything, sound.bar if fail_under is None else fail_under)


def _scored(session: Session, scored: ScoredCalls, wanted: Wanted) -> ScoredCalls:
    sides: Counter[str] = Counter()
    for kept in session.analyses.all(wanted):
        talk = kept.talk
        sides.update(talk.unknown_sides)
        scored.add(talk, kept.begun_at, kept.peer, kept.override)
    warn_of_sides(session, sides)
    return scored


def _write_example(session: Session, file: Path) -> ExitCode:
    rehearse = session.options.dry_run
    write_new(file, EXAMPLE.encode(), rehearse=rehearse)
    line = f"alovoice ai score --rules {shlex.quote(str(file))}"
    words = tr("written: {file}; to score with it: `{command}`", file=file, command=line)
    if rehearse:
        words = tr("would be written: {file}; to score with it: `{command}`", file=file, command=line)
    session.report(words, files=[str(file)], written=not rehearse)
    return ExitCode.DONE


def _known_call(session: Session, call_id: str) -> str:
    """Returns the id of a call with a stored analysis. Raises UsageError for another one."""
    if session.analyses.get(call_id) is None:
        raise UsageError(
            tr(
                "PBX {profile}: no analysis is stored on this computer for call {calls}",
                profile=session.analyses.profile,
                calls=call_id,
            ),
            hint=tr("`alovoice ai list` shows the stored analyses"),
        )
    return call_id


def _override(session: Session, target: str | None, points: float | None, note: str | None) -> ExitCode:
    if target is None:
        hint = tr("give it: {command}", command="`alovoice ai score CALL_ID --set 70 --note 'why'`")
        raise UsageError(tr("the call is missing"), hint=hint)
    if points is None:
        return _unset(session, target)
    note = session.masker.hide((note or "").strip())
    if not 0 <= points <= 100:
        raise UsageError(tr("--set {points} is not a score", points=f"{points:g}"), hint=tr("give 0 to 100"))
    if not note or len(note) > _LONGEST_NOTE:
        raise UsageError(
            tr("the note is too long") if note else tr("a score that is set by hand needs a note"),
            hint=tr("give --note 'why', at most {most} characters", most=_LONGEST_NOTE),
        )
    override = ScoreOverride(points, note, _user(session), int(session.now().timestamp()))
    call_id = _known_call(session, target)
    would = session.options.dry_run
    if not would:
        session.analyses.set_score(call_id, override)
    told = {"call": call_id, "points": f"{points:g}", "user": override.by}
    words = tr("the score of call {call} is {points}, set by {user}", **told)
    if would:
        words = tr("the score of call {call} would be {points}, set by {user}", **told)
    session.report(words, call_id=call_id, override=override.as_json(), set=not would)
    return ExitCode.DONE


def _unset(session: Session, target: str) -> ExitCode:
    kept = session.analyses.get(_known_call(session, target))
    there = kept is not None and kept.override is not None
    if there and not session.options.dry_run:
        session.analyses.unset_score(target)
    words = tr("call {call} has no score set by hand", call=target)
    if there:
        words = tr("the rules decide the score of call {call} again", call=target)
    if there and session.options.dry_run:
        words = tr("the rules would decide the score of call {call} again", call=target)
    session.report(words, call_id=target, unset=there and not session.options.dry_run)
    return ExitCode.DONE


def _user(session: Session) -> str:
    names = (session.environ.get(name) for name in ("SUDO_USER", "LOGNAME", "USER", "USERNAME"))
    return next(filter(None, names), None) or (f"user {os.getuid()}" if hasattr(os, "getuid") else "?")


def _judge(session: Session, everything: Group, bar: float | None) -> ExitCode:
    average = everything.average
    if average is None:
        session.warn(tr("no call was scored"))
        return ExitCode.DONE
    note = tr("calls scored: {n}, average {average}", n=spaced(everything.scores), average=average_words(everything))
    session.note(note if bar is None else joined("; ", [note, tr("the bar is {bar}", bar=f"{bar:g}")]))
    return ExitCode.CHECK_FAILED if bar is not None and average < bar else ExitCode.DONE


def _check(session: Session, file: Path) -> ExitCode:
    def said_otherwise(phrase: SoughtPhrase, speaker: str | None) -> str | None:
        longer = phrase.with_endings
        with suppress(UsageError):  # an unusable store of analyses says nothing about the file
            candidates = islice(session.analyses.candidates(longer.literals), _MOST_SEARCHED) if longer else ()
            return other_form(phrase, (kept.talk for kept in candidates), speaker)
        return None

    loaded = load(file, said_otherwise)
    items = [finding.as_rule_json() for finding in loaded.findings]
    number = None if loaded.rules is None else len(loaded.rules.checks)
    whole = {"ok": loaded.rules is not None, "checks": number, "findings": items}
    session.show(Listing(items, _columns("check"), whole=whole, nothing=tr("no problems found"), ours=True))
    return ExitCode.CHECK_FAILED if loaded.rules is None else ExitCode.DONE


def _columns(by: str, *, overridden: bool = False) -> tuple[Column, ...]:
    shown = {*_SHOWN[by], *(_BY_HAND[: 2 if by == "call" else 1] if overridden else ())}
    return tuple(column._replace(shown=column.name in shown) for column in COLUMNS)


def _items(scored: ScoredCalls, by: str, names: "PeerNames", zone: tzinfo) -> Iterator[dict[str, object]]:
    if by == "call":
        for call in scored.calls:
            override = call["override"] if isinstance(call["override"], dict) else {}
            by_hand = {"note": override.get("note"), "set_by": override.get("by"), "overridden": bool(override)}
            peer = names.label(str(call["peer"] or ""))
            yield {**call, "began": minute_text(int(str(call["begun_at"])), zone), "peer": peer, **by_hand}
    elif by == "operator":
        operators = in_order(scored.operators.values())
        yield from ({**_cells(group), "group": names.label(group.name)} for group in operators)
    else:
        yield from (
            {**_cells(one.group), **one.as_json(), "peer": names.label(one.peer) or tr("all")} for one in scored.trends
        )


def _cells(group: Group) -> dict[str, object]:
    failed = [f"{name} {number}" for name, number in group.failures.most_common(3)]
    return {**group.as_json("group"), "failed": failed}
