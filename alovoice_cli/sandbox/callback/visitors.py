"""The calls of a day, led one by one: inbound ones ask the route and obey it, the others are made by those who work."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import partial

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.errors import UsageError
from alovoice_cli.posts import Posted
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.sandbox.callback.call_course import Staff, Way, Ways, ring_colleague, ring_outside
from alovoice_cli.sandbox.callback.handlers import read_start_reply, read_step
from alovoice_cli.sandbox.callback.live_call import LiveCall, LiveCalls, SandboxClock, wire_phone
from alovoice_cli.sandbox.callback.requested import OWED, RequestedCall, lead_request, name_call
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.stores.pbx_traffic import CallCourse

ZONE = timezone(timedelta(hours=5))
"""Tashkent, where the simulated customer works; it has no summer time."""
DAY_RATE = 40.0
"""Inbound calls in a full hour of a day, where `--inbound` does not say."""
MOST_AN_HOUR = 1000.0

_RATE = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)/h", re.ASCII)
_NIGHT = (0.03, 0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15)
_WORK = (0.45, 0.9, 1.15, 1.2, 0.95, 0.75, 0.95, 1.1, 1.1, 0.85)
_EVENING = (0.5, 0.35, 0.25, 0.15, 0.1, 0.05)
_BUSYNESS = (*_NIGHT, *_WORK, *_EVENING)
_DAY_SHARES = {"inbound": 1.0, "outbound": 0.22, "internal": 0.12, "conference": 0.08}
_ONLY_INBOUND = {"inbound": 1.0}
_REGULARS, _REGULAR_IN_100 = 150, 55
_OPERATORS = ("90", "91", "93", "94", "95", "97", "98", "99", "33", "88", "77", "71")
_QUEUED_IN_100 = 20


@dataclass(frozen=True, slots=True)
class Visit:
    """A call that begins at `at` (virtual unix seconds). `mark` names it in every further lot; `again` counts repeats.

    `number` is the outside party's, in nine digits; `queue` the department whose route is asked, if it is one's.
    """

    at: int
    kind: str
    mark: str
    number: str
    line: str
    queue: str = ""
    again: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """What arrivals are drawn from."""

    seed: int
    rate: float
    lines: Sequence[str]
    queues: Sequence[str]

    def of_day(self, day: date) -> Iterator[Visit]:
        """A day from midnight to midnight: quiet nights, full mornings; calls in, out, inside, and requested ones."""
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())
        for hour, busyness in enumerate(_BUSYNESS):
            yield from self._hour(midnight + 3600 * hour, self.rate * busyness, _DAY_SHARES)

    def from_now(self, moment: float) -> Iterator[Visit]:
        """Inbound calls at an even rate from this moment on, without end."""
        start = int(moment) + 1
        while True:
            yield from self._hour(start, self.rate, _ONLY_INBOUND)
            start += 3600

    def _hour(self, start: int, rate: float, shares: Mapping[str, float]) -> Iterator[Visit]:
        places: dict[int, tuple[str, str]] = {}
        for kind, share in shares.items():
            whole, part = divmod(rate * share, 1)
            count = int(whole) + (lot(self.seed, "count", start, kind) % 1000 < part * 1000)
            for number in range(count):
                mark = f"{kind} {start} {number}"
                second = lot(self.seed, "second", mark) % 3600
                while second in places:
                    second = (second + 1) % 3600
                places[second] = (kind, mark)
        for second, (kind, mark) in sorted(places.items()):
            yield self._arrival(start + second, kind, mark)

    def _arrival(self, at: int, kind: str, mark: str) -> Visit:
        drawn = lot(self.seed, "arrival", mark)
        queue = self.queues[drawn % len(self.queues)] if (drawn >> 16) % 100 < _QUEUED_IN_100 else ""
        line = self.lines[(drawn >> 32) % len(self.lines)]
        return Visit(at, kind, mark, self._caller(mark), line, queue if kind == "inbound" else "")

    def _caller(self, mark: str) -> str:
        """More than half of those who call are known by their numbers; the others call once."""
        drawn = lot(self.seed, "caller", mark)
        is_regular = drawn % 100 < _REGULAR_IN_100
        person = lot(self.seed, "regular", (drawn >> 8) % _REGULARS) if is_regular else drawn >> 8
        return f"{_OPERATORS[person % len(_OPERATORS)]}{(person >> 8) % 10_000_000:07}"


def parse_rate(text: str) -> float:
    """The inbound calls an hour of `--inbound 40/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not 0 < float(match[1]) <= MOST_AN_HOUR:
        raise UsageError(
            f"--inbound {text!r} is no rate over 0/h and up to {MOST_AN_HOUR:.0f}/h", hint="write it as 40/h"
        )
    return float(match[1])


def parse_day(text: str, today: date) -> date:
    """The day of `--day 2026-03-02` or `--day today`. Raises UsageError."""
    if text.strip().lower() == "today":
        return today
    try:
        return date.fromisoformat(text.strip().replace(".", "-"))
    except ValueError as error:
        raise UsageError(f"--day {text!r} is no day", hint="write it as 2026-03-02, or today") from error


_ROUTED_AFTER_SECONDS = 1
_MOST_REPEATS = 2
_CALLS_AGAIN_IN_100, _IS_CALLED_BACK_IN_100 = 35, 30
_AGAIN_AFTER_SECONDS, _BACK_AFTER_SECONDS = (90, 900), (240, 2400)
_TOLD = ("callstart", "callend")
_NO_STEP = "none"


@dataclass(eq=False, slots=True)
class Play:
    """Arrivals that are being played. `over` is called when the last of their calls has been told of."""

    clock: SandboxClock
    over: Callable[[], None]
    pending: int = 0

    def opened(self) -> None:
        """Something more is to come."""
        self.pending += 1

    def closed(self) -> None:
        """Something is done with."""
        self.pending -= 1
        if self.pending == 0:
            self.over()


class Visitors:
    """Leads arrivals through their calls, each when it is due."""

    def __init__(self, pbx: Pbx, calls: LiveCalls, at: Callable[[float, Callable[[], None]], None]) -> None:
        self._pbx, self._calls, self._at = pbx, calls, at
        self._seed = pbx.seed
        self._staff = Staff(pbx.scenario.peers, pbx.seed)
        self._ways = Ways(self._staff, pbx.seed)

    def play(self, arrivals: Iterator[Visit], clock: SandboxClock, over: Callable[[], None]) -> None:
        """Plays these arrivals by this clock."""
        play = Play(clock, over)
        play.opened()
        self._next(play, arrivals)

    def _next(self, play: Play, arrivals: Iterator[Visit]) -> None:
        arrival = next(arrivals, None)
        if arrival is None:
            play.closed()
        else:
            self._at(play.clock.due(arrival.at), partial(self._arrive, play, arrival, arrivals))

    def _arrive(self, play: Play, arrival: Visit, arrivals: Iterator[Visit]) -> None:
        try:
            self._lead(play, arrival)
        finally:  # a call that goes wrong must not end the day
            self._next(play, arrivals)

    def _arrive_again(self, play: Play, arrival: Visit) -> None:
        try:
            self._lead(play, arrival)
        finally:
            play.closed()

    def _lead(self, play: Play, arrival: Visit) -> None:
        match arrival.kind:
            case "inbound":
                self._take_in(play, arrival)
            case "internal":
                self._call_inside(play, arrival)
            case "conference":
                self._call_on_request(play, arrival)
            case _:
                self._call_out(play, arrival)

    def _open(self, play: Play, arrival: Visit, course: CallCourse, owed: tuple[str, ...], key: str = "") -> LiveCall:
        call = self._calls.open(arrival.kind, key, play.clock, course, owed)
        call.envelope.opened, call.envelope.closed = play.opened, play.closed
        return call

    # --- inbound -----------------------------------------------------------------------------------------------------

    def _take_in(self, play: Play, arrival: Visit) -> None:
        course = CallCourse("inc", wire_phone(arrival.number), arrival.line, 0, arrival.at)
        call = self._open(play, arrival, course, ("route", *_TOLD))
        call.ask_route(arrival.number, arrival.queue, partial(self._routed, play, arrival, call))

    def _routed(self, play: Play, arrival: Visit, call: LiveCall, answer: Posted | None) -> None:
        """The step that the route answered, or the department's own where no route is asked."""
        if self._calls.asks("route"):
            step = read_step(answer, self._pbx.scenario)
        else:
            step = RouteStep("queue", arrival.queue or max(self._pbx.scenario.queues))
        way = self._ways.by_step(step, arrival.mark, arrival.at + _ROUTED_AFTER_SECONDS)
        call.note(step=str(step) if step else _NO_STEP, inner_phone=way.inner_phone, went_to=way.went_to)
        call.tell_start(partial(self._started, play, arrival, call, way), after_seconds=_ROUTED_AFTER_SECONDS)

    def _started(self, play: Play, arrival: Visit, call: LiveCall, way: Way, answer: Posted | None) -> None:
        """The handler named the call, or leads it elsewhere; a call that is over goes nowhere."""
        reply = read_start_reply(answer)
        call.note(call_id=reply.call_id)
        if reply.callto is not None and not way.is_over:
            way = self._ways.by_number(reply.callto, arrival.mark, arrival.at + _ROUTED_AFTER_SECONDS)
            call.note(went_to=way.went_to)
        call.ring(way.ringing, after_seconds=_ROUTED_AFTER_SECONDS)
        if call.course.answered_at is None and not way.is_over:
            self._come_back(play, arrival, call)

    def _come_back(self, play: Play, arrival: Visit, call: LiveCall) -> None:
        """Some of those who were missed call again, some are called back, and the others are lost."""
        assert call.course.ended_at is not None
        drawn = lot(self._seed, "after", arrival.mark)
        chance = drawn % 100
        if chance < _CALLS_AGAIN_IN_100 and arrival.again < _MOST_REPEATS:
            kind, bounds = "inbound", _AGAIN_AFTER_SECONDS
        elif _CALLS_AGAIN_IN_100 <= chance < _CALLS_AGAIN_IN_100 + _IS_CALLED_BACK_IN_100:
            kind, bounds = "outbound", _BACK_AFTER_SECONDS
        else:
            return
        at = call.course.ended_at + bounds[0] + (drawn >> 16) % (bounds[1] - bounds[0])
        again = replace(arrival, at=at, kind=kind, mark=f"{arrival.mark} again", again=arrival.again + 1)
        play.opened()
        self._at(play.clock.due(at), partial(self._arrive_again, play, again))

    # --- made by those who work here ---------------------------------------------------------------------------------

    def _call_out(self, play: Play, arrival: Visit) -> None:
        inner = self._staff.free(arrival.at, arrival.mark)
        if inner is None:
            return
        course = CallCourse(
            "out", wire_phone(arrival.number), arrival.line, int(inner), arrival.at, went_to=arrival.number
        )
        call = self._open(play, arrival, course, _TOLD)
        call.tell_start(partial(name_call, call, None))
        call.ring(ring_outside(self._seed, arrival.number, arrival.mark), after_seconds=0)
        self._staff.occupy(inner, call.course.ended_at or arrival.at)

    def _call_inside(self, play: Play, arrival: Visit) -> None:
        caller = self._staff.free(arrival.at, arrival.mark)
        called = self._staff.free(arrival.at, arrival.mark, "called", besides=caller or "")
        if caller is None or called is None:
            return
        # An extension calls another over no line (A).
        course = CallCourse("int", called, "", int(caller), arrival.at, went_to=called)
        call = self._open(play, arrival, course, _TOLD)
        call.tell_start(partial(name_call, call, None))
        call.ring(ring_colleague(self._seed, called, arrival.mark), after_seconds=0)
        for number in (caller, called):
            self._staff.occupy(number, call.course.ended_at or arrival.at)

    def _call_on_request(self, play: Play, arrival: Visit) -> None:
        """A call that a CRM asked for: the caller's own line first, then two numbers in turn."""
        key = str(lot(self._seed, "extid", arrival.mark) % 10**12)
        other = f"9{lot(self._seed, 'second', arrival.mark) % 10**8:08}"
        order = CallOrder("conference", key, arrival.line, (arrival.number, other))
        request = RequestedCall(order, self._pbx.ring_legs(order))
        course = request.course(arrival.at, self._pbx.scenario, self._seed)
        call = self._open(play, arrival, course, OWED, key)
        lead_request(self._calls, call, request)
