"""What a case is: something that the PBX may send, and what a handler should make of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from alovoice_cli.events.certify.trial import Trial
from alovoice_cli.events.event import EventType

Need = Literal["required", "recommended"]
Kinds = tuple[EventType, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """`kinds` are the handlers that it needs, its own first. `sends` says what, `should` what the handler ought to do.

    Required is what some reading of the document allows, recommended what lies beyond it and costs little to stand.
    """

    name: str
    kinds: Kinds
    sends: str
    should: str
    play: Callable[[Trial], object]
    need: Need = "required"

    @property
    def kind(self) -> EventType:
        """The type of event that it is about."""
        return self.kinds[0]

    @property
    def area(self) -> str:
        """The part of the report that it stands in: a type of event, or `calls` for what spans several events."""
        return "calls" if self.name.startswith("call-") else self.kind
