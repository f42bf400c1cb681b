"""Leads the calls of a simulated PBX that calls its customer back, from start to stop."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.posts import AnyPoster, Posted
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.sandbox.callback.day import (
    DAY_RATE,
    ZONE,
    Series,
    Staff,
    Visit,
    Way,
    Ways,
    ring_colleague,
    ring_outside,
)
from alovoice_cli.sandbox.callback.live_call import (
    OWED,
    LiveCall,
    LiveCalls,
    RequestedCall,
    RequestedCampaign,
    SandboxClock,
    lead_request,
    name_call,
    wire_phone,
)
from alovoice_cli.sandbox.callback.messages import read_start_reply, read_step
from alovoice_cli.sandbox.callback.posting import Chaos, Mailing, Timetable
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.stores.pbx import CallRow
from alovoice_cli.stores.pbx_traffic import CallCourse, Totals, Traffic

_ROUTED_AFTER_SECONDS = 1
_MOST_REPEATS = 2
_CALLS_AGAIN_IN_100, _IS_CALLED_BACK_IN_100 = 35, 30
_AGAIN_AFTER_SECONDS, _BACK_AFTER_SECONDS = (90, 900), (240, 2400)
_TOLD = ("callstart", "callend")
_NO_STEP = "none"


@dataclass(eq=False, slots=True)
class Play:
    """A series of arrivals. `over` is called after the last message of their calls."""

    clock: SandboxClock
    over: Callable[[], None]
    pending: int = 0

    def opened(self) -> None:
        """Notes one more open task."""
        self.pending += 1

    def closed(self) -> None:
        """Notes one finished task."""
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
        finally:  # an error in one call must not end the day
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
        """Returns the route's step, or the department's own where no route is asked."""
        if self._calls.asks("route"):
            step = read_step(answer, self._pbx.scenario)
        else:
            step = RouteStep("queue", arrival.queue or max(self._pbx.scenario.queues))
        way = self._ways.by_step(step, arrival.mark, arrival.at + _ROUTED_AFTER_SECONDS)
        call.note(step=str(step) if step else _NO_STEP, inner_phone=way.inner_phone, went_to=way.went_to)
        call.tell_start(partial(self._started, play, arrival, call, way), after_seconds=_ROUTED_AFTER_SECONDS)

    def _started(self, play: Play, arrival: Visit, call: LiveCall, way: Way, answer: Posted | None) -> None:
        """Handles the callstart's answer: a name, or another destination; a call that is over goes nowhere."""
        reply = read_start_reply(answer)
        call.note(call_id=reply.call_id)
        if reply.callto is not None and not way.is_over:
            way = self._ways.by_number(reply.callto, arrival.mark, arrival.at + _ROUTED_AFTER_SECONDS)
            call.note(went_to=way.went_to)
        call.ring(way.ringing, after_seconds=_ROUTED_AFTER_SECONDS)
        if call.course.answered_at is None and not way.is_over:
            self._come_back(play, arrival, call)

    def _come_back(self, play: Play, arrival: Visit, call: LiveCall) -> None:
        """After a missed call some people call again, some are called back, and the others are lost."""
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
        # A call between extensions uses no line (A).
        course = CallCourse("int", called, "", int(caller), arrival.at, went_to=called)
        call = self._open(play, arrival, course, _TOLD)
        call.tell_start(partial(name_call, call, None))
        call.ring(ring_colleague(self._seed, called, arrival.mark), after_seconds=0)
        for number in (caller, called):
            self._staff.occupy(number, call.course.ended_at or arrival.at)

    def _call_on_request(self, play: Play, arrival: Visit) -> None:
        """Makes a conference that a CRM requested: rings the first party, then two numbers in turn."""
        key = str(lot(self._seed, "extid", arrival.mark) % 10**12)
        other = f"9{lot(self._seed, 'second', arrival.mark) % 10**8:08}"
        order = CallOrder("conference", key, arrival.line, (arrival.number, other))
        request = RequestedCall(order, self._pbx.ring_legs(order))
        course = request.course(arrival.at, self._pbx.scenario, self._seed)
        call = self._open(play, arrival, course, OWED, key)
        lead_request(self._calls, call, request)


