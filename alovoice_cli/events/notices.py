"""Messages to people about missed calls: when to send one, what it covers, and its words. Pure.

A notice is one missed call that one messenger must report. A message covers one notice or many (a digest), with a line
for each caller. When somebody has talked to a caller, the message is edited, and the line says so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

from alovoice_cli.events.event import Call
from alovoice_cli.events.event_table import call_as_json
from alovoice_cli.events.missed import REASON_TEXTS, MissedCall, is_shown, judge, ring_group
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.moments import ClockTime, from_unix, span_text

MOST_LETTERS = 4096
"""The longest message of Telegram, in UTF-16 units; others take as much."""
MOST_A_MINUTE = 20
"""The most messages that Telegram accepts from a bot in a group in a minute; edits count."""
FORGOTTEN_AFTER_SECONDS = 72 * 3600
"""A missed call that could not be reported for this long is dropped, and no message is edited later than this."""
REPEATED_WITHIN_SECONDS = 600
"""A caller who calls again this soon after the message joins its line: the message is edited."""
TRIES_WITHIN_SECONDS = 24 * 3600
"""The period in which a caller's attempts are counted."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60_000_000  # microseconds
_FEW_A_MINUTE = 8  # messages; more are sent further apart, so that each of them can hold more
_APART = 5_000_000  # microseconds: with the few at once, 20 in a minute
_FEW_AT_ONCE = 3  # missed calls that get a message each
_STILL_TALKS_SECONDS = 600  # a call whose end has not arrived by then has lost its end
_OLD_SECONDS = 600  # the message tells the age of a call that is older

_RETURNED = {
    "called again": mark("the caller called again and was answered at {moment}"),
    "called back": mark("called back at {moment}"),
}
_DONE_MARK, _OPEN_MARK = "✅", "☎"

NoticeState = Literal["waiting", "telling", "told", "done", "settled", "dropped"]
"""`telling`: its message is being sent or edited. `done`: the edited message says that somebody talked to the caller.
`settled`: somebody talked to the caller before any message. `dropped`: not reported, because of its age or an order.
"""

NOTICE_STATES: tuple[NoticeState, ...] = ("waiting", "telling", "told", "done", "settled", "dropped")


@dataclass(frozen=True, slots=True)
class MissedNotice:
    """A missed call to report: the number of its callstart, its state, and its message (0: none yet).

    `due_at` is unix microseconds.
    """

    seq: int
    state: NoticeState
    due_at: int
    message: int
    call: Call
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class JudgedNotice:
    """A notice with the facts from all calls with the same number.

    `settled` says how somebody talked to the caller later. `is_answered_beside`: another telephone that rang for this
    caller was answered. `is_talking`: somebody may be talking to the caller now. `tries` counts the caller's calls of
    the last 24 hours, up to this one.
    """

    notice: MissedNotice
    settled: MissedCall | None = None
    is_answered_beside: bool = False
    is_talking: bool = False
    tries: int = 1

    @property
    def is_settled(self) -> bool:
        """Returns whether somebody talked to the caller."""
        return self.is_answered_beside or self.settled is not None

    @property
    def caller(self) -> str:
        """Returns the key of the caller. All hidden callers have the same key: nobody can call them back."""
        return f"{self.notice.is_trial:d} {caller_number(self.notice.call)}"


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """One message to send: its id in our store, its text, and whether it changes an earlier message."""

    id: int
    text: str
    notices: Sequence[JudgedNotice] = ()
    edits: str = ""
    """The messenger's own id of the message to change; empty for a new one."""

    @property
    def state(self) -> str:
        """Returns `done` if somebody talked to each caller, else `missed`; `test` for a message without a call."""
        if not self.notices:
            return "test"
        return "done" if all(one.is_settled for one in self.notices) else "missed"


@dataclass(frozen=True, slots=True)
class NoticeWording:
    """The form of the texts: the zone of the times, and the names of extensions."""

    zone: tzinfo
    extension: Callable[[str], str] = str


def caller_number(call: Call) -> str:
    """Returns the caller's number, or '' for a hidden one."""
    number = call.number or ""
    return number if is_shown(number) else ""


