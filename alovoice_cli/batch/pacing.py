"""When the next row may be sent: the rate, the hours of a window, the pause that the PBX asked for, free lines.

The API says neither how many lines a trunk has nor how long a call holds a line. A call without an end in the event
store holds a line. A call that was placed from here, and that the store does not know yet, holds a line for a while. A
call on an unknown line counts on every line.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from alovoice_cli.batch.call_evidence import MICRO, PlacedCall, fits
from alovoice_cli.batch.resolve import is_listening
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.errors import UsageError
from alovoice_cli.events.coverage import Uptime, cover
from alovoice_cli.events.event import Call
from alovoice_cli.events.filters import Period
from alovoice_cli.language import ngettext, tr
from alovoice_cli.moments import DailyHours
from alovoice_cli.phones import SHORTEST, canonical

_RATE = re.compile(r"(\d{1,6})\s*/\s*(s|sec|m|min|h|hour)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600}
_LONGEST_NAP = 30.0  # seconds, in which a change of the wall clock is noticed
_LINE_NAP = 1.0


def parse_rate(text: str) -> float:
    """Returns the seconds between two rows for `10/m`, `2/s` or `100/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(
            tr("--rate {value} is not a valid rate", value=repr(text)), hint=tr("write it as 10/m, 2/s or 100/h")
        )
    return _SECONDS[match[2]] / int(match[1])


def parse_window(text: str) -> DailyHours:
    """Returns the hours of `--window`. Raises UsageError."""
    hours = DailyHours.parse(text)
    if hours is None:
        raise UsageError(
            tr("--window {value} is not a valid window", value=repr(text)), hint=tr("write it as 10:00-19:00")
        )
    if hours.begin == hours.end:
        raise UsageError(
            tr("--window {value} begins when it ends", value=repr(text)), hint=tr("write it as 10:00-19:00")
        )
    return hours


class Gate:
    """Lets rows through one at a time. `wait(seconds)` sleeps and returns whether the batch was stopped.

    Rows are sent inside the hours of `window` and outside the hours of `quiet`, by the clock of `zone`. `told` receives
    the reason of each sleep. Rate and pause use the monotonic `clock`; `common_pace` returns the seconds for which the
    pace of all machines lets no row through. `has_line` is called last: it returns whether the row has a line, and
    takes that line; `give_back` gives it back where the row was not sent.
    """

    def __init__(
        self,
        *,
        spacing: float = 0.0,
        window: DailyHours | None = None,
        quiet: DailyHours | None = None,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        wait: Callable[[float], bool],
        told: Callable[[str], None],
        common_pace: Callable[[], float] = lambda: 0.0,
        has_line: Callable[[BatchRow], bool] = lambda row: True,
        give_back: Callable[[BatchRow], None] = lambda row: None,
        zone: tzinfo = UTC,
    ) -> None:
        self._spacing, self._window, self._quiet = spacing, window, quiet
        self._clock, self._now, self._wait, self._told = clock, now, wait, told
        self._common_pace, self._has_line, self.give_back = common_pace, has_line, give_back
        self._next = self._paused_until = clock()
        self._zone, self._paused = zone, ""

    def enter(self, row: BatchRow) -> bool:
        """Waits until the row may be sent. Returns False where the batch was stopped first."""
        asleep = ""
        while True:
            seconds, why = self._closed_for(row)
            if seconds <= 0:
                self._next = self._clock() + self._spacing
                return True
            if why and why != asleep:
                self._told(why)
                asleep = why
            if self._wait(min(seconds, _LONGEST_NAP)):
                return False

    def pause(self, seconds: float) -> None:
        """Blocks all rows for this time."""
        until = self._clock() + seconds
        if until > self._paused_until:
            # Rounded up: at the time that the message names the batch is already at work.
            end = (self._now() + timedelta(seconds=seconds + 0.999)).astimezone(self._zone)
            self._paused = tr(
                "too many requests: the PBX asks to wait (429); waiting until {time} ({zone})",
                time=f"{end:%H:%M:%S}",
                zone=self._zone,
            )
            self._paused_until = until

    def _closed_for(self, row: BatchRow) -> tuple[float, str]:
        local, window, quiet = self._now().astimezone(self._zone), self._window, self._quiet
        if window is not None and not window.hold(local):
            why = tr("outside the window {hours}: waiting until {time}", hours=window, time=f"{window.begin:%H:%M}")
            return _seconds_until(window.begin, local), why
        if quiet is not None and quiet.hold(local):
            why = tr("in the quiet hours {hours}: waiting until {time}", hours=quiet, time=f"{quiet.end:%H:%M}")
            return _seconds_until(quiet.end, local), why
        paused = self._paused_until - self._clock()
        if paused > 0:
            return paused, self._paused
        early = max(self._next - self._clock(), self._common_pace())
        return (early, "") if early > 0 or self._has_line(row) else (_LINE_NAP, "")


def _seconds_until(border: time, local: datetime) -> float:
    """Returns the seconds until this time of day comes next."""
    there = datetime.combine(local.date(), border, local.tzinfo)
    return ((there if there > local else there + timedelta(days=1)) - local).total_seconds()


HOLD = 120 * MICRO
"""How long a call placed from here holds its line while the store knows nothing of it: ringing and talk."""
LONGEST_CALL = 3 * 3600 * MICRO
"""A call that began longer ago counts as ended: its end message was lost."""
_LONGEST_OVER_A_GAP = 3600 * MICRO  # the same, where its end may have been told while nobody listened
_COUNTRY, _WHOLE = "998", 12


@dataclass(frozen=True, slots=True)
class LineLimit:
    """How many calls a trunk can carry at once, and how many of them batches leave free."""

    trunk: int
    reserve: int

    @property
    def usable(self) -> int:
        """How many lines may be busy with a batch's row among them."""
        return self.trunk - self.reserve


class LineClaim(NamedTuple):
    """The lines of a row whose request may not be in the ledger yet. `line` is canonical, or None for any line.

    `claimed_at` is in unix microseconds.
    """

    our_id: str
    line: str | None
    lines: int
    claimed_at: int


@dataclass(frozen=True, slots=True)
class HeardCalls:
    """What the event store knows: the number of calls in progress by line (None: line unknown), and all calls to
    numbers that were called from here.
    """

    going: Mapping[str | None, int]
    ours: Sequence[Call] = ()


@dataclass(frozen=True, slots=True)
class BusyLines:
    """The number of busy lines by trunk, and the number of calls that may be on any trunk."""

    lines: Mapping[str, int]
    anywhere: int = 0

    def on(self, line: str | None) -> tuple[int, str]:
        """Returns the number of busy lines of this trunk and its name. For None: of the busiest trunk."""
        where = line if line is not None else max(self.lines, key=lambda name: self.lines[name], default="")
        return self.lines.get(where, 0) + self.anywhere, where


def need_of(row: BatchRow) -> tuple[str | None, int]:
    """Returns the trunk that a row names (canonical), and how many lines it needs.

    A conference needs two at most: the people to connect are rung one after another, and a queue needs no line.
    """
    line = row.payload.get("fromline")
    is_conference = "callfrom" in row.payload
    return canonical(str(line)) if line else None, 2 if is_conference and row.payload.get("callto") else 1


def heard_from(uptimes: Iterable[Uptime], now: int) -> int | None:
    """Returns the moment from which calls without an end count as in progress, in unix microseconds.

    Returns None where no listener runs now.
    """
    known = list(uptimes)
    if not is_listening(known, now):
        return None
    coverage = cover(known, Period(since=now - LONGEST_CALL), now)
    back = coverage.gaps[-1].end if coverage.gaps else coverage.begin
    return max(now - LONGEST_CALL, min(now - _LONGEST_OVER_A_GAP, back or now))


def count_busy(asked: Sequence[PlacedCall], claims: Sequence[LineClaim], heard: HeardCalls | None) -> BusyLines:
    """Counts the busy lines.

    `asked` are this machine's requests of the last HOLD; `heard` is None without a listener.
    """
    lines = Counter(heard.going if heard is not None else {})
    for request, held in _unheard(asked, heard.ours if heard is not None else ()):
        lines[request.line] += held
    for claim in _uncovered(claims, asked):
        lines[claim.line] += claim.lines
    anywhere = lines.pop(None, 0)
    return BusyLines({name: count for name, count in lines.items() if name is not None}, anywhere)


def why_closed(busy: int, line: str, need: int, limit: LineLimit) -> str:
    """Returns `waiting for 1 free line of 712037006 (busy: 28 of 30; reserved: 2)`."""
    values = {
        "line": line.removeprefix(_COUNTRY) if len(line) == _WHOLE else line,
        "busy": busy,
        "lines": limit.trunk,
        "reserve": limit.reserve,
    }
    if line:
        return ngettext(
            "waiting for {n} free line of {line} (busy: {busy} of {lines}; reserved: {reserve})",
            "waiting for {n} free lines of {line} (busy: {busy} of {lines}; reserved: {reserve})",
            need,
            **values,
        )
    return ngettext(
        "waiting for {n} free line (busy: {busy} of {lines}; reserved: {reserve})",
        "waiting for {n} free lines (busy: {busy} of {lines}; reserved: {reserve})",
        need,
        **values,
    )


def _unheard(asked: Iterable[PlacedCall], calls: Iterable[Call]) -> Iterator[tuple[PlacedCall, int]]:
    """Returns the requests whose lines the store does not know yet, with their number.

    Each call belongs to one request.
    """
    left = sorted(calls, key=lambda call: call.reported_at)
    for request in sorted(asked, key=lambda request: request.begun_at):
        if not request.may_have_rung:
            continue
        legs = [_take_leg(request, number, left) for number in dict.fromkeys(request.numbers)]
        if legs and legs[0] is not None and legs[0].end_seq is not None:
            continue  # the first party has hung up
        going = sum(leg is not None and leg.end_seq is None for leg in legs)
        if (held := _lines_of(request) - going) > 0:
            yield request, held


def _take_leg(request: PlacedCall, number: str, left: list[Call]) -> Call | None:
    for call in left:
        if call.number == number and call.direction != "inc" and fits(call, request):
            left.remove(call)
            return call
    return None


def _lines_of(request: PlacedCall) -> int:
    """Returns how many lines a request needs.

    In a conference: none for an extension, one for all people rung in turn.
    """
    first, *rest = request.numbers or ("",)
    if request.kind != "conference":
        return 1
    return _is_outside(first) + any(map(_is_outside, rest))


def _is_outside(number: str) -> bool:
    return len(number) >= SHORTEST


def _uncovered(claims: Iterable[LineClaim], asked: Iterable[PlacedCall]) -> Iterator[LineClaim]:
    """Returns the claims whose requests are not in the ledger yet.

    Each request matches one claim, also with equal ids.
    """
    begun: defaultdict[str, list[int]] = defaultdict(list)
    for request in sorted(asked, key=lambda request: request.begun_at):
        begun[request.our_id].append(request.begun_at)
    for claim in sorted(claims, key=lambda claim: claim.claimed_at):
        own = next((moment for moment in begun[claim.our_id] if moment >= claim.claimed_at), None)
        if own is None:
            yield claim
        else:
            begun[claim.our_id].remove(own)
