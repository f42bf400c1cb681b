"""Deliveries and changes that wait for the store, and what is stored of a delivery whose facts the store refuses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alovoice_cli.events.event import Event
from alovoice_cli.events.event_assembly import FirstDelivery, LateAnswer, Stored
from alovoice_cli.stores.event_engine import is_refusal
from alovoice_cli.stores.event_file import Change

Settle = Callable[[Stored | None], None]
"""Receives the stored delivery; None means that it is lost."""

_NOT_STORED = "not stored"


class Arrival(NamedTuple):
    """A delivery that waits for the store, as an event, and the callback of its sender."""

    event: Event
    first: FirstDelivery
    settle: Settle


@dataclass(frozen=True, slots=True)
class AwaitedChange:
    """A change, and a callback that receives after the commit whether it was made; both run in the writer's thread."""

    change: Change
    made: Callable[[bool], None]


Written = LateAnswer | AwaitedChange | Change
"""What the writer does to stored deliveries."""


def note_first(own: FirstDelivery, event: Event, firsts: Mapping[str, FirstDelivery]) -> None:
    """Adds the first delivery that another listener received to this listener's memory."""
    known = firsts.get(event.duplicate_of or "")
    if known is not None:
        own.id, own.answer, own.is_asked_elsewhere = known.id, known.answer, known.is_asked_elsewhere


def stored_or_bare(events: Sequence[Event], store: Callable[[Sequence[Event]], Sequence[Event]]) -> Sequence[Event]:
    """Stores the events; an event that the store refuses is stored without its facts."""
    try:
        return store(events)
    except Exception as trouble:
        if not is_refusal(trouble) or (len(events) == 1 and is_bare(events[0])):
            raise
        if len(events) == 1:
            return stored_or_bare([bare(events[0], trouble)], store)
    return [stored for event in events for stored in stored_or_bare([event], store)]


def bare(event: Event, trouble: Exception) -> Event:
    """Returns the event without its facts: only the delivery, and the reason."""
    problem = f"{_NOT_STORED}: {type(trouble).__name__}"
    return replace(event, facts=(), value=None, problem=problem, answer={}, rule=None)


def is_bare(event: Event) -> bool:
    """Returns whether the event has lost its facts by `bare`."""
    return event.problem.startswith(_NOT_STORED)
