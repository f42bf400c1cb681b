"""The conditions of rules. Each is prepared when the file is read: evaluation takes a fraction of a microsecond.

Results that many rules need for one call are computed once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from alovoice_cli.language import joined, tr
from alovoice_cli.localization import short_weekday
from alovoice_cli.routing.call import Condition, IncomingCall
from alovoice_cli.routing.hours import AnyHours, CalendarDays
from alovoice_cli.routing.numbers import NumberSet


def _caller_fact(call: IncomingCall) -> str:
    if not call.caller.digits:
        return tr("the number of the caller is hidden")
    return tr("the caller is {number}", number=call.caller.digits)


@dataclass(frozen=True, slots=True)
class FromNumbers(Condition):
    """The caller is one of these numbers."""

    sets: tuple[NumberSet, ...]
    cost = 2

    def holds(self, call: IncomingCall) -> bool:
        for numbers in self.sets:
            found = call.known.get(numbers)
            if found is None:
                found = call.known[numbers] = numbers.has(call.caller)
            if found:
                return True
        return False

    def facts(self, call: IncomingCall) -> str:
        return _caller_fact(call)


@dataclass(frozen=True, slots=True)
class HiddenNumber(Condition):
    """The caller's number is hidden, or with `is_hidden` False: it is shown."""

    is_hidden: bool

    def holds(self, call: IncomingCall) -> bool:
        return self.is_hidden is not bool(call.caller.digits)

    def facts(self, call: IncomingCall) -> str:
        return _caller_fact(call)


@dataclass(frozen=True, slots=True)
class OnLine(Condition):
    """The called line is one of these."""

    sets: tuple[NumberSet, ...]

    def holds(self, call: IncomingCall) -> bool:
        # Here and below: any() of a generator takes three times as long as a loop, and a caller may meet a thousand.
        for numbers in self.sets:  # noqa: SIM110 - as said
            if numbers.has(call.line):
                return True
        return False

    def facts(self, call: IncomingCall) -> str:
        if not call.question.line_number:
            return tr("the line is not known")
        return tr("the line is {line}", line=call.question.line_number)


@dataclass(frozen=True, slots=True)
class OnQueue(Condition):
    """The call comes from one of these departments."""

    queues: frozenset[str]

    def holds(self, call: IncomingCall) -> bool:
        return call.queue in self.queues

    def facts(self, call: IncomingCall) -> str:
        return tr("the queue is {queue}", queue=call.queue) if call.queue else tr("there is no queue")


@dataclass(frozen=True, slots=True)
class Direction(Condition):
    """The call is inbound, or outbound."""

    direction: str

    def holds(self, call: IncomingCall) -> bool:
        return call.direction == self.direction

    def facts(self, call: IncomingCall) -> str:
        if not call.direction:
            return tr("the direction is not known")
        return tr("the direction is {direction}", direction=call.direction)


@dataclass(frozen=True, slots=True)
class WithinHours(Condition):
    """The time is within any of these hours."""

    hours: tuple[AnyHours, ...]

    def holds(self, call: IncomingCall) -> bool:
        for hours in self.hours:
            found = call.known.get(hours.name)
            if found is None:
                found = call.known[hours.name] = hours.open_at(call.local)
            if found:
                return True
        return False

    def facts(self, call: IncomingCall) -> str:
        weekday = short_weekday(call.local)
        return tr("it is {weekday} {moment}", weekday=weekday, moment=f"{call.local:%Y-%m-%d %H:%M}")


@dataclass(frozen=True, slots=True)
class OnDays(Condition):
    """The date is one of these."""

    days: CalendarDays
    cost = 2

    def holds(self, call: IncomingCall) -> bool:
        return call.local.date() in self.days

    def facts(self, call: IncomingCall) -> str:
        return tr("it is {day}", day=f"{call.local:%Y-%m-%d}")


def _digest(text: str, size: int, salt: bytes = b"") -> bytes:
    import hashlib  # noqa: PLC0415 - it loads OpenSSL, and few rules name a share

    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size, salt=salt).digest()


@dataclass(frozen=True, slots=True)
class Share(Condition):
    """This percentage of all callers, by a hash of number and rule.

    A caller always falls on the same side, also after an increase of the share.
    """

    percent: float
    rule: str
    cost = 3
    _salt: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_salt", _digest(self.rule, 64)[:16])

    def place_of(self, number: str) -> float:
        """Returns the canonical number's place from 0 to 100."""
        return int.from_bytes(_digest(number, 8, self._salt)) * 100 / 2**64

    def holds(self, call: IncomingCall) -> bool:
        return self.place_of(call.caller.digits) < self.percent

    def facts(self, call: IncomingCall) -> str:
        """Returns the caller's place from 0 to 100."""
        return tr("the caller's place is {place}", place=f"{self.place_of(call.caller.digits):.1f}")


