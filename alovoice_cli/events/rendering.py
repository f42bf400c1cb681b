"""An event as the JSON object that `listen`, `events list` and `events tail` print."""

import base64
from datetime import UTC, datetime

from alovoice_cli.events.event import Event


def event_as_json(event: Event) -> dict[str, object]:
    """The event's keys: id, seq, type, received_at (ISO 8601, UTC), call_id, duplicate_of, body; a route's answer too.

    `body` is the value that was read; a body that could not be read is its text, or `{"base64": …}` where it is none.
    """
    delivery = event.delivery
    shown: dict[str, object] = {
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "received_at": iso(delivery.received_at),
        "call_id": event.fact.call_id,
        "duplicate_of": event.duplicate_of,
        "body": _raw(delivery.body) if event.problem and event.value is None else event.value,
    }
    if delivery.type == "route" and event.answer:
        shown |= {"answer": dict(event.answer), "rule": event.rule}
    return shown


def iso(unix_us: int) -> str:
    """Unix microseconds as ISO 8601 in UTC, always with six decimals: sortable as text."""
    seconds, micro = divmod(unix_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micro:06d}Z"


def _raw(body: bytes) -> object:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
