"""The course of one call: our own request, its start, end and result, in order of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alovoice_cli.events.event import STATUS_WORDS, Event, direction_word
from alovoice_cli.events.event_table import event_as_json, iso, step_text
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import span_text
from alovoice_cli.receipts import Receipt


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step. `at` is ISO 8601 in UTC, with microseconds; `what` names it, `id` identifies it.

    `outcome` is how a request or a call ended.
    """

    at: str
    what: str
    id: str
    detail: str
    whole: dict[str, object]
    outcome: str = ""

    @property
    def moment(self) -> datetime:
        """Returns `at` as a moment."""
        return datetime.fromisoformat(self.at)


def timeline(events: Iterable[Event], receipts: Iterable[Receipt]) -> list[TimelineStep]:
    """Returns the steps by time; at the same moment in the order of the store, our request first."""
    steps = [
        TimelineStep(
            receipt.begun_at, "request", receipt.receipt, _request_text(receipt), receipt.as_dict(), receipt.outcome
        )
        for receipt in receipts
    ]
    for event in sorted(events, key=lambda event: event.delivery.seq):
        delivery, ended = event.delivery, event.fact.status or ""
        at, text = iso(delivery.received_at), event_text(event)
        steps.append(TimelineStep(at, delivery.type, delivery.id, text, event_as_json(event), ended))
    return sorted(steps, key=lambda step: step.at)


def status_text(status: str | None) -> str:
    """Returns a status with its meaning: `486 busy`."""
    if status is None:
        return ""
    return joined(" ", [status, tr(STATUS_WORDS[status])]) if status in STATUS_WORDS else status


def event_text(event: Event) -> str:
    """Returns the content of an event, in one line."""
    fact = event.fact
    if event.problem and not event.facts:
        said = tr("unreadable: {problem}", problem=event.problem)
    elif event.delivery.type == "callstart":
        said = _start_text(event)
    elif event.delivery.type == "route":
        said = _route_text(event)
    else:
        seconds = None if fact.duration is None else span_text(fact.duration)
        to = tr("to {number}", number=fact.number) if fact.number else None
        others = len(event.facts) - 1
        more = ngettext("and {n} more", "and {n} more", others) if others > 0 else None
        said = joined(", ", filter(None, (status_text(fact.status), seconds, to, fact.record, more)))
    again = tr("repeats {id}", id=event.duplicate_of) if event.duplicate_of else ""
    marks = joined(", ", filter(None, (again, tr("imported") if event.delivery.imported else "")))
    return tr("{event} ({marks})", event=said, marks=marks) if marks else said


def _start_text(event: Event) -> str:
    fact = event.fact
    parts = [direction_word(fact.direction)]
    parts += [tr("number {number}", number=fact.number)] if fact.number else []
    parts += [tr("line {line}", line=fact.line)] if fact.line else []
    parts += [tr("extension {peer}", peer=fact.peer)] if fact.peer else []
    if "callto" in event.answer:
        parts.append(tr("redirected to {number}", number=event.answer["callto"]))
    elif fact.call_id:
        parts.append(tr("answered with id {id}", id=fact.call_id))
    return joined(", ", filter(None, parts))


def _route_text(event: Event) -> str:
    fact = event.fact
    parts = [direction_word(fact.direction)]
    parts += [tr("from {number}", number=fact.number)] if fact.number else []
    parts += [tr("line {line}", line=fact.line)] if fact.line else []
    answered = step_text(event)
    parts += [tr("answered: {answer}", answer=answered)] if answered else []
    parts += [tr("by rule {rule}", rule=event.rule)] if event.rule else []
    return joined(", ", filter(None, parts))


def _request_text(receipt: Receipt) -> str:
    numbers = ", ".join(receipt.numbers)
    return f"{receipt.command} {numbers}".strip() + f": {receipt.outcome}"
