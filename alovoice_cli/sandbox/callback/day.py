"""The callers of a day, and the course of each call: who rings, how long, and the final status code (section 6)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from alovoice_cli.campaigns.dialer_simulation import DialStatus, People, lot, ring
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.routing.step import RouteStep

ANSWERED, MISSED, BUSY, UNAVAILABLE, DECLINED, CANCELLED = "200", "304", "486", "480", "603", "603-S"
UNDEFINED = "OTHER"

_PEOPLE = People()
_ANSWER_IN_100 = 78
_TALK_SECONDS = (12, 300)
# Reasons why a colleague does not answer, with percentages and ringing times.
_REFUSALS = (
    (MISSED, 52, (30, 45)),
    (CANCELLED, 22, (5, 25)),
    (UNAVAILABLE, 9, (1, 2)),
    (BUSY, 9, (1, 3)),
    (DECLINED, 8, (3, 12)),
)
_OUTSIDE_CODES: Mapping[str, tuple[str, ...]] = {
    DialStatus.ANSWER: (ANSWERED,),
    DialStatus.NO_ANSWER: (UNAVAILABLE, UNAVAILABLE, CANCELLED),
    DialStatus.BUSY: (BUSY, BUSY, DECLINED),
    DialStatus.UNREACHABLE: ("404", "503", "484"),
}


@dataclass(frozen=True, slots=True)
class Ringing:
    """One ringing and its result, in seconds."""

    status_code: str
    ring_seconds: int
    talk_seconds: int = 0


def ring_colleague(seed: int, *keys: object) -> Ringing:
    """Returns how the ringing of a free extension goes, while a caller waits."""
    drawn = lot(seed, "colleague", *keys)
    if drawn % 100 < _ANSWER_IN_100:
        return Ringing(ANSWERED, _within((2, 20), drawn >> 8), talk(drawn >> 24))
    chance = (drawn >> 40) % 100
    for status_code, share, bounds in _REFUSALS:
        if chance < share:
            return Ringing(status_code, _within(bounds, drawn >> 8))
        chance -= share
    raise AssertionError("the shares add up to 100")


def ring_outside(seed: int, *keys: object) -> Ringing:
    """Rings an outside person, who behaves as in a campaign."""
    rung = ring(_PEOPLE, seed, "outside", *keys)
    return Ringing(outside_code(seed, str(rung.dialstatus), *keys), rung.ring_seconds, rung.talk_seconds)


def outside_code(seed: int, dialstatus: str, *keys: object) -> str:
    """Returns the status code of a call out with this end."""
    codes = _OUTSIDE_CODES[dialstatus]
    return codes[lot(seed, "code", *keys) % len(codes)]


def talk(drawn: int) -> int:
    """Returns seconds of talk: short talks are common, long ones rare."""
    shortest, longest = _TALK_SECONDS
    share = (drawn & 0xFFFF) / 0x10000
    return shortest + round((longest - shortest) * share**3)


def _within(bounds: tuple[int, int], drawn: int) -> int:
    return bounds[0] + (drawn & 0xFFFF) % (bounds[1] - bounds[0] + 1)


class Staff:
    """The active extensions, with the end of each one's talk."""

    def __init__(self, peers: Sequence[Mapping[str, object]], seed: int) -> None:
        self._all = {str(peer["number"]) for peer in peers}
        self._on = sorted(str(peer["number"]) for peer in peers if peer["status"] == "on" and not peer.get("dnd"))
        self._busy: dict[str, int] = {}
        self._seed = seed

    def knows(self, number: str) -> bool:
        """Returns whether this is an extension of the PBX."""
        return number in self._all

    def free(self, at: int, *keys: object, besides: str = "") -> str | None:
        """Returns an extension that can answer at this moment, chosen by the keys; None if all are talking."""
        able = [number for number in self._on if number != besides and self._busy.get(number, 0) <= at]
        return able[lot(self._seed, "staff", *keys) % len(able)] if able else None

    def obstacle(self, number: str, at: int) -> str:
        """Returns the status code of a call to this extension at this moment; '' if it rings."""
        if number not in self._on:
            return UNAVAILABLE
        return BUSY if self._busy.get(number, 0) > at else ""

    def occupy(self, number: str, until: int) -> None:
        """Marks the extension as talking until then."""
        if number in self._all:
            self._busy[number] = max(until, self._busy.get(number, 0))


_WAITING_SECONDS = (20, 60)
_SOUND_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Way:
    """The party that is rung, and the result. `inner_phone` is callstart's value: an extension, a menu, or 0."""

    went_to: str
    inner_phone: int
    ringing: Ringing
    is_over: bool = False


