"""Events made up, or made from a stored one: what `alovoice events trigger` sends."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.events.bodies import read_body
from alovoice_cli.events.edits import Change, changed
from alovoice_cli.events.event import Delivery, EventType
from alovoice_cli.events.handler import JSON_TYPE, Answer, Handlers
from alovoice_cli.events.samples import as_json, counted_path, counted_up, sample
from alovoice_cli.events.scenario import Scenario, play
from alovoice_cli.events.sending import Outgoing, Sender, Sent, content_type_of

OPTION = "--to"


def made_up(
    kind: EventType, now: datetime, changes: Sequence[Change], handlers: Handlers, count: int = 1
) -> Iterator[Outgoing]:
    """Documented events with the changes. Of several each differs in its number or id, unless that was set.

    Raises UsageError for a change that cannot be made, before the first.
    """
    body = with_changes(kind, sample(kind, now), now, changes)
    as_json(body)
    return _copies(kind, handlers.needed(kind, OPTION), body, changes, count)


def from_delivery(
    delivery: Delivery, now: datetime, changes: Sequence[Change], handlers: Handlers, count: int = 1
) -> Iterator[Outgoing]:
    """A stored event: its bytes as they are, or, where something changes or several are wanted, what they say as JSON.

    Raises UsageError for a change in a body that cannot be read.
    """
    url = handlers.needed(delivery.type, OPTION)
    if not changes and count == 1:
        return iter([Outgoing(delivery.type, url, delivery.body, content_type_of(delivery), delivery.id)])
    value, problem = read_body(delivery.body, delivery.content_type)
    if problem:
        raise UsageError(
            f"the body of {delivery.id} cannot be changed: {problem}",
            hint="send it as it is, without --set, --unset and --count",
        )
    body = with_changes(delivery.type, value, now, changes)
    return _copies(delivery.type, url, body, changes, count, delivery.id)


def _copies(
    kind: EventType, url: str, body: object, changes: Sequence[Change], count: int, label: str = ""
) -> Iterator[Outgoing]:
    path = counted_path(kind)
    is_counted = path not in (change.path for change in changes)
    for by in range(count):
        yield replace(_json(kind, url, _counted(body, path, by) if is_counted else body), label=label)


def scenario_events(
    scenario: Scenario, now: datetime, changes: Sequence[Change], handlers: Handlers, sender: Sender
) -> Iterator[Sent]:
    """Sends the scenario's events one after another: what a callstart is answered is the call's id at its end."""
    went: list[Outgoing] = []

    def send(kind: EventType, body: object) -> Answer:
        went.append(_json(kind, handlers.needed(kind, OPTION), body))
        return sender.post(went[-1])

    for step, answer in play(scenario, now, changes, send):
        yield sender.counted(replace(went[-1], label=step.call), answer)


def rehearsed(scenario: Scenario, now: datetime, changes: Sequence[Change], handlers: Handlers) -> Iterator[Outgoing]:
    """The scenario's events as they would go; in the place of each call's id a word that says whose it is."""
    went: list[Outgoing] = []

    def keep(kind: EventType, body: object) -> Answer:
        went.append(_json(kind, handlers.needed(kind, OPTION), body))
        return _Assumed(f"ID-GIVEN-TO-{sum(each.kind == 'callstart' for each in went)}".encode())

    for step, _ in play(scenario, now, changes, keep):
        yield replace(went[-1], label=step.call)


class _Assumed(NamedTuple):
    """An answer that a handler may give."""

    body: bytes
    status: int | None = 200
    seconds: float = 0.0
    error: str = ""


def with_changes(kind: EventType, body: object, now: datetime, changes: Sequence[Change]) -> object:
    """The body with the changes made one after another."""
    documented = tuple(sample(kind, now))
    for change in changes:
        body = changed(body, change, documented)
    return body


def _json(kind: EventType, url: str, body: object) -> Outgoing:
    return Outgoing(kind, url, as_json(body), {"Content-Type": JSON_TYPE})


def _counted(body: object, path: str, by: int) -> object:
    return {**body, path: counted_up(body[path], by)} if isinstance(body, dict) and path in body else body