def judge_notice(notice: MissedNotice, calls: Sequence[Call], now: int) -> JudgedNotice:
    """Judges a notice by the calls with the same number of the last day, in order; `now` is unix microseconds."""
    call = notice.call
    others = [other for other in calls if other.call_id != call.call_id]
    group = ring_group(call, others)
    later = [other for other in calls if other.reported_at >= call.reported_at]
    verdict = judge([call], later)[0]
    is_patient = now < notice.due_at + _STILL_TALKS_SECONDS * 1_000_000
    unfinished = [other for other in (*group, *later) if other.call_id != call.call_id and other.status is None]
    return JudgedNotice(
        notice,
        settled=verdict if verdict.returned is not None else None,
        # A second end may have said that this call was answered.
        is_answered_beside=any(other.is_answered for other in (call, *group)),
        is_talking=is_patient and any(other.direction in ("inc", "out") for other in unfinished),
        tries=_tries(call, calls),
    )


def _tries(call: Call, calls: Iterable[Call]) -> int:
    """Counts the inbound calls up to this one; several telephones that rang for the same call count once."""
    earliest = call.reported_at - TRIES_WITHIN_SECONDS
    tries: list[Call] = []
    for one in calls:
        is_try = one.direction == "inc" and earliest <= one.reported_at <= call.reported_at
        if is_try and not ring_group(one, tries[-3:]):
            tries.append(one)
    return max(len(tries), 1)


# --- how much at once


def is_time_for_a_message(sent_at: Sequence[int], now: int, *, is_full: bool = False) -> bool:
    """Returns whether a message may be sent now; `sent_at` are the moments of earlier ones, rising (unix microseconds).

    A full message need not wait: it cannot get more notices.
    """
    recent = [at for at in sent_at if now - _MINUTE < at <= now]
    if len(recent) >= MOST_A_MINUTE:
        return False
    return is_full or len(recent) < _FEW_A_MINUTE or now - recent[-1] >= _APART


def next_message(
    pending: Sequence[JudgedNotice], sent_at: Sequence[int], now: int, wording: NoticeWording
) -> list[JudgedNotice]:
    """Returns the notices of the next message: those of the first caller, or in a burst as many as it can hold."""
    groups = _by_caller(pending)
    is_burst = len(groups) > _FEW_AT_ONCE or sum(now - at < _MINUTE for at in sent_at) >= _FEW_A_MINUTE
    if not is_burst:
        return list(groups[0]) if groups else []
    clock = _clock_at(now, wording)
    room = MOST_LETTERS - _HEADING_LETTERS
    chosen: list[JudgedNotice] = []
    for group in groups:
        room -= max(_letters(_digest_line(group, clock, wording)), _LONGEST_SHORT_LINE) + 1
        if room < 0:
            break
        chosen += group
    return chosen


def _by_caller(notices: Iterable[JudgedNotice]) -> list[list[JudgedNotice]]:
    """Returns the notices of each caller, in the order of their calls."""
    callers: dict[str, list[JudgedNotice]] = {}
    for one in sorted(notices, key=lambda judged: judged.notice.seq):
        callers.setdefault(one.caller, []).append(one)
    return list(callers.values())


