"""An event that the operator names: by its id, or as the lists show it (`e17`)."""

import re

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import Delivery
from alovoice_cli.session import Session

_SHOWN = re.compile(r"[eE]([0-9]{1,18})")


def stored_delivery(session: Session, word: str, store: str | None) -> Delivery:
    """The delivery. Raises UsageError where the store has no such event."""
    events, shown = session.event_store(store), _SHOWN.fullmatch(word.strip())
    event = events.event_at(int(shown.group(1))) if shown else events.event(word.strip().upper())
    if event is None:
        raise UsageError(f"there is no event {word!r} in the store", hint="`alovoice events list` shows what there is")
    return event.delivery
