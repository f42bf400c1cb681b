"""Which calls of the event store are a campaign's attempts, and how each ended. A call does not name its campaign.

A call is the campaign's if its number, line, time and kind fit. A result and a call of one number and line that begin
within SAME_CALL_SECONDS are one attempt: the result's outcome counts.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.events.event import ANSWERED_STATUS
from alovoice_cli.events.kpi import DurationCounts, KpiSettings
from alovoice_cli.events.kpi_tally import CallKind, CallTally, KpiRow, duration_test
from alovoice_cli.language import tr
from alovoice_cli.phones import canonical

AttemptOutcome = Literal["reached", "short", "busy", "no_answer", "failed", "unknown", "ambiguous", "lost"]
SAME_CALL_SECONDS = 5
TOLERANCE_SECONDS = 120
"""How far outside of the daily window the PBX's clock may place a call of the campaign."""

_Class = Literal["answered", "busy", "no_answer", "failed"]
_DIAL_STATUSES: Mapping[str, _Class] = {
    "ANSWER": "answered",
    **dict.fromkeys(("BUSY", "DONTCALL", "TORTURE"), "busy"),
    **dict.fromkeys(("NOANSWER", "CANCEL"), "no_answer"),
    **dict.fromkeys(("CONGESTION", "CHANUNAVAIL", "INVALIDARGS"), "failed"),
}
"""The words of a result: Asterisk's DIALSTATUS. Others say nothing."""
_STATUS_CODES: Mapping[str, _Class] = {
    ANSWERED_STATUS: "answered",
    **dict.fromkeys(("486", "603"), "busy"),
    **dict.fromkeys(("304", "480", "603-S"), "no_answer"),
    **dict.fromkeys(("403", "404", "484", "503", "402", "423"), "failed"),
}
_NO_EXTENSION = (None, "0")  # the sandbox says 0


class CampaignCall(NamedTuple):
    """A result, or a call's start with its end. Times are unix seconds; `line` and `number` are canonical."""

    is_result: bool
    number: str
    line: str | None
    begin: int
    received_at: int
    id: str | None = None
    external_id: str | None = None
    direction: str | None = None
    extension: str | None = None
    status: str | None = None
    duration: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    was_answered: bool = False
    """Whether an event reported it as answered, even if a later one did not."""
    has_begin: bool = True
    """False where the event has no time: `begin` is then the time of its arrival."""

    @property
    def is_misdated(self) -> bool:
        """Returns whether its time cannot be right: it is missing, or far from the time of its arrival."""
        told_at = self.begin if not self.is_result else max(self.begin, self.ended_at or 0)
        return not self.has_begin or abs(self.received_at - told_at) > TOLERANCE_SECONDS

    @property
    def is_dialled(self) -> bool:
        """Returns whether it went out, and not from a person's telephone."""
        return self.direction == "out" and self.extension in _NO_EXTENSION


@dataclass(frozen=True, slots=True)
class CampaignScope:
    """When and from which lines a campaign calls. `windows` are unix seconds, each from its opening to its close."""

    label: str
    """The PBX's id of the campaign, or our receipt."""
    windows: tuple[tuple[int, int], ...]
    trunks: frozenset[str]
    goodtime: int
    tries: int

    def has_time(self, begin: int) -> bool:
        """Returns whether a call that began at this second may be the campaign's."""
        place = bisect_right(self.windows, begin + TOLERANCE_SECONDS, key=lambda window: window[0]) - 1
        return place >= 0 and begin < self.windows[place][1] + TOLERANCE_SECONDS

    @property
    def span(self) -> tuple[int, int]:
        """Returns the first and the last second at which a call may begin."""
        return self.windows[0][0] - TOLERANCE_SECONDS, self.windows[-1][1] + TOLERANCE_SECONDS

    @property
    def closes(self) -> int:
        """Returns the close of the last window."""
        return self.windows[-1][1]


