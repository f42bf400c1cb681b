"""When a failed delivery is tried again, and when it is given up. Pure; times in seconds."""

from alovoice_cli.events.event import Event, EventType

GIVEN_UP_AFTER_SECONDS = 72 * 3600
"""An event that nobody took for so long is a dead letter: kept, listed, not sent any more."""

_DELAYS = (1, 5, 15, 60, 300, 900, 3600)
_LONGEST_PAUSE = 60


def next_delay(attempts: int, chance: float) -> float:
    """Seconds until the next attempt after so many failed ones; `chance` (0 to 1) spreads it by a fifth each way."""
    delay = _DELAYS[min(attempts, len(_DELAYS)) - 1] if attempts else 0
    return delay * (0.8 + 0.4 * chance)


def pause(failures: int, chance: float) -> float:
    """Seconds to leave a target alone that was not reached so many times in a row."""
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE) * (0.8 + 0.4 * chance)


def queue_of(event: Event) -> str:
    """What an event must stay in order with: its call, where it tells of one, else itself."""
    kind: EventType = event.delivery.type
    call_id = event.fact.call_id
    return queue_of_call(call_id) if kind in ("callstart", "callend") and call_id else event.delivery.id


def queue_of_call(call_id: str) -> str:
    """What the events of this call stay in order with."""
    return f"call {call_id}"
