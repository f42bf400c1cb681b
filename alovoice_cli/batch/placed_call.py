"""A call that was placed, as its receipt has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alovoice_cli.moments import unix_microseconds
from alovoice_cli.phones import canonical
from alovoice_cli.receipts import Receipt

Kind = Literal["out", "ivr", "conference"]

MAY_HAVE_RUNG = ("done", "unknown")
"""Outcomes of requests that were, or may have been, carried out."""


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One request to call. `numbers` and `line` are canonical; of a conference the first is the initiator.

    `peer` is the extension of a call out, `begun_at` unix microseconds: when the request was about to leave.
    """

    receipt: str
    kind: Kind
    our_id: str
    numbers: tuple[str, ...]
    begun_at: int
    outcome: str = "unknown"
    line: str | None = None
    peer: str | None = None
    profile: str = ""
    command: str = ""
    status: int | None = None

    @property
    def may_have_rung(self) -> bool:
        """Returns whether the request was, or may have been, carried out."""
        return self.outcome in MAY_HAVE_RUNG


def read_receipt(entry: Receipt) -> PlacedCall | None:
    """Returns the call of this receipt; None for a receipt of something else (a campaign, an analysis)."""
    request = entry.request if isinstance(entry.request, Mapping) else {}
    kind = _kind(entry.path, request)
    if kind is None:
        return None
    return PlacedCall(
        receipt=entry.receipt,
        kind=kind,
        our_id=entry.our_id,
        numbers=tuple(canonical(number) for number in entry.numbers),
        begun_at=unix_microseconds(datetime.fromisoformat(entry.begun_at)),
        outcome=entry.outcome,
        line=_canonical_or_none(request.get("fromline")),
        peer=_text_or_none(request.get("inner_phone")),
        profile=entry.profile,
        command=entry.command,
        status=entry.status,
    )


def _kind(path: str, request: Mapping[str, object]) -> Kind | None:
    if path.startswith("/outcall/"):
        return "out"
    if not path.startswith("/requestcall/"):
        return None
    return "conference" if "callfrom" in request else "ivr"


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value).strip() or None


def _canonical_or_none(value: object) -> str | None:
    text = _text_or_none(value)
    return canonical(text) or None if text else None
