"""`alovoice events trigger`: sends an event as the PBX would, made up or made from a stored one."""

from itertools import starmap
from typing import Annotated, Literal

import typer

from alovoice_cli.commands.events.outcome import COLUMNS, rehearse, show_sent, stored_delivery
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.errors import UsageError
from alovoice_cli.events.handler import Handlers
from alovoice_cli.events.samples import EventChange, read_changes
from alovoice_cli.events.sending import ANSWER_SECONDS, EventSender
from alovoice_cli.events.triggering import (
    from_delivery,
    load_scenario,
    made_up,
    play,
    rehearse_scenario,
    scenario_names,
)
from alovoice_cli.language import tr
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events trigger callstart --to http://127.0.0.1:8000/hooks --set number=+998901234567",
    "alovoice events trigger callend --to http://127.0.0.1:8000/hooks --set status_code=486 --unset record",
    "alovoice events trigger --scenario missed-then-callback --to http://127.0.0.1:8000/hooks",
    "alovoice events trigger callstart --count 100 --rate 50 --to callstart=http://127.0.0.1:8000/start.php",
)
_Type = Literal["callstart", "callend", "result", "route"]


@shows_list(COLUMNS)
def trigger_event(
    ctx: typer.Context,
    type_: Annotated[
        _Type | None, typer.Argument(metavar="[TYPE]", help="callstart, callend, result or route.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="[TYPE=]URL", help="Base URL of the handlers; TYPE=URL is used unchanged."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Value of a field, as JSON or text; repeatable."),
    ] = None,
    unsets: Annotated[
        list[str] | None, typer.Option("--unset", metavar="PATH", help="Leave out a field; repeatable.")
    ] = None,
    event: Annotated[str | None, typer.Option("--from-event", metavar="ID", help="Start from a stored event.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="Several events: " + ", ".join(scenario_names()) + "."),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, max=100_000, help="Number of events, each different.")
    ] = 1,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="R", min=0.01, max=1000, help="Events per second, without waiting for responses."
        ),
    ] = None,
    store: Annotated[str | None, typer.Option("--store", metavar="URL", help="Event store of --from-event.")] = None,
) -> int:
    """Send test events to a handler, as the PBX would.

    The type is added to the URL: http://H/hooks becomes http://H/hooks/callstart. In a URL that ends in a type, this
    type is replaced; {type} is replaced; hook.php, or a URL with a query, receives every type. In a scenario only
    the times in the bodies pass, and a call ends under the id with which its callstart was answered.

    Every event has the header x-alovoice-trial: 1 and, unless --set gives another, a number of nobody (+998 00 …).
    With --count each event has another number or id. A listener forwards the events with their mark; the history
    shows them only with --with-trials.
    """
    session: Session = ctx.obj
    if (scenario is None) == (type_ is None and event is None):
        raise UsageError(
            tr("no event is chosen, or more than one"),
            hint=tr("give a type such as callstart, --from-event ID, or --scenario NAME"),
        )
    if scenario is not None and (count > 1 or rate is not None):
        raise UsageError(
            tr("--count and --rate cannot be used together with --scenario"), hint=tr("leave out --count and --rate")
        )
    if not to:
        raise UsageError(
            tr("--to is missing: it is the URL of the handler"),
            hint=tr("for example: {command}", command="--to http://127.0.0.1:8787/h/SECRET"),
        )
    handlers, changes = Handlers.from_words(to, "--to"), read_changes(sets or (), unsets or ())
    sender = EventSender(poster_of(session), session.options.timeout or ANSWER_SECONDS)
    if scenario is not None:
        return _play(session, scenario, changes, handlers, sender)
    if event is not None:
        delivery = stored_delivery(session, event, store)
        if type_ not in (None, delivery.type):
            raise UsageError(
                tr("{id} is a {type}, not a {other}", id=event, type=delivery.type, other=type_),
                hint=tr("leave out the type"),
            )
        events = from_delivery(delivery, session.now(), changes, handlers, count)
    else:
        assert type_ is not None  # checked above
        events = made_up(type_, session.now(), changes, handlers, count)
    if session.options.dry_run:
        return rehearse(session, events)
    return show_sent(session, sender, sender.send_all(events, rate))


def _play(
    session: Session, name: str, changes: tuple[EventChange, ...], handlers: Handlers, sender: EventSender
) -> int:
    scenario, now = load_scenario(name), session.now()
    for step in scenario.steps:
        handlers.needed(step.type, "--to")
    if session.options.dry_run:
        return rehearse(session, rehearse_scenario(scenario, now, changes, handlers))
    session.note(tr(scenario.title))
    return show_sent(session, sender, starmap(sender.counted, play(scenario, now, changes, handlers, sender.post)))