@dataclass(frozen=True, slots=True)
class AllOf(Condition):
    """All of these are true."""

    parts: tuple[Condition, ...]
    cost = 4

    def holds(self, call: IncomingCall) -> bool:
        for part in self.parts:  # noqa: SIM110 - as said in OnLine
            if not part.holds(call):
                return False
        return True

    def facts(self, call: IncomingCall) -> str:
        """Returns the facts of the first part that fails."""
        return next((part.facts(call) for part in self.parts if not part.holds(call)), tr("all parts are true"))


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """One of these is true."""

    parts: tuple[Condition, ...]
    cost = 4

    def holds(self, call: IncomingCall) -> bool:
        for part in self.parts:  # noqa: SIM110 - as said in OnLine
            if part.holds(call):
                return True
        return False

    def facts(self, call: IncomingCall) -> str:
        """Returns the facts of the parts, each once."""
        return joined(", ", dict.fromkeys(part.facts(call) for part in self.parts))


@dataclass(frozen=True, slots=True)
class NotClause(Condition):
    """The inner condition does not hold."""

    part: Condition
    cost = 4

    def holds(self, call: IncomingCall) -> bool:
        return not self.part.holds(call)

    def facts(self, call: IncomingCall) -> str:
        return self.part.facts(call)


def cost_of(condition: Condition) -> int:
    """Returns the condition's cost, or the cost of its most expensive part."""
    parts = condition.parts if isinstance(condition, (AllOf, AnyOf)) else ()
    if isinstance(condition, NotClause):
        parts = (condition.part,)
    return max([condition.cost, *map(cost_of, parts)])


def leaves(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """Returns the conditions without their surrounding `all`, `any` and `not`."""
    for condition in conditions:
        if isinstance(condition, AllOf | AnyOf):
            yield from leaves(condition.parts)
        elif isinstance(condition, NotClause):
            yield from leaves((condition.part,))
        else:
            yield condition


@dataclass(frozen=True, slots=True)
class SpokeWithin(Condition):
    """The caller's last answered call is not older than this."""

    window: timedelta
    cost = 9

    def holds(self, call: IncomingCall) -> bool:
        """Returns whether there was such a call. A hidden number has no past."""
        return last_peer(call, self.window) is not None

    def facts(self, call: IncomingCall) -> str:
        """Returns with whom the caller spoke."""
        if not call.caller.key:
            return tr("a hidden number has no past")
        peer = last_peer(call, self.window)
        if peer is None:
            return tr("no answered call of the caller is known")
        return tr("the caller spoke with {peer}", peer=peer)


@dataclass(frozen=True, slots=True)
class CallsWithin(Condition):
    """The caller has called this often before, or more often."""

    count: int
    window: timedelta
    cost = 9

    def holds(self, call: IncomingCall) -> bool:
        return _counted(call, "calls", self.window) >= self.count

    def facts(self, call: IncomingCall) -> str:
        return tr("calls before: {number}", number=_counted(call, "calls", self.window))


@dataclass(frozen=True, slots=True)
class MissedWithin(Condition):
    """A call of the caller was missed within this time."""

    window: timedelta
    cost = 9

    def holds(self, call: IncomingCall) -> bool:
        return _counted(call, "missed", self.window) > 0

    def facts(self, call: IncomingCall) -> str:
        return tr("missed calls: {number}", number=_counted(call, "missed", self.window))


def last_peer(call: IncomingCall, window: timedelta) -> str | None:
    """Returns the extension of the caller's last answered call within the window."""
    return cast("str | None", _past(call, "last_peer", window))


def _counted(call: IncomingCall, what: Literal["calls", "missed"], window: timedelta) -> int:
    return cast("int | None", _past(call, what, window)) or 0


def _past(call: IncomingCall, what: str, window: timedelta) -> object:
    """Returns the history's answer for the caller, computed once a call. None for a hidden number."""
    if not call.caller.key:
        return None
    if (what, window) not in call.past:
        try:
            since = call.now - window
        except OverflowError:
            since = datetime.min.replace(tzinfo=UTC)
        call.past[what, window] = getattr(call.history, what)(call.caller.digits, since)
    return call.past[what, window]
