"""Whose calls they were: the API's analyses do not say, a listener that ran beside them may know."""

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import Compare
from alovoice_cli.events.filters import Filter
from alovoice_cli.session import Session


def known_peer(session: Session, call_id: str) -> str | None:
    """The extension of a call that the profile's event store knows by one of its ids; None where it does not."""
    try:
        store = session.event_store()
        for field in ("call_id", "external_id"):
            for call in store.calls(Filter(condition=Compare(field, "=", call_id)), limit=1):
                if call.peer:
                    return call.peer
    except UsageError:  # nobody ever listened here, or the store cannot be read: then nobody knows
        return None
    return None
