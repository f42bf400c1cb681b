"""Callers of a period: who was missed and called back, and who called repeatedly.

An episode begins with a missed call of a number that has none open, and ends with the number's next answered call.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from alovoice_cli.events.event import ANSWERED_STATUS, MISSED_STATUSES
from alovoice_cli.events.kpi import CallbackFigures, RepeatedCallers, percent, rounded
from alovoice_cli.events.kpi_tally import KpiRow, percentile
from alovoice_cli.events.missed import RING_GROUP_SECONDS, is_shown

REPEATED_HOURS = (24, 1)
_HOUR = 3600
_COUNTED = ("inc", "out")
_MISSED = frozenset(MISSED_STATUSES)
_DIGITS = frozenset("0123456789")
_LONGEST_GAP = max(REPEATED_HOURS) * _HOUR


@dataclass(slots=True)
class _Episode:
    missed_at: int
    first_try: int | None = None
    reached: int | None = None
    is_over: bool = False


class Callers:
    """Takes the calls of a period in the order of the store, then what the store knows beyond the period.

    `edges` are the moments (unix seconds) near which a ring group may have a part outside the period.
    """

    def __init__(self, edges: Collection[int]) -> None:
        self._edges = edges
        self._open: dict[str, _Episode] = {}
        self._episodes: list[tuple[str, _Episode]] = []
        self._last: dict[str, int] = {}  # when it called in last, doubled; 1 more where that was answered
        self._gaps: list[tuple[int, str, bool]] = []
        self._answered = 0
        self.hidden_missed = 0
        self.hidden = 0
        self.ring_group = 0
        self.uncertain: set[str] = set()
        """Numbers that called twice within the seconds of a ring group, or near an edge: judged by all their calls."""

    @property
    def open_numbers(self) -> list[str]:
        """Returns the numbers that wait for an answered call."""
        return [number for number in self._open if number not in self.uncertain]

    def add(self, rows: Iterable[KpiRow]) -> None:
        """Takes calls of the period."""
        waiting = self._open
        for row in rows:
            direction, status, number = row[0], row[1], row[9]
            if direction not in _COUNTED:
                continue
            if number is None or (number[:1] not in _DIGITS and not is_shown(number)):
                self.hidden += 1
                self.hidden_missed += direction == "inc" and status in _MISSED
                continue
            if direction == "inc":
                self._call_in(number, row)
            elif number in waiting:
                self._settle(number, row)

    def _call_in(self, number: str, row: KpiRow) -> None:
        began, is_answered = row[4], row[1] == ANSWERED_STATUS
        before = self._last.get(number)
        self._last[number] = 2 * began + is_answered
        if before is not None and began - before // 2 <= _LONGEST_GAP:
            self._repeat(number, began, before)
        if is_answered:
            self._answered += 1
            if number in self._open:
                self._settle(number, row)
        elif number not in self._open and row[1] in _MISSED:
            self._begin(number, row)

    def _repeat(self, number: str, began: int, before: int) -> None:
        gap = began - before // 2
        self._gaps.append((gap, number, before % 2 == 1))
        if abs(gap) <= RING_GROUP_SECONDS:
            self.uncertain.add(number)

    def follow(self, rows: Iterable[KpiRow]) -> None:
        """Takes later calls: they end episodes, and begin none."""
        for row in rows:
            if row[9] in self._open and row[0] in _COUNTED:
                self._settle(str(row[9]), row)

    def forget_uncertain(self) -> None:
        """Forgets the episodes of the uncertain numbers; `judge_again` makes them anew."""
        self._episodes = [(number, one) for number, one in self._episodes if number not in self.uncertain]
        for number in self.uncertain:
            self._open.pop(number, None)

    def judge_again(self, rows: Sequence[KpiRow]) -> None:
        """Takes all calls of uncertain numbers in the order of the store; `group` is 1 for those of the period."""
        answered: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
        for row in rows:
            if row[0] == "inc" and row[1] == ANSWERED_STATUS:
                answered[row[9], row[10]].append(row[4])
        for row in rows:
            if row[0] != "inc" or row[1] not in _MISSED:
                self.follow((row,))
            elif any(abs(row[4] - began) <= RING_GROUP_SECONDS for began in answered.get((row[9], row[10]), ())):
                self.ring_group += row[3] == 1
            elif row[3] == 1 and row[9] is not None and row[9] not in self._open:
                self._begin(row[9], row)

    def _begin(self, number: str, row: KpiRow) -> None:
        began, ended = row[4], row[5]
        episode = self._open[number] = _Episode(began if ended is None else ended)
        self._episodes.append((number, episode))
        if any(abs(began - edge) <= 2 * RING_GROUP_SECONDS for edge in self._edges):
            self.uncertain.add(number)

    def _settle(self, number: str, row: KpiRow) -> None:
        """Takes a call of a number that waits: a try, or the talk that ends the episode."""
        episode, is_outbound = self._open[number], row[0] == "out"
        delay = max(0, row[4] - episode.missed_at)
        if is_outbound and episode.first_try is None:
            episode.first_try = delay
        if row[1] == ANSWERED_STATUS:
            episode.is_over = True
            episode.reached = delay if is_outbound else None
            del self._open[number]

    def callback(self) -> CallbackFigures:
        """Returns the figures of the episodes."""
        episodes = [episode for _, episode in self._episodes]
        reached = [one.reached for one in episodes if one.reached is not None]
        tries = [one.first_try for one in episodes if one.first_try is not None]
        ended = sum(one.is_over for one in episodes)
        return CallbackFigures(
            episodes=len(episodes),
            called_back=len(reached),
            called_again=ended - len(reached),
            still_owed=len(episodes) - ended,
            still_owed_hidden=self.hidden_missed,
            tried=len(tries),
            first_try_p50_s=percentile(tries, 50),
            reached_mean_s=rounded(sum(reached), len(reached)),
            reached_p50_s=percentile(reached, 50),
            reached_p90_s=percentile(reached, 90),
            reached_max_s=max(reached, default=None),
        )

    def repeated(self) -> tuple[RepeatedCallers, ...]:
        """Returns the figures of repeated callers for each number of hours."""
        return tuple(self._repeated_within(hours) for hours in REPEATED_HOURS)

    def _repeated_within(self, hours: int) -> RepeatedCallers:
        within = [(number, was_answered) for gap, number, was_answered in self._gaps if gap <= hours * _HOUR]
        followed = sum(was_answered for _, was_answered in within)
        return RepeatedCallers(
            hours=hours,
            callers=len({number for number, _ in within}),
            calls=len(within),
            after_answered=followed,
            no_further_call_pct=percent(self._answered - followed, self._answered),
        )
