"""Rows on their way from one event store to another: their numbers there, and how two versions of a row are merged."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from alovoice_cli.events.outbox import DEAD, DUE, INTERRUPTED, RUNNING
from alovoice_cli.stores.event_engine import Connection, marks

Row = Mapping[str, Any]


class CopyCount(NamedTuple):
    """How many rows were copied, how many of the target's were updated, and how many were known already.

    `left` are rows for another run: the source's listener is working on them.
    """

    copied: int = 0
    updated: int = 0
    known: int = 0
    left: int = 0

    def plus(self, other: "CopyCount") -> "CopyCount":
        """Returns the sum of both."""
        return CopyCount(*(own + more for own, more in zip(self, other, strict=True)))


class CopyStep(NamedTuple):
    """A copied batch: its table, and the number of its rows."""

    table: str
    counted: CopyCount


class Numbers:
    """The numbers (`seq`) of the same deliveries in both stores; a delivery is recognised by its id."""

    def __init__(self, source: Connection, target: Connection) -> None:
        self._source, self._target = source, target

    def in_target(self, numbers: Collection[int]) -> dict[int, int]:
        """Returns the target's number of each of these deliveries of the source that the target has."""
        return _same_deliveries(self._source, self._target, numbers)

    def of_source(self, numbers: Collection[int]) -> set[int]:
        """Returns those of the target's numbers whose delivery is in the source."""
        return set(_same_deliveries(self._target, self._source, numbers))


def _same_deliveries(one: Connection, other: Connection, numbers: Collection[int]) -> dict[int, int]:
    asked = list(numbers)
    rows = one.execute(f"SELECT id, seq FROM delivery WHERE seq IN ({marks(asked)})", asked).fetchall()
    ids = [row[0] for row in rows]
    found = dict(other.execute(f"SELECT id, seq FROM delivery WHERE id IN ({marks(ids)})", ids).fetchall())
    return {seq: found[own_id] for own_id, seq in rows if own_id in found}


def storable_row(row: Row) -> dict[str, Any]:
    """Returns the row in the form for PostgreSQL, whose texts cannot contain a NUL."""
    return {name: value.replace("\0", "�") if isinstance(value, str) else value for name, value in row.items()}


# --- calls

_START = ("number", "line", "peer", "direction", "started_at")
_END = ("status", "duration", "ended_at")
_GROUPS = (("start_seq", _START), ("end_seq", _END), ("result_seq", ("external_id",)))
_RECORD = ("record", "pbx_call_id")
CALL_NUMBERS = ("start_seq", "end_seq", "result_seq")


def numbered_call(row: Row, numbers: Mapping[int, int], settled: int) -> dict[str, Any] | None:
    """Returns the source's call with the target's numbers, without values from deliveries that are not settled yet.

    Returns None for a call without other values. A delivery that was pruned has no number.
    """
    call, is_told = dict(row), False
    for name, columns in _GROUPS:
        seq = row[name]
        call[name] = numbers.get(seq) if seq is not None else None
        if seq is not None and seq > settled:
            call.update(dict.fromkeys((name, *columns)))
        else:
            is_told = is_told or seq is not None
    is_unsettled = [row[name] is not None and row[name] > settled for name in ("end_seq", "result_seq")]
    if any(is_unsettled) and call["end_seq"] is None and call["result_seq"] is None:
        call.update(dict.fromkeys(_RECORD))
    return call if is_told or not any(row[name] for name in CALL_NUMBERS) else None


def merged_call(there: Row, coming: Row, of_source: Collection[int]) -> dict[str, Any]:
    """Returns the target's call, completed by the source's.

    Values from deliveries of the target's own listener stay: those are not in `of_source`. A trial changes no real
    call.
    """
    if coming["trial"] > there["trial"]:
        return dict(there)
    call = {**there, "trial": coming["trial"], "reported_at": min(there["reported_at"], coming["reported_at"])}
    is_own = {name: there[name] is not None and there[name] not in of_source for name in CALL_NUMBERS}
    for number, columns in _GROUPS:
        for name in (number, *columns):
            call[name] = _first(there, coming, name) if is_own[number] else _first(coming, there, name)
    for name in _RECORD:
        told_here = is_own["end_seq"] or is_own["result_seq"]
        call[name] = _first(there, coming, name) if told_here else _first(coming, there, name)
    return call


def _first(one: Row, other: Row, name: str) -> Any:
    return one[name] if one[name] is not None else other[name]


# --- the outbox and the notices

_OUTBOX_ORDER = {DUE: 0, RUNNING: 0, DEAD: 1, "done": 2}
_NOTICE_ORDER = {"waiting": 0, "telling": 1, "told": 2, "done": 3, "settled": 3, "dropped": 3}
OPEN_DELIVERIES = frozenset({DUE, RUNNING})
OPEN_NOTICES = frozenset({"waiting", "telling"})


def resting_delivery(row: Row) -> dict[str, Any]:
    """Returns a queued delivery without a working listener: a program that was running counts as interrupted."""
    if row["state"] != RUNNING:
        return dict(row)
    return {**row, "state": DEAD, "trouble": INTERRUPTED}


def settled_delivery(there: Row, coming: Row) -> dict[str, Any]:
    """Returns the target's queued delivery, or the source's if that has progressed since it was copied."""
    is_further = _OUTBOX_ORDER[coming["state"]] > _OUTBOX_ORDER.get(there["state"], 0)
    is_untouched = there["state"] in (DUE, DEAD) and there["due_at"] <= coming["due_at"]
    return dict(coming) if is_further and is_untouched else dict(there)


def settled_notice(there: Row, coming: Row) -> dict[str, Any]:
    """Returns the target's notice, or the source's if that has progressed since it was copied."""
    is_further = _NOTICE_ORDER[coming["state"]] > _NOTICE_ORDER[there["state"]]
    return dict(coming) if is_further else dict(there)


def later_uptime(there: Row, coming: Row) -> dict[str, Any]:
    """Returns the later of two signs of life of one listener."""
    is_later = (coming["seen_at"], coming["ended_at"] is not None) > (there["seen_at"], there["ended_at"] is not None)
    return dict(coming) if is_later else dict(there)


def message_numbers(there: Iterable[Row], coming: Sequence[Row]) -> dict[tuple[str, int], int]:
    """Returns the target's number for each message of the source, by (target, number).

    A message is recognised by the time at which it was made; a new one keeps its number if that is free.
    """
    taken: dict[str, set[int]] = {}
    known: dict[tuple[str, int], int] = {}
    for row in there:
        taken.setdefault(row["target"], set()).add(row["id"])
        known[row["target"], row["made_at"]] = row["id"]
    found = {}
    for row in coming:
        name = row["target"]
        used = taken.setdefault(name, set())
        number = known.get((name, row["made_at"]))
        if number is None:
            number = row["id"] if row["id"] not in used else max(used) + 1
            used.add(number)
        found[name, row["id"]] = number
    return found
