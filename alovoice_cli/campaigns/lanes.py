"""The dialler of `dialer.py`, many runs side by side: numpy takes one call of every run at a time.

A lane is one run with its own lines and luck. Lanes obey the same rules to the second: the line that is free first
takes the next call; a second try that is due goes before a new person; a call begun before the window closes is
finished after it. Only the people are drawn otherwise: by a generator, and not each from their number.

What makes the step small: a failed call is put into the queue when its line is free again, and not when it begins.
Lines become free in the order in which their calls end, and the pause between two tries is always the same, so the
queue is in order by itself. (A pause shorter than the gap between two calls of a line counts as that gap.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alovoice_cli.campaigns.dialer import DialPlan, People

MOST_LINES = 4095
_LINE_BITS = 12
_TRY_BITS = 7  # the sandbox takes up to 100 tries
_NEVER = np.int64(1 << 62)
_CHUNK = 256
_SAMPLES = 256

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Runs:
    """What each lane came to; times are seconds since the first window's opening.

    `finish` is the end of the last call, and -1 where the windows closed before everyone was settled: reached, or
    tried as often as asked. `called` are people rung at least once; `busy` and `talk` are seconds of all lines.
    `moments` and `progress` sample how many were called when: a row a sample, a column a lane.
    """

    finish: Array
    called: Array
    reached: Array
    attempts: Array
    busy: Array
    talk: Array
    moments: Array
    progress: Array


def run_lanes(
    count: int, plan: DialPlan, people: People, *, lines: Sequence[int], seed: int, hours: Sequence[tuple[int, int]]
) -> Runs:
    """Runs a lane for each number of `lines` (1 to 4095). `hours` are the windows in seconds, the first opens at 0."""
    lanes = _Lanes(count, plan, people, lines, seed, hours)
    expected = int(count * (1 + plan.tries) / 2)
    stride = max(1, expected // _SAMPLES)
    moments, progress, number = [], [], 0
    while lanes.any_left():
        lanes.prepare()
        for row in range(_CHUNK):
            start = lanes.step(row)
            if number % stride == 0:
                moments.append(start)
                progress.append(lanes.fresh.copy())
            number += 1
    moments.append(lanes.last_start)
    progress.append(lanes.fresh)
    return Runs(
        finish=np.where(lanes.settled == count, lanes.last_end, -1),
        called=lanes.fresh,
        reached=lanes.reached,
        attempts=lanes.attempts,
        busy=lanes.busy,
        talk=lanes.talk,
        moments=np.minimum(moments, lanes.last_start),  # a lane that has ended starts nothing any more
        progress=np.array(progress),
    )


class _Lanes:
    """The state of all lanes. `free` holds, a row a line, when it is free and its number in one integer, so that the
    smallest is both the line and the moment."""

    def __init__(
        self,
        count: int,
        plan: DialPlan,
        people: People,
        lines: Sequence[int],
        seed: int,
        hours: Sequence[tuple[int, int]],
    ) -> None:
        width, most = len(lines), max(lines)
        self._count, self._plan, self._people = count, plan, people
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._column = np.arange(width)
        number = np.arange(most, dtype=np.int64)[:, None]
        self._free = np.where(number < np.asarray(lines)[None, :], number, _NEVER)
        self._next_try = np.zeros((most, width), np.int64)
        self._queue = np.zeros((2 * _CHUNK, width), np.int64)
        self._head, self._tail = np.zeros(width, np.int64), np.zeros(width, np.int64)
        self._opens = np.array([opens for opens, _ in hours] + [_NEVER], np.int64)
        self._closes = np.array([closes for _, closes in hours], np.int64)
        self._opening, self._closing = np.full(width, self._opens[0]), np.full(width, self._closes[0])
        self.fresh, self.settled, self.reached, self.attempts = (np.zeros(width, np.int64) for _ in range(4))
        self.busy, self.talk, self.last_start, self.last_end = (np.zeros(width, np.int64) for _ in range(4))

    def any_left(self) -> bool:
        """Whether a line of any lane may still place a call."""
        return bool((self._free != _NEVER).any())

    def prepare(self) -> None:
        """Draws the people of the next steps, and makes room in the queue for their second tries."""
        self._draw()
        waiting = self._tail - self._head
        if waiting.max() + _CHUNK >= len(self._queue):
            longest = int(waiting.max())
            rows = (self._head[None, :] + np.arange(longest)[:, None]) % len(self._queue)
            kept = self._queue[rows, self._column]
            self._queue = np.zeros((2 * len(self._queue), len(self._column)), np.int64)
            self._queue[:longest] = kept
            self._head, self._tail = np.zeros_like(waiting), waiting

    def _draw(self) -> None:
        people, shape = self._people, (_CHUNK, len(self._column))
        chance = self._random.random(shape)
        ringing = self._random.integers(*people.ring_seconds, size=shape, endpoint=True)
        talk = self._random.integers(*people.talk_seconds, size=shape, endpoint=True)
        short = self._random.integers(0, 15, size=shape)
        busy_below = people.answer_rate + people.busy_rate
        answered = chance < people.answer_rate
        ringing = np.where(answered, ringing, people.patience_seconds)
        ringing = np.where(~answered & (chance < busy_below), 1 + short % 3, ringing)
        gone = (chance >= busy_below) & (chance < busy_below + people.unreachable_rate)
        ringing = np.where(gone, 1 + short % 5, ringing)
        self._talks = np.where(answered, talk, 0)
        self._lengths = ringing + self._talks
        self._goods = answered & (talk >= self._plan.goodtime.total_seconds())

    def step(self, row: int) -> Array:
        """One call in each lane that has one to place; gives the moments at which they start."""
        first = self._free.min(axis=0)
        line, moment = first & MOST_LINES, first >> _LINE_BITS
        works, retries, ordinal, start = self._choose(first != _NEVER, line, moment)
        length, good = self._lengths[row], self._goods[row]
        end = start + length
        last_try = ordinal >= self._plan.tries
        self._next_try[line, self._column] = np.where(works & ~good & ~last_try, ordinal + 1, 0)
        free = (end + self._people.line_gap_seconds) << _LINE_BITS | line
        self._free[line, self._column] = np.where(works, free, _NEVER)
        self._head += works & retries
        self.fresh += works & ~retries
        np.maximum(self.last_start, works * start, out=self.last_start)
        self._account(works, good, last_try, row, end)
        return start

    def _choose(self, alive: Array, line: Array, moment: Array) -> tuple[Array, Array, Array, Array]:
        """Whether the free line works, whether for a second try, which try it is, and when it starts."""
        again = self._next_try[line, self._column]
        size, people = len(self._queue) - 1, self._people
        pause = max(0, people.pause_between_tries_seconds - people.line_gap_seconds)
        self._queue[self._tail & size, self._column] = (moment + pause) << _TRY_BITS | again
        self._tail += again > 0
        waits = self._queue[self._head & size, self._column]
        due, exhausted = waits >> _TRY_BITS, self.fresh >= self._count
        retries = (self._tail > self._head) & ((due <= moment) | exhausted)
        start = self._in_window(np.where(retries, np.maximum(moment, due), moment))
        works = alive & (retries | ~exhausted) & (start < _NEVER)
        return works, retries, np.where(retries, waits & ((1 << _TRY_BITS) - 1), 1), start

    def _in_window(self, start: Array) -> Array:
        """The first moment from `start` on that lies in a window; NEVER behind the last. A window passes for good."""
        if (start >= self._closing).any():
            place = np.searchsorted(self._closes, start, side="right")
            self._opening = self._opens[place]
            self._closing = self._closes[np.minimum(place, len(self._closes) - 1)]
        shifted: Array = np.maximum(start, self._opening)
        return shifted

    def _account(self, works: Array, good: Array, last_try: Array, row: int, end: Array) -> None:
        self.settled += works & (good | last_try)
        self.reached += works & good
        self.attempts += works
        self.busy += works * self._lengths[row]
        self.talk += works * self._talks[row]
        np.maximum(self.last_end, works * end, out=self.last_end)
