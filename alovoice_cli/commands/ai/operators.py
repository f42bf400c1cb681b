"""Whose calls they were: the API's analyses do not say, a listener that ran beside them may know."""

from collections.abc import Iterable

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import Compare
from alovoice_cli.events.filters import Filter
from alovoice_cli.session import Session


def known_peers(session: Session, call_ids: Iterable[str]) -> dict[str, str]:
    """The extensions of those calls that the profile's event store knows by one of their ids; nothing without one."""
    found: dict[str, str] = {}
    try:
        store = session.event_store()
        for call_id in call_ids:
            for field in ("call_id", "external_id"):
                for call in store.calls(Filter(condition=Compare(field, "=", call_id)), limit=1):
                    if call.peer:
                        found[call_id] = call.peer
    except UsageError:  # nobody ever listened here, or the store cannot be read: then nobody knows
        return found
    return found
