"""From a delivery to an event: what was read, whether it is a repetition, and what it is answered."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from alovoice_cli.events.answers import CrmAnswer, StartAnswer
from alovoice_cli.events.event import Delivery, Event, Reading


@dataclass(slots=True)
class FirstDelivery:
    """The first of the deliveries that say the same: its id, what a callstart is answered, and who is being asked.

    `is_asked_elsewhere`: another listener received it, and was still asking for its answer.
    """

    id: str
    answer: StartAnswer
    asked: Awaitable[CrmAnswer] | None = None
    is_asked_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be stored, read once. `answer` and `rule` are what a route question is answered.

    Where `answer_follows`, a LateAnswer will say more.
    """

    delivery: Delivery
    reading: Reading
    answer: Mapping[str, object] = field(default_factory=dict)
    rule: str | None = None
    answer_follows: bool = False


class Stored(NamedTuple):
    """Where a delivery is safe: its number (SPOOLED until the store works again), and the first that said the same."""

    seq: int
    first: FirstDelivery


UNANSWERED: Mapping[str, object] = {"id": None}
"""What is kept of a callstart's answer while it is not known."""
SPOOLED = 0
"""The number of a delivery that is safe in the spool, and will get its own when the store works again."""


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """What a stored delivery was answered, known after it was stored; `call_id` is a callstart's.

    `asked` is the target that was asked for the answer: where it `is_answered` (2xx), it knows of the event.
    """

    delivery_id: str
    answer: Mapping[str, object]
    rule: str | None = None
    call_id: str | None = None
    asked: str | None = None
    is_answered: bool = False


def event_of(new: NewDelivery, first: FirstDelivery) -> Event:
    """The event that is stored; `first` is the first delivery that said the same, or this one itself."""
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
    """The event as a repetition of a delivery that another listener stored first."""
    facts, answer = event.facts, event.answer
    if event.delivery.type == "callstart":
        facts = tuple(replace(fact, call_id=first.answer.call_id) for fact in facts)
        answer = answer if answer == UNANSWERED else first.answer.as_values()
    return replace(event, facts=facts, answer=answer, duplicate_of=first.id)


def with_answer(event: Event, late: LateAnswer) -> Event:
    """The event with what it was answered."""
    facts = event.facts
    if late.call_id is not None:
        facts = tuple(replace(fact, call_id=late.call_id) for fact in facts)
    return replace(event, facts=facts, answer=late.answer, rule=late.rule)
