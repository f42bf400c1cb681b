"""Shared by `trigger` and `replay`: stored events by name, each answer when it arrives, and the output of --dry-run."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import Effect, Endpoint, TokenPlace
from alovoice_cli.api.rehearsal import curl_command
from alovoice_cli.api.request import Flat, Raw, Request
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.samples import read_value
from alovoice_cli.events.sending import EventSender, Outgoing, Sent
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session

COLUMNS = (
    Column("n", "No.", numeric=True),
    Column("type", "Type"),
    Column("event", "Event", shown=False),
    Column("status", "Status", numeric=True),
    Column("ms", "ms", numeric=True),
    Column("answer", "Answer"),
    Column("error", "Error"),
    Column("url", "URL", shown=False),
    Column("body", "Body", shown=False),
)
_PORTS = {"http": 80, "https": 443}


def show_sent(session: Session, sender: EventSender, sent: Iterable[Sent]) -> int:
    """Shows each answer as it comes. Raises the error of what was not taken, after all were sent."""
    rows = (each.as_row() for each in sent)
    session.show(Listing(rows, COLUMNS, nothing=tr("nothing was sent")), lines=session.options.json)
    if not sender.sent:
        session.note(tr("no events found: nothing was sent"))
    trouble = sender.trouble()
    if trouble is not None:
        raise trouble
    return ExitCode.DONE


def rehearse(session: Session, events: Iterable[Outgoing]) -> int:
    """Shows the requests that would go, each with its equal as a curl command; with --json one object a line."""
    for outgoing in events:
        session.display.rehearsal(
            {
                "method": "POST",
                "url": outgoing.url,
                "headers": dict(outgoing.headers),
                "body": read_value(outgoing.body.decode("utf-8", "backslashreplace")),
                "curl": _curl(outgoing),
            }
        )
    return ExitCode.DONE


def _curl(outgoing: Outgoing) -> str:
    parts = urlsplit(outgoing.url)
    address = Address(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme], "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    endpoint = Endpoint("", "POST", path, TokenPlace.NOWHERE, Effect.READS)
    request = Request(endpoint, path, Raw(outgoing.body), tuple(outgoing.headers.items()))
    return curl_command(address, request, Flat("", outgoing.body))


_SHOWN = re.compile(r"[eE]([0-9]{1,18})")


def stored_delivery(session: Session, word: str, store: str | None) -> Delivery:
    """Returns the delivery. Raises UsageError if the store has no such event."""
    events, shown = session.event_store(store), _SHOWN.fullmatch(word.strip())
    event = events.event_at(int(shown.group(1))) if shown else events.event(word.strip().upper())
    if event is None:
        raise UsageError(
            tr("there is no event {id} in the event store", id=repr(word)),
            hint=tr("`alovoice events list` shows the events"),
        )
    return event.delivery
