"""A simulated auto-dialler: which number is rung when, on which line, and how it ends.

Pure and seeded: the same plan, people and seed give the same day to the second. Each person's behaviour is drawn from
the seed, the person's number and the count of the attempt alone, so that other settings (more lines, more tries) meet
the same people.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from hashlib import blake2b

_MINUTE = timedelta(minutes=1)


class DialStatus(StrEnum):
    """How an attempt ended, in Asterisk's words; the vendor's document (call results) does not list its own."""

    ANSWER = "ANSWER"
    NO_ANSWER = "NOANSWER"
    BUSY = "BUSY"
    UNREACHABLE = "CHANUNAVAIL"


@dataclass(frozen=True, slots=True)
class DialPlan:
    """What `addAutorule` fixes: the days, the daily window, lines, tries and the talk that counts as a success.

    `closes` names a minute that still belongs to the window: the server answers `20:59` as `20:59:59`.
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
        """Each day's window as opening and first moment after it; `begins` (aware) cuts off what lies before it."""
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
    """How the people who are rung behave; times in seconds, rates between 0 and 1, adding up to at most 1."""

    answer_rate: float = 0.62
    busy_rate: float = 0.12
    unreachable_rate: float = 0.06
    ring_seconds: tuple[int, int] = (4, 24)
    patience_seconds: int = 40
    talk_seconds: tuple[int, int] = (1, 60)
    pause_between_tries_seconds: int = 600
    line_gap_seconds: int = 2


@dataclass(frozen=True, slots=True)
class Ring:
    """One person's answer to one ringing: seconds of ringing, and of talk, if there was any."""

    dialstatus: DialStatus
    ring_seconds: int
    talk_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
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
    """A number of 64 bits, drawn by the seed and the keys alone: the same on every machine and in every order."""
    text = "\x1f".join(map(str, (seed, *keys)))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def ring(people: People, seed: int, *keys: object) -> Ring:
    """What happens when the person that the keys name is rung."""
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
) -> Iterator[Attempt]:
    """The attempts of a campaign, ordered by their start; ends when everyone is settled or the last window closes.

    `begins` (aware) is the moment before which nothing is dialled, even inside a window: the campaign's making.
    """
    behaviour = people or People()
    zone = timezone(plan.utc_offset)
    for start, line, recipient, ordinal, rung in _calls(recipients, plan, behaviour, seed, begins):
        answered = start + rung.ring_seconds if rung.dialstatus is DialStatus.ANSWER else None
        yield Attempt(
            recipient=recipient,
            number=recipients[recipient],
            ordinal=ordinal,
            line=line,
            trunk=plan.trunks[line % len(plan.trunks)] if plan.trunks else "",
            started_at=datetime.fromtimestamp(start, zone),
            answered_at=None if answered is None else datetime.fromtimestamp(answered, zone),
            ended_at=datetime.fromtimestamp(start + rung.ring_seconds + rung.talk_seconds, zone),
            dialstatus=rung.dialstatus,
            successful=_is_good(rung, plan),
        )


def finishes_at(
    recipients: Sequence[str],
    plan: DialPlan,
    *,
    seed: int,
    people: People | None = None,
    begins: datetime | None = None,
) -> datetime | None:
    """When a campaign is done: its last call's end, or the close of its last window; None without any window left."""
    closes = max((closes for _, closes in plan.windows(begins)), default=None)
    if closes is None:
        return None
    settled, last_end = 0, 0.0
    for start, _, _, ordinal, rung in _calls(recipients, plan, people or People(), seed, begins):
        last_end = max(last_end, start + rung.ring_seconds + rung.talk_seconds)
        settled += ordinal == plan.tries or _is_good(rung, plan)
    return datetime.fromtimestamp(last_end, UTC) if settled and settled == len(recipients) else closes


def _is_good(rung: Ring, plan: DialPlan) -> bool:
    return rung.dialstatus is DialStatus.ANSWER and rung.talk_seconds >= plan.goodtime.total_seconds()


def _calls(
    recipients: Sequence[str], plan: DialPlan, people: People, seed: int, begins: datetime | None
) -> Iterator[tuple[float, int, int, int, Ring]]:
    """Start (unix seconds), line, recipient, ordinal and what happened: 100,000 recipients take about half a second."""
    hours = [(opens.timestamp(), closes.timestamp()) for opens, closes in plan.windows(begins)]
    free = [(hours[0][0], line) for line in range(plan.lines)] if hours else []
    due: list[tuple[float, int, int]] = []
    fresh, count = 0, len(recipients)
    while hours and (due or fresh < count):
        moment, line = heapq.heappop(free)
        # New people go first; a second try waits for its pause, and takes the next free line after it.
        is_retry = bool(due) and (due[0][0] <= moment or fresh >= count)
        start = _next_open(hours, max(moment, due[0][0]) if is_retry else moment)
        if start is None:
            return
        recipient, ordinal = heapq.heappop(due)[1:] if is_retry else (fresh, 1)
        fresh += not is_retry
        rung = ring(people, seed, recipients[recipient], ordinal)
        end = start + rung.ring_seconds + rung.talk_seconds
        heapq.heappush(free, (end + people.line_gap_seconds, line))
        if ordinal < plan.tries and not _is_good(rung, plan):
            heapq.heappush(due, (end + people.pause_between_tries_seconds, recipient, ordinal + 1))
        yield start, line, recipient, ordinal, rung


def _next_open(hours: list[tuple[float, float]], moment: float) -> float | None:
    """The first moment from `moment` on that lies in a window; drops the windows that have closed before it."""
    while hours and hours[0][1] <= moment:
        hours.pop(0)
    return max(moment, hours[0][0]) if hours else None
