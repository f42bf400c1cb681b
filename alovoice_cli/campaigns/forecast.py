"""Forecasts a campaign: simulates its dialling many times before anybody is called.

A seeded Monte Carlo on the dialler of `dialer_simulation.py`. The vendor documents neither the real dialler's pace nor
its pause between two tries: the values in `People` are assumptions, and every forecast shows them.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from alovoice_cli.campaigns.campaign_record import plan_from_form
from alovoice_cli.campaigns.dialer_simulation import DialPlan, People, SimulatedRun, drawn_rings, simulate
from alovoice_cli.campaigns.draft import CampaignDraft
from alovoice_cli.campaigns.options import ForecastOptions
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

MOST_RUNS, FEWEST_RUNS = 200, 10
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9

_MOST_RUNS_A_CANDIDATE, _FEWEST_RUNS_A_CANDIDATE = 20, 2
_CALLS = 800_000
"""The approximate number of calls to simulate: 10 runs for 100,000 people. Runs with many people differ less."""
ENOUGH = 0.9
"""The share of runs that must finish before a number of lines counts as enough."""
_MOST_CANDIDATE = 500
_MOST_POINTS = 16
_PEOPLE = People()
_SHARE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]+)?)\s*(%?)")


@dataclass(frozen=True, slots=True)
class Point:
    """The share of the list that has been rung by a moment: in a slow, a middle and a quick run (0 to 1)."""

    moment: datetime
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The result of the runs. Shares are between 0 and 1; times are aware, in the campaign's zone.

    `finish` holds P10, P50 and P90 of the last call's end, None where so many runs do not finish. A campaign is
    finished when everyone was reached, or tried often enough. The other figures are of the middle run.
    """

    count: int
    plan: DialPlan
    people: People
    runs: int
    seed: int
    begins: datetime
    closes: datetime
    finish: tuple[datetime | None, datetime | None, datetime | None]
    finishing: float
    """The share of runs that finish before the last window closes."""
    called: float
    """The share of the list that is rung at least once by the end."""
    reached: float
    """The share of the list with a successful call (a long enough talk)."""
    calls: int
    calls_an_hour: float
    line_minutes: float
    """The minutes of ringing and talk, of all lines together."""
    talk_minutes: float
    lines_needed: int | None
    """The number of lines with which nine runs of ten finish in time; None where no number is enough."""
    curve: tuple[Point, ...]

    @property
    def finishes(self) -> bool:
        """Returns whether at least half of the runs finish in time."""
        return self.finish[1] is not None

    def cost(self, tariff: float) -> float:
        """Returns the cost of the talk at a price a minute, billed by the second; ringing is free."""
        return self.talk_minutes * tariff


def assume(answer_rate: float | None = None, seconds_a_call: float | None = None) -> People:
    """Returns people with this answer rate (0 to 1) and average talk; the other outcomes keep their proportions."""
    people = _PEOPLE
    if answer_rate is not None:
        others = (1 - answer_rate) / (1 - people.answer_rate)
        people = replace(
            people,
            answer_rate=answer_rate,
            busy_rate=people.busy_rate * others,
            unreachable_rate=people.unreachable_rate * others,
        )
    if seconds_a_call is not None:
        half = max(1, round(seconds_a_call))
        people = replace(people, talk_seconds=(1, 2 * half - 1))
    return people


