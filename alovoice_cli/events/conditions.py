"""Conditions on an event or a call, as a tree of plain values; the stores turn it into SQL with bound values.

A field without a value is `none`. It equals nothing, and is neither less nor more than anything: `status = 486` and
`duration < 5` are false for it, `status != 486` and `not duration < 5` are true. There is no third truth value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from alovoice_cli.events.event import EVENT_TYPES

Kind = Literal["text", "phone", "number", "seconds", "microseconds"]
"""The kinds of fields. `phone` is compared in canonical form; the last two are moments, in the unit of their storage.
"""

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"]
Value = str | int | None


@dataclass(frozen=True, slots=True)
class EventField:
    """A field that a condition can use."""

    name: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator value`; the value of `in` is a tuple."""

    field: str
    operator: Operator
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the term is false."""

    term: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    """True if all terms are true; always true without terms."""

    terms: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if one of the terms is true; never true without terms."""

    terms: tuple["Condition", ...]


Condition = Compare | Not | And | Or
ALWAYS = And(())

_DIRECTIONS = ("inc", "out", "int")
_OF_CALLS = (
    EventField("event_call_id", "text", "the call's id as its callstart was answered: ours, or the CRM's"),
    EventField("pbx_call_id", "text", "the PBX's own id of the call: for `alovoice ai`"),
    EventField("external_id", "text", "the extid of our own request"),
    EventField("number", "phone", "the other party, in any spelling"),
    EventField("line", "phone", "the PBX's line"),
    EventField("peer", "text", "the extension"),
    EventField("direction", "text", "inc, out or int", _DIRECTIONS),
    EventField("status", "text", "200, 304, 480, 486, 603, 603-S …"),
    EventField("duration", "number", "in seconds, or 90s, 5m, 1h"),
    EventField("started", "seconds", "by the PBX's clock: a moment as in --since"),
    EventField("ended", "seconds", "likewise"),
    EventField("record", "text", "the link to the recording"),
)
CALL_FIELDS = {
    field.name: field
    for field in (*_OF_CALLS, EventField("received", "seconds", "when we first heard of it: a moment as in --since"))
}
EVENT_FIELDS = {
    field.name: field
    for field in (
        EventField("id", "text", "the event's own id"),
        EventField("seq", "number", "its number in the store"),
        EventField("type", "text", "callstart, callend, result, route or probe", EVENT_TYPES),
        EventField("received", "microseconds", "a moment as in --since"),
        EventField("sender", "text", "the address that it came from"),
        *_OF_CALLS,
        EventField("answered", "seconds", "of a call result"),
        EventField("queue", "text", "of a route question"),
        EventField("rule", "text", "the rule that decided it"),
        EventField("duplicate_of", "text", "the id of the event that it repeats"),
        EventField("problem", "text", "why it could not be read"),
    )
}
"""The fields of a condition on events. `number`, `line`, `peer`, `direction`, `external_id`, `pbx_call_id` and
`started` may also come from the event's call. `event_call_id` of a result is that of the call that has the result's id.
"""


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Returns whether the condition is true for these values, by the same rules as the stores' SQL."""
    if isinstance(condition, Not):
        return not holds(condition.term, values)
    if isinstance(condition, And):
        return all(holds(term, values) for term in condition.terms)
    if isinstance(condition, Or):
        return any(holds(term, values) for term in condition.terms)
    return _HOLDS[condition.operator](values.get(condition.field), condition.value)


def needs(condition: Condition, fields: frozenset[str], *, negated: bool = False) -> bool:
    """Returns whether the condition can be true only if one of these fields has a value; False if uncertain."""
    if isinstance(condition, Not):
        return needs(condition.term, fields, negated=not negated)
    if isinstance(condition, Compare):
        return condition.field in fields and holds(condition, {}) is negated
    one_is_enough = isinstance(condition, And) is not negated
    judged = (needs(term, fields, negated=negated) for term in condition.terms)
    return any(judged) if one_is_enough else bool(condition.terms) and all(judged)


def fields_of(condition: Condition) -> frozenset[str]:
    """Returns the names of the fields in the condition."""
    if isinstance(condition, Compare):
        return frozenset((condition.field,))
    if isinstance(condition, Not):
        return fields_of(condition.term)
    return frozenset(name for term in condition.terms for name in fields_of(term))


def all_of(*conditions: Condition | None) -> Condition:
    """Returns a condition that is true if all the given conditions are; None stands for no condition."""
    given = tuple(condition for condition in conditions if condition is not None)
    return given[0] if len(given) == 1 else And(given)


def lower(text: str) -> str:
    """Returns the text with A–Z in lower case: databases differ for all other letters."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


def _ordered(compare: Callable[[int, int], bool]) -> Callable[[Value, object], bool]:
    return lambda own, value: isinstance(own, int) and isinstance(value, int) and compare(own, value)


def _contains(own: Value, value: object) -> bool:
    return isinstance(own, str) and lower(str(value)) in lower(own)


_HOLDS: Mapping[Operator, Callable[[Value, object], bool]] = {
    "=": lambda own, value: own == value,
    "!=": lambda own, value: own != value,
    "<": _ordered(lambda own, value: own < value),
    "<=": _ordered(lambda own, value: own <= value),
    ">": _ordered(lambda own, value: own > value),
    ">=": _ordered(lambda own, value: own >= value),
    "~": _contains,
    "!~": lambda own, value: not _contains(own, value),
    "in": lambda own, value: isinstance(value, tuple) and own in value,
}
