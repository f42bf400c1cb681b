"""Reads what the key figures need from the event store, in one reading transaction of the caller."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from alovoice_cli.events.conditions import ALWAYS, holds
from alovoice_cli.events.event import MISSED_STATUSES
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.kpi import Kpi, KpiGroup, KpiSettings
from alovoice_cli.events.kpi_period import KpiCount, KpiGroupCount, StoredCounts
from alovoice_cli.events.kpi_tally import KpiRow, Told, ToldResult
from alovoice_cli.events.line_load import TimeWindow
from alovoice_cli.events.missed import is_shown
from alovoice_cli.events.statistics import CLOCKS, By
from alovoice_cli.moments import ClockTime, unix_microseconds
from alovoice_cli.phones import canonical
from alovoice_cli.stores.event_engine import Connection, chunks, marks
from alovoice_cli.stores.event_query import BEGAN, QUARTER, Sql, in_calls, joined, within

_MICRO = 1_000_000
_ROWS_AT_ONCE = 3000
_NUMBERS_AT_ONCE = 500
_BEFORE_SECONDS = 600  # the part of a ring group may be reported this long before the period
_IN_ORDER = "call.reported_at, coalesce(call.start_seq, call.end_seq), call.call_id"
_OF_NUMBERS = f"""FROM call WHERE call.number IN ({{}}) AND call.reported_at >= ? AND call.trial <= ?
    ORDER BY {_IN_ORDER}"""
_GROUPS = {"line": "call.line", "peer": "call.peer", "number": "call.number"}


def _row(group: str = "NULL", *, with_peer: bool = True, with_line: bool = True) -> str:
    """Returns the columns of a KpiRow, without needless texts: reading a text takes as long as ten numbers."""
    return (
        f"call.direction, call.status, {'call.peer' if with_peer else 'NULL'}, {group}, {BEGAN}, call.ended_at,"
        " call.duration, call.ended_at - call.started_at, coalesce(call.started_at - call.reported_at, 0), call.number,"
        f" {'call.line' if with_line else 'NULL'}, call.start_seq"
    )


def period_figures(connection: Connection, wanted: Filter, settings: KpiSettings, clock: ClockTime) -> Kpi:
    """Returns the key figures of the wanted calls."""
    window = _window(connection, wanted, clock)
    told = _told(connection, wanted)
    count = KpiCount(window, told, settings)
    with _without_collector():
        for rows in _chunks(connection, _row(with_line=bool(told)), in_calls(wanted)):
            count.add(rows)
    _judge_callers(connection, wanted, count, window)
    return count.figures(
        StoredCounts(
            _duplicates(connection, wanted),
            _ends_without_id(connection, wanted),
            _results_without_call(connection, wanted, told),
        )
    )


def group_figures_by(
    connection: Connection, wanted: Filter, by: By, settings: KpiSettings, clock: ClockTime
) -> list[KpiGroup]:
    """Returns the key figures of each group of the wanted calls."""
    window = _window(connection, wanted, clock)
    count = KpiGroupCount(by, window, _told(connection, wanted), settings)
    group = QUARTER if by in CLOCKS else _GROUPS[by]
    for rows in _chunks(connection, _row(group, with_peer=False), in_calls(wanted)):
        count.add(rows)
    return count.figures()


def _window(connection: Connection, wanted: Filter, clock: ClockTime) -> TimeWindow:
    """Returns the period in whole seconds, by default from the first call until now."""
    since, until = (None if at is None else -(-at // _MICRO) for at in (wanted.period.since, wanted.period.until))
    if until is None:
        until = unix_microseconds(clock.now) // _MICRO + 1
    if since is None:
        where = in_calls(wanted)
        asked = f"SELECT min(call.reported_at) FROM call WHERE {where.text}"
        since = connection.execute(asked, where.values).fetchone()[0]
    return TimeWindow(until - 1 if since is None else min(since, until - 1), until, clock.zone)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Switches Python's cycle collector off: rows have no cycles, and it would walk over them again and again.

    For a million calls that is one second in seven of `events stats --kpi`.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _chunks(connection: Connection, columns: str, where: Sql) -> Iterator[list[KpiRow]]:
    """Yields the calls by the time of their report, and within a second in the order of the store.

    An index gives the first order, and nearly always the second. Sorting by both in SQLite would take half as long as
    reading again.
    """
    asked = f"SELECT {columns} FROM call WHERE {where.text} ORDER BY call.reported_at"
    left: list[KpiRow] = []
    for fetched in chunks(connection, asked, where.values, _ROWS_AT_ONCE):
        rows = left + fetched
        numbers = [row[11] or 0 for row in rows]
        if numbers != sorted(numbers):
            rows.sort(key=_store_order)
        whole = len(rows)
        while whole and _reported(rows[whole - 1]) == _reported(rows[-1]):
            whole -= 1
        left = rows[whole:]
        yield rows[:whole]
    yield left


def _reported(row: KpiRow) -> int:
    """Returns when the call was reported."""
    return row[4] - row[8]


def _store_order(row: KpiRow) -> tuple[int, int]:
    return _reported(row), row[11] or 0


# --- callers


def _judge_callers(connection: Connection, wanted: Filter, count: KpiCount, window: TimeWindow) -> None:
    """Follows callers who still wait after the period, and judges uncertain callers by all their calls."""
    callers, own = count.callers, in_calls(wanted)
    if wanted.condition != ALWAYS:
        # The condition chooses the missed calls. Every talk with their callers counts, on any line.
        asked = (
            f"SELECT DISTINCT number FROM call WHERE {own.text} AND call.direction = 'inc'"
            f" AND call.status IN ({marks(MISSED_STATUSES)}) AND call.number IS NOT NULL"
        )
        rows = connection.execute(asked, (*own.values, *MISSED_STATUSES))
        callers.uncertain.update(row[0] for row in rows if is_shown(row[0]))
    trials = int(wanted.with_trials)
    for part in _parts(callers.open_numbers):
        values = (*part, window.until, trials)
        callers.follow(connection.execute(f"SELECT {_row()} {_OF_NUMBERS.format(marks(part))}", values))
    is_own = f"CASE WHEN {own.text} THEN 1 ELSE 0 END"
    callers.forget_uncertain()
    for part in _parts(sorted(callers.uncertain)):
        values = (*own.values, *part, window.since - _BEFORE_SECONDS, trials)
        asked = f"SELECT {_row(is_own)} {_OF_NUMBERS.format(marks(part))}"
        callers.judge_again(connection.execute(asked, values).fetchall())


def _parts(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    return (numbers[start : start + _NUMBERS_AT_ONCE] for start in range(0, len(numbers), _NUMBERS_AT_ONCE))


# --- results, repetitions, and ends of unknown calls


def _told(connection: Connection, wanted: Filter) -> Told:
    """Returns the results that began with one of the wanted calls, or that were received in the period."""
    where = in_calls(wanted)
    asked = f"SELECT min(call.started_at), max(call.started_at) FROM call WHERE {where.text}"
    first, last = connection.execute(asked, where.values).fetchone()
    told: dict[int, list[ToldResult]] = defaultdict(list)
    received = joined([Sql("1 = 1"), *within("received_at", wanted.period, 1)], " AND ")
    rows = connection.execute(
        f"SELECT started_at, answered_at, ended_at, number, peer, line, CASE WHEN {received.text} THEN 1 ELSE 0 END"
        " FROM fact WHERE type = 'result' AND duplicate_of IS NULL AND trial <= ? AND started_at IS NOT NULL"
        f" AND (started_at BETWEEN ? AND ? OR {received.text}) ORDER BY started_at, seq, part",
        (*received.values, int(wanted.with_trials), first, last, *received.values),
    )
    key = cache(canonical)  # the line or an extension stands in most results
    for began, answered, ended, number, peer, line, is_received in rows:
        numbers = (number, peer and (key(peer) or peer))
        is_whole = answered is not None and ended is not None and answered > 0 and began <= answered <= ended
        wait, talk = (answered - began, ended - answered) if is_whole else (None, None)
        told[began].append(ToldResult(line, numbers, wait, talk, bool(is_received)))
    return told


def _results_without_call(connection: Connection, wanted: Filter, told: Told) -> int:
    """Returns how many results of the period belong to no call in the store."""
    lonely = [
        (began, result)
        for began, results in told.items()
        for result in results
        if result.in_period and not result.has_call and _may_be_wanted(result, began, wanted)
    ]
    asked = "SELECT 1 FROM call WHERE number IN ({}) AND started_at = ? AND line = ? LIMIT 1"
    found = (
        connection.execute(asked.format(marks(one.numbers)), (*one.numbers, began, one.line)).fetchone()
        for began, one in lonely
    )
    return sum(row is None for row in found)


def _may_be_wanted(result: ToldResult, began: int, wanted: Filter) -> bool:
    """Returns whether the condition can hold for the call of a result, by one of its numbers."""
    values = {"line": result.line, "started": began}
    return any(holds(wanted.condition, {**values, "number": number}) for number in (*result.numbers, None))


def _duplicates(connection: Connection, wanted: Filter) -> int:
    """Returns how many deliveries of the period are repetitions; with a condition, those of the wanted calls."""
    tables, conditions = "fact", [Sql("fact.duplicate_of IS NOT NULL AND fact.part = 0")]
    if wanted.condition != ALWAYS:
        tables = "fact JOIN call ON call.call_id = fact.call_id"
        conditions.append(in_calls(replace(wanted, period=Period())))
    return _count_facts(connection, tables, conditions, wanted)


def _ends_without_id(connection: Connection, wanted: Filter) -> int:
    """Returns how many ends of calls have no id; 0 with a condition, which they cannot meet."""
    if wanted.condition != ALWAYS:
        return 0
    lonely = Sql("fact.type = 'callend' AND fact.call_id IS NULL AND fact.problem = '' AND fact.duplicate_of IS NULL")
    return _count_facts(connection, "fact", [lonely], wanted)


def _count_facts(connection: Connection, tables: str, conditions: Sequence[Sql], wanted: Filter) -> int:
    terms = [
        *conditions,
        *within("fact.received_at", wanted.period, 1),
        Sql("fact.trial <= ?", (int(wanted.with_trials),)),
    ]
    where = joined(terms, " AND ")
    return int(connection.execute(f"SELECT count(*) FROM {tables} WHERE {where.text}", where.values).fetchone()[0])
