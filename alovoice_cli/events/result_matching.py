"""Whether a result is of a call. The document gives a result the PBX's own `id`, and does not say whether that is the
id which the callstart was answered with: equal ids of two calls are possible, and no id in common is usual.
"""

from collections.abc import Collection

from alovoice_cli.events.event import Call, Event, Fact
from alovoice_cli.phones import canonical

APART_SECONDS = 300
"""How far apart two beginnings of one call may be told."""


def parties(fact: Fact) -> set[str]:
    """The numbers that a result tells, in one spelling: who was called, and who called."""
    return {canonical(text) or text for text in (fact.number, fact.peer) if text}


def is_of_another(fact: Fact, call: Call) -> bool:
    """Whether a result that has this call's id speaks of another one: of other numbers, and of another time."""
    told = parties(fact)
    if call.number is None or not told or call.number in told:
        return False
    if call.started_at is None or fact.started_at is None:
        return True
    return abs(call.started_at - fact.started_at) > APART_SECONDS


def is_meant(event: Event, call: Call | None, external_ids: Collection[str]) -> bool:
    """Whether an event that has this call's id, or one of these ids of ours, is no result of another call."""
    if event.delivery.type != "result" or call is None or any(fact.external_id in external_ids for fact in event.facts):
        return True
    return not is_of_another(event.fact, call)
