"""Builds an event from a delivery: its facts, whether it is a repetition, and its answer."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from alovoice_cli.events.answers import CrmAnswer, StartAnswer
from alovoice_cli.events.event import Delivery, Event, Reading


@dataclass(slots=True)
class FirstDelivery:
    """The first of several equal deliveries: its id, the answer to its callstart, the target that is asked.

    `is_asked_elsewhere`: another listener received the delivery, and is still asking for its answer.
    """

    id: str
    answer: StartAnswer
    asked: Awaitable[CrmAnswer] | None = None
    is_asked_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to store, read once. `answer` and `rule` are the answer to a route question.

    `answer_follows`: a LateAnswer will complete it.
    """

    delivery: Delivery
    reading: Reading
    answer: Mapping[str, object] = field(default_factory=dict)
    rule: str | None = None
    answer_follows: bool = False


class Stored(NamedTuple):
    """A delivery that is safe: its number (SPOOLED until the store works again), and its first equal delivery."""

    seq: int
    first: FirstDelivery


UNANSWERED: Mapping[str, object] = {"id": None}
"""The stored answer to a callstart while the answer is not known."""
SPOOLED = 0
"""The number of a delivery in the spool. It gets its own number when the store works again."""


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer that became known after its delivery was stored; `call_id` is a callstart's.

    `asked` is the target that was asked for the answer: if it `is_answered` (2xx), it knows of the event.
    """

    delivery_id: str
    answer: Mapping[str, object]
    rule: str | None = None
    call_id: str | None = None
    asked: str | None = None
    is_answered: bool = False


def event_of(new: NewDelivery, first: FirstDelivery) -> Event:
    """Returns the event to store; `first` is the first delivery with the same content, or this one itself."""
    delivery, reading = new.delivery, new.reading
    facts, answer = reading.facts, new.answer
    if delivery.type == "callstart":
        facts = tuple(replace(fact, call_id=first.answer.call_id) for fact in facts)
        answer = UNANSWERED if new.answer_follows else first.answer.as_values()
    return Event(
        delivery=delivery,
        facts=facts,
        duplicate_of=None if first.id == delivery.id else first.id,
        value=reading.value,
        problem=reading.problem,
        answer=answer,
        rule=new.rule,
        digest=reading.digest,
    )


def repeated(event: Event, first: FirstDelivery) -> Event:
    """Returns the event as a repetition of a delivery that another listener stored first."""
    facts, answer = event.facts, event.answer
    if event.delivery.type == "callstart":
        facts = tuple(replace(fact, call_id=first.answer.call_id) for fact in facts)
        answer = answer if answer == UNANSWERED else first.answer.as_values()
    return replace(event, facts=facts, answer=answer, duplicate_of=first.id)


def with_answer(event: Event, late: LateAnswer) -> Event:
    """Returns the event with its answer."""
    facts = event.facts
    if late.call_id is not None:
        facts = tuple(replace(fact, call_id=late.call_id) for fact in facts)
    return replace(event, facts=facts, answer=late.answer, rule=late.rule)
