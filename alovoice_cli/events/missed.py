"""Missed inbound calls, each with its reason, and whether somebody talked to the caller afterwards.

A caller counts as talked to when a later call with the same number was answered, in either direction, on any line.
Unanswered tries of either side leave the call open, and are counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from alovoice_cli.events.conditions import And, Compare, Condition
from alovoice_cli.events.event import MISSED_STATUSES, Call

REASONS = {
    "304": "not taken",
    "480": "unavailable",
    "486": "busy",
    "603": "declined",
    "603-S": "hung up",
}
"""The reason of each status of a missed call (API, section 6: missed, unavailable, busy, declined, cancelled)."""

IS_MISSED: Condition = And((Compare("direction", "=", "inc"), Compare("status", "in", MISSED_STATUSES)))

RING_GROUP_SECONDS = 5
"""Several telephones for one caller begin to ring within this many seconds of each other."""

Returned = Literal["called again", "called back"]


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A missed call. `returned` is how somebody talked to the caller later, and `returned_at` (unix seconds) when.

    `again` and `back` count the later calls of either side, up to and including the answered one.
    """

    call: Call
    returned: Returned | None = None
    returned_at: int | None = None
    again: int = 0
    back: int = 0


def judge(missed: Iterable[Call], later: Iterable[Call]) -> list[MissedCall]:
    """Yields each missed call, in the order of the first argument, judged by the calls with the same numbers.

    `later` is in order of time and may contain any calls, the missed ones too. An unknown number (hidden, or
    `anonymous`) cannot be returned.
    """
    calls = list(missed)
    judged = {call.call_id: MissedCall(call) for call in calls}
    callers: dict[str, _Caller] = {}
    for call in later:
        number = _number(call)
        if number is not None and call.direction in ("inc", "out"):
            caller = callers.setdefault(number, _Caller())
            judged.update(caller.calls(call))
            if call.call_id in judged:
                caller.waits_for(judged[call.call_id])
    for caller in callers.values():
        judged.update(caller.still_waiting())
    return [judged[call.call_id] for call in calls]


def ring_group(call: Call, beside: Iterable[Call]) -> list[Call]:
    """Returns the calls with the same number that are other telephones ringing for the same caller."""
    if _number(call) is None:
        return []
    at = _began(call)
    near = [other for other in beside if abs(_began(other) - at) <= RING_GROUP_SECONDS]
    return [other for other in near if other.direction == "inc" and other.line == call.line]


def is_owed_a_call(call: Call, group: Iterable[Call]) -> bool:
    """Returns whether nobody talked to the caller; a telephone of the ring group that still rings may change that."""
    is_missed = call.direction == "inc" and call.is_missed
    return is_missed and all(other.is_finished and not other.is_answered for other in group)


def _began(call: Call) -> int:
    return call.reported_at if call.started_at is None else call.started_at


def _number(call: Call) -> str | None:
    """Returns the other party's number; None if hidden: two `anonymous` callers may be different people."""
    number = call.number
    return number if number is not None and any(letter.isdigit() for letter in number) else None


class _Caller:
    """One number's calls in their order: how many of either side, and which missed ones are open."""

    def __init__(self) -> None:
        self._again = self._back = 0
        self._waiting: list[tuple[MissedCall, int, int]] = []

    def waits_for(self, missed: MissedCall) -> None:
        self._waiting.append((missed, self._again, self._back))

    def calls(self, call: Call) -> dict[str, MissedCall]:
        """Counts the call; for an answered call returns the missed calls that it settles."""
        if call.direction == "inc":
            self._again += 1
        else:
            self._back += 1
        if not call.is_answered:
            return {}
        how: Returned = "called again" if call.direction == "inc" else "called back"
        settled = self.still_waiting()
        self._waiting.clear()
        return {
            call_id: replace(missed, returned=how, returned_at=call.reported_at) for call_id, missed in settled.items()
        }

    def still_waiting(self) -> dict[str, MissedCall]:
        return {
            missed.call.call_id: replace(missed, again=self._again - again, back=self._back - back)
            for missed, again, back in self._waiting
        }


def not_returned(judged: Iterable[MissedCall]) -> Iterator[MissedCall]:
    """Returns the calls to return: of each number the latest missed call, if nobody talked since.

    A caller with five missed calls is one caller to call back.
    """
    kept: dict[str, MissedCall] = {}
    for number, missed in enumerate(judged):
        if missed.returned is not None:
            continue
        key = _number(missed.call) or f"hidden {number}"
        known = kept.get(key)
        if known is None or known.call.reported_at < missed.call.reported_at:
            kept[key] = missed
    yield from kept.values()


def reasons_text(counts: Mapping[str, int]) -> str:
    """Returns the count of each reason, in words: `3 busy (486), 1 hung up (603-S)`."""
    return ", ".join(f"{counts[status]} {REASONS[status]} ({status})" for status in MISSED_STATUSES if status in counts)


def count_reasons(judged: Iterable[MissedCall]) -> dict[str, int]:
    """Returns how many calls were missed for each reason, by status, without zeros."""
    counts = dict.fromkeys(MISSED_STATUSES, 0)
    for missed in judged:
        if missed.call.status in counts:
            counts[str(missed.call.status)] += 1
    return {status: count for status, count in counts.items() if count}
