"""How many of a trunk's lines are busy, from what is known of its calls; and how many a row takes.

The API says neither how many lines a trunk has nor how long a call holds one. What the event store knows as begun and
not ended holds its line; so does a call that was placed from here and that nobody has told of yet, for a while.
A call of which it is not known by which line it goes may go by any of them: it counts on each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alovoice_cli.batch.call_evidence import MICRO, fits
from alovoice_cli.batch.placed_call import PlacedCall
from alovoice_cli.batch.resolve import is_listening
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.events.coverage import Uptime, cover
from alovoice_cli.events.event import Call
from alovoice_cli.events.filters import Period
from alovoice_cli.phones import SHORTEST, canonical

HOLD = 120 * MICRO
"""So long a call placed from here holds its line while nothing is heard of it: it rings, and is talked over."""
LONGEST_CALL = 3 * 3600 * MICRO
"""A call that began longer ago is over: its end was lost."""
_LONGEST_OVER_A_GAP = 3600 * MICRO  # the same, where its end may have been told while nobody listened
_COUNTRY, _WHOLE = "998", 12


@dataclass(frozen=True, slots=True)
class LineLimit:
    """How many calls a trunk can carry at once, and how many of them batches leave free."""

    trunk: int
    reserve: int

    @property
    def usable(self) -> int:
        """How many lines may be busy with a batch's row among them."""
        return self.trunk - self.reserve


class LineClaim(NamedTuple):
    """The lines that a row has taken whose request may not be in the ledger yet. `line` is canonical; None: any.

    `claimed_at` is in unix microseconds.
    """

    our_id: str
    line: str | None
    lines: int
    claimed_at: int


@dataclass(frozen=True, slots=True)
class HeardCalls:
    """What the event store knows: how many calls go on by line (None: it was not told), and the calls, over or not,
    to numbers that were called from here."""

    going: Mapping[str | None, int]
    ours: Sequence[Call] = ()


@dataclass(frozen=True, slots=True)
class BusyLines:
    """How many lines are busy by trunk, and how many calls may go by any of them."""

    lines: Mapping[str, int]
    anywhere: int = 0

    def on(self, line: str | None) -> tuple[int, str]:
        """How many lines of this trunk are busy, and its name; None: of the busiest, for a row may go by any."""
        where = line if line is not None else max(self.lines, key=lambda name: self.lines[name], default="")
        return self.lines.get(where, 0) + self.anywhere, where


def need_of(row: BatchRow) -> tuple[str | None, int]:
    """The trunk that a row names (canonical), and how many lines it takes.

    A conference takes two at most: whoever is to be connected is rung in turn, one at a time; a queue is inside.
    """
    line = row.payload.get("fromline")
    is_conference = "callfrom" in row.payload
    return canonical(str(line)) if line else None, 2 if is_conference and row.payload.get("callto") else 1


def heard_from(uptimes: Iterable[Uptime], now: int) -> int | None:
    """From when on calls without an end are held to go on, in unix microseconds; None where nobody listens now."""
    known = list(uptimes)
    if not is_listening(known, now):
        return None
    coverage = cover(known, Period(since=now - LONGEST_CALL), now)
    back = coverage.gaps[-1].end if coverage.gaps else coverage.begin
    return max(now - LONGEST_CALL, min(now - _LONGEST_OVER_A_GAP, back or now))


def count_busy(asked: Sequence[PlacedCall], claims: Sequence[LineClaim], heard: HeardCalls | None) -> BusyLines:
    """The busy lines. `asked` are the requests of the last HOLD from this machine; `heard` None: nobody listens."""
    lines = Counter(heard.going if heard is not None else {})
    for request, held in _unheard(asked, heard.ours if heard is not None else ()):
        lines[request.line] += held
    for claim in _uncovered(claims, asked):
        lines[claim.line] += claim.lines
    anywhere = lines.pop(None, 0)
    return BusyLines({name: count for name, count in lines.items() if name is not None}, anywhere)


def why_closed(busy: int, line: str, need: int, limit: LineLimit) -> str:
    """`28 of 30 lines of 712037006 are busy, 2 are reserved: waiting for one`."""
    of_line = f" of {line.removeprefix(_COUNTRY) if len(line) == _WHOLE else line}" if line else ""
    told = f"{busy} of {limit.trunk} lines{of_line} {'is' if busy == 1 else 'are'} busy"
    if limit.reserve:
        told += f", {limit.reserve} {'is' if limit.reserve == 1 else 'are'} reserved"
    return f"{told}: waiting for {'one' if need == 1 else need}"


def _unheard(asked: Iterable[PlacedCall], calls: Iterable[Call]) -> Iterator[tuple[PlacedCall, int]]:
    """The requests that hold lines of which the store does not know yet, and how many. Each call is of one request."""
    left = sorted(calls, key=lambda call: call.reported_at)
    for request in sorted(asked, key=lambda request: request.begun_at):
        if not request.may_have_rung:
            continue
        legs = [_take_leg(request, number, left) for number in dict.fromkeys(request.numbers)]
        if legs and legs[0] is not None and legs[0].end_seq is not None:
            continue  # whom it began with has hung up
        going = sum(leg is not None and leg.end_seq is None for leg in legs)
        if (held := _lines_of(request) - going) > 0:
            yield request, held


def _take_leg(request: PlacedCall, number: str, left: list[Call]) -> Call | None:
    for call in left:
        if call.number == number and call.direction != "inc" and fits(call, request):
            left.remove(call)
            return call
    return None


def _lines_of(request: PlacedCall) -> int:
    """How many lines a request takes: of a conference none for an extension, and one for all who are rung in turn."""
    first, *rest = request.numbers or ("",)
    if request.kind != "conference":
        return 1
    return _is_outside(first) + any(map(_is_outside, rest))


def _is_outside(number: str) -> bool:
    return len(number) >= SHORTEST


def _uncovered(claims: Iterable[LineClaim], asked: Iterable[PlacedCall]) -> Iterator[LineClaim]:
    """The claims whose requests are not in the ledger yet: each request is one claim's, also where ids are equal."""
    begun: defaultdict[str, list[int]] = defaultdict(list)
    for request in sorted(asked, key=lambda request: request.begun_at):
        begun[request.our_id].append(request.begun_at)
    for claim in sorted(claims, key=lambda claim: claim.claimed_at):
        own = next((moment for moment in begun[claim.our_id] if moment >= claim.claimed_at), None)
        if own is None:
            yield claim
        else:
            begun[claim.our_id].remove(own)
