"""The events to forward: durable deliveries of stored events, in order within each call, and their targets.

The dispatchers read it; changes are made in the event writer's transactions. The orders of an operator are in
`outbox_orders`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.outbox import (
    DEAD,
    DUE,
    INTERRUPTED,
    RUNNING,
    TargetStanding,
    TargetState,
    waited_for,
)
from alovoice_cli.stores.event_engine import Connection, opened, writing
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.event_rows import delivery_from
from alovoice_cli.stores.event_schema import DELIVERY_COLUMNS
from alovoice_cli.stores.process_lock import ProcessLock
from alovoice_cli.stores.row_values import NUMBER, TEXT, TEXT_OR_NONE, DamagedRowError, require_kinds

_LONGEST_TROUBLE = 500
_MICRO = 1_000_000
_LOOKED_BEYOND = 24
_COLUMNS = ", ".join(f"delivery.{name}" for name in DELIVERY_COLUMNS.split(", "))
QUEUED_COLUMNS = f"""{_COLUMNS}, outbox.queue, outbox.attempts, outbox.born_at, fact.call_id, outbox.message
    FROM delivery JOIN outbox ON delivery.seq = outbox.seq LEFT JOIN fact ON fact.seq = outbox.seq AND fact.part = 0"""
"""The columns of a delivery, then those of Due; and where they are."""
_ID, _SEQ = (DELIVERY_COLUMNS.split(", ").index(name) for name in ("id", "seq"))
_KINDS = (TEXT, NUMBER, NUMBER, TEXT_OR_NONE, TEXT)
# Only the first unfinished delivery of each queue.
_DUE = f"""SELECT {QUEUED_COLUMNS}
    WHERE outbox.target = ? AND outbox.state = '{DUE}' AND outbox.due_at NOT BETWEEN ? AND ? AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier WHERE earlier.target = outbox.target AND earlier.queue = outbox.queue
        AND earlier.state = '{DUE}' AND earlier.seq < outbox.seq)
    ORDER BY outbox.seq LIMIT ?"""
# The targets' names one by one, from the index: most of the deliveries, perhaps millions, are done.
_QUEUED = """WITH RECURSIVE queued(name) AS (
        SELECT min(target) FROM outbox
        UNION ALL SELECT (SELECT min(target) FROM outbox WHERE target > queued.name) FROM queued
        WHERE queued.name IS NOT NULL)"""
_REGISTER = """INSERT INTO outbox_target
    (name, label, state, changed_at, trouble, waits_until, resumed_at) VALUES (?, ?, ?, ?, ?, ?, 0)
    ON CONFLICT (name) DO UPDATE SET label = excluded.label"""


@dataclass(frozen=True, slots=True)
class Due:
    """A queued delivery that is due. `born_at` is unix microseconds; `attempts` is the number of earlier attempts.

    `row` has the stored columns of the delivery; none where the entry itself is damaged. `call_id` is that of the
    event's call. `message` is a finished call as JSON, to send in place of the event.
    """

    seq: int
    id: str
    row: Sequence[Any] = ()
    queue: str = ""
    attempts: int = 0
    born_at: int = 0
    call_id: str | None = None
    message: str = ""

    @property
    def delivery(self) -> Delivery:
        """Returns the event. Raises DamagedRowError: only this event is then given up."""
        if not self.row:
            raise DamagedRowError("its entry in the outbox has values of other types")
        return delivery_from(self.row)


def due_from(row: Sequence[Any]) -> Due:
    """Returns the entry in a row with QUEUED_COLUMNS."""
    seq, own_id = row[_SEQ], str(row[_ID])
    try:
        require_kinds(row[-len(_KINDS) :], _KINDS)
    except DamagedRowError:
        return Due(seq, own_id)
    return Due(seq, own_id, row, *row[-len(_KINDS) :])


def outbox_lock(store: Path) -> ProcessLock:
    """Returns the lock of the one listener that forwards this store's outbox."""
    return ProcessLock(store.with_name(f"{store.name}.outbox.lock"))


