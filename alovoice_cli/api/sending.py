"""What the groups need of the client."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from alovoice_cli.api.address import Address
from alovoice_cli.api.courier import Progress
from alovoice_cli.api.deadline import Sink
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request
from alovoice_cli.api.seal import Seal

T = TypeVar("T")


class Sends(Protocol):
    """Sends a request and reads its answer."""

    @property
    def address(self) -> Address:
        """Where the PBX lives."""

    @property
    def seal(self) -> Seal:
        """What is known of the requests that dial, create or cost."""

    def send(
        self,
        request: Request,
        read: Callable[[Reply], T],
        *,
        sink: Sink | None = None,
        progress: Progress | None = None,
    ) -> T:
        """What `read` makes of a 2xx. Everything else is an AlovoiceError."""


def read_object(reply: Reply) -> dict[str, object]:
    """A JSON object, whole. Raises UnreadableError for anything else."""
    value = reply.json()
    if not isinstance(value, dict):
        raise UnreadableError("the answer is no JSON object")
    return value
