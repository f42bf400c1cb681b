"""Reads days from an event store: key figures, missed calls, coverage, and the present state."""

from collections.abc import Mapping

from alovoice_cli.events.conditions import Compare
from alovoice_cli.events.coverage import cover
from alovoice_cli.events.day import Day, DayFacts, DaySettings, LiveDay, day_of, day_row
from alovoice_cli.events.day_span import DaySpan
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.missed import IS_MISSED, REPORTED_APART_SECONDS, MissedCall, judge
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.outbox_orders import OutboxOrders

_LONGEST_CALL = 2 * 3600 * 1_000_000
"""A call without an end that began earlier (microseconds) does not count as in progress."""


class DayReader:
    """Reads the days of one event store. Every method raises UsageError for a missing or unreadable file."""

    def __init__(self, events: EventStore, outbox: OutboxOrders, settings: DaySettings) -> None:
        self._events, self._outbox, self._settings = events, outbox, settings

    def day(self, span: DaySpan) -> Day:
        """Returns the figures of the span; the rows are the hours of the day."""
        return day_of(self._settings, span, self._facts(span))

    def week(self, span: DaySpan, scores: Mapping[str, float]) -> Day:
        """Returns the figures of several days; the rows are the days, with the speech scores by date."""
        rows = [day_row(day, self._facts(day), scores.get(f"{day.begin:%Y-%m-%d}")) for day in span.days]
        return day_of(self._settings, span, self._facts(span), rows)

    def live(self, span: DaySpan) -> LiveDay:
        """Returns the running day with the calls in progress, the listener's state and the outbox."""
        now = unix_microseconds(span.now)
        wanted = Filter(Period(now - _LONGEST_CALL), Compare("status", "=", None))
        directions = [call.direction for call in self._events.calls(wanted)]
        standing = self._outbox.standing()
        return LiveDay(
            day=self.day(span),
            calls_in=directions.count("inc"),
            calls_out=directions.count("out"),
            listener_is_up=any(uptime.until(now) >= now for uptime in self._events.uptimes() if not uptime.imported),
            outbox_waiting=sum(target.waiting for target in standing),
            outbox_dead=sum(target.dead for target in standing),
        )

    def newest(self, reached: int, span: DaySpan) -> int:
        """Returns a number that grows when the store has new events; `reached` is the result of the last call."""
        return self._events.settled(reached, unix_microseconds(span.now))

    def _facts(self, span: DaySpan) -> DayFacts:
        coverage = cover(self._events.uptimes(), span.period, unix_microseconds(span.now))
        kpi = self._events.kpi(Filter(span.period), self._settings.kpi, span.clock)
        return DayFacts(kpi, self._missed(span), coverage, self._events.imported(span.period))

    def _missed(self, span: DaySpan) -> list[MissedCall]:
        """Returns the missed calls of the span, judged by all later calls with their numbers."""
        calls = list(self._events.calls(Filter(span.period, IS_MISSED)))
        numbers = {call.number for call in calls if call.number is not None}
        since = calls[0].reported_at - REPORTED_APART_SECONDS if calls else None
        return judge(calls, self._events.calls_with(numbers, since))
