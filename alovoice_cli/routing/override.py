"""The panic switch: for a while every caller gets one step, whatever the rules say. It ends by itself."""

from dataclasses import dataclass
from datetime import UTC, datetime

from alovoice_cli.routing.step import Step


@dataclass(frozen=True, slots=True)
class Override:
    """One step for everybody, until an aware moment."""

    step: Step
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it is still in force."""
        return now < self.until

    @property
    def why(self) -> str:
        """The reason that is kept with each decision."""
        return f"override until {self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
