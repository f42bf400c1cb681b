"""The questions to an event store, as statements: each written so that an index answers it."""

from typing import Any

from sqlalchemy import Select, and_, func, literal, null, select

from alovoice_cli.events.conditions import fields_of, needs
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.statistics import QUARTER_SECONDS, By
from alovoice_cli.stores.event_conditions import (
    CALL_COLUMNS,
    EVENT_COLUMNS,
    FACT_COLUMNS,
    NAMES_OF_CALL,
    NAMES_OF_DELIVERY,
    ONLY_OF_DELIVERY,
    compile_condition,
)
from alovoice_cli.stores.event_tables import CALL, DELIVERY, FACT

_MICRO = 1_000_000
_NAMES_OF_FACT = frozenset(EVENT_COLUMNS) - NAMES_OF_DELIVERY
_GROUPS = {"line": CALL.c.line, "peer": CALL.c.peer, "status": CALL.c.status}


def events_statement(wanted: Filter) -> tuple[Select[Any], tuple[Any, ...]]:
    """The numbers and times of the events that are wanted, and the keys of their order; asks no needless table.

    A delivery of which nothing was derived yet is left out only where the condition asks for what only that says.
    """
    names, period, on = fields_of(wanted.condition), wanted.period, DELIVERY.c.seq == FACT.c.seq
    is_inner = needs(wanted.condition, _NAMES_OF_FACT)
    tables: Any = DELIVERY.outerjoin(FACT, on) if names & _NAMES_OF_FACT else DELIVERY
    columns, seq, received_at = EVENT_COLUMNS, DELIVERY.c.seq, DELIVERY.c.received_at
    if is_inner and period == Period() and not names & ONLY_OF_DELIVERY:
        tables, columns, seq, received_at = FACT, FACT_COLUMNS, FACT.c.seq, FACT.c.received_at
    elif is_inner:
        tables = DELIVERY.join(FACT, on)
    if names & NAMES_OF_CALL:
        tables = tables.outerjoin(CALL, FACT.c.call_id == CALL.c.call_id)
    statement = select(seq, received_at).select_from(tables)
    statement = statement.where(compile_condition(wanted.condition, columns), *_within(received_at, period, 1))
    return statement, (seq,) if period == Period() else (received_at, seq)


def in_calls(wanted: Filter) -> list[Any]:
    """What calls must meet to be wanted."""
    in_time = _within(CALL.c.reported_at, wanted.period, _MICRO)
    return [compile_condition(wanted.condition, CALL_COLUMNS), *in_time]


def _within(column: Any, period: Period, unit: int) -> list[Any]:
    """The bounds of the period, in the column's unit (in microseconds)."""
    bounds = []
    if period.since is not None:
        bounds.append(column >= -(-period.since // unit))
    if period.until is not None:
        bounds.append(column < -(-period.until // unit))
    return bounds


def counting_statement(wanted: Filter, by: By) -> Select[Any]:
    """Groups, and what is counted in each, as Count has it."""
    if by == "rule":
        asked = events_statement(wanted)[0].distinct().subquery()
        ruled = asked.outerjoin(FACT, and_(FACT.c.seq == asked.c.seq, FACT.c.part == 0))
        counted = select(FACT.c.rule, null(), null(), func.count(), literal(0))
        return counted.select_from(ruled).group_by(FACT.c.rule)
    # `//` of two whole numbers is a whole number in every database
    group = _GROUPS.get(by, CALL.c.reported_at // QUARTER_SECONDS)
    talked = func.coalesce(func.sum(CALL.c.duration), 0)
    statement = select(group, CALL.c.direction, CALL.c.status, func.count(), talked)
    return statement.where(*in_calls(wanted)).group_by(group, CALL.c.direction, CALL.c.status)
