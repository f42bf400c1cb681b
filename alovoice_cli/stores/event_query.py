"""Builds the event store's queries as SQL; an index answers each of them.

Names in this code become columns, values are always bound, and no text of a user becomes SQL.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli.events.conditions import And, Compare, Condition, Not, Operator, Value, fields_of, lower, needs
from alovoice_cli.events.event import Event, Fact, parties
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.statistics import QUARTER_SECONDS, By
from alovoice_cli.stores.event_engine import Connection, marks
from alovoice_cli.stores.event_schema import CALL_COLUMNS

Columns = Mapping[str, str]

_MICRO = 1_000_000
_APART_SECONDS = 6 * 3600
"""The most seconds between a call's start and its result: a bound for the look-up, longer than any call."""
_MOST_FACTS = 20

_OF_DELIVERY = {
    "id": "delivery.id",
    "seq": "delivery.seq",
    "type": "delivery.type",
    "received": "delivery.received_at",
    "sender": "delivery.peer",
}
_OF_FACT = {
    "status": "fact.status",
    "duration": "fact.duration",
    "answered": "fact.answered_at",
    "ended": "fact.ended_at",
    "record": "fact.record",
    "queue": "fact.queue",
    "rule": "fact.rule",
    "duplicate_of": "fact.duplicate_of",
    "problem": "nullif(fact.problem, '')",
}
_OF_FACT_OR_CALL = {
    name: f"coalesce(fact.{column}, call.{column})"
    for name, column in {
        **{name: name for name in ("external_id", "pbx_call_id", "number", "line", "peer", "direction")},
        "started": "started_at",
    }.items()
}
# A result's own id is the PBX's, which is rarely an id of a call here.
_OF_FACT_OR_CALL["event_call_id"] = "CASE WHEN fact.type = 'result' THEN call.call_id ELSE fact.call_id END"
_EVENT_COLUMNS: Columns = {**_OF_DELIVERY, **_OF_FACT, **_OF_FACT_OR_CALL}
# The same without the table of deliveries; only that table has `id` and `sender`.
_FACT_COLUMNS: Columns = {**_EVENT_COLUMNS, "seq": "fact.seq", "type": "fact.type", "received": "fact.received_at"}
_ONLY_OF_DELIVERY = frozenset(("id", "sender"))
_NAMES_OF_CALL = frozenset(_OF_FACT_OR_CALL)
_NAMES_OF_FACT = frozenset(_OF_FACT) | _NAMES_OF_CALL
_PLAIN_OF_CALL = ("pbx_call_id", "external_id", "number", "line", "peer", "direction", "status", "duration", "record")
_CALL_COLUMNS: Columns = {
    **{name: f"call.{name}" for name in _PLAIN_OF_CALL},
    "event_call_id": "call.call_id",
    "started": "call.started_at",
    "ended": "call.ended_at",
    "received": "call.reported_at",
}
_GROUPS: Mapping[By, str] = {name: f"call.{name}" for name in ("line", "peer", "number", "status")}
BEGAN = "coalesce(call.started_at, call.reported_at)"
"""The beginning of a call by the PBX's clock; without one, the time of its first report."""
# The quotient of two whole numbers is a whole number in every database.
QUARTER = f"{BEGAN} / {QUARTER_SECONDS}"
_OPPOSITE: Mapping[Operator, Operator] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_LIKE_MEANS = str.maketrans({"/": "//", "%": "/%", "_": "/_"})


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its marks, in their order."""

    text: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreQuestion:
    """A query for rows: their columns, tables and condition, and the columns that order them.

    `places` are the positions of the ordering columns in a row.
    """

    select: str
    where: Sql
    keys: tuple[str, ...]
    places: tuple[int, ...]

    def page(
        self, *, after: Sequence[Value] = (), newest_first: bool = False, limit: int = 0, then: Sql | None = None
    ) -> Sql:
        """Returns the query for the next `limit` rows in the order of the keys, behind the row with these keys."""
        sign, word = ("<", "DESC") if newest_first else (">", "ASC")
        wheres = [self.where, *([then] if then is not None else [])]
        if after:
            wheres.append(Sql(f"({', '.join(self.keys)}) {sign} ({marks(after)})", tuple(after)))
        asked = joined(wheres, " AND ")
        order = ", ".join(f"{key} {word}" for key in self.keys)
        return Sql(f"{self.select} WHERE {asked.text} ORDER BY {order} LIMIT ?", (*asked.values, limit))


def events_question(wanted: Filter) -> StoreQuestion:
    """Returns the query for numbers (`seq`) and times of the wanted events, without needless tables.

    The keys are the number alone, or for a period the time and the number. A delivery without derived data is left out
    only where the condition needs that data.
    """
    names, period = fields_of(wanted.condition), wanted.period
    is_inner = needs(wanted.condition, _NAMES_OF_FACT)
    columns, seq, received_at = _EVENT_COLUMNS, "delivery.seq", "delivery.received_at"
    tables = "delivery LEFT JOIN fact ON delivery.seq = fact.seq" if names & _NAMES_OF_FACT else "delivery"
    if is_inner and period == Period() and not names & _ONLY_OF_DELIVERY:
        columns, tables, seq, received_at = _FACT_COLUMNS, "fact", "fact.seq", "fact.received_at"
    elif is_inner:
        tables = "delivery JOIN fact ON delivery.seq = fact.seq"
    if names & _NAMES_OF_CALL:
        tables += " LEFT JOIN call ON fact.call_id = call.call_id"
    # Trials are few: looking up each event in their list is cheaper than a join with all facts.
    real = [] if wanted.with_trials else [Sql(f"{seq} NOT IN (SELECT seq FROM fact WHERE trial = 1)")]
    where = joined([_compiled(wanted.condition, columns), *within(received_at, period, 1), *real], " AND ")
    select = f"SELECT {seq}, {received_at} FROM {tables}"
    if period == Period():
        return StoreQuestion(select, where, (seq,), (0,))
    return StoreQuestion(select, where, (received_at, seq), (1, 0))


def calls_question(wanted: Filter) -> StoreQuestion:
    """Returns the query for the wanted calls (CALL_COLUMNS), in the order in which they were reported."""
    keys = ("reported_at", "call_id")
    names = CALL_COLUMNS.split(", ")
    return StoreQuestion(
        f"SELECT {CALL_COLUMNS} FROM call", in_calls(wanted), keys, tuple(names.index(name) for name in keys)
    )


def counting(wanted: Filter, by: By) -> Sql:
    """Returns the query for the groups of wanted calls and their counts, with the columns of Count."""
    if by == "rule":
        asked = events_question(wanted)
        return Sql(
            f"SELECT fact.rule, NULL, NULL, count(*), 0 FROM (SELECT DISTINCT {asked.select.removeprefix('SELECT ')}"
            f" WHERE {asked.where.text}) AS asked LEFT JOIN fact ON fact.seq = asked.seq AND fact.part = 0"
            " GROUP BY fact.rule",
            asked.where.values,
        )
    group, where = _GROUPS.get(by, QUARTER), in_calls(wanted)
    return Sql(
        f"SELECT {group}, call.direction, call.status, count(*), CAST(coalesce(sum(call.duration), 0) AS BIGINT)"
        " FROM call"
        f" WHERE {where.text} GROUP BY {group}, call.direction, call.status",
        where.values,
    )


def in_calls(wanted: Filter) -> Sql:
    """Returns the condition on `call` for the wanted calls."""
    in_time = within("call.reported_at", wanted.period, _MICRO)
    real = [] if wanted.with_trials else [Sql("call.trial = 0")]
    return joined([_compiled(wanted.condition, _CALL_COLUMNS), *in_time, *real], " AND ")


def within(column: str, period: Period, unit: int) -> list[Sql]:
    """Returns the bounds of the period, in the column's unit (in microseconds)."""
    bounds = []
    if period.since is not None:
        bounds.append(Sql(f"{column} >= ?", (-(-period.since // unit),)))
    if period.until is not None:
        bounds.append(Sql(f"{column} < ?", (-(-period.until // unit),)))
    return bounds


# --- a condition


def _compiled(condition: Condition, columns: Columns, *, negated: bool = False) -> Sql:
    """Returns the condition, or its opposite, as an expression on these columns that is true exactly where it holds.

    Negations move down to the comparisons, and each comparison defines the meaning of a NULL: SQL's third truth value
    cannot occur, and a plain `number = ?` stays plain, so that an index answers it.
    """
    if isinstance(condition, Not):
        return _compiled(condition.term, columns, negated=not negated)
    if isinstance(condition, Compare):
        indexed = None if negated or columns is _CALL_COLUMNS else _indexed(condition)
        return indexed or _compared(columns[condition.field], condition.operator, condition.value, negated=negated)
    terms = [_compiled(term, columns, negated=negated) for term in condition.terms]
    if isinstance(condition, And) is not negated:
        return joined(terms, " AND ") if terms else Sql("1 = 1")
    return joined(terms, " OR ") if terms else Sql("1 = 0")


def joined(terms: Iterable[Sql], word: str) -> Sql:
    """Returns the terms with this word between them."""
    parts = list(terms)
    if len(parts) == 1:
        return parts[0]
    return Sql(f"({word.join(part.text for part in parts)})", tuple(value for part in parts for value in part.values))


def _indexed(condition: Compare) -> Sql | None:
    """Returns the condition if its columns come from two tables and an index still answers it; else None."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if condition.operator not in ("=", "in") or None in values:
        return None
    if condition.field == "event_call_id":  # as its column is defined
        own = f"(fact.call_id IN ({marks(values)}) AND (fact.type <> 'result' OR call.call_id IS NOT NULL))"
        return Sql(own, values)
    return _number_among(values) if condition.field == "number" else None


def _number_among(values: tuple[Value, ...]) -> Sql:
    """Returns a comparison of the coalesced number that uses the indexes of both tables.

    It first makes a list of events: PostgreSQL uses no index for a condition with `OR`.
    """
    among = f"IN ({marks(values)})"
    return Sql(
        f"(fact.seq IN (SELECT told.seq FROM fact AS told WHERE told.number {among} UNION ALL SELECT told.seq"
        f" FROM call AS whole JOIN fact AS told ON told.call_id = whole.call_id WHERE whole.number {among})"
        f" AND {_OF_FACT_OR_CALL['number']} {among})",
        (*values, *values, *values),
    )


def _compared(column: str, operator: Operator, value: Value | tuple[Value, ...], *, negated: bool) -> Sql:
    if operator in ("!=", "!~"):
        return _compared(column, "=" if operator == "!=" else "~", value, negated=not negated)
    if value is None:
        return Sql(f"{column} IS NOT NULL" if negated else f"{column} IS NULL")
    holds = _comparison(column, operator, value, negated=negated)
    return Sql(f"({holds.text} OR {column} IS NULL)", holds.values) if negated else holds


def _comparison(column: str, operator: Operator, value: Value | tuple[Value, ...], *, negated: bool) -> Sql:
    """Returns the comparison for a column that has a value."""
    no = "NOT " if negated else ""
    if isinstance(value, tuple):
        return Sql(f"{column} {no}IN ({marks(value)})", value)
    if operator in _OPPOSITE:
        return Sql(f"{column} {_OPPOSITE[operator] if negated else operator} ?", (value,))
    if operator == "=":
        return Sql(f"{column} {'<>' if negated else '='} ?", (value,))
    pattern = f"%{lower(str(value)).translate(_LIKE_MEANS)}%"
    return Sql(f"lower({column}) {no}LIKE ? ESCAPE '/'", (pattern,))


# --- the call of a result without a common id


def matching_seqs(connection: Connection, event: Event) -> set[int]:
    """Returns the query for events (`seq`) of the same call as this callstart or result, without an id in common.

    The document gives a result the PBX's own `id` and our `externalid`, and a callstart neither. Two events belong to
    one call if they share the second of the beginning, the line, and a number.
    """
    kind, at = event.delivery.type, event.delivery.received_at
    find: Callable[[Fact, int], Sql] | None = {"result": _calls_of, "callstart": _results_of}.get(kind)
    found: set[int] = set()
    for fact in event.facts[:_MOST_FACTS] if find is not None else ():
        if find is not None and fact.started_at is not None and fact.line is not None:
            asked = find(fact, at)
            rows = connection.execute(asked.text, asked.values)
            found |= {seq for row in rows for seq in row if seq is not None}
    return found


def _calls_of(fact: Fact, at: int) -> Sql:
    numbers = tuple(parties(fact))
    return Sql(
        "SELECT start_seq, end_seq FROM call WHERE reported_at BETWEEN ? AND ? AND started_at = ? AND line = ?"
        f" AND number IN ({marks(numbers)})",
        (at // _MICRO - _APART_SECONDS, at // _MICRO + _APART_SECONDS, fact.started_at, fact.line, *numbers),
    )


def _results_of(fact: Fact, at: int) -> Sql:
    apart = _APART_SECONDS * _MICRO
    number = fact.number or ""
    spellings = (fact.number, number.removeprefix("998"), f"+{number}")  # `peer` is stored as it was written
    return Sql(
        "SELECT fact.seq FROM delivery JOIN fact ON delivery.seq = fact.seq WHERE delivery.type = 'result'"
        " AND delivery.received_at BETWEEN ? AND ? AND fact.started_at = ? AND fact.line = ?"
        f" AND (fact.number IN ({marks(spellings)}) OR fact.peer IN ({marks(spellings)}))",
        (at - apart, at + apart, fact.started_at, fact.line, *spellings, *spellings),
    )
