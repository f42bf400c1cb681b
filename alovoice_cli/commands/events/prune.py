"""`alovoice events prune`: deletes old events while a listener runs."""

from datetime import timedelta
from typing import Annotated

import typer

from alovoice_cli.commands.events.selection import Store, clock_of
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.moments import long_text, parse_moment, parse_span, unix_microseconds
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice events prune --older-than 90d --dry-run", "alovoice events prune --older-than 90d --yes")
_YOUNGEST = timedelta(hours=1)
"""Events of the last ten minutes are needed to recognise repeated deliveries."""


def prune_events(
    ctx: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="Delete what is older than this: 90d, 12w, 36h.")
    ],
    store: Store = None,
) -> None:
    """Delete old events and calls.

    The disk space is freed. A listener continues to receive meanwhile.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    age = parse_span(older_than, "--older-than")
    if age < _YOUNGEST:
        raise UsageError(tr("--older-than {value} is less than an hour", value=older_than), hint=tr("for example: 90d"))
    before = parse_moment(older_than, clock, "--older-than").at
    events = session.event_store(store)
    pruning = events.pruning(unix_microseconds(before))
    old, size = pruning.count(), events.size()
    what = tr(
        "{events} and {calls} before {moment}",
        events=ngettext("{n} event", "{n} events", old.events),
        calls=ngettext("{n} call", "{n} calls", old.calls),
        moment=long_text(before, clock),
    )
    if session.options.dry_run or not any(old):
        words = tr("{what}: nothing was deleted", what=what)
        session.report(words, events=old.events, calls=old.calls, deleted=False, freed_bytes=0)
        return
    session.display.confirm(tr("Delete {what}?", what=what))
    done_events = done_calls = 0
    for step in pruning.run():
        done_events, done_calls = done_events + step.events, done_calls + step.calls
    freed = max(size - events.size(), 0)
    session.report(
        tr(
            "deleted: {events} and {calls}; the event store is {size} MB smaller",
            events=ngettext("{n} event", "{n} events", done_events),
            calls=ngettext("{n} call", "{n} calls", done_calls),
            size=decimal_text(freed / 1_000_000),
        ),
        events=done_events,
        calls=done_calls,
        deleted=True,
        freed_bytes=freed,
    )