class Outbox:
    """The queued deliveries of one store. Each method uses its own connection; raises the database's errors."""

    owner = ""
    """The name under which deliveries are claimed."""
    look_seconds = 1.0
    """Seconds after which a dispatcher looks again without a wake."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def tells_people(self) -> bool:
        """Returns whether this listener sends the messages about missed calls."""
        return True

    def due(self, target: str, now_us: int, limit: int) -> list[Due]:
        """Returns the deliveries that are due, oldest first: only the first unfinished one of each queue."""
        with self._connected() as connection:
            rows = connection.execute(_DUE, (target, *waited_for(now_us), limit)).fetchall()
            return [due_from(row) for row in rows]

    def claim(self, target: str, now_us: int, room: int, busy: Mapping[int, str]) -> list[Due]:
        """Returns at most `room` deliveries to make now. `busy` are the queues of the events in flight.

        This outbox has one holder, so nobody else takes them.
        """
        # Compared by number too: a CRM's answer moves a callstart in flight to another queue.
        queues = set(busy.values())
        rows = self.due(target, now_us, room + _LOOKED_BEYOND)
        return [row for row in rows if row.queue not in queues and row.seq not in busy][:room]

    def fenced(self, change: Change, tell: Callable[[bool], None]) -> Change:
        """Returns the change, made only while this listener tells people; `tell` receives whether it does."""
        tell(True)
        return change

    def waiting(self) -> dict[str, int]:
        """Returns how many deliveries are unfinished, by target; targets without any are left out."""
        return {one.name: one.waiting for one in self.standing() if one.waiting}

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with opened(self._url) as connection:
            yield connection

    def has_failed(self, target: str) -> bool:
        """Returns whether a waiting delivery has a failed attempt."""
        with self._connected() as connection:
            failed = "SELECT 1 FROM outbox WHERE target = ? AND state = ? AND attempts > 0 LIMIT 1"
            return connection.execute(failed, (target, DUE)).fetchone() is not None

    def standing(self) -> list[TargetStanding]:
        """Returns the state of each target of a listener, and of each with waiting or dead deliveries, by name."""
        with self._connected() as connection:
            return [_standing(connection, *row) for row in connection.execute(_TARGETS).fetchall()]

    def given(self, targets: Sequence[tuple[str, str]], now_us: int) -> None:
        """Stores the targets (name and label) that a listener was started with."""
        with self._connected() as connection, writing(connection):
            for name, label in targets:
                connection.execute(_REGISTER, (name, label, "taking", now_us, "", 0))

    def resumed_at(self, target: str) -> int:
        """Returns when an operator last ordered an attempt at once (unix microseconds), 0 for never."""
        with self._connected() as connection:
            row = connection.execute("SELECT resumed_at FROM outbox_target WHERE name = ?", (target,)).fetchone()
        return int(row[0]) if row else 0

    def give_up_interrupted(self) -> list[tuple[str, str, str]]:
        """Makes dead letters of programs that were running when their listener died.

        Returns the target's name and label, and the event's id, of each. Only the holder may call it, before it starts
        a program.
        """
        told = f"""{_QUEUED} SELECT outbox.target, coalesce(outbox_target.label, outbox.target), delivery.id FROM outbox
            JOIN delivery ON delivery.seq = outbox.seq LEFT JOIN outbox_target ON outbox_target.name = outbox.target
            WHERE outbox.target IN (SELECT name FROM queued) AND outbox.state = ? ORDER BY outbox.seq"""
        given_up = f"""{_QUEUED} UPDATE outbox SET state = ?, trouble = ?
            WHERE target IN (SELECT name FROM queued) AND state = ?"""
        with self._connected() as connection, writing(connection):
            rows = connection.execute(told, (RUNNING,)).fetchall()
            connection.execute(given_up, (DEAD, INTERRUPTED, RUNNING))
        return [(name, label, own_id) for name, label, own_id in rows]


_TARGETS = f"""{_QUEUED}
    SELECT names.name, coalesce(known.label, names.name), coalesce(known.state, 'taking'),
        coalesce(known.changed_at, 0), coalesce(known.trouble, ''), coalesce(known.waits_until, 0),
        coalesce(known.resumed_at, 0)
    FROM (SELECT name FROM outbox_target UNION SELECT name FROM queued WHERE name IS NOT NULL) AS names
    LEFT JOIN outbox_target AS known ON known.name = names.name ORDER BY names.name"""
_COUNT = "SELECT count(*), min(born_at) FROM outbox WHERE target = ? AND state = ?"

_NOTICES = "notices"
_COUNT_NOTICES = "SELECT count(*), min(born_at) FROM notice WHERE target = ? AND state IN ('waiting', 'telling')"


def _standing(connection: Connection, name: str, label: str, state: TargetState, *known: Any) -> TargetStanding:
    changed_at, trouble, *moments = known
    counts = {kind: connection.execute(_COUNT, (name, kind)).fetchone() for kind in (DUE, RUNNING, DEAD)}
    counts[_NOTICES] = connection.execute(_COUNT_NOTICES, (name,)).fetchone()
    oldest = [counts[kind][1] for kind in (DUE, RUNNING, _NOTICES) if counts[kind][1] is not None]
    waiting = counts[DUE][0] + counts[RUNNING][0] + counts[_NOTICES][0]
    numbers = (waiting, counts[DEAD][0], min(oldest, default=None))
    return TargetStanding(name, label, state, changed_at, trouble, *numbers, *moments)


# --- changes, for the event writer


def _kept(trouble: str) -> str:
    """Returns the trouble in a form that the store takes."""
    return trouble.encode("utf-8", "replace").decode()[:_LONGEST_TROUBLE]


def settled(target: str, seq: int, state: str, trouble: str = "", owner: str = "") -> Change:
    """Returns the change that ends a queued delivery: DONE, or DEAD with its trouble.

    It does nothing if the delivery has another owner now: that owner ends it, and the next ones in its queue wait for
    that. A program that was wrongly given up as interrupted is ended all the same.
    """

    def settle(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET state = ?, attempts = attempts + 1, trouble = ?, owner = ''"
            " WHERE target = ? AND seq = ? AND (owner = ? OR (state = ? AND trouble = ?))",
            (state, _kept(trouble), target, seq, owner, DEAD, INTERRUPTED),
        )

    return settle


def put_off(target: str, seq: int, due_at: int, trouble: str, owner: str = "") -> Change:
    """Returns the change that stores a failed attempt, and the time of the next one (unix microseconds)."""

    def delay(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET attempts = attempts + 1, due_at = ?, trouble = ?, owner = ''"
            " WHERE target = ? AND seq = ? AND state = ? AND owner = ?",
            (due_at, _kept(trouble), target, seq, DUE, owner),
        )

    return delay


def claimed(target: str, seq: int, tell: Callable[[bool], None], owner: str = "") -> Change:
    """Returns the change that marks a program as started before it starts; `tell` receives whether it was due."""

    def claim(connection: Connection) -> None:
        place = (target, seq, DUE, owner)
        among = "WHERE target = ? AND seq = ? AND state = ? AND owner = ?"
        due = connection.execute(f"SELECT 1 FROM outbox {among}", place).fetchone()
        connection.execute(f"UPDATE outbox SET state = ? {among}", (RUNNING, *place))
        tell(due is not None)

    return claim


def unclaimed(target: str, seq: int, owner: str = "") -> Change:
    """Returns the change that removes a claim: there was no attempt."""

    def unclaim(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET state = ?, owner = '' WHERE target = ? AND seq = ? AND state IN (?, ?) AND owner = ?",
            (DUE, target, seq, DUE, RUNNING, owner),
        )

    return unclaim


def pulled_forward(target: str, now_us: int) -> Change:
    """Returns the change that makes all failed deliveries due at once; those without an attempt keep their time."""

    def pull(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET due_at = ? WHERE target = ? AND state = ? AND due_at > ? AND attempts > 0",
            (now_us, target, DUE, now_us),
        )

    return pull


def probed(target: str, now_us: int) -> Change:
    """Returns the change that makes the oldest failed event due: its success makes the others due."""

    def probe(connection: Connection) -> None:
        failed = "target = ? AND state = ? AND attempts > 0"
        connection.execute(
            f"UPDATE outbox SET due_at = ? WHERE {failed} AND seq = (SELECT min(seq) FROM outbox WHERE {failed})",
            (now_us, target, DUE, target, DUE),
        )

    return probe


def stopped(target: str, trouble: str) -> Change:
    """Returns the change that makes dead letters of all entries for a stopped target, unless it was resumed."""

    def stop(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET state = ?, trouble = ? WHERE target = ? AND state = ?"
            " AND EXISTS (SELECT 1 FROM outbox_target WHERE name = outbox.target AND state = 'stopped')",
            (DEAD, trouble, target, DUE),
        )

    return stop


def noted_state(name: str, label: str, state: TargetState, trouble: str, waits_until: int, now_us: int) -> Change:
    """Returns the change that stores the state of a target."""

    def note(connection: Connection) -> None:
        connection.execute(_REGISTER, (name, label, state, now_us, "", waits_until))
        connection.execute(
            "UPDATE outbox_target SET trouble = ?, waits_until = ?, state = ?,"
            " changed_at = CASE WHEN state = ? THEN changed_at ELSE ? END WHERE name = ?",
            (_kept(trouble), waits_until, state, state, now_us, name),
        )

    return note
