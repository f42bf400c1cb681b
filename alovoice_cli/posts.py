"""A POST to a customer's handler and its answer, as the client, the listener, the events and the sandbox know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Posted:
    """How a POST went. `status` is None where no whole answer came, and `error` says why; `seconds` is its length.

    `seconds` runs from before the connection to the last byte; a very long `body` may be cut. `retry_after` is the
    header of that name.
    """

    status: int | None
    body: bytes = b""
    error: str = ""
    seconds: float = 0.0
    retry_after: str = ""


class AnyPoster(Protocol):
    """Posts bytes as they are, from any thread, once; follows no redirect and raises nothing."""

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """One request and its answer; `timeout` bounds the whole of it, in seconds."""