def forecast(
    recipients: int | Sized,
    plan: DialPlan,
    people: People = _PEOPLE,
    *,
    begins: datetime | None = None,
    runs: int | None = None,
    seed: int = 1,
) -> Forecast | None:
    """Simulates the campaign `runs` times (200, fewer for long lists); None without windows, or without people.

    Nothing is dialled before `begins` (aware). The same arguments give the same forecast.
    """
    count = recipients if isinstance(recipients, int) else len(recipients)
    windows = list(plan.windows(begins))
    if not windows or not count:
        return None
    base = windows[0][0].timestamp()
    hours = [(round(opens.timestamp() - base), round(closes.timestamp() - base)) for opens, closes in windows]
    candidates = _candidates(_work(count, plan, people), hours)
    rings = drawn_rings(people, Random(seed))  # noqa: S311 - a simulation: nothing secret is drawn

    def run(lines: int) -> SimulatedRun:
        return simulate(count, plan, people, lines=lines, hours=hours, rings=rings)

    runs = runs or max(FEWEST_RUNS, min(_CALLS // (count * plan.tries), MOST_RUNS))
    tried = max(_FEWEST_RUNS_A_CANDIDATE, min(runs // 7, _MOST_RUNS_A_CANDIDATE))
    summary = _Summary(
        [run(plan.lines) for _ in range(runs)],
        {lines: [run(lines) for _ in range(tried)] for lines in candidates},
        windows,
    )
    return Forecast(
        count=count,
        plan=plan,
        people=people,
        runs=runs,
        seed=seed,
        begins=windows[0][0],
        closes=windows[-1][1],
        finish=(summary.finish(LOW), summary.finish(MIDDLE), summary.finish(HIGH)),
        finishing=summary.finishing,
        called=summary.middle("called") / count,
        reached=summary.middle("reached") / count,
        calls=summary.middle("attempts"),
        calls_an_hour=summary.middle("attempts") / (summary.open_seconds / 3600),
        line_minutes=summary.middle("busy") / 60,
        talk_minutes=summary.middle("talk") / 60,
        lines_needed=summary.lines_needed(plan.lines),
        curve=tuple(summary.curve(count)),
    )


def _work(count: int, plan: DialPlan, people: People) -> float:
    """Returns the average busy seconds of lines, for all tries of all people."""
    lowest, highest = people.talk_seconds
    long_enough = sum(second >= plan.goodtime.total_seconds() for second in range(lowest, highest + 1))
    good = people.answer_rate * long_enough / (highest - lowest + 1)
    tries = plan.tries if good == 0 else (1 - (1 - good) ** plan.tries) / good
    silent = 1 - people.answer_rate - people.busy_rate - people.unreachable_rate
    length = people.answer_rate * (sum(people.ring_seconds) + lowest + highest) / 2
    length += people.busy_rate * 2 + people.unreachable_rate * 3 + silent * people.patience_seconds
    return count * tries * (length + people.line_gap_seconds)


def _candidates(work: float, hours: Sequence[tuple[int, int]]) -> list[int]:
    """Returns the numbers of lines to simulate: around the need of the average work, and one ample number."""
    needed = math.ceil(work / sum(closes - opens for opens, closes in hours))
    ample = needed + needed // 4 + 3
    near = (line for line in range(needed - 1, needed + 3) if line >= 1)
    return sorted({*near, ample}) if ample <= _MOST_CANDIDATE else []


@dataclass(frozen=True, slots=True)
class _Summary:
    """The figures of the plan's runs, and of the runs with each candidate number of lines."""

    runs: Sequence[SimulatedRun]
    candidates: Mapping[int, Sequence[SimulatedRun]]
    windows: Sequence[tuple[datetime, datetime]]

    def middle(self, figure: str) -> int:
        """Returns this figure of the middle run."""
        return int(_at(sorted(getattr(run, figure) for run in self.runs), MIDDLE))

    def finish(self, share: float) -> datetime | None:
        """Returns the end of the last call in the run at this place, the quickest first; None if it does not finish."""
        seconds = _at(sorted(math.inf if run.finish is None else run.finish for run in self.runs), share)
        return None if math.isinf(seconds) else self.windows[0][0] + timedelta(seconds=seconds)

    @property
    def finishing(self) -> float:
        """Returns the share of the plan's runs that finish."""
        return _finishing(self.runs)

    @property
    def open_seconds(self) -> float:
        """Returns the seconds of open windows until the middle run ends."""
        until = self.finish(MIDDLE) or self.windows[-1][1]
        spans = ((min(closes, until) - opens).total_seconds() for opens, closes in self.windows)
        return max(1.0, sum(span for span in spans if span > 0))

    def lines_needed(self, planned: int) -> int | None:
        """See Forecast."""
        enough = self.finishing >= ENOUGH
        for lines, runs in self.candidates.items():
            if _finishing(runs) >= ENOUGH and (enough or lines > planned):
                return min(lines, planned) if enough else lines
        return planned if enough else None

    def curve(self, count: int) -> Iterator[Point]:
        """Returns the share called at each window's close, or at each hour of a campaign within its first window."""
        begins, done = self.windows[0][0], self.finish(HIGH) or self.windows[-1][1]
        for moment in _moments([window for window in self.windows if window[0] < done]):
            seconds = (moment - begins).total_seconds()
            called = sorted(run.called_by(seconds) for run in self.runs)
            low, middle, high = (_at(called, share) / count for share in (LOW, MIDDLE, HIGH))
            yield Point(moment, low, middle, high)
            if low == 1:
                return


def _finishing(runs: Sequence[SimulatedRun]) -> float:
    return sum(run.finish is not None for run in runs) / len(runs)


def _moments(windows: Sequence[tuple[datetime, datetime]]) -> Sequence[datetime]:
    if len(windows) > 1:
        moments = [closes for _, closes in windows]
        every = -(-len(moments) // _MOST_POINTS)
        return moments[every - 1 :: every]
    ((opens, closes),) = windows
    hour = opens.replace(minute=0, second=0, microsecond=0)
    hours = (hour + timedelta(hours=number) for number in range(1, 26))
    return [*(moment for moment in hours if moment < closes), closes]


def _at(ordered: Sequence[Any], share: float) -> Any:
    """Returns the value at this quantile of an ordered list, always a member: P10 of 200 is the 20th."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def forecast_campaign(draft: CampaignDraft, people: int, options: ForecastOptions, now: datetime) -> Forecast | None:
    """Returns the forecast of a draft with this many people from `now` (aware) on; None without anything to dial.

    Raises UsageError for an answer rate outside 0 to 1.
    """
    rate = None if options.answer_rate is None else parse_share(options.answer_rate)
    plan = plan_from_form(draft.to_wire())
    if plan is None:
        return None
    return forecast(people, plan, assume(rate, options.seconds_per_call), begins=now, seed=options.seed)


def parse_share(text: str) -> float:
    """Returns a share from 0 to 1, written `0.4` or `40%`. Raises UsageError for other text."""
    match = _SHARE.fullmatch(text.strip())
    share = -1.0 if match is None else float(match.group(1).replace(",", ".")) / (100 if match.group(2) else 1)
    if not 0 <= share <= 1:
        message = tr("--answer-rate {share!r} is not a share", share=text)
        raise UsageError(message, hint=tr("give 0.4 or 40%"))
    return share