def _letters(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_LONGEST_LINE = 200
_LONGEST_SHORT_LINE = 88
"""A line needs room for a later note: how the caller was called back, or how often the caller tried."""
_HEADING_LETTERS = 100


# --- the words


def message_text(notices: Sequence[JudgedNotice], made_at: int, wording: NoticeWording) -> str:
    """Returns the text of a message about these notices that was made at `made_at` (unix microseconds)."""
    clock, groups = _clock_at(made_at, wording), _by_caller(notices)
    if len(groups) == 1:
        return _single(groups[0], clock, wording)
    heading = _digest_heading(len(notices), groups)
    text = "\n".join([heading, *(_digest_line(group, clock, wording) for group in groups)])
    if _letters(text) > MOST_LETTERS:  # lines grow when callers call again
        text = "\n".join([heading, *(_digest_line(group, clock, wording, is_short=True) for group in groups)])
    return text


def _digest_heading(calls: int, groups: Sequence[Sequence[JudgedNotice]]) -> str:
    done = sum(group[-1].is_settled for group in groups)
    if done and done == len(groups):
        return tr("Missed calls: {calls}; callers: {callers}; all contacted", calls=calls, callers=len(groups))
    if done:
        text = mark("Missed calls: {calls}; callers: {callers}; contacted: {done}")
        return tr(text, calls=calls, callers=len(groups), done=done)
    return tr("Missed calls: {calls}; callers: {callers}", calls=calls, callers=len(groups))


def _clock_at(microseconds: int, wording: NoticeWording) -> ClockTime:
    return ClockTime(_EPOCH + timedelta(microseconds=microseconds), wording.zone)


def _single(group: Sequence[JudgedNotice], clock: ClockTime, wording: NoticeWording) -> str:
    latest = group[-1]
    lines = [
        tr("Missed call: {number}", number=number_text(latest.notice.call)),
        ", ".join(_facts(group, clock, wording)),
    ]
    if latest.is_settled:
        lines.insert(0, f"{_DONE_MARK} {_how_settled(latest, clock)}")
    return "\n".join(lines)


def _digest_line(
    group: Sequence[JudgedNotice], clock: ClockTime, wording: NoticeWording, *, is_short: bool = False
) -> str:
    latest = group[-1]
    number = number_text(latest.notice.call)
    if latest.is_settled:
        return f"{_DONE_MARK} {number}, {_how_settled(latest, clock)}"
    most = _LONGEST_SHORT_LINE if is_short else _LONGEST_LINE
    return _cut(f"{_OPEN_MARK} {number}, {', '.join(_facts(group, clock, wording))}", most)


def _facts(group: Sequence[JudgedNotice], clock: ClockTime, wording: NoticeWording) -> list[str]:
    judged = group[-1]
    call = judged.notice.call
    age = int(clock.now.timestamp()) - call.reported_at
    began = call.reported_at if call.started_at is None else call.started_at
    moment = _at(began, clock)
    facts = [tr("{moment} ({age} ago)", moment=moment, age=span_text(age)) if age >= _OLD_SECONDS else moment]
    facts.append(tr(REASON_TEXTS.get(call.status or "", call.status or "")))
    if not caller_number(call) and len(group) > 1:
        facts.append(ngettext("{n} such call", "{n} such calls", len(group)))
    if judged.tries > 1:
        facts.append(ngettext("{n} call in 24 hours", "{n} calls in 24 hours", judged.tries))
    if call.line:
        facts.append(tr("line {line}", line=call.line))
    if call.peer:
        facts.append(tr("extension {peer}", peer=wording.extension(call.peer)))
    if not caller_number(call):
        facts.append(tr("cannot be called back"))
    return [*facts, tr("test call")] if judged.notice.is_trial else facts


def _how_settled(judged: JudgedNotice, clock: ClockTime) -> str:
    settled = judged.settled
    if settled is None or settled.returned is None or settled.returned_at is None:
        return tr("answered on another extension")
    return tr(_RETURNED[settled.returned], moment=_at(settled.returned_at, clock))


def number_text(call: Call) -> str:
    """Returns the caller's number as people write it: `+998 90 123-45-67`; others unchanged, a hidden one in words."""
    digits = caller_number(call)
    if len(digits) == 12 and digits.startswith("998") and digits.isdigit():
        places = (0, 3, 5, 8, 10, 12)
        country, code, *rest = (digits[begin:end] for begin, end in pairwise(places))
        return f"+{country} {code} {'-'.join(rest)}"
    return _cut(digits or tr("hidden number"), 24)


def _at(seconds: int, clock: ClockTime) -> str:
    moment = from_unix(seconds, clock.zone) or clock.now
    return f"{moment:%H:%M}" if moment.date() == clock.today else f"{moment:%d.%m. %H:%M}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def message_as_json(message: NoticeMessage, own_id: str) -> dict[str, object]:
    """Returns a message for programs and handlers: `text` is whole, `calls` has the facts."""
    return {
        "id": own_id,
        "type": "notice",
        "state": message.state,
        "edit": bool(message.edits),
        "text": message.text,
        "calls": [_call_as_json(one) for one in message.notices],
    }


def _call_as_json(judged: JudgedNotice) -> dict[str, object]:
    call, settled = judged.notice.call, judged.settled
    done = "answered beside" if judged.is_answered_beside else settled.returned if settled is not None else None
    told: dict[str, object] = {
        **call_as_json(call),
        "reason": REASON_TEXTS.get(call.status or ""),
        "tries": judged.tries,
        "done": done,
        "done_at": settled.returned_at if settled is not None else None,
    }
    return told | {"trial": True} if judged.notice.is_trial else told
