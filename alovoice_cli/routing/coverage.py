"""What can be said of conditions for sure: whether one implies another, and at which minutes of a week they hold.

Time is reasoned about exactly (a week's minutes as the bits of a number, in each state of the holidays); numbers,
lines and the past only as far as they can be compared. What cannot be told counts as not covered: a rule is called out
of reach only where that is proven.
"""

from dataclasses import dataclass
from itertools import product

from alovoice_cli.routing.call import Condition
from alovoice_cli.routing.conditions import (
    AllOf,
    AnyOf,
    CallsWithin,
    Direction,
    FromNumbers,
    MissedWithin,
    NotClause,
    OnLine,
    OnQueue,
    Share,
    SpokeWithin,
    WithinHours,
)
from alovoice_cli.routing.hours import ALWAYS
from alovoice_cli.routing.numbers import NumberSet

Facts = tuple[Condition, ...]
"""Conditions that are known to hold of the callers in question."""
_MOST_CASES = 16


@dataclass(frozen=True, slots=True)
class Ordinary(Condition):
    """A caller of whom the file knows nothing: on no list, without a queue and without a past."""


def cases_of(conditions: tuple[Condition, ...]) -> list[Facts]:
    """The cases of which one is true when all the conditions are: `any` opened, `all` laid flat. [(conditions)] where
    there would be too many."""
    options: list[list[Facts]] = []
    for condition in conditions:
        if isinstance(condition, AllOf):
            options.append(cases_of(condition.parts))
        elif isinstance(condition, AnyOf):
            options.append([case for part in condition.parts for case in cases_of((part,))])
        else:
            options.append([(condition,)])
        count = 1
        for option in options:
            count *= len(option)
        if count > _MOST_CASES:
            return [conditions]
    return [tuple(fact for facts in chosen for fact in facts) for chosen in product(*options)]


def certain(condition: Condition, facts: Facts) -> int:
    """The minutes at which the condition certainly holds of every caller of whom the facts hold."""
    if isinstance(condition, WithinHours):
        return _bits(condition)
    if isinstance(condition, AllOf):
        return certain_of_all(condition.parts, facts)
    if isinstance(condition, AnyOf):
        bits = 0
        for part in condition.parts:
            bits |= certain(part, facts)
        return bits
    if isinstance(condition, NotClause):
        return ALWAYS & ~possible(condition.part, facts) | (ALWAYS if condition in facts else 0)
    return ALWAYS if any(implies(fact, condition) for fact in facts) else 0


def certain_of_all(conditions: tuple[Condition, ...], facts: Facts) -> int:
    """The minutes at which all the conditions certainly hold."""
    bits = ALWAYS
    for condition in conditions:
        bits &= certain(condition, facts)
        if not bits:
            return 0
    return bits


def possible(condition: Condition, facts: Facts) -> int:
    """The minutes at which the condition may hold of some caller of whom the facts hold."""
    if isinstance(condition, WithinHours):
        return _bits(condition)
    if isinstance(condition, AllOf):
        bits = ALWAYS
        for part in condition.parts:
            bits &= possible(part, facts)
        return bits
    if isinstance(condition, AnyOf):
        bits = 0
        for part in condition.parts:
            bits |= possible(part, facts)
        return bits
    if isinstance(condition, NotClause):
        return ALWAYS & ~certain(condition.part, facts)
    return 0 if any(excludes(fact, condition) for fact in facts) else ALWAYS


def minutes_of(facts: Facts) -> int:
    """The minutes at which all the facts may hold together; none where they contradict each other."""
    bits = ALWAYS
    for index, fact in enumerate(facts):
        bits &= possible(fact, facts[:index] + facts[index + 1 :])
    return bits


def _bits(condition: WithinHours) -> int:
    bits = 0
    for hours in condition.hours:
        bits |= hours.bits
    return bits


def implies(fact: Condition, condition: Condition) -> bool:
    """Whether the condition holds wherever the fact does; False also where that can't be told."""
    if type(fact) is not type(condition):
        return False
    if isinstance(fact, FromNumbers | OnLine) and isinstance(condition, FromNumbers | OnLine):
        return all(_within(numbers, condition.sets) for numbers in fact.sets) and bool(fact.sets)
    if isinstance(fact, OnQueue) and isinstance(condition, OnQueue):
        return fact.queues <= condition.queues
    if isinstance(fact, Share) and isinstance(condition, Share):
        return False  # other rules fall otherwise
    if isinstance(fact, SpokeWithin) and isinstance(condition, SpokeWithin):
        return fact.window <= condition.window
    if isinstance(fact, MissedWithin) and isinstance(condition, MissedWithin):
        return fact.window <= condition.window
    if isinstance(fact, CallsWithin) and isinstance(condition, CallsWithin):
        return fact.window <= condition.window and fact.count >= condition.count
    return fact == condition


def _within(numbers: NumberSet, sets: tuple[NumberSet, ...]) -> bool:
    return any(numbers is other for other in sets) or any(numbers.within(other) for other in sets)


def excludes(fact: Condition, condition: Condition) -> bool:
    """Whether the two can't hold together; False also where that can't be told."""
    if isinstance(fact, FromNumbers | OnLine) and type(fact) is type(condition):
        sets = condition.sets if isinstance(condition, FromNumbers | OnLine) else ()
        return all(numbers.apart_from(other) or other.apart_from(numbers) for numbers in fact.sets for other in sets)
    if isinstance(fact, Ordinary):
        return isinstance(condition, FromNumbers | OnQueue | SpokeWithin | CallsWithin | MissedWithin)
    if isinstance(fact, NotClause):
        return implies(condition, fact.part)
    if isinstance(fact, OnQueue) and isinstance(condition, OnQueue):
        return not fact.queues & condition.queues
    if isinstance(fact, Direction) and isinstance(condition, Direction):
        return fact.direction != condition.direction
    return False
