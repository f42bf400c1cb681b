"""`alovoice events replay`: sends stored events again, unchanged and marked."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated

import typer

from alovoice_cli.commands.events.outcome import COLUMNS, rehearse, show_sent, stored_delivery
from alovoice_cli.commands.events.selection import Store, clock_of, where_note
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples, option_group
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import EVENT_FIELDS
from alovoice_cli.events.event import PBX_TYPES, Delivery
from alovoice_cli.events.filters import FilterWords, read_filter
from alovoice_cli.events.handler import Handlers
from alovoice_cli.events.sending import ANSWER_SECONDS, EventSender, in_order, read_speed, replay, replayed
from alovoice_cli.language import tr
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events replay 01KB0WW8HR3V6J1S9D2M5T7XAZ --to http://127.0.0.1:8000/hooks",
    "alovoice events replay --since 14:00 --until 15:30 --type callend --to http://127.0.0.1:8000/hooks",
    "alovoice events replay --since yesterday --speed 60 --to http://127.0.0.1:8000/hooks",
    note=where_note(EVENT_FIELDS),
)


@shows_list(COLUMNS)
def replay_events(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Ids of events (default: all that the filters choose)."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="[TYPE=]URL", help="Base URL of the handlers; TYPE=URL is used unchanged."),
    ] = None,
    speed: Annotated[
        str, typer.Option("--speed", metavar="X", help="1: with the original pauses; 60: a minute per second.")
    ] = "max",
    store: Store = None,
) -> int:
    """Send stored events to a handler again.

    The same bodies are sent in their order, one after another, with the headers x-alovoice-replay: 1 and webhook-id
    as at the first time. Without --speed there are no pauses. Repeated deliveries are repeated.
    """
    session: Session = ctx.obj
    words = option_group(ctx, FilterWords)
    if bool(ids) == (replace(words, with_trials=False) != FilterWords()):
        raise UsageError(
            tr("no events are chosen"), hint=tr("give either ids, or filters such as --since 14:00 --type callend")
        )
    if not to:
        raise UsageError(
            tr("--to is missing: it is the URL of the handler"),
            hint=tr("for example: {command}", command="--to http://127.0.0.1:8000/hooks"),
        )
    handlers, pace = Handlers.from_words(to, "--to"), read_speed(speed)
    named = [_named(session, word, store) for word in ids or ()]
    found: Iterable[Delivery] = in_order(named) if ids else _filtered(session, words, store)
    if session.options.dry_run:
        return rehearse(session, (replayed(delivery, handlers, "--to") for delivery in found))
    sender = EventSender(poster_of(session), session.options.timeout or ANSWER_SECONDS)
    return show_sent(session, sender, replay(found, handlers, sender, pace, "--to"))


def _named(session: Session, word: str, store: str | None) -> Delivery:
    delivery = stored_delivery(session, word, store)
    if delivery.type not in PBX_TYPES:
        raise UsageError(
            tr("{id} is a {type}: the PBX did not send it", id=word, type=delivery.type),
            hint=tr("only events of the PBX can be sent again"),
        )
    return delivery


def _filtered(session: Session, words: FilterWords, store: str | None) -> Iterator[Delivery]:
    """Yields the events that the filters select, oldest first: the events of a day need not fit into memory."""
    wanted = read_filter(words, EVENT_FIELDS, clock_of(session))
    events = session.event_store(store).events(wanted)
    return (event.delivery for event in events if event.delivery.type in PBX_TYPES)