def scope_of(created: CreatedCampaign) -> CampaignScope | None:
    """Returns the scope of a campaign, from its creation on; None where its form cannot be read, or has no window."""
    plan = created.plan
    if plan is None:
        return None
    begins = datetime.fromisoformat(created.begun_at)
    windows = tuple((int(opens.timestamp()), int(closes.timestamp())) for opens, closes in plan.windows(begins))
    trunks = frozenset(canonical(trunk) or trunk for trunk in plan.trunks)
    goodtime = int(plan.goodtime / timedelta(seconds=1))
    return CampaignScope(created.label, windows, trunks, goodtime, plan.tries) if windows else None


class RivalCampaign(NamedTuple):
    """Another campaign of the same time and lines: `numbers` are those of its list among the calls in question."""

    scope: CampaignScope
    numbers: Collection[str]

    def fits(self, number: str, line: str, begin: int) -> bool:
        """Returns whether the call may be this campaign's."""
        return number in self.numbers and line in self.scope.trunks and self.scope.has_time(begin)


class CampaignAttempt(NamedTuple):
    """One call to a number of the list. `status` is the PBX's word, `why` explains an outcome that is no plain one."""

    begin: int
    line: str | None
    outcome: AttemptOutcome
    status: str | None = None
    talk_seconds: int | None = None
    why: str = ""
    is_doubtful: bool = False
    """Whether an event reported it as answered, although the outcome is another."""


class AttemptRules(NamedTuple):
    """What decides on calls beside the campaign's own scope."""

    rivals: Sequence[RivalCampaign] = ()
    our_ids: Collection[str] = ()
    """Those of the results' external ids that are in the ledger: calls that were requested one by one."""
    duration_counts: DurationCounts = "talk"


def what_duration_counts(calls: Iterable[CampaignCall], setting: DurationCounts | None) -> DurationCounts:
    """Returns what `duration` counts: the profile's setting, or what the calls show; too few calls mean the talk."""
    tally = CallTally()
    for call in calls:
        if not call.is_result and call.ended_at is not None and call.has_begin:
            kind = CallKind("out", call.status, call.extension)
            held = call.ended_at - call.begin
            row: KpiRow = (
                *(*kind, None, call.begin, call.ended_at, call.duration, held, 0),
                *(call.number, call.line, None),
            )
            tally.add(kind, [row], {})
    verdict = duration_test([tally], KpiSettings(duration_counts=setting)).verdict
    return "talk" if verdict in ("talk", "too_few") else "total"


def find_attempts(
    calls: Iterable[CampaignCall], scope: CampaignScope, rules: AttemptRules
) -> dict[str, list[CampaignAttempt]]:
    """Returns the attempts of each number, by their begin. All calls are to numbers of the campaign's list."""
    by_number: dict[str, list[CampaignCall]] = {}
    for call in calls:
        by_number.setdefault(call.number, []).append(call)
    found = {}
    for number, told in by_number.items():
        attempts = [
            _attempt(result, call, scope, rules)
            for result, call in _pairs(told)
            if _is_campaigns(result, call, scope, rules)
        ]
        if attempts:
            found[number] = sorted(attempts, key=lambda attempt: attempt.begin)
    return found


_Pair = tuple[CampaignCall | None, CampaignCall | None]


def _pairs(told: Sequence[CampaignCall]) -> Iterator[_Pair]:
    """Yields each result with the nearest call of the same line; also results and calls without a partner."""
    # A result that was told again, perhaps corrected, replaces the first.
    results: dict[tuple[object, ...], CampaignCall] = {}
    for place, one in enumerate(told):
        if one.is_result:
            key = (one.line, one.begin, one.id or place)
            was_answered = _is_answered(one) or (key in results and results[key].was_answered)
            results[key] = one._replace(was_answered=was_answered)
    calls = [one for one in told if not one.is_result]
    for result in sorted(results.values(), key=lambda one: one.begin):
        near = [call for call in calls if call.line == result.line and _may_be_one(call, result)]
        # A person's call beside it must not hide the campaign's own.
        nearest = min(near, key=lambda call: (not call.is_dialled, _apart(call, result)), default=None)
        if nearest is not None:
            calls.remove(nearest)
        yield result, nearest
    for call in calls:
        yield None, call


def _may_be_one(call: CampaignCall, result: CampaignCall) -> bool:
    """Returns whether both may be one call; an inbound call is another one, unless the seconds are equal."""
    return _apart(call, result) <= (0 if call.direction == "inc" else SAME_CALL_SECONDS)


