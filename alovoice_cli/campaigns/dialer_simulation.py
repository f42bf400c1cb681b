"""A simulated auto-dialler: which number rings when, on which line, and how the call ends.

Pure and seeded: the same plan, people and seed give the same day to the second. `dial` derives each person's behaviour
from the seed, the number and the attempt alone, so other settings (more lines, more tries) meet the same people.
`simulate` takes drawn rings, which is faster, for forecasts.
"""

import heapq
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

_MINUTE = timedelta(minutes=1)
_DRAWN_AT_ONCE = 4096
_CURVE_POINTS = 2048
_MOST_STEPS = 240


class DialStatus(StrEnum):
    """How an attempt ended, in Asterisk's words; the vendor's document (call results) lists no words."""

    ANSWER = "ANSWER"
    NO_ANSWER = "NOANSWER"
    BUSY = "BUSY"
    UNREACHABLE = "CHANUNAVAIL"


@dataclass(frozen=True, slots=True)
class DialPlan:
    """The values of `addAutorule`: days, daily window, lines, tries, and the talk time of a success.

    `closes` is the last minute of the window: the server answers `20:59` as `20:59:59`.
    """

    first: date
    last: date
    opens: time
    closes: time
    utc_offset: timedelta = timedelta(hours=5)
    lines: int = 1
    tries: int = 2
    goodtime: timedelta = timedelta(seconds=3)
    trunks: tuple[str, ...] = ()

    def windows(self, begins: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
        """Yields each day's window as its opening and the first moment after it, from `begins` (aware) on."""
        zone = timezone(self.utc_offset)
        for number in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=number)
            opens = datetime.combine(day, self.opens, zone)
            closes = datetime.combine(day, self.closes, zone) + _MINUTE
            if begins is not None and begins > opens:
                opens = begins.astimezone(zone)
            if opens < closes:
                yield opens, closes


@dataclass(frozen=True, slots=True)
class People:
    """How the called people behave. Times are in seconds; rates are between 0 and 1, and their sum is at most 1."""

    answer_rate: float = 0.62
    busy_rate: float = 0.12
    unreachable_rate: float = 0.06
    ring_seconds: tuple[int, int] = (4, 24)
    patience_seconds: int = 40
    talk_seconds: tuple[int, int] = (1, 60)
    pause_between_tries_seconds: int = 600
    line_gap_seconds: int = 2


class Ring(NamedTuple):
    """One person's answer to one ringing: seconds of ringing, and of talk, if the person answered."""

    dialstatus: DialStatus
    ring_seconds: int
    talk_seconds: int = 0


class DialAttempt(NamedTuple):
    """One ringing of one number: `recipient` is its place in the list from 0, `ordinal` counts the tries from 1."""

    recipient: int
    number: str
    ordinal: int
    line: int
    trunk: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    dialstatus: DialStatus
    successful: bool


def lot(seed: int, *keys: object) -> int:
    """Returns a number of 64 bits, from the seed and the keys alone: the same on every machine, in every order."""
    text = "\x1f".join(map(str, (seed, *keys)))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def ring(people: People, seed: int, *keys: object) -> Ring:
    """Returns the answer of the person that the keys name."""
    drawn = lot(seed, *keys)
    chance = (drawn & 0xFFFFFF) / 0x1000000
    if chance < people.answer_rate:
        return Ring(
            DialStatus.ANSWER, _within(people.ring_seconds, drawn >> 24), _within(people.talk_seconds, drawn >> 40)
        )
    chance -= people.answer_rate
    if chance < people.busy_rate:
        return Ring(DialStatus.BUSY, 1 + (drawn >> 24) % 3)
    if chance < people.busy_rate + people.unreachable_rate:
        return Ring(DialStatus.UNREACHABLE, 1 + (drawn >> 24) % 5)
    return Ring(DialStatus.NO_ANSWER, people.patience_seconds)


def _within(bounds: tuple[int, int], drawn: int) -> int:
    return bounds[0] + drawn % (bounds[1] - bounds[0] + 1)