_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The destinations of the messages, and the calls that arise without a request.

    `handlers` are URLs by message type. `rate` is inbound calls an hour, `day` a day to play: with both, the rate is a
    full hour's of that day; with neither, only requested calls have messages.
    """

    handlers: Mapping[str, str]
    chaos: Chaos = field(default_factory=Chaos)
    rate: float | None = None
    day: date | None = None


class Switchboard:
    """Leads the calls of one PBX from `start` to `stop`; messages not sent by then are dropped.

    `complain` gets a line for each error, `over` the totals after a day's last message: both in another thread than the
    caller's.
    """

    def __init__(
        self,
        pbx: Pbx,
        callbacks: Callbacks,
        poster: AnyPoster,
        *,
        complain: Callable[[str], None],
        over: Callable[[Totals], None] = lambda _: None,
    ) -> None:
        self._pbx, self._callbacks, self._over = pbx, callbacks, over
        self._traffic = Traffic(pbx.store.path)
        self._timetable = Timetable(complain)
        self._mailing = Mailing(
            self._timetable,
            self._traffic,
            callbacks.handlers,
            poster,
            chaos=callbacks.chaos,
            seed=pbx.seed,
            complain=complain,
        )
        self._calls = LiveCalls(self._mailing, self._traffic, pbx.seed)
        self._visitors = Visitors(pbx, self._calls, self._timetable.at)

    def start(self) -> None:
        """Begins, with the campaigns that still dial, and with the requested arrivals."""
        self._pbx.watcher = self
        self._timetable.at(self._timetable.now(), self._begin)
        self._timetable.start()

    def stop(self) -> Totals:
        """Stops the calls where they are, waits briefly for running posts, and returns the totals."""
        self._pbx.watcher = None
        self._timetable.stop(_STOP_SECONDS)
        self._mailing.stop(_STOP_SECONDS)
        totals = self._traffic.totals()
        self._traffic.close()
        return totals

    def call_placed(self, row: CallRow, order: CallOrder) -> None:
        """Handles a call requested through the API. From any thread."""
        clock = self._clock(row.born, row.speed)
        self._timetable.at(clock.due(row.born), partial(self._lead_request, row, RequestedCall(order, row.legs), clock))

    def campaign_added(self, number: int) -> None:
        """Handles an accepted campaign. From any thread."""
        self._timetable.at(self._timetable.now(), partial(self._begin_campaign, number, is_new=True))

    def _clock(self, born: float, speed: float) -> SandboxClock:
        return SandboxClock(born, self._timetable.now() - (self._pbx.seconds() - born), speed)

    def _lead_request(self, row: CallRow, request: RequestedCall, clock: SandboxClock) -> None:
        course = request.course(int(row.born), self._pbx.scenario, self._pbx.seed)
        lead_request(self._calls, self._calls.adopt(row.id, row.key, clock, course, OWED), request)

    def _begin(self) -> None:
        for number in self._pbx.dialling_campaigns():
            self._begin_campaign(number, is_new=False)
        day, rate = self._callbacks.day, self._callbacks.rate
        scenario = self._pbx.scenario
        series = Series(self._pbx.seed, rate or DAY_RATE, tuple(scenario.trunks), tuple(scenario.queues))
        if day is not None:
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()
            clock = SandboxClock(midnight, self._timetable.now(), self._pbx.speed)
            self._visitors.play(series.of_day(day), clock, lambda: self._over(self._traffic.totals()))
        elif rate is not None:
            now = self._pbx.seconds()
            clock = SandboxClock(now, self._timetable.now(), self._pbx.speed)
            self._visitors.play(series.from_now(now), clock, lambda: None)

    def _begin_campaign(self, number: int, *, is_new: bool) -> None:
        """Begins a campaign without the attempts of the time before the start."""
        row = self._pbx.store.campaign(number)
        if row is not None and row.begins is not None:
            clock = self._clock(row.born, row.speed)
            attempts = self._pbx.attempts(row, is_new=is_new)
            RequestedCampaign(self._calls, number, clock, attempts, self._timetable.at).go_on()
