"""`alovoice route test`: the step of a caller, and the reason."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, tr
from alovoice_cli.moments import zoned_text
from alovoice_cli.output.listing import Column, Record
from alovoice_cli.routing.call import Question
from alovoice_cli.routing.engine import Decision, decide
from alovoice_cli.routing.history import NO_HISTORY, GivenHistory, History
from alovoice_cli.routing.lint import check
from alovoice_cli.routing.live import served
from alovoice_cli.routing.numbers import key_of
from alovoice_cli.routing.rules import FALLBACK, Rules
from alovoice_cli.routing.trials import parse_time
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice route test rules.toml --from 974244100 --line 712037006",
    "alovoice route test rules.toml --from 974244100 --line 712037006 --at '2026-11-23 19:00' --explain",
)
_COLUMNS = (Column("rule", "Rule"), Column("at", "When", words=zoned_text))
_HIDDEN = ("hidden", "anonymous", "restricted", "private", "unknown", "withheld")


def try_question(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rules file, such as rules.toml.", show_default=False)],
    caller: Annotated[
        str,
        typer.Option("--from", metavar="N", help="Number of the caller (default: hidden).", show_default=False),
    ] = "",
    line: Annotated[str, typer.Option("--line", metavar="N", help="Line that is called.", show_default=False)] = "",
    queue: Annotated[
        str, typer.Option("--queue", metavar="N", help="Queue, if the call has one.", show_default=False)
    ] = "",
    direction: Annotated[Literal["inc", "out"], typer.Option("--direction", help="Inbound or outbound.")] = "inc",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Time, such as '2026-11-23 19:00' (default: now).")
    ] = None,
    last_peer: Annotated[
        str | None,
        typer.Option("--last-peer", metavar="N", help="Assume that the caller last spoke with this extension."),
    ] = None,
    calls: Annotated[
        int | None, typer.Option("--calls", min=0, metavar="N", help="Assume this many earlier calls.")
    ] = None,
    missed: Annotated[
        int | None, typer.Option("--missed", min=0, metavar="N", help="Assume this many missed calls.")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Event store (default: the profile's).")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show each rule that was tried, and why it did not match.", show_default=False),
    ] = False,
) -> None:
    """Show the step that a caller would get.

    The caller's past calls are those of the event store at the time --at; --last-peer, --calls and --missed replace
    them. Exit code 8: the rules have errors. --json has action_type, action_data, rule (null: the fallback), at, and
    the trail of rules that were tried.
    """
    session: Session = ctx.obj
    rules = served(check(file, session.now()), file)
    moment = _moment(at, rules, session.now())
    question = Question(_caller(caller), _number(line, "--line"), _queue(queue), direction)
    history = _history(session, store, moment, last_peer, calls, missed)
    decision = decide(rules, question, moment, history)
    shown = moment.astimezone(rules.zone).isoformat(timespec="seconds")
    whole = {**decision.as_json(), "at": shown}
    fields = _fields(decision, shown, explain=explain)
    session.show(Record(fields, title=tr("Decision"), whole=whole, ours=True, columns=_COLUMNS))


def _history(
    session: Session, store: str | None, moment: datetime, last_peer: str | None, calls: int | None, missed: int | None
) -> History:
    """Returns the past of the options, if any; otherwise the store's."""
    if (last_peer, calls, missed) != (None, None, None):
        return GivenHistory(last_peer, calls or 0, missed or 0)
    past = session.past(store)
    if store is None and not past.exists:
        return NO_HISTORY
    session.event_store(store).uptimes()  # says what is wrong with a store that can't be asked
    return past.as_of(moment)


def _caller(text: str) -> str:
    """Returns the caller's number; a word for a hidden number is kept as the PBX may send it."""
    return text if text.casefold() in _HIDDEN else _number(text, "--from")


def _number(text: str, option: str) -> str:
    if text and not key_of(text):
        message = tr("{option} {number!r} is not a valid phone number", option=option, number=text)
        raise UsageError(message, hint=tr("write 901234567 or +998901234567"))
    return text


def _queue(text: str) -> str:
    if text and not (text.isascii() and text.isdigit()):
        message = tr("--queue {number!r} is not the number of a queue", number=text)
        raise UsageError(message, hint=tr("write {example}", example="--queue 6000"))
    return text


def _moment(at: str | None, rules: Rules, now: datetime) -> datetime:
    if at is None:
        return now
    moment = parse_time(at, rules.zone)
    if moment is None:
        message = tr("--at {moment!r} is not a time", moment=at)
        raise UsageError(message, hint=tr("write '2026-11-23 19:00', or add an offset to it"))
    return moment


def _fields(decision: Decision, shown: str, *, explain: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "action_type": decision.step.action_type,
        "action_data": decision.step.action_data,
        "rule": decision.rule or FALLBACK,
        "at": shown,
    }
    for number, tried in enumerate(decision.trail if explain else (), start=1):
        fields[f"{number}. {tried.rule}"] = joined(": ", [tr("yes") if tried.matched else tr("no"), tried.why])
    return fields
