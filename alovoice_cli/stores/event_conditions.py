"""A condition as SQL: names of ours become columns, values are always bound, and nothing of the user's is SQL text."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true

from alovoice_cli.events.conditions import And, Compare, Condition, Not, Operator
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT

Columns = Mapping[str, ColumnElement[Any]]

_OF_DELIVERY: dict[str, ColumnElement[Any]] = {
    "id": DELIVERY.c.id,
    "seq": DELIVERY.c.seq,
    "type": DELIVERY.c.type,
    "received": DELIVERY.c.received_at,
    "sender": DELIVERY.c.peer,
}
_OF_FACT: dict[str, ColumnElement[Any]] = {
    "call_id": FACT.c.call_id,
    "status": FACT.c.status,
    "duration": FACT.c.duration,
    "answered": FACT.c.answered_at,
    "ended": FACT.c.ended_at,
    "record": FACT.c.record,
    "queue": FACT.c.queue,
    "rule": FACT.c.rule,
    "duplicate_of": FACT.c.duplicate_of,
}
_OF_FACT_OR_CALL: dict[str, ColumnElement[Any]] = {
    name: func.coalesce(FACT.c[column], CALL.c[column])
    for name, column in {
        "external_id": "external_id",
        "number": "number",
        "line": "line",
        "peer": "peer",
        "direction": "direction",
        "started": "started_at",
    }.items()
}
EVENT_COLUMNS: Columns = {
    **_OF_DELIVERY,
    **_OF_FACT,
    **_OF_FACT_OR_CALL,
    "problem": func.nullif(FACT.c.problem, ""),
}
CALL_COLUMNS: Columns = {
    **{name: CALL.c[name] for name in ("call_id", "external_id", "number", "line", "peer", "direction", "status")},
    "duration": CALL.c.duration,
    "started": CALL.c.started_at,
    "ended": CALL.c.ended_at,
    "record": CALL.c.record,
    "received": CALL.c.reported_at,
}
FACT_COLUMNS: Columns = {**EVENT_COLUMNS, "seq": FACT.c.seq, "type": FACT.c.type, "received": FACT.c.received_at}
"""The same without the table of deliveries; `id` and `sender` are only there."""
NAMES_OF_DELIVERY = frozenset(_OF_DELIVERY)
ONLY_OF_DELIVERY = frozenset(("id", "sender"))
NAMES_OF_CALL = frozenset(_OF_FACT_OR_CALL)

_OPPOSITE: Mapping[Operator, Operator] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def compile_condition(condition: Condition, columns: Columns, *, negated: bool = False) -> ColumnElement[bool]:
    """The condition, or its opposite, as an expression on these columns that is true just where it holds.

    Negations are pushed down to the comparisons, and each of these says what a NULL means: SQL's third truth value
    cannot come up, and a plain `number = ?` stays one, which an index answers.
    """
    if isinstance(condition, Not):
        return compile_condition(condition.term, columns, negated=not negated)
    if isinstance(condition, Compare):
        column = columns[condition.field]
        if condition.field == "number" and column is EVENT_COLUMNS["number"] and not negated:
            if condition.operator == "=" and condition.value is not None:
                return _number_among((condition.value,))
            if condition.operator == "in":
                return _number_among(condition.value)
        return _compared(column, condition.operator, condition.value, negated=negated)
    terms = [compile_condition(term, columns, negated=negated) for term in condition.terms]
    if isinstance(condition, And) is not negated:
        return and_(true(), *terms)
    return or_(false(), *terms)


def _number_among(values: Any) -> ColumnElement[bool]:
    """The same as comparing the coalesced number, but by the indexes on both tables."""
    of_calls = select(CALL.c.call_id).where(CALL.c.number.in_(values))
    # Not `IS NULL`: the index on numbers would be taken for it, and half of all events have none.
    has_none = func.coalesce(FACT.c.number, "") == ""
    return or_(FACT.c.number.in_(values), and_(has_none, FACT.c.call_id.in_(of_calls)))


def _compared(column: ColumnElement[Any], operator: Operator, value: Any, *, negated: bool) -> ColumnElement[bool]:
    if operator in ("!=", "!~"):
        return _compared(column, "=" if operator == "!=" else "~", value, negated=not negated)
    if value is None:
        return column.is_not(None) if negated else column.is_(None)
    holds: ColumnElement[bool]
    if operator in _OPPOSITE:
        holds = column.op(_OPPOSITE[operator] if negated else operator, is_comparison=True)(value)
    elif operator == "=":
        holds = column != value if negated else column == value
    elif operator == "in":
        holds = column.not_in(value) if negated else column.in_(value)
    else:
        contains = column.icontains(value, autoescape=True)
        holds = not_(contains) if negated else contains
    return or_(holds, column.is_(None)) if negated else holds