def dial(
    recipients: Sequence[str],
    plan: DialPlan,
    *,
    seed: int,
    people: People | None = None,
    begins: datetime | None = None,
) -> Iterator[DialAttempt]:
    """Yields the attempts of a campaign by their start, until everyone is settled or the last window closes.

    Nothing is dialled before `begins` (aware), the campaign's creation.
    """
    behaviour = people or People()
    zone = timezone(plan.utc_offset)
    for start, line, recipient, ordinal, rung, is_good in _calls(recipients, plan, behaviour, seed, begins):
        answered = start + rung.ring_seconds if rung.dialstatus is DialStatus.ANSWER else None
        yield DialAttempt(
            recipient=recipient,
            number=recipients[recipient],
            ordinal=ordinal,
            line=line,
            trunk=plan.trunks[line % len(plan.trunks)] if plan.trunks else "",
            started_at=datetime.fromtimestamp(start, zone),
            answered_at=None if answered is None else datetime.fromtimestamp(answered, zone),
            ended_at=datetime.fromtimestamp(start + rung.ring_seconds + rung.talk_seconds, zone),
            dialstatus=rung.dialstatus,
            successful=is_good,
        )


def finishes_at(
    recipients: Sequence[str],
    plan: DialPlan,
    *,
    seed: int,
    people: People | None = None,
    begins: datetime | None = None,
) -> datetime | None:
    """Returns the end of the last call, or the close of the last window; None without any window left."""
    closes = max((closes for _, closes in plan.windows(begins)), default=None)
    if closes is None:
        return None
    settled, last_end = 0, 0.0
    for start, _, _, ordinal, rung, is_good in _calls(recipients, plan, people or People(), seed, begins):
        last_end = max(last_end, start + rung.ring_seconds + rung.talk_seconds)
        settled += is_good or ordinal == plan.tries
    return datetime.fromtimestamp(last_end, UTC) if settled and settled == len(recipients) else closes


def _calls(
    recipients: Sequence[str], plan: DialPlan, people: People, seed: int, begins: datetime | None
) -> Iterator[tuple[float, int, int, int, Ring, bool]]:
    """Returns the calls of a campaign whose people are derived from their numbers."""
    hours = [(opens.timestamp(), closes.timestamp()) for opens, closes in plan.windows(begins)]
    return _dialled(
        len(recipients),
        plan,
        people,
        plan.lines,
        hours,
        lambda recipient, ordinal: ring(people, seed, recipients[recipient], ordinal),
    )


def _dialled(
    count: int,
    plan: DialPlan,
    people: People,
    lines: int,
    hours: Sequence[tuple[float, float]],
    draw: Callable[[int, int], Ring],
) -> Iterator[tuple[float, int, int, int, Ring, bool]]:
    """Yields start (seconds), line, recipient, ordinal, the value of `draw(recipient, ordinal)`, and its success.

    The first free line takes the next call. New people go first; a second try waits for its pause, and then goes before
    a new person. A call that began before the window closes may end after the window.
    """
    good_seconds, gap, pause = (
        plan.goodtime.total_seconds(),
        people.line_gap_seconds,
        people.pause_between_tries_seconds,
    )
    pop, push, replace_top = heapq.heappop, heapq.heappush, heapq.heapreplace
    answer, tries = DialStatus.ANSWER, plan.tries
    windows = iter(hours)
    opens, closes = next(windows, (0.0, 0.0))
    free = [(opens, line) for line in range(lines)] if hours else []
    due: list[tuple[float, int, int]] = []
    fresh = 0
    while free and (due or fresh < count):
        start, line = free[0]
        if due and (due[0][0] <= start or fresh >= count):
            moment, recipient, ordinal = pop(due)
            start = max(start, moment)
        else:
            recipient, ordinal = fresh, 1
            fresh += 1
        while start >= closes:
            opens, closes = next(windows, (0.0, 0.0))
            if not closes:
                return
        start = max(start, opens)
        rung = draw(recipient, ordinal)
        end = start + rung.ring_seconds + rung.talk_seconds
        replace_top(free, (end + gap, line))
        is_good = rung.dialstatus is answer and rung.talk_seconds >= good_seconds
        if ordinal < tries and not is_good:
            push(due, (end + pause, recipient, ordinal + 1))
        yield start, line, recipient, ordinal, rung, is_good


