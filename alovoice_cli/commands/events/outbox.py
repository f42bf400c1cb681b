"""`alovoice events outbox`: waiting events and dead letters, with or without a running listener."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.events.selection import Store, clock_of
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.event_table import iso, when
from alovoice_cli.events.outbox import (
    DEAD,
    DUE,
    INTERRUPTED,
    RUNNING,
    OutboxEntry,
    OutboxSelection,
    TargetStanding,
    is_of_notices,
    target_id,
    waiting_text,
)
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.listening.targets import Target, parse_exec, parse_forward, shown
from alovoice_cli.moments import ClockTime, span_text, unix_microseconds
from alovoice_cli.output.listing import Column, ListedItem, Listing, tone_by
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.stores.outbox_orders import OutboxOrders

app = CommandApp()
COLUMNS = (
    Column("event", "Event"),
    Column("type", "Type"),
    Column("target", "Target"),
    Column("target_id", "Target id"),
    Column("state", "State", tone=tone_by("state", {"dead": "bad", "running": "good"})),
    Column("waits", "Waits for"),
    Column("attempts", "Tried", numeric=True),
    Column("next", "Next"),
    Column("trouble", "Trouble"),
    Column("id", "Id", shown=False),
    Column("seq", "Seq", shown=False, numeric=True),
    Column("received_at", "Received (UTC)", shown=False),
    Column("waits_since", "Waits since (UTC)", shown=False),
    Column("due_at", "Due (UTC)", shown=False),
)
_MICRO = 1_000_000
_TROUBLES = {
    "messages": mark("{target} has not accepted messages since {moment}"),
    "refusing": mark("{target} has refused events since {moment}"),
    "paused": mark("{target} has accepted no events since {moment}"),
    "stopped": mark("{target} has wanted no more events since {moment}"),
}

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]", help="Ids of the events, as `events outbox list` shows them.")
]
All = Annotated[bool, typer.Option("--all", help="All waiting events and dead letters.", show_default=False)]
ForTarget = Annotated[
    str | None, typer.Option("--target", metavar="TARGET", help="Only this target: its id, URL or program.")
]
InState = Annotated[
    str | None, typer.Option("--state", metavar="due|dead", help="Only waiting events (due), or dead letters (dead).")
]


@app.command(
    "list",
    epilog=examples(
        "alovoice events outbox list",
        "alovoice events outbox list --state dead --json | jq -r '.[].id'",
    ),
)
@shows_list(COLUMNS)
def list_outbox(ctx: typer.Context, target: ForTarget = None, state: InState = None, store: Store = None) -> None:
    """List waiting events and dead letters, oldest first.

    A dead letter is an event that is no longer sent. `running`: a program was started for the event and has not
    ended.
    """
    session: Session = ctx.obj
    outbox = session.outbox(store)
    standing, is_held = outbox.standing(), outbox.is_held()
    selection = OutboxSelection(_names(standing, target), _states(state, is_held=is_held))
    targets = {one.name: one for one in standing}
    clock, short = clock_of(session), session.stdout.isatty()
    entries = (entry if is_held else _as_interrupted(entry) for entry in outbox.entries(selection))
    rows = (_row(entry, targets[entry.target], clock, short=short) for entry in entries)
    session.show(Listing(rows, COLUMNS, nothing=tr("the outbox is empty"), ours=True))
    for one in standing:
        if one.name in selection.targets and one.state != "taking":
            session.note(_trouble_line(one, clock))
        elif one.name in selection.targets and one.waiting and is_of_notices(one.name):
            session.note(joined("", [one.label, ": ", waiting_text(one)]))


@app.command(
    "retry",
    epilog=examples(
        "alovoice events outbox retry e1204",
        "alovoice events outbox retry --all",
        "alovoice events outbox retry --target 3f9a2b1c --to https://crm.example.com/hook",
    ),
)
def retry_outbox(
    ctx: typer.Context,
    ids: Ids = None,
    every: All = False,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="[TYPE=]URL", help="Send to this target, named as in --forward, or by its id."),
    ] = None,
    target: ForTarget = None,
    state: InState = None,
    store: Store = None,
) -> None:
    """Send events again now, dead letters too.

    Their attempts are counted from zero. A program starts again, whatever it did before. The listener that forwards
    for this store sends them within two seconds; without a listener they wait for the next one.
    """
    session: Session = ctx.obj
    outbox = session.outbox(store)
    selection = _selection(session, outbox, ids or [], every=every, target=target, state=state)
    receiver = _receiver(outbox.standing(), to) if to is not None else None
    if receiver:  # missed calls for people are no events for a handler
        targets = [name for name in selection.targets if name != receiver[0] and not is_of_notices(name)]
        selection = OutboxSelection(targets, selection.states, selection.events)
    count = outbox.count(selection)
    if session.options.dry_run:
        session.report(
            ngettext("{n} event would be sent again", "{n} events would be sent again", count), retried=0, chosen=count
        )
        return
    now = unix_microseconds(session.now())
    count = outbox.hand_over(selection, *receiver, now) if receiver else outbox.retry(selection, now)
    session.report(_sent_text(count, receiver), retried=count, chosen=count)
    if count and not outbox.is_held():
        session.note(tr("no listener is running for this store: start `alovoice listen` with the target to send them"))


def _sent_text(count: int, receiver: tuple[str, str] | None) -> str:
    if receiver is None:
        return ngettext("{n} event will be sent again", "{n} events will be sent again", count)
    return ngettext(
        "{n} event will be sent to {target} ({id})",
        "{n} events will be sent to {target} ({id})",
        count,
        target=receiver[1],
        id=target_id(receiver[0]),
    )


@app.command(
    "drop",
    epilog=examples("alovoice events outbox drop e1204 --yes", "alovoice events outbox drop --target 3f9a2b1c"),
)
def drop_outbox(
    ctx: typer.Context,
    ids: Ids = None,
    every: All = False,
    target: ForTarget = None,
    state: InState = None,
    store: Store = None,
) -> None:
    """Remove events from the outbox, so that they are not sent.

    They stay in the history (`events list`).
    """
    session: Session = ctx.obj
    outbox = session.outbox(store)
    selection = _selection(session, outbox, ids or [], every=every, target=target, state=state)
    count = outbox.count(selection)
    if session.options.dry_run or not count:
        told = (
            ngettext("{n} event would be removed", "{n} events would be removed", count)
            if count
            else tr("there is nothing to remove")
        )
        session.report(told, dropped=0, chosen=count)
        return
    session.display.confirm(
        ngettext(
            "Remove {n} event from the outbox? It will not be sent to any target.",
            "Remove {n} events from the outbox? They will not be sent to any target.",
            count,
        )
    )
    count = outbox.drop(selection)
    session.report(ngettext("{n} event was removed", "{n} events were removed", count), dropped=count, chosen=count)


def _selection(
    session: Session, outbox: "OutboxOrders", ids: Sequence[str], *, every: bool, target: str | None, state: str | None
) -> OutboxSelection:
    """Returns the entries of an order. Raises UsageError if none are named, or two words contradict each other."""
    if every and ids:
        raise UsageError(tr("--all and ids of events cannot be used together"), hint=tr("use only one of them"))
    if not (every or ids or target):
        raise UsageError(
            tr("no events are chosen"),
            hint=tr("give ids from `alovoice events outbox list`, --target or --all"),
        )
    outbox.give_up_interrupted()
    states = _states(state, is_held=True)
    selection = OutboxSelection(_names(outbox.standing(), target), states, outbox.numbers(ids))
    running = outbox.count(OutboxSelection(selection.targets, (RUNNING,), selection.events)) if RUNNING in states else 0
    if running:
        session.note(
            ngettext(
                "{n} event is skipped: its program is running",
                "{n} events are skipped: their programs are running",
                running,
            )
        )
    return OutboxSelection(selection.targets, [one for one in states if one != RUNNING], selection.events)


def _states(state: str | None, *, is_held: bool) -> tuple[str, ...]:
    """Returns the states that the word means. If no listener forwards, no program runs: a running one was cut off."""
    if state is None:
        return DUE, RUNNING, DEAD
    if state not in (DUE, DEAD):
        raise UsageError(tr("--state {value} is not a valid state", value=repr(state)), hint=tr("use due or dead"))
    return (state, RUNNING) if (state == DUE) == is_held else (state,)


def _as_interrupted(entry: OutboxEntry) -> OutboxEntry:
    return replace(entry, state=DEAD, trouble=INTERRUPTED) if entry.state == RUNNING else entry


def _names(standing: Sequence[TargetStanding], word: str | None) -> list[str]:
    """Returns the targets' names that a word means: an id, or a URL or program as given to a listener or as shown."""
    if word is None:
        return [one.name for one in standing]
    given = _given(word)
    for meant in (
        [one.name for one in standing if word in (target_id(one.name), one.name) or one.name in given],
        [one.name for one in standing if _place(one.name) in map(_place, given)],
        [one.name for one in standing if one.label == word.rstrip("/")],
    ):
        if meant:
            return meant
    raise UsageError(tr("the outbox has no target {target}", target=repr(shown(word))), hint=_known(standing))


