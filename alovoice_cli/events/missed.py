"""Missed inbound calls, each with its reason, and whether somebody talked to the caller afterwards.

A caller counts as talked to when a later call with the same number was answered, in either direction, on any line.
Unanswered tries of either side leave the call open, and are counted. A missed call of a ring group that somebody
answered owes nobody a call.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from alovoice_cli.events.conditions import And, Compare, Condition
from alovoice_cli.events.event import MISSED_STATUSES, STATUS_WORDS, Call
from alovoice_cli.language import joined, mark, tr

REASONS = {
    "304": "not taken",
    "480": "unavailable",
    "486": "busy",
    "603": "declined",
    "603-S": "hung up",
}
"""The `reason` in JSON of each status of a missed call."""

REASON_TEXTS = {
    "304": mark("no answer"),
    "480": mark("unavailable"),
    "486": mark("busy"),
    "603": mark("declined"),
    "603-S": mark("cancelled by the caller"),
}
"""The same for people (API, section 6: missed, unavailable, busy, declined, cancelled)."""

IS_MISSED: Condition = And((Compare("direction", "=", "inc"), Compare("status", "in", MISSED_STATUSES)))

RING_GROUP_SECONDS = 5
"""Several telephones for one caller begin to ring within this many seconds of each other."""

REPORTED_APART_SECONDS = 60
"""What began together may be reported this many seconds apart."""

Returned = Literal["called again", "called back"]


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A missed call. `returned` is how somebody talked to the caller later, and `returned_at` (unix seconds) when.

    `again` and `back` count the later calls of either side, up to and including the answered one. `since` is when the
    caller began to wait: at the end of their first missed call that nobody returned. `answered_beside` is the call of
    the same ring group that somebody answered; `contacted_at` is when the call began that settled this one.
    """

    call: Call
    returned: Returned | None = None
    returned_at: int | None = None
    again: int = 0
    back: int = 0
    since: int = 0
    contacted_at: int | None = None
    answered_beside: Call | None = None

    @property
    def is_hidden(self) -> bool:
        """Returns whether the caller cannot be called back: no number, or a text without a digit."""
        return _number(self.call) is None

    @property
    def is_owed(self) -> bool:
        """Returns whether nobody talked to the caller, on another telephone or later; never for a hidden number."""
        return self.returned is None and self.answered_beside is None and not self.is_hidden

    @property
    def waited(self) -> int | None:
        """Returns the seconds from the end of this call until somebody talked to the caller; None while nobody did."""
        return None if self.contacted_at is None else max(self.contacted_at - _ended(self.call), 0)

    def waiting(self, now: int) -> int | None:
        """Returns for how many seconds the caller waits at `now` (unix seconds); None if they wait no more."""
        return max(now - self.since, 0) if self.is_owed else None


def judge(missed: Iterable[Call], later: Iterable[Call]) -> list[MissedCall]:
    """Returns each missed call, in the order of the first argument, judged by the calls with the same numbers.

    `later` is in order of time and may contain any calls, the missed ones too, and calls before them: an answered call
    of the ring group may be told first. An unknown number (hidden, or `anonymous`) cannot be returned.
    """
    calls, others = list(missed), list(later)
    beside = answered_by_group(others)
    judged = {call.call_id: MissedCall(call, since=_ended(call), answered_beside=beside(call)) for call in calls}
    callers: dict[str, _Caller] = {}
    for call in others:
        number = _number(call)
        if number is not None and call.direction in ("inc", "out"):
            caller = callers.setdefault(number, _Caller())
            judged.update(caller.calls(call))
            if call.call_id in judged and judged[call.call_id].answered_beside is None:
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


def answered_by_group(calls: Iterable[Call]) -> Callable[[Call], Call | None]:
    """Returns a function that finds, for a missed call, the answered call of its ring group among these calls."""
    answered: dict[tuple[str, str | None], list[Call]] = {}
    for call in calls:
        if call.direction == "inc" and call.is_answered and (number := _number(call)) is not None:
            answered.setdefault((number, call.line), []).append(call)

    def find(missed: Call) -> Call | None:
        group = ring_group(missed, answered.get((_number(missed) or "", missed.line), ()))
        return group[0] if group else None

    return find


def is_owed_a_call(call: Call, group: Iterable[Call]) -> bool:
    """Returns whether nobody talked to the caller; a telephone of the ring group that still rings may change that."""
    is_missed = call.direction == "inc" and call.is_missed
    return is_missed and all(other.is_finished and not other.is_answered for other in group)


def _ended(call: Call) -> int:
    return call.reported_at if call.ended_at is None else call.ended_at


def _began(call: Call) -> int:
    return call.reported_at if call.started_at is None else call.started_at


def _number(call: Call) -> str | None:
    """Returns the other party's number; None if hidden."""
    return call.number if call.number is not None and is_shown(call.number) else None


def is_shown(number: str) -> bool:
    """Returns whether the number is one: `anonymous` has no digit, and two such callers may be different people."""
    return number[:1].isdigit() or any(letter.isdigit() for letter in number)


class _Caller:
    """One number's calls in their order: how many of either side, and which missed ones are open."""

    def __init__(self) -> None:
        self._again = self._back = 0
        self._waiting: list[tuple[MissedCall, int, int]] = []

    def waits_for(self, missed: MissedCall) -> None:
        since = self._waiting[0][0].since if self._waiting else missed.since
        self._waiting.append((replace(missed, since=since), self._again, self._back))

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
        at, began = call.reported_at, _began(call)
        return {
            call_id: replace(missed, returned=how, returned_at=at, contacted_at=began)
            for call_id, missed in settled.items()
        }

    def still_waiting(self) -> dict[str, MissedCall]:
        return {
            missed.call.call_id: replace(missed, again=self._again - again, back=self._back - back)
            for missed, again, back in self._waiting
        }


def not_returned(judged: Iterable[MissedCall]) -> Iterator[MissedCall]:
    """Returns the calls to return: of each number the latest missed call, if nobody talked since.

    A caller with five missed calls is one caller to call back. A hidden number cannot be called.
    """
    kept: dict[str, MissedCall] = {}
    for missed in judged:
        number = _number(missed.call)
        if number is None or not missed.is_owed:
            continue
        known = kept.get(number)
        if known is None or known.call.reported_at < missed.call.reported_at:
            kept[number] = missed
    yield from kept.values()


def reasons_text(counts: Mapping[str, int]) -> str:
    """Returns the count of each reason, in words: `busy (486): 3, hung up (603-S): 1`."""
    told = [status for status in MISSED_STATUSES if status in counts]
    return joined(
        ", ",
        (
            tr("{reason} ({status}): {number}", reason=tr(STATUS_WORDS[status]), status=status, number=counts[status])
            for status in told
        ),
    )


def count_reasons(judged: Iterable[MissedCall]) -> dict[str, int]:
    """Returns how many calls were missed for each reason, by status, without zeros."""
    counts = dict.fromkeys(MISSED_STATUSES, 0)
    for missed in judged:
        if missed.call.status in counts:
            counts[str(missed.call.status)] += 1
    return {status: count for status, count in counts.items() if count}
