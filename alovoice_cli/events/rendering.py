"""An event as JSON: the same object wherever one is printed, one a line in a stream."""

import base64
from datetime import UTC, datetime, timedelta

from alovoice_cli.events.event import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_as_json(event: Event) -> dict[str, object]:
    """The event's own keys and its body; route questions have `answer` and `rule` too, where they are known."""
    delivery = event.delivery
    shown: dict[str, object] = {
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "received_at": utc_text(delivery.received_at),
        "call_id": event.fact.call_id,
        "duplicate_of": event.duplicate_of,
        "body": body_as_json(event),
    }
    if delivery.type == "route":
        if event.answer:
            shown["answer"] = dict(event.answer)
        if event.rule is not None:
            shown["rule"] = event.rule
    return shown


def body_as_json(event: Event) -> object:
    """The body's value; its text where it could not be read; of bytes that are no text, `{"base64": …}`."""
    body = event.delivery.body
    if event.value is not None or body.strip() == b"null":
        return event.value
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def moment_of(received_at: int) -> datetime:
    """Unix microseconds as an aware moment, exact to the last of them."""
    return _EPOCH + timedelta(microseconds=received_at)


def utc_text(received_at: int) -> str:
    """Unix microseconds as ISO 8601 in UTC: sortable as text, always with microseconds, ends in Z."""
    return moment_of(received_at).isoformat(timespec="microseconds").replace("+00:00", "Z")
