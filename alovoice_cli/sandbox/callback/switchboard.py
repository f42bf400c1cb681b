"""A simulated PBX that calls its customer back: joins its calls, their time, and the way to the handlers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from alovoice_cli.posts import AnyPoster
from alovoice_cli.sandbox.callback.live_call import LiveCalls, SandboxClock
from alovoice_cli.sandbox.callback.posting import Chaos, Mailing, Timetable
from alovoice_cli.sandbox.callback.requested import OWED, RequestedCall, RequestedCampaign, lead_request
from alovoice_cli.sandbox.callback.visitors import DAY_RATE, ZONE, Series, Visitors
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.stores.pbx import CallRow
from alovoice_cli.stores.pbx_traffic import Totals, Traffic

_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What is sent where, and which calls come of themselves.

    `handlers` are the URLs by type of message. `rate` is inbound calls an hour, `day` a day to play: with both, the
    rate is a full hour's of that day; with neither, only calls that are asked for are told of.
    """

    handlers: Mapping[str, str]
    chaos: Chaos = field(default_factory=Chaos)
    rate: float | None = None
    day: date | None = None


class Switchboard:
    """Leads the calls of one PBX from `start` to `stop`; what was not told by then is not told.

    `complain` gets a line for what goes wrong, `over` the totals when a day's last call has been told of: both in
    another thread than the caller's.
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
        """Begins: with the campaigns that are still dialling, and with the arrivals that are wished for."""
        self._pbx.watcher = self
        self._timetable.at(self._timetable.now(), self._begin)
        self._timetable.start()

    def stop(self) -> Totals:
        """Ends the calls where they are, waits briefly for answers that are under way, and gives the totals."""
        self._pbx.watcher = None
        self._timetable.stop(_STOP_SECONDS)
        self._mailing.stop(_STOP_SECONDS)
        totals = self._traffic.totals()
        self._traffic.close()
        return totals

    def call_placed(self, row: CallRow, order: CallOrder) -> None:
        """A call was asked for through the API. From any thread."""
        clock = self._clock(row.born, row.speed)
        self._timetable.at(clock.due(row.born), partial(self._lead_request, row, RequestedCall(order, row.legs), clock))

    def campaign_added(self, number: int) -> None:
        """A campaign was accepted. From any thread."""
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
        """What a campaign would have dialled while nobody was told of it is left out."""
        row = self._pbx.store.campaign(number)
        if row is not None and row.begins is not None:
            clock = self._clock(row.born, row.speed)
            attempts = self._pbx.attempts(row, is_new=is_new)
            RequestedCampaign(self._calls, number, clock, attempts, self._timetable.at).go_on()
