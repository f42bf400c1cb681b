"""The course of one call: our own request, its start, end and result, in order of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alovoice_cli.events.event import STATUS_WORDS, Event
from alovoice_cli.events.event_table import event_as_json, iso, step_text
from alovoice_cli.receipts import Receipt

_DIRECTIONS = {"inc": "inbound", "out": "outbound", "int": "internal"}


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step. `at` is ISO 8601 in UTC, with microseconds; `what` names it, `id` identifies it."""

    at: str
    what: str
    id: str
    detail: str
    whole: dict[str, object]

    @property
    def moment(self) -> datetime:
        """When."""
        return datetime.fromisoformat(self.at)


def timeline(events: Iterable[Event], receipts: Iterable[Receipt]) -> list[TimelineStep]:
    """Returns the steps by time; at the same moment in the order of the store, our request first."""
    steps = [
        TimelineStep(receipt.begun_at, "request", receipt.receipt, _request_text(receipt), receipt.as_dict())
        for receipt in receipts
    ]
    for event in sorted(events, key=lambda event: event.delivery.seq):
        delivery = event.delivery
        steps.append(
            TimelineStep(iso(delivery.received_at), delivery.type, delivery.id, event_text(event), event_as_json(event))
        )
    return sorted(steps, key=lambda step: step.at)


def status_text(status: str | None) -> str:
    """A status with its meaning: `486 busy`."""
    if status is None:
        return ""
    return f"{status} {STATUS_WORDS[status]}" if status in STATUS_WORDS else status


def event_text(event: Event) -> str:
    """Returns the content of an event, in one line."""
    fact = event.fact
    if event.problem and not event.facts:
        said = f"unreadable: {event.problem}"
    elif event.delivery.type == "callstart":
        said = _start_text(event)
    elif event.delivery.type == "route":
        said = _route_text(event)
    else:
        seconds = None if fact.duration is None else f"{fact.duration}s"
        to = f"to {fact.number}" if fact.number else None
        more = f"and {len(event.facts) - 1} more" if len(event.facts) > 1 else None
        said = ", ".join(part for part in (status_text(fact.status), seconds, to, fact.record, more) if part)
    again = f"again: repeats {event.duplicate_of}" if event.duplicate_of else ""
    marks = ", ".join(filter(None, (again, "imported" if event.delivery.imported else "")))
    return f"{said} ({marks})" if marks else said


def _start_text(event: Event) -> str:
    fact = event.fact
    parts = [_DIRECTIONS.get(fact.direction or "", fact.direction or "")]
    parts += [f"{name} {value}" for name, value in (("number", fact.number), ("line", fact.line)) if value]
    parts += [f"extension {fact.peer}"] if fact.peer else []
    if "callto" in event.answer:
        parts.append(f"answered: redirected to {event.answer['callto']}")
    elif fact.call_id:
        parts.append(f"answered with id {fact.call_id}")
    return ", ".join(part for part in parts if part)


def _route_text(event: Event) -> str:
    fact = event.fact
    asked = [_DIRECTIONS.get(fact.direction or "", fact.direction or "")]
    asked += [f"from {fact.number}"] if fact.number else []
    asked += [f"line {fact.line}"] if fact.line else []
    answered = step_text(event)
    rule = f"by rule {event.rule}" if event.rule else ""
    return ", ".join(part for part in (*asked, f"answered: {answered}" if answered else "", rule) if part)


def _request_text(receipt: Receipt) -> str:
    numbers = ", ".join(receipt.numbers)
    return f"{receipt.command} {numbers}".strip() + f": {receipt.outcome}"
