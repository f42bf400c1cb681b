"""From a delivery to an event: what was read, whether it is a repetition, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from alovoice_cli.events.duplicates import REPEATABLE, Recent
from alovoice_cli.events.event import Delivery, Event, Reading
from alovoice_cli.events.reading import read


@dataclass(frozen=True, slots=True)
class Note:
    """What the receiver knows of a delivery once it is answered. Without a `reading` nobody has looked at it yet.

    `call_id` and `duplicate_of` count for a callstart, whose answer they are; `done` are errands that are done already.
    """

    delivery: Delivery
    reading: Reading | None = None
    duplicate_of: str | None = None
    call_id: str | None = None
    answer: Mapping[str, object] = field(default_factory=dict)
    rule: str | None = None
    done: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the note says no more than `event_of` finds in the delivery alone: a callstart has its own id."""
        own_id = self.delivery.id
        is_own = self.call_id in (None, own_id) and self.answer in ({}, {"id": own_id})
        return is_own and self.duplicate_of is None and self.rule is None and not self.done


def event_of(note: Note, recent: Recent[str]) -> Event:
    """The event that the note tells of; `recent` judges repetitions where the receiver has not."""
    delivery = note.delivery
    reading = note.reading or read(delivery.type, delivery.body, delivery.content_type)
    duplicate_of, facts, answer = note.duplicate_of, reading.facts, note.answer
    if note.reading is None and delivery.type in REPEATABLE:
        first = recent.first(reading.digest, delivery.id)
        duplicate_of = None if first == delivery.id else first  # derived once before, and not stored then
    if delivery.type == "callstart":
        call_id = note.call_id or duplicate_of or delivery.id
        facts = tuple(replace(fact, call_id=call_id) for fact in facts)
        answer = answer or {"id": call_id}
    return Event(
        delivery=delivery,
        facts=facts,
        duplicate_of=duplicate_of,
        value=reading.value,
        problem=reading.problem,
        answer=answer,
        rule=note.rule,
        digest=reading.digest,
    )
