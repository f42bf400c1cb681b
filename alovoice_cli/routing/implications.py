"""Certain statements about conditions: whether one implies another, and at which minutes of a week they hold.

Time is exact (a week's minutes are the bits of a number, for each state of the holidays); numbers, lines and the past
only where they can be compared. Unknown results count as not covered: a rule is reported as unreachable only if that is
proven.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import prod
from operator import or_

from alovoice_cli.routing.call import Condition
from alovoice_cli.routing.conditions import (
    AllOf,
    AnyOf,
    CallsWithin,
    Direction,
    FromNumbers,
    HiddenNumber,
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
"""Conditions that certainly hold for these callers."""
_MOST_CASES = 16


@dataclass(frozen=True, slots=True)
class Ordinary(Condition):
    """A caller unknown to the file: with a number that is on no list, without a queue and without a past."""


OF_SHOWN_NUMBERS: tuple[type[Condition], ...] = (FromNumbers, SpokeWithin, CallsWithin, MissedWithin, Ordinary)
"""Facts of callers whose number is shown: a hidden number is on no list and has no past."""


def cases_of(conditions: tuple[Condition, ...]) -> list[Facts]:
    """Returns the cases of which one is true when all conditions are: `any` expanded, `all` flattened.

    Returns [(conditions)] where there would be too many.
    """
    options: list[list[Facts]] = []
    for condition in conditions:
        if isinstance(condition, AllOf):
            options.append(cases_of(condition.parts))
        elif isinstance(condition, AnyOf):
            options.append([case for part in condition.parts for case in cases_of((part,))])
        else:
            options.append([(condition,)])
        if prod(map(len, options)) > _MOST_CASES:
            return [conditions]
    return [tuple(fact for facts in chosen for fact in facts) for chosen in product(*options)]


def certain(condition: Condition, facts: Facts) -> int:
    """Returns the minutes at which the condition certainly holds for every caller with these facts."""
    if isinstance(condition, WithinHours):
        return _open_minutes(condition)
    if isinstance(condition, AllOf):
        return certain_of_all(condition.parts, facts)
    if isinstance(condition, AnyOf):
        return _at_some(certain(part, facts) for part in condition.parts)
    if isinstance(condition, NotClause):
        return ALWAYS & ~possible(condition.part, facts) | (ALWAYS if condition in facts else 0)
    return ALWAYS if any(implies(fact, condition) for fact in facts) else 0


def certain_of_all(conditions: tuple[Condition, ...], facts: Facts) -> int:
    """Returns the minutes at which all the conditions certainly hold."""
    return _at_all(certain(condition, facts) for condition in conditions)


def possible(condition: Condition, facts: Facts) -> int:
    """Returns the minutes at which the condition may hold for some caller with these facts."""
    if isinstance(condition, WithinHours):
        return _open_minutes(condition)
    if isinstance(condition, AllOf):
        return _at_all(possible(part, facts) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return _at_some(possible(part, facts) for part in condition.parts)
    if isinstance(condition, NotClause):
        return ALWAYS & ~certain(condition.part, facts)
    return 0 if any(excludes(fact, condition) for fact in facts) else ALWAYS


def minutes_of(facts: Facts) -> int:
    """Returns the minutes at which all facts may hold together; none if they contradict each other."""
    return _at_all(possible(fact, facts[:index] + facts[index + 1 :]) for index, fact in enumerate(facts))


def _open_minutes(condition: WithinHours) -> int:
    return _at_some(hours.bits for hours in condition.hours)


def _at_some(minutes: Iterable[int]) -> int:
    return reduce(or_, minutes, 0)


def _at_all(minutes: Iterable[int]) -> int:
    bits = ALWAYS
    for some in minutes:
        bits &= some
        if not bits:  # the first condition already distinguishes most of a thousand rules
            break
    return bits


def implies(fact: Condition, condition: Condition) -> bool:
    """Returns whether the condition holds wherever the fact does; False also if unknown."""
    if isinstance(condition, HiddenNumber) and isinstance(fact, OF_SHOWN_NUMBERS):
        return not condition.is_hidden
    if type(fact) is not type(condition):
        return False
    match fact, condition:
        case (FromNumbers(sets=own), FromNumbers(sets=others)) | (OnLine(sets=own), OnLine(sets=others)):
            return bool(own) and all(_is_within(numbers, others) for numbers in own)
        case OnQueue(queues=some), OnQueue(queues=more):
            return some <= more
        case Share(), Share():
            return False  # another rule has another hash
        case (SpokeWithin(window=short), SpokeWithin(window=long)) | (
            MissedWithin(window=short),
            MissedWithin(window=long),
        ):
            return short <= long
        case CallsWithin(count=most, window=short), CallsWithin(count=least, window=long):
            return short <= long and most >= least
    return fact == condition


def _shows_number(condition: Condition) -> bool:
    """Returns whether the condition holds only for callers whose number is shown."""
    return isinstance(condition, OF_SHOWN_NUMBERS) or condition == HiddenNumber("", is_hidden=False)


def _is_within(numbers: NumberSet, sets: tuple[NumberSet, ...]) -> bool:
    return any(numbers is other for other in sets) or any(numbers.within(other) for other in sets)


def excludes(fact: Condition, condition: Condition) -> bool:
    """Returns whether the two cannot hold together; False also if unknown."""
    match fact, condition:
        case (FromNumbers(sets=own), FromNumbers(sets=others)) | (OnLine(sets=own), OnLine(sets=others)):
            return all(numbers.apart_from(other) or other.apart_from(numbers) for numbers in own for other in others)
        case Ordinary(), FromNumbers() | OnQueue() | SpokeWithin() | CallsWithin() | MissedWithin():
            return True
        case NotClause(part=part), _:
            return implies(condition, part)
        case OnQueue(queues=some), OnQueue(queues=more):
            return not some & more
        case Direction(direction=one), Direction(direction=other):
            return one != other
        case HiddenNumber(is_hidden=True), _:
            return _shows_number(condition)
        case _, HiddenNumber(is_hidden=True):
            return _shows_number(fact)
    return False