def _is_answered(result: CampaignCall) -> bool:
    return _DIAL_STATUSES.get((result.status or "").upper()) == "answered"


def _apart(call: CampaignCall, result: CampaignCall) -> int:
    return abs(call.begin - result.begin)


def _main(result: CampaignCall | None, call: CampaignCall | None) -> CampaignCall:
    told = result or call
    assert told is not None
    return told


def _is_campaigns(
    result: CampaignCall | None, call: CampaignCall | None, scope: CampaignScope, rules: AttemptRules
) -> bool:
    """Returns whether the call may be the campaign's; one without a line may be, too."""
    told = _main(result, call)
    if call is not None and not call.is_dialled:
        return False  # a person of the company calls
    if result is not None and result.external_id in rules.our_ids:
        return False
    has_time = scope.has_time(told.begin) or (told.is_misdated and scope.has_time(told.received_at))
    return (told.line is None or told.line in scope.trunks) and has_time


def _attempt(
    result: CampaignCall | None, call: CampaignCall | None, scope: CampaignScope, rules: AttemptRules
) -> CampaignAttempt:
    told = _main(result, call)
    begin, line = told.begin, told.line
    if line is None:
        return CampaignAttempt(begin, None, "lost", told.status, why=tr("a call without a line cannot be assigned"))
    if not (told.has_begin and scope.has_time(begin)):
        return CampaignAttempt(begin, line, "lost", told.status, why=tr("a call with a wrong time cannot be assigned"))
    for rival in rules.rivals:
        if rival.fits(told.number, line, begin):
            why = tr("campaign {campaign} may have made this call", campaign=rival.scope.label)
            return CampaignAttempt(begin, line, "ambiguous", told.status, why=why)
    by_result = None if result is None else _DIAL_STATUSES.get((result.status or "").upper())
    by_end = None if call is None else _STATUS_CODES.get((call.status or "").upper())
    status = result.status if result is not None and by_result else call.status if call and by_end else told.status
    if by_result and by_end and (by_result == "answered") is not (by_end == "answered"):
        return CampaignAttempt(begin, line, "ambiguous", status, why=tr("result and callend contradict each other"))
    outcome = by_result or by_end
    if outcome == "answered":
        talk, is_talk = _talk(result if by_result else None, call, rules.duration_counts)
        answered, why = _of_answered(talk, scope.goodtime, is_talk=is_talk)
        return CampaignAttempt(begin, line, answered, status, talk if is_talk else None, why)
    if outcome is None:
        why = tr("the end is not known") if status is None else tr("{status} does not show the outcome", status=status)
        return CampaignAttempt(begin, line, "unknown", status, why=why)
    was_answered = any(one is not None and one.was_answered for one in (result, call))
    why = tr("another event reports it as answered") if was_answered else ""
    return CampaignAttempt(begin, line, outcome, status, why=why, is_doubtful=was_answered)


def _talk(
    result: CampaignCall | None, call: CampaignCall | None, duration_counts: DurationCounts
) -> tuple[int | None, bool]:
    """Returns the seconds of an answered call, and whether they are the talk alone."""
    if result is not None:
        answered_at, ended_at = result.answered_at or 0, result.ended_at or 0
        if answered_at and result.begin <= answered_at <= ended_at:
            return ended_at - answered_at, True
    durations = [one.duration for one in (result, call) if one is not None and one.duration is not None]
    seconds = next((duration for duration in durations if duration >= 0), None)
    return seconds, duration_counts == "talk"


def _of_answered(seconds: int | None, goodtime: int, *, is_talk: bool) -> tuple[AttemptOutcome, str]:
    if seconds is None:
        return "unknown", tr("answered, but the talk time is not known")
    if seconds < goodtime:
        if is_talk:
            return "short", tr("talk {seconds} s, goodtime {goodtime} s", seconds=seconds, goodtime=goodtime)
        return "short", tr("below goodtime ({goodtime} s)", goodtime=goodtime)
    return ("reached", "") if is_talk else ("unknown", tr("answered, but the duration includes the ringing"))
