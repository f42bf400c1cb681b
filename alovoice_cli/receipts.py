"""The ledger's input for a request that dials, creates or costs, and the receipt that the ledger keeps."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from alovoice_cli.errors import Sent

State = Literal["done", "refused", "unsent", "unknown"]
STATE_TONES: Mapping[str, Literal["good", "bad", "doubt", "alarm"]] = {
    "done": "good",
    "refused": "bad",
    "unsent": "doubt",
    "unknown": "alarm",
}
"""The meaning of each outcome for people: an unknown one must be investigated."""


class Intent(NamedTuple):
    """A request that is about to be sent. `path` is a template such as `/outcall/{token}`, never with the token.

    `override_limits` names the profile's limits that do not apply to the request. `campaign` is the campaign ledger's
    record beside the form; the ledger knows its type.
    """

    profile: str
    command: str
    method: str
    path: str
    numbers: tuple[str, ...]
    our_id: str
    request: Mapping[str, object] = MappingProxyType({})
    override_limits: frozenset[str] = frozenset()
    campaign: object = None


class RequestOutcome(NamedTuple):
    """How a request ended. `answer` is the body's text, masked and shortened."""

    state: State
    exit_code: int
    sent: Sent
    status: int | None = None
    answer: str = ""


class Receipt(NamedTuple):
    """The ledger's record of one request. Times are ISO 8601 in UTC; `outcome` is done, refused, unsent or unknown.

    `numbers` are canonical; `path` is a template. A request that was never settled is unknown, and may have been sent;
    its `exit_code` and later fields are None.
    """

    receipt: str
    profile: str
    command: str
    method: str
    path: str
    numbers: tuple[str, ...]
    our_id: str
    request: object
    begun_at: str
    pid: int
    outcome: str
    exit_code: int | None
    sent: str
    status: int | None
    answer: str | None
    settled_at: str | None

    def as_dict(self) -> dict[str, object]:
        """Returns the receipt as JSON prints it."""
        return {**self._asdict(), "numbers": list(self.numbers)}
