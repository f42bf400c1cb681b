"""A POST to a customer's handler and its answer; how a server asks its callers to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Posted:
    """The result of a POST. `status` is None without a whole answer, and `error` gives the reason.

    `seconds` is the time from before the connection to the last byte; a very long `body` may be cut. `retry_after` is
    the value of that header.
    """

    status: int | None
    body: bytes = b""
    error: str = ""
    seconds: float = 0.0
    retry_after: str = ""


class AnyPoster(Protocol):
    """Posts unchanged bytes once, from any thread; follows no redirect and raises nothing."""

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """Makes one request and returns its answer; `timeout` limits the whole, in seconds."""


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """Returns the seconds of a Retry-After header, which may be a number or a date; None for unreadable text."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - now).total_seconds())
    except (ValueError, OverflowError):
        return None
