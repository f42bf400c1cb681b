"""The conditions of rules. Each is ready to be asked when the file has been read: asking costs a fraction of a
microsecond, and what many rules ask of one call is found out once."""

import hashlib
from dataclasses import dataclass, field

from alovoice_cli.routing.call import Call, Condition
from alovoice_cli.routing.days import Days
from alovoice_cli.routing.hours import AnyHours
from alovoice_cli.routing.numbers import NumberSet


@dataclass(frozen=True, slots=True)
class From(Condition):
    """The caller is one of these numbers."""

    sets: tuple[NumberSet, ...]
    cost = 2

    def holds(self, call: Call) -> bool:
        """Whether any of the sets has the caller."""
        for numbers in self.sets:
            found = call.known.get(numbers)
            if found is None:
                found = call.known[numbers] = numbers.has(call.caller)
            if found:
                return True
        return False

    def facts(self, call: Call) -> str:
        """The caller's number."""
        return f"the caller is {call.caller.digits or 'hidden'}"


@dataclass(frozen=True, slots=True)
class Line(Condition):
    """The line that was called is one of these."""

    sets: tuple[NumberSet, ...]

    def holds(self, call: Call) -> bool:
        """Whether any of the sets has the line."""
        # Here and below: any() of a generator takes three times as long as a loop, and a caller may meet a thousand.
        for numbers in self.sets:  # noqa: SIM110 - as said
            if numbers.has(call.line):
                return True
        return False

    def facts(self, call: Call) -> str:
        """The line's number."""
        return f"the line is {call.question.line_number or 'not said'}"


@dataclass(frozen=True, slots=True)
class Queue(Condition):
    """The call comes from one of these departments."""

    queues: frozenset[str]

    def holds(self, call: Call) -> bool:
        """Whether the queue is one of them."""
        return call.queue in self.queues

    def facts(self, call: Call) -> str:
        """The queue's number."""
        return f"the queue is {call.queue}" if call.queue else "there is no queue"


@dataclass(frozen=True, slots=True)
class Direction(Condition):
    """The call comes in, or goes out."""

    direction: str

    def holds(self, call: Call) -> bool:
        """Whether the direction is this one."""
        return call.direction == self.direction

    def facts(self, call: Call) -> str:
        """The direction."""
        return f"the direction is {call.direction or 'not said'}"


@dataclass(frozen=True, slots=True)
class WithinHours(Condition):
    """The time is within any of these hours."""

    hours: tuple[AnyHours, ...]

    def holds(self, call: Call) -> bool:
        """Whether any of them is open."""
        for hours in self.hours:
            found = call.known.get(hours.name)
            if found is None:
                found = call.known[hours.name] = hours.open_at(call.local)
            if found:
                return True
        return False

    def facts(self, call: Call) -> str:
        """The time on the wall."""
        return f"it is {call.local:%a %Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class OnDays(Condition):
    """The date is one of these."""

    days: Days
    cost = 2

    def holds(self, call: Call) -> bool:
        """Whether the date is one of them."""
        return call.local.date() in self.days

    def facts(self, call: Call) -> str:
        """The date."""
        return f"it is {call.local:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Share(Condition):
    """So many percent of all callers, by a hash of number and rule: a caller always falls on the same side, also
    after the share was raised."""

    percent: float
    rule: str
    cost = 3
    _salt: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_salt", hashlib.blake2b(self.rule.encode("utf-8", "replace")).digest()[:16])

    def place_of(self, number: str) -> float:
        """Where the canonical number falls, from 0 to 100."""
        digest = hashlib.blake2b(number.encode(), digest_size=8, salt=self._salt).digest()
        return int.from_bytes(digest) * 100 / 2**64

    def holds(self, call: Call) -> bool:
        """Whether the caller falls into the share."""
        return self.place_of(call.caller.digits) < self.percent

    def facts(self, call: Call) -> str:
        """Where the caller falls."""
        return f"the caller falls on {self.place_of(call.caller.digits):.1f}"


@dataclass(frozen=True, slots=True)
class All(Condition):
    """All of these are true."""

    parts: tuple[Condition, ...]
    cost = 4

    def holds(self, call: Call) -> bool:
        """Whether each part holds."""
        for part in self.parts:  # noqa: SIM110 - as said in Line
            if not part.holds(call):
                return False
        return True

    def facts(self, call: Call) -> str:
        """What the first part that fails says."""
        return next((part.facts(call) for part in self.parts if not part.holds(call)), "each part is true")


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """One of these is true."""

    parts: tuple[Condition, ...]
    cost = 4

    def holds(self, call: Call) -> bool:
        """Whether a part holds."""
        for part in self.parts:  # noqa: SIM110 - as said in Line
            if part.holds(call):
                return True
        return False

    def facts(self, call: Call) -> str:
        """What the parts say, each thing once."""
        return ", ".join(dict.fromkeys(part.facts(call) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """This is not true."""

    part: Condition
    cost = 4

    def holds(self, call: Call) -> bool:
        """Whether the part does not hold."""
        return not self.part.holds(call)

    def facts(self, call: Call) -> str:
        """What the part says."""
        return self.part.facts(call)


def cost_of(condition: Condition) -> int:
    """The condition's cost, or that of the dearest part."""
    parts = condition.parts if isinstance(condition, (All, AnyOf)) else ()
    if isinstance(condition, Not):
        parts = (condition.part,)
    return max([condition.cost, *map(cost_of, parts)])
