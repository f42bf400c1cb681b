"""Key figures of a period, or of its groups, from the calls in the order of the store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alovoice_cli.events.callers import Callers
from alovoice_cli.events.kpi import HourFigures, Kpi, KpiGroup, KpiPeriod, KpiSettings, NoticedCalls
from alovoice_cli.events.kpi_tally import (
    CallKind,
    CallTally,
    KpiRow,
    Told,
    agents,
    duration_test,
    group_figures,
    wait_unknown,
)
from alovoice_cli.events.line_load import TimeWindow, line_figures
from alovoice_cli.events.statistics import CLOCKS, NONE, QUARTER_SECONDS, By, by_time


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """What the store counts beside calls, within the period."""

    duplicates: int
    ends_without_id: int
    results_without_call: int


class KpiCount:
    """Counts the calls of a period for its key figures."""

    def __init__(self, window: TimeWindow, told: Told, settings: KpiSettings) -> None:
        self._window, self._told, self._settings = window, told, settings
        self._tally = CallTally()
        self._orphans = 0
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._hours: dict[str, Counter[int]] = defaultdict(Counter)
        self.callers = Callers((window.since, window.until))

    def add(self, rows: Sequence[KpiRow]) -> None:
        """Takes the next calls in the order of the store."""
        parts: dict[tuple[str | None, str | None, str | None], list[KpiRow]] = defaultdict(list)
        for row in rows:
            parts[row[:3]].append(row)
        for key, part in parts.items():
            kind = CallKind(*key)
            if kind.direction is None:
                self._orphans += sum(row[11] is None for row in part)
            self._tally.add(kind, part, self._told)
            if kind.is_counted:
                self._hold_lines(part)
            if kind.is_inbound:
                self._count_hours(kind, part)
        self.callers.add(rows)

    def _hold_lines(self, rows: Sequence[KpiRow]) -> None:
        for row in rows:
            ended, held = row[5], row[7]
            if ended is not None and held is not None and held >= 0:
                self._begins.append(row[4])
                self._ends.append(ended)

    def _count_hours(self, kind: CallKind, rows: Sequence[KpiRow]) -> None:
        first, last = self._window.since // QUARTER_SECONDS, (self._window.until - 1) // QUARTER_SECONDS
        # A call of the period may have begun a moment before it: it stands in the first hour.
        quarters = Counter([row[4] // QUARTER_SECONDS for row in rows])
        name = "answered" if kind.is_answered else "missed" if kind.is_missed else "other"
        for quarter, calls in quarters.items():
            self._hours[name][min(max(quarter, first), last)] += calls

    def figures(self, stored: StoredCounts) -> Kpi:
        """Returns the figures of all calls that were taken."""
        tally, settings, window = self._tally, self._settings, self._window
        test = duration_test((tally,), settings)
        told = group_figures(tally, settings, test.verdict)
        noticed = NoticedCalls(
            duplicates=stored.duplicates,
            orphan_ends=stored.ends_without_id + self._orphans,
            results_without_call=stored.results_without_call,
            internal=tally.all("int"),
            anonymous=self.callers.hidden,
            clock_off=tally.clock_off,
            wait_unknown=wait_unknown(tally, test.verdict),
            open_out=tally.all("out") - tally.ended("out"),
            ring_group=self.callers.ring_group,
        )
        return Kpi(
            period=KpiPeriod(window.moment(window.since), window.moment(window.until)),
            settings=settings,
            duration_test=test,
            noticed=noticed,
            inbound=told.inbound,
            service_level=told.service_level,
            wait=told.wait,
            talk=told.talk,
            outbound=told.outbound,
            lines=line_figures(self._begins, self._ends, window, settings.loss_pct),
            callback=self.callers.callback(),
            repeated=self.callers.repeated(),
            agents=agents(tally, test.verdict),
            hours=self._hour_figures(),
        )

    def _hour_figures(self) -> tuple[HourFigures, ...]:
        by_hour: dict[str, Counter[str]] = defaultdict(Counter)
        for name, quarters in self._hours.items():
            for quarter, calls in quarters.items():
                by_hour[f"{self._window.moment(quarter * QUARTER_SECONDS):%H:00}"][name] += calls
        return tuple(
            HourFigures(hour, counts.total(), counts["answered"], counts["missed"])
            for hour, counts in sorted(by_hour.items())
        )


class KpiGroupCount:
    """Counts the calls of a period for the key figures of its groups."""

    def __init__(self, by: By, window: TimeWindow, told: Told, settings: KpiSettings) -> None:
        self._by, self._window, self._told, self._settings = by, window, told, settings
        self._tallies: dict[str, CallTally] = defaultdict(CallTally)

    def add(self, rows: Iterable[KpiRow]) -> None:
        """Takes calls in any order."""
        parts: dict[tuple[str | int | None, str | None, str | None], list[KpiRow]] = defaultdict(list)
        for row in rows:
            parts[row[3], row[0], row[1]].append(row)
        for (group, direction, status), part in parts.items():
            kind = CallKind(direction, status, None)
            if kind.is_counted:
                self._tallies[self._name(group)].add(kind, part, self._told)

    def _name(self, group: str | int | None) -> str:
        if isinstance(group, int):
            return f"{self._window.moment(group * QUARTER_SECONDS):{CLOCKS[self._by]}}"
        return NONE if group is None else group

    def figures(self) -> list[KpiGroup]:
        """Returns the groups: by time where they are times, else with the most calls first."""
        verdict = duration_test(self._tallies.values(), self._settings).verdict
        groups = []
        for name, tally in self._tallies.items():
            told = group_figures(tally, self._settings, verdict)
            groups.append(KpiGroup(name, told.inbound, told.service_level, told.wait, told.talk, told.outbound))
        if self._by in CLOCKS:
            return sorted(groups, key=lambda group: by_time(group.group))
        return sorted(groups, key=lambda group: (-group.calls, group.group))