class Ways:
    """Chooses the way of a call by its mark; the person who answers is busy until its end."""

    def __init__(self, staff: Staff, seed: int) -> None:
        self._staff, self._seed = staff, seed

    def by_step(self, step: RouteStep | None, mark: str, at: int) -> Way:
        """Returns the way of a call with this step at this moment; a call without a valid step is over."""
        if step is None:
            return Way("", 0, Ringing(UNDEFINED, 0), is_over=True)
        argument = step.action_data or ""
        match step.action_type:
            case "peer":
                return self._to_extension(argument, mark, at)
            case "queue":
                return self._to_queue(argument, mark, at)
            case "ivr":
                listening = 5 + talk(lot(self._seed, "menu", mark)) // 5
                return Way(f"ivr {argument}", int(argument), Ringing(ANSWERED, 1, listening))
            case "trunk":
                return Way(argument, 0, ring_outside(self._seed, argument, mark))
            case _:
                return Way("", 0, Ringing(DECLINED, _SOUND_SECONDS if argument else 0), is_over=True)

    def by_number(self, number: str, mark: str, at: int) -> Way:
        """Returns the way of a call to this number: an extension, or an outside person."""
        if self._staff.knows(number):
            return self._to_extension(number, mark, at)
        return Way(number, 0, ring_outside(self._seed, number, mark))

    def _to_extension(self, number: str, mark: str, at: int) -> Way:
        obstacle = self._staff.obstacle(number, at)
        ringing = Ringing(obstacle, 1) if obstacle else ring_colleague(self._seed, number, mark)
        return self._taken(number, ringing, at)

    def _to_queue(self, queue: str, mark: str, at: int) -> Way:
        number = self._staff.free(at, mark)
        if number is None:
            shortest, longest = _WAITING_SECONDS
            waited = shortest + lot(self._seed, "waiting", mark) % (longest - shortest)
            return Way(f"queue {queue}", int(queue), Ringing(MISSED, waited))
        return self._taken(number, ring_colleague(self._seed, number, mark), at)

    def _taken(self, number: str, ringing: Ringing, at: int) -> Way:
        if ringing.talk_seconds:
            self._staff.occupy(number, at + ringing.ring_seconds + ringing.talk_seconds)
        return Way(number, int(number), ringing)


ZONE = timezone(timedelta(hours=5))
"""Tashkent, the simulated customer's zone, without summer time."""
DAY_RATE = 40.0
"""The default of `--inbound`: inbound calls in a full hour of a day."""
MOST_AN_HOUR = 1000.0

_RATE = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)/h", re.ASCII)
_NIGHT = (0.03, 0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15)
_WORK = (0.45, 0.9, 1.15, 1.2, 0.95, 0.75, 0.95, 1.1, 1.1, 0.85)
_EVENING = (0.5, 0.35, 0.25, 0.15, 0.1, 0.05)
_BUSYNESS = (*_NIGHT, *_WORK, *_EVENING)
_DAY_SHARES = {"inbound": 1.0, "outbound": 0.22, "internal": 0.12, "conference": 0.08}
_ONLY_INBOUND = {"inbound": 1.0}
_REGULARS, _REGULAR_IN_100 = 150, 55
_OPERATORS = ("90", "91", "93", "94", "95", "97", "98", "99", "33", "88", "77", "71")
_QUEUED_IN_100 = 20


@dataclass(frozen=True, slots=True)
class Visit:
    """A call that begins at `at` (virtual unix seconds). `mark` names it in every further random choice.

    `again` counts repeats. `number` is the outside party's, in nine digits; `queue` is the department whose route is
    asked, if any.
    """

    at: int
    kind: str
    mark: str
    number: str
    line: str
    queue: str = ""
    again: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """The basis of the random arrivals."""

    seed: int
    rate: float
    lines: Sequence[str]
    queues: Sequence[str]

    def of_day(self, day: date) -> Iterator[Visit]:
        """Yields the calls of a day: quiet nights, full mornings; calls in, out, inside, and requested ones."""
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())
        for hour, busyness in enumerate(_BUSYNESS):
            yield from self._hour(midnight + 3600 * hour, self.rate * busyness, _DAY_SHARES)

    def from_now(self, moment: float) -> Iterator[Visit]:
        """Yields inbound calls at an even rate from this moment on, without end."""
        start = int(moment) + 1
        while True:
            yield from self._hour(start, self.rate, _ONLY_INBOUND)
            start += 3600

    def _hour(self, start: int, rate: float, shares: Mapping[str, float]) -> Iterator[Visit]:
        places: dict[int, tuple[str, str]] = {}
        for kind, share in shares.items():
            whole, part = divmod(rate * share, 1)
            count = int(whole) + (lot(self.seed, "count", start, kind) % 1000 < part * 1000)
            for number in range(count):
                mark = f"{kind} {start} {number}"
                second = lot(self.seed, "second", mark) % 3600
                while second in places:
                    second = (second + 1) % 3600
                places[second] = (kind, mark)
        for second, (kind, mark) in sorted(places.items()):
            yield self._arrival(start + second, kind, mark)

    def _arrival(self, at: int, kind: str, mark: str) -> Visit:
        drawn = lot(self.seed, "arrival", mark)
        queue = self.queues[drawn % len(self.queues)] if (drawn >> 16) % 100 < _QUEUED_IN_100 else ""
        line = self.lines[(drawn >> 32) % len(self.lines)]
        return Visit(at, kind, mark, self._caller(mark), line, queue if kind == "inbound" else "")

    def _caller(self, mark: str) -> str:
        """Returns a caller: more than half are returning numbers; the others call once."""
        drawn = lot(self.seed, "caller", mark)
        is_regular = drawn % 100 < _REGULAR_IN_100
        person = lot(self.seed, "regular", (drawn >> 8) % _REGULARS) if is_regular else drawn >> 8
        return f"{_OPERATORS[person % len(_OPERATORS)]}{(person >> 8) % 10_000_000:07}"


def parse_rate(text: str) -> float:
    """Returns the inbound calls an hour of `--inbound 40/h`. Raises UsageError."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not 0 < float(match[1]) <= MOST_AN_HOUR:
        raise UsageError(
            tr(
                "--inbound {value} is not a rate over 0/h and up to {limit}/h",
                value=repr(text),
                limit=f"{MOST_AN_HOUR:.0f}",
            ),
            hint=tr("write it as 40/h"),
        )
    return float(match[1])


def parse_day(text: str, today: date) -> date:
    """Returns the day of `--day 2026-03-02` or `--day today`. Raises UsageError."""
    if text.strip().lower() == "today":
        return today
    try:
        return date.fromisoformat(text.strip().replace(".", "-"))
    except ValueError as error:
        raise UsageError(
            tr("--day {value} is not a date", value=repr(text)), hint=tr("write it as 2026-03-02, or today")
        ) from error