class SimulatedRun(NamedTuple):
    """The result of one simulated campaign; times are seconds since the first window's opening.

    `finish` is the end of the last call; None where the windows close before every person was reached or tried often
    enough. `called` counts people rung at least once; `busy` and `talk` are seconds of all lines. `progress` holds the
    moments of every `stride`-th new person.
    """

    finish: float | None
    called: int
    reached: int
    attempts: int
    busy: float
    talk: int
    progress: tuple[float, ...]
    stride: int

    def called_by(self, seconds: float) -> int:
        """Returns how many people have been rung at least once by this moment."""
        return min(self.called, bisect_right(self.progress, seconds) * self.stride)


def simulate(
    count: int,
    plan: DialPlan,
    people: People,
    *,
    lines: int,
    hours: Sequence[tuple[float, float]],
    rings: Iterator[Ring],
) -> SimulatedRun:
    """Runs one campaign of `count` people. `hours` are the windows in seconds; the first window opens at 0.

    `rings` is endless, one for each call (`drawn_rings`).
    """
    stride = max(1, count // _CURVE_POINTS)
    called = reached = settled = attempts = talk = 0
    busy = 0.0
    last_end, tries, progress = 0.0, plan.tries, []
    for start, _, recipient, ordinal, rung, is_good in _dialled(
        count, plan, people, lines, hours, lambda *_: next(rings)
    ):
        attempts += 1
        end = start + rung.ring_seconds + rung.talk_seconds
        busy += end - start
        talk += rung.talk_seconds
        if end > last_end:
            last_end = end
        if ordinal == 1:
            called += 1
            if not recipient % stride:
                progress.append(start)
        if is_good:
            reached += 1
            settled += 1
        elif ordinal == tries:
            settled += 1
    return SimulatedRun(
        last_end if settled == count else None, called, reached, attempts, busy, talk, tuple(progress), stride
    )


def drawn_rings(people: People, generator: random.Random) -> Iterator[Ring]:
    """Yields endless ringings in the proportions of `people`, drawn many at once: share them between runs."""
    rings, limits = _ring_table(people)
    while True:
        yield from generator.choices(rings, cum_weights=limits, k=_DRAWN_AT_ONCE)


def _ring_table(people: People) -> tuple[Sequence[Ring], Sequence[float]]:
    """Returns each possible ringing of `people` and the running sums of their weights."""
    rings: list[Ring] = []
    weights: list[float] = []

    def add(rate: float, kinds: Sequence[Ring]) -> None:
        rings.extend(kinds)
        weights.extend([max(0.0, rate) / len(kinds)] * len(kinds))

    add(
        people.answer_rate,
        [
            Ring(DialStatus.ANSWER, ringing, talk)
            for ringing in _steps(people.ring_seconds)
            for talk in _steps(people.talk_seconds)
        ],
    )
    add(people.busy_rate, [Ring(DialStatus.BUSY, 1 + second) for second in range(3)])
    add(people.unreachable_rate, [Ring(DialStatus.UNREACHABLE, 1 + second) for second in range(5)])
    silent = 1 - people.answer_rate - people.busy_rate - people.unreachable_rate
    add(silent, [Ring(DialStatus.NO_ANSWER, people.patience_seconds)])
    return rings, list(accumulate(weights))


def _steps(bounds: tuple[int, int]) -> range:
    """Returns the seconds between the bounds; for a long span evenly spaced seconds with the same mean."""
    span = bounds[1] - bounds[0]
    step = 1 + span // _MOST_STEPS
    return range(bounds[0] + span % step // 2, bounds[1] + 1, step)
