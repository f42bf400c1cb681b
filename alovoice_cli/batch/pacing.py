"""When the next row may go: a rate, the hours of a window, and the pause that the PBX asked for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from alovoice_cli.batch.steps import Step
from alovoice_cli.errors import UsageError

_RATE = re.compile(r"(\d{1,6})\s*/\s*(s|sec|m|min|h|hour)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600}
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)")
_LONGEST_NAP = 30.0  # seconds: a wall clock that was set is noticed within it
_LINE_NAP = 1.0


def parse_rate(text: str) -> float:
    """Seconds from one row to the next, of `10/m`, `2/s` or `100/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(f"--rate {text!r} is no rate", hint="write it as 10/m, 2/s or 100/h")
    return _SECONDS[match[2]] / int(match[1])


@dataclass(frozen=True, slots=True)
class Hours:
    """The minutes of a day from `begin` until before `end`, perhaps over midnight, in one zone."""

    begin: time
    end: time
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo, option: str = "--window") -> "Hours":
        """`10:00-19:00`. Raises UsageError."""
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"{option} {text!r} is no window", hint="write it as 10:00-19:00")
        begin, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
        if begin == end:
            raise UsageError(f"{option} {text!r} begins when it ends", hint="write it as 10:00-19:00")
        return cls(begin, end, zone)

    def holds(self, now: datetime) -> bool:
        """Whether the aware moment lies in it."""
        minute = now.astimezone(self.zone).time().replace(tzinfo=None)
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def until(self, border: time, now: datetime) -> timedelta:
        """How long it is until that time of day comes next."""
        local = now.astimezone(self.zone)
        there = datetime.combine(local.date(), border, self.zone)
        return (there if there > local else there + timedelta(days=1)) - local

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


class Gate:
    """Lets rows through one at a time. `wait(seconds)` sleeps and tells whether the batch was stopped meanwhile.

    `window` are hours to keep to, `quiet` hours to keep out of; `told` hears why the batch sleeps. Rate and pause run
    by `clock`, which no setting of the wall clock moves; the end of a pause is told in `zone`. `has_line` is asked
    last, when all else is open: whether there is a line for the row, which then is the row's.
    """

    def __init__(
        self,
        *,
        spacing: float = 0.0,
        window: Hours | None = None,
        quiet: Hours | None = None,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        wait: Callable[[float], bool],
        told: Callable[[str], None],
        has_line: Callable[[Step], bool] = lambda step: True,
        zone: tzinfo = UTC,
    ) -> None:
        self._spacing, self._window, self._quiet = spacing, window, quiet
        self._clock, self._now, self._wait, self._told = clock, now, wait, told
        self._has_line = has_line
        self._next = self._paused_until = clock()
        self._zone, self._paused = zone, ""

    def enter(self, step: Step) -> bool:
        """Waits until the row may go, which is the next; False where the batch was stopped first."""
        asleep = ""
        while True:
            seconds, why = self._closed_for(step)
            if seconds <= 0:
                self._next = max(self._next + self._spacing, self._clock() + self._spacing)
                return True
            if why and why != asleep:
                self._told(why)
                asleep = why
            if self._wait(min(seconds, _LONGEST_NAP)):
                return False

    def pause(self, seconds: float) -> None:
        """Nothing goes for so long."""
        until = self._clock() + seconds
        if until > self._paused_until:
            # Rounded up: who looks at the clock then finds the batch at work.
            end = (self._now() + timedelta(seconds=seconds + 0.999)).astimezone(self._zone)
            self._paused = f"the PBX takes no more for now (429): waiting until {end:%H:%M:%S} ({self._zone})"
            self._paused_until = until

    def _closed_for(self, step: Step) -> tuple[float, str]:
        now = self._now()
        if self._window is not None and not self._window.holds(now):
            left = self._window.until(self._window.begin, now)
            return left.total_seconds(), f"outside the window {self._window}: waiting until {self._window.begin:%H:%M}"
        if self._quiet is not None and self._quiet.holds(now):
            left = self._quiet.until(self._quiet.end, now)
            return left.total_seconds(), f"in the quiet hours {self._quiet}: waiting until {self._quiet.end:%H:%M}"
        paused = self._paused_until - self._clock()
        if paused > 0:
            return paused, self._paused
        early = self._next - self._clock()
        return (early, "") if early > 0 or self._has_line(step) else (_LINE_NAP, "")
