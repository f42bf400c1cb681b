"""Faults to order: `outcall:503@10%,*:reset@1%,getpeers:delay=2s` read into values."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from alovoice_cli.errors import UsageError

ENDPOINTS = (
    *("addAutorule", "getAutorule", "getMyTrunks", "requestcall", "outcall", "getpeers"),
    *("callsendai", "callgetaireresult", "stereo"),
)
EVERY = "*"

Kind = Literal["status", "reset", "lost", "cut", "hang", "garbage", "delay"]
KINDS: tuple[Kind, ...] = ("reset", "lost", "cut", "hang", "garbage")
"""Those that are written as a bare word; a status is written as its number, a delay as `delay=2s`."""

GRAMMAR = (
    "ENDPOINT:KIND[@PERCENT%], comma-separated; ENDPOINT: * or "
    + ", ".join(ENDPOINTS)
    + "; KIND: a status 400-599 (503/5 adds Retry-After: 5), "
    + ", ".join(KINDS)
    + ", delay=DURATION (500ms, 2s, 1m)"
)

_STATUS = re.compile(r"(\d{3})(?:/(\d{1,5}))?", re.ASCII)
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong at one endpoint (or at every one), in `percent` of its requests.

    `status` and `retry_after_seconds` belong to the kind `status`, `delay_seconds` to `delay`.
    """

    endpoint: str
    kind: Kind
    percent: float = 100.0
    status: int = 0
    retry_after_seconds: int | None = None
    delay_seconds: float = 0.0

    def concerns(self, endpoint: str) -> bool:
        """Whether a request to this endpoint may meet the fault."""
        return self.endpoint in (EVERY, endpoint)


def parse_faults(spec: str) -> tuple[Fault, ...]:
    """The faults of a `--fault` text, in their order; an empty text has none. Raises UsageError naming the place."""
    if not spec.strip():
        return ()
    return tuple(_parse_fault(text.strip(), place) for place, text in enumerate(spec.split(","), 1))


def _parse_fault(text: str, place: int) -> Fault:
    rule, at, percent = text.partition("@")
    endpoint, colon, kind = (part.strip() for part in rule.partition(":"))
    if not colon:
        raise _unreadable(text, place, "it lacks the colon between endpoint and kind")
    if endpoint not in (EVERY, *ENDPOINTS):
        near = difflib.get_close_matches(endpoint, ENDPOINTS, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise _unreadable(text, place, f"there is no endpoint {endpoint!r}{meant}")
    return _parse_kind(kind, endpoint, _parse_percent(percent, text, place) if at else 100.0, text, place)


def _parse_kind(kind: str, endpoint: str, percent: float, text: str, place: int) -> Fault:
    for word in KINDS:
        if kind == word:
            return Fault(endpoint, word, percent)
    if status := _STATUS.fullmatch(kind):
        if not 400 <= int(status[1]) <= 599:
            raise _unreadable(text, place, f"the status {status[1]} is not between 400 and 599")
        retry_after = int(status[2]) if status[2] else None
        return Fault(endpoint, "status", percent, status=int(status[1]), retry_after_seconds=retry_after)
    if kind.startswith("delay="):
        duration = _DURATION.fullmatch(kind.removeprefix("delay="))
        if duration is None:
            raise _unreadable(text, place, f"{kind.removeprefix('delay=')!r} is no duration such as 500ms, 2s or 1m")
        return Fault(endpoint, "delay", percent, delay_seconds=float(duration[1]) * _SECONDS[duration[2]])
    raise _unreadable(text, place, f"there is no kind {kind!r}")


def _parse_percent(percent: str, text: str, place: int) -> float:
    match = _PERCENT.fullmatch(percent.strip())
    if match is None or not 0 < float(match[1]) <= 100:
        raise _unreadable(text, place, f"{percent.strip()!r} is no percentage over 0% and up to 100%")
    return float(match[1])


def _unreadable(text: str, place: int, why: str) -> UsageError:
    return UsageError(f"fault {place} ({text!r}) cannot be read: {why}", hint=GRAMMAR)