def _receiver(standing: Sequence[TargetStanding], word: str) -> tuple[str, str]:
    """Returns the name and label of the target to move events to: one that a listener was given, else a new one."""
    for one in standing:
        if word in (target_id(one.name), one.name):
            return one.name, one.label
    target = parse_forward(word)
    same = [one for one in standing if _place(one.name) == _place(target.name)]
    if not same or target.name in [one.name for one in same]:
        return target.name, target.label
    if len(same) > 1:
        raise UsageError(tr("several targets have this URL"), hint=_known(same))
    return same[0].name, same[0].label


def _given(word: str) -> list[str]:
    """Returns the names of the targets that --forward and --exec make of the word."""
    found: list[Target] = []
    for parse in (parse_forward, parse_exec):
        with suppress(UsageError):
            found.append(parse(word))
    return [target.name for target in found]


def _place(name: str) -> str:
    """Returns the part of a name that stands for the URL or program, for any types of events."""
    return name.rpartition(" ")[2]


def _known(standing: Sequence[TargetStanding]) -> str:
    if not standing:
        return tr("`alovoice listen --forward URL` creates targets")
    return tr("targets: {targets}", targets=", ".join(f"{target_id(one.name)} ({one.label})" for one in standing))


def _row(entry: OutboxEntry, target: TargetStanding, clock: ClockTime, *, short: bool) -> ListedItem:
    now = unix_microseconds(clock.now)
    is_due = entry.state == DUE
    whole = {
        "id": entry.id,
        "seq": entry.seq,
        "type": entry.type,
        "received_at": iso(entry.received_at),
        "target": target.label,
        "target_id": target_id(entry.target),
        "state": entry.state,
        "attempts": entry.attempts,
        "waits_since": iso(entry.born_at),
        "due_at": iso(entry.due_at) if is_due else None,
        "trouble": entry.trouble or None,
    }
    cells = {
        "event": f"e{entry.seq}",
        "waits": span_text(max(now - entry.born_at, 0) // _MICRO),
        "next": _next(max(entry.due_at, target.waits_until), clock, now, short=short) if is_due else "",
    }
    return ListedItem({**whole, **cells}, whole)


def _next(due_at: int, clock: ClockTime, now: int, *, short: bool) -> str:
    return tr("now") if due_at <= now else when(due_at // _MICRO, clock, short=short)


def _trouble_line(one: TargetStanding, clock: ClockTime) -> str:
    since = when(one.changed_at // _MICRO, clock, short=True)
    state = _TROUBLES["messages" if is_of_notices(one.name) else one.state]
    parts = [tr(state, target=one.label, moment=since)]
    if one.trouble:
        parts.append(one.trouble)
    if one.waits_until > unix_microseconds(clock.now):
        moment = when(one.waits_until // _MICRO, clock, short=True)
        parts.append(tr("it asked for a pause until {moment}", moment=moment))
    return joined("; ", [*parts, waiting_text(one)])
