"""When the next row may go: a rate, the hours of a window, and the pause that the PBX asked for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo

from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.errors import UsageError
from alovoice_cli.moments import DailyHours

_RATE = re.compile(r"(\d{1,6})\s*/\s*(s|sec|m|min|h|hour)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600}
_LONGEST_NAP = 30.0  # seconds: a wall clock that was set is noticed within it
_LINE_NAP = 1.0


def parse_rate(text: str) -> float:
    """Seconds from one row to the next, of `10/m`, `2/s` or `100/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(f"--rate {text!r} is no rate", hint="write it as 10/m, 2/s or 100/h")
    return _SECONDS[match[2]] / int(match[1])


def parse_window(text: str) -> DailyHours:
    """The hours of `--window`. Raises UsageError."""
    hours = DailyHours.parse(text)
    if hours is None:
        raise UsageError(f"--window {text!r} is no window", hint="write it as 10:00-19:00")
    if hours.begin == hours.end:
        raise UsageError(f"--window {text!r} begins when it ends", hint="write it as 10:00-19:00")
    return hours


class Gate:
    """Lets rows through one at a time. `wait(seconds)` sleeps and tells whether the batch was stopped meanwhile.

    `window` are hours to keep to, `quiet` hours to keep out of, both by the clock of `zone`; `told` hears why the batch
    sleeps. Rate and pause run by `clock`, which no setting of the wall clock moves. `has_line` is asked
    last, when all else is open: whether there is a line for the row, which then is the row's.
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
        has_line: Callable[[BatchRow], bool] = lambda row: True,
        zone: tzinfo = UTC,
    ) -> None:
        self._spacing, self._window, self._quiet = spacing, window, quiet
        self._clock, self._now, self._wait, self._told = clock, now, wait, told
        self._has_line = has_line
        self._next = self._paused_until = clock()
        self._zone, self._paused = zone, ""

    def enter(self, row: BatchRow) -> bool:
        """Waits until the row may go, which is the next; False where the batch was stopped first."""
        asleep = ""
        while True:
            seconds, why = self._closed_for(row)
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

    def _closed_for(self, row: BatchRow) -> tuple[float, str]:
        local, window, quiet = self._now().astimezone(self._zone), self._window, self._quiet
        if window is not None and not window.hold(local):
            why = f"outside the window {window}: waiting until {window.begin:%H:%M}"
            return _seconds_until(window.begin, local), why
        if quiet is not None and quiet.hold(local):
            why = f"in the quiet hours {quiet}: waiting until {quiet.end:%H:%M}"
            return _seconds_until(quiet.end, local), why
        paused = self._paused_until - self._clock()
        if paused > 0:
            return paused, self._paused
        early = self._next - self._clock()
        return (early, "") if early > 0 or self._has_line(row) else (_LINE_NAP, "")


def _seconds_until(border: time, local: datetime) -> float:
    """How long it is until that time of day comes next."""
    there = datetime.combine(local.date(), border, local.tzinfo)
    return ((there if there > local else there + timedelta(days=1)) - local).total_seconds()
