"""Missed inbound calls, each with its own reason, and whether the caller was talked to afterwards.

A caller counts as talked to when a later call with the same number was answered: theirs or ours, by whichever line.
Tries that nobody answered, on either side, leave the call open: they are counted.
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
"""What each status says of a missed call (API, section 6: missed, unavailable, busy, declined, cancelled)."""

IS_MISSED: Condition = And((Compare("direction", "=", "inc"), Compare("status", "in", MISSED_STATUSES)))

RING_GROUP_SECONDS = 5
"""Telephones that ring for one caller begin to ring within so many seconds of each other."""

Returned = Literal["called again", "called back"]


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A missed call. `returned` says how the caller was talked to later, and `returned_at` (unix seconds) when.

    `again` and `back` count the later calls of either side, up to and with the one that was answered.
    """

    call: Call
    returned: Returned | None = None
    returned_at: int | None = None
    again: int = 0
    back: int = 0


def judge(missed: Iterable[Call], later: Iterable[Call]) -> list[MissedCall]:
    """Each missed call, in the order of the first argument, judged by the calls with the same numbers.

    `later` is in order of time and may hold anything, the missed calls themselves too. A number that is not told
    (hidden, or `anonymous`) can't be returned.
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
    """Those of the calls with the same number that are other telephones which rang for the same caller."""
    if _number(call) is None:
        return []
    at = _began(call)
    near = [other for other in beside if abs(_began(other) - at) <= RING_GROUP_SECONDS]
    return [other for other in near if other.direction == "inc" and other.line == call.line]


def is_owed_a_call(call: Call, group: Iterable[Call]) -> bool:
    """Whether nobody talked to a missed call's caller: a telephone of its ring group that still rings may yet."""
    is_missed = call.direction == "inc" and call.is_missed
    return is_missed and all(other.is_finished and not other.is_answered for other in group)


def _began(call: Call) -> int:
    return call.reported_at if call.started_at is None else call.started_at


def _number(call: Call) -> str | None:
    """The other party's number; None where it is hidden: two that are called `anonymous` may be anybody."""
    number = call.number
    return number if number is not None and any(letter.isdigit() for letter in number) else None


class _Caller:
    """One number's calls as they follow each other: how many of either side, and which missed ones wait."""

    def __init__(self) -> None:
        self._again = self._back = 0
        self._waiting: list[tuple[MissedCall, int, int]] = []

    def waits_for(self, missed: MissedCall) -> None:
        self._waiting.append((missed, self._again, self._back))

    def calls(self, call: Call) -> dict[str, MissedCall]:
        """Counts the call; of an answered one, gives those that it settles."""
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
    """Those to be called back: of each number the latest missed call alone, where nobody talked since.

    Who called five times in vain is one caller to call back, and the earlier calls were followed by the later.
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
    """How many for each reason, in words: `3 busy (486), 1 hung up (603-S)`."""
    return ", ".join(f"{counts[status]} {REASONS[status]} ({status})" for status in MISSED_STATUSES if status in counts)


def count_reasons(judged: Iterable[MissedCall]) -> dict[str, int]:
    """How many were missed for each reason, by status; those that nobody was missed for are left out."""
    counts = dict.fromkeys(MISSED_STATUSES, 0)
    for missed in judged:
        if missed.call.status in counts:
            counts[str(missed.call.status)] += 1
    return {status: count for status, count in counts.items() if count}
