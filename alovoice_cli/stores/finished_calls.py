"""Finished calls as queued deliveries and as notices, made in the transaction that stores a call's last part.

A target gets a call once: its row in the outbox belongs to its callstart, even if events arrive late or again. The
message is stored in that row, so that each attempt sends the same bytes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from alovoice_cli.events.event import Call, CallType
from alovoice_cli.events.event_table import finished_call_as_json
from alovoice_cli.events.missed import REPORTED_APART_SECONDS, is_owed_a_call, ring_group
from alovoice_cli.events.outbox import DUE, queue_of_call
from alovoice_cli.json_text import json_text
from alovoice_cli.stores.event_engine import Connection, marks
from alovoice_cli.stores.event_rows import QueueMoment, call_from
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_AT_ONCE = 500
_OF_CALL = ", ".join(f"call.{name}" for name in CALL_COLUMNS.split(", "))
_FINISHED = f"""SELECT {_OF_CALL}, started.id, ended.received_at, call.trial FROM call
    JOIN delivery AS started ON started.seq = call.start_seq JOIN delivery AS ended ON ended.seq = call.end_seq
    WHERE call.call_id IN"""
_BESIDE = f"SELECT {_OF_CALL} FROM call WHERE number = ? AND reported_at BETWEEN ? AND ? AND call_id <> ? AND trial = ?"
_INSERT = f"""INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble, message)
    VALUES (?, ?, ?, '{DUE}', 0, ?, ?, '', ?) ON CONFLICT DO NOTHING"""

_MISSED_CALLS = f"""SELECT {_OF_CALL}, ended.received_at FROM call
    JOIN delivery AS started ON started.seq = call.start_seq AND started.imported = 0
    JOIN delivery AS ended ON ended.seq = call.end_seq AND ended.imported = 0
    WHERE call.call_id IN"""
_INSERT_NOTICE = """INSERT INTO notice (target, seq, state, due_at, born_at, message)
    VALUES (?, ?, 'waiting', ?, ?, 0) ON CONFLICT DO NOTHING"""
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class NoticeTarget:
    """A target for missed calls: its name in the store, and the grace in seconds."""

    name: str
    grace_seconds: int


@dataclass(frozen=True, slots=True)
class CallTarget:
    """A target, by its name in the outbox, for finished calls or only for missed ones."""

    name: str
    kind: CallType


def queue_finished_calls(
    connection: Connection, call_ids: Collection[str], targets: Sequence[CallTarget], moment_of: QueueMoment = int
) -> None:
    """Queues the finished ones of the calls for each target that has not received them yet."""
    ids = list(call_ids) if targets else []
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        for *values, event_id, ended_at, trial in connection.execute(f"{_FINISHED} ({marks(part)})", part).fetchall():
            call = Call(*values)
            for target in targets if call.is_finished else ():
                if target.kind == "call" or _is_missed(connection, call, target, trial):
                    told = finished_call_as_json(call, event_id, target.kind)
                    message = json_text(told | {"trial": True} if trial else told)
                    queue, at = queue_of_call(call.call_id), moment_of(ended_at)
                    connection.execute(_INSERT, (target.name, call.start_seq, queue, at, at, message))


def _is_missed(connection: Connection, call: Call, target: CallTarget, trial: int) -> bool:
    """Returns whether nobody answered the caller, and no other telephone that rang for the same call was reported."""
    if not is_owed_a_call(call, ()):
        return False
    around = (call.reported_at - REPORTED_APART_SECONDS, call.reported_at + REPORTED_APART_SECONDS)
    beside = connection.execute(_BESIDE, (call.number, *around, call.call_id, trial)).fetchall()
    group = ring_group(call, [call_from(row) for row in beside])
    if not is_owed_a_call(call, group):
        return False
    numbers = [other.start_seq for other in group]
    told = f"SELECT 1 FROM outbox WHERE target = ? AND seq IN ({marks(numbers)})"
    return connection.execute(told, (target.name, *numbers)).fetchone() is None


def queue_notices(
    connection: Connection, call_ids: Collection[str], targets: Sequence[NoticeTarget], moment_of: QueueMoment = int
) -> None:
    """Makes a notice of each missed call for each target; imported calls are history and get none."""
    ids = list(call_ids) if targets else []
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        for *values, ended_at in connection.execute(f"{_MISSED_CALLS} ({marks(part)})", part).fetchall():
            call = Call(*values)
            if call.is_finished and is_owed_a_call(call, ()):
                for target in targets:
                    at = moment_of(ended_at)
                    due_at = at + target.grace_seconds * _MICRO
                    connection.execute(_INSERT_NOTICE, (target.name, call.start_seq, due_at, at))
