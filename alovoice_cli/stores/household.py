"""Whom the event writer works for: what its owner decides, and what it hears."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.stores.event_rows import Errand

Settle = Callable[[int | None], None]
"""Takes the number of a stored delivery: SPOOLED where it has none yet, None where the delivery is lost."""


class Arrival(NamedTuple):
    """A delivery to be stored. What is derived from it waits for its note, where one follows."""

    delivery: Delivery
    settle: Settle
    note_follows: bool = False


class Household(Protocol):
    """What the writer's owner does with what it hears."""

    def settled(self, outcomes: Sequence[tuple[Settle, int | None]]) -> None:
        """Deliveries are stored (their number, or SPOOLED) or lost (None): calls each Settle in the owner's thread."""

    def happened(self, events: Sequence[Event]) -> None:
        """Events are stored with what was read of them; called in the writer's thread, must not block."""

    def errands(self, event: Event) -> Sequence[Errand]:
        """What is to be done with the event."""

    def complain(self, text: str) -> None:
        """One line for the operator."""

    def is_lost(self) -> None:
        """Neither store nor spool has taken anything for ten seconds: receiving makes no sense any more."""
