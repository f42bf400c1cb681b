"""Stored events sent anew: their bytes untouched, in their order, with the gaps that they had, or fewer."""

from collections.abc import Iterable, Iterator

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import PBX_TYPES, Delivery
from alovoice_cli.events.handler import Handlers
from alovoice_cli.events.sending import Outgoing, Sender, Sent, content_type_of

AT_ONCE = "max"
MARK = "x-alovoice-replay"
_MICRO = 1_000_000


def read_speed(text: str) -> float | None:
    """How many times faster than it was: `1`, `60`, `0.5`; None for `max` or 0, without gaps. Raises UsageError."""
    if text.strip().lower() == AT_ONCE:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise UsageError(f"--speed {text!r} is no speed", hint="1 is as it was, 60 a minute in a second, max at once")
    return speed or None


def replayed(delivery: Delivery, handlers: Handlers, option: str) -> Outgoing:
    """The event as it came, marked as a replay and with the id under which it was forwarded at first.

    Its own headers stay behind but the content type: they told of another connection.
    """
    headers = {MARK: "1", "webhook-id": delivery.id, "x-alovoice-type": delivery.type, **content_type_of(delivery)}
    return Outgoing(delivery.type, handlers.needed(delivery.type, option), delivery.body, headers, delivery.id)


def in_order(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The deliveries in the order in which they came, each once; our own probes are none of the PBX's events."""
    found = {delivery.id: delivery for delivery in deliveries if delivery.type in PBX_TYPES}
    return sorted(found.values(), key=lambda delivery: (delivery.received_at, delivery.seq))


def replay(
    deliveries: Iterable[Delivery], handlers: Handlers, sender: Sender, speed: float | None, option: str
) -> Iterator[Sent]:
    """Sends them one after another; none before it is due, counted from the first one, at this speed."""
    began = sender.monotonic()
    first: int | None = None
    for delivery in deliveries:
        first = delivery.received_at if first is None else first
        due = 0.0 if speed is None else (delivery.received_at - first) / _MICRO / speed
        pause = began + due - sender.monotonic()
        if pause > 0:
            sender.sleep(pause)
        yield sender.send(replayed(delivery, handlers, option))
