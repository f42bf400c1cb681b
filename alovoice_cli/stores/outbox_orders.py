"""An operator's questions and orders for the outbox: list, retry, hand over, drop; with or without a running listener.

Each order is made in small transactions: a listener can write between two of them.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from alovoice_cli.errors import UsageError
from alovoice_cli.events.outbox import DEAD, DUE, RUNNING, OutboxEntry, OutboxSelection, TargetStanding
from alovoice_cli.language import tr
from alovoice_cli.store_urls import is_server_url
from alovoice_cli.stores.event_engine import Connection, marks, opened, store_exists, writing
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.outbox import Outbox, outbox_lock

_AT_ONCE = 400  # some of them occur twice in a statement: older SQLites take 999 values
_BREATH_SECONDS = 0.02
_ROWS = """SELECT delivery.id, outbox.seq, delivery.type, delivery.received_at, outbox.target, outbox.state,
    outbox.attempts, outbox.born_at, outbox.due_at, outbox.trouble
    FROM outbox JOIN delivery ON delivery.seq = outbox.seq"""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some entries of one target in one state, by their events' numbers."""

    target: str
    state: str
    numbers: Sequence[int]

    @property
    def condition(self) -> str:
        """Returns the condition that selects them; a program that a listener has started meanwhile is left out."""
        return f"target = ? AND state = ? AND seq IN ({marks(self.numbers)})"

    @property
    def values(self) -> tuple[object, ...]:
        return self.target, self.state, *self.numbers


class OutboxOrders:
    """The outbox of an existing store. Methods raise UsageError if the file is missing or cannot be used."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def exists(self) -> bool:
        """Returns whether a listener has ever created the store."""
        return store_exists(self._url)

    def standing(self) -> list[TargetStanding]:
        """Returns the state of each target as Outbox does."""
        with opened(self._url):  # raises if there is no store
            return Outbox(self._url).standing()

    def is_held(self) -> bool:
        """Returns whether a listener forwards the events of this store."""
        if is_server_url(self._url):
            from alovoice_cli.stores.server_outbox import is_forwarded  # noqa: PLC0415 - only for a store on a server

            with opened(self._url) as connection:
                return is_forwarded(connection)
        lock = outbox_lock(sqlite_path(self._url))
        is_free = lock.acquire()
        lock.release()
        return not is_free

    def give_up_interrupted(self) -> None:
        """Makes dead letters of programs that were running when their listener died."""
        if is_server_url(self._url):
            from alovoice_cli.stores.server_outbox import give_up_interrupted  # noqa: PLC0415 - same

            with opened(self._url) as connection:
                give_up_interrupted(connection)
            return
        with opened(self._url):  # raises if there is no store, before it creates a lock
            lock = outbox_lock(sqlite_path(self._url))
        if lock.acquire():
            try:
                Outbox(self._url).give_up_interrupted()
            finally:
                lock.release()

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """Returns the numbers of events (`e1204`, or the event's id) with entries in the outbox.

        Raises UsageError for an event without entries.
        """
        with opened(self._url) as connection:
            return [_number(connection, own_id) for own_id in ids]

    def entries(self, selection: OutboxSelection) -> Iterator[OutboxEntry]:
        """Yields the entries in the order of their events."""
        streams = [
            self._stream(target, state, selection.events) for target in selection.targets for state in selection.states
        ]
        return heapq.merge(*streams, key=attrgetter("seq"))

    def count(self, selection: OutboxSelection) -> int:
        """Returns the number of entries."""
        with opened(self._url) as connection:
            notices = sum(map(len, _waiting_notices(connection, selection).values()))
            return notices + sum(len(batch.numbers) for batch in _batches(connection, selection))

    def retry(self, selection: OutboxSelection, now_us: int) -> int:
        """Makes the entries due now, like new ones, and lets a paused target be tried; returns their number."""

        def revive(connection: Connection, batch: _Batch) -> None:
            new = "state = ?, attempts = 0, due_at = ?, born_at = ?, trouble = ''"
            values = (DUE, now_us, now_us, *batch.values)
            connection.execute(f"UPDATE outbox SET {new} WHERE {batch.condition}", values)

        with opened(self._url) as connection:
            notices = _waiting_notices(connection, selection)
            named: Iterable[str] = selection.targets
            if selection.events:
                named = {*notices, *(batch.target for batch in _batches(connection, selection))}
            with writing(connection):
                for target in named:
                    _resume(connection, target, now_us)
        return sum(map(len, notices.values())) + self._each(selection, revive)

    def hand_over(self, selection: OutboxSelection, to: str, label: str, now_us: int) -> int:
        """Moves the entries to another target, due now; entries that it has already are not doubled.

        Returns their number.
        """

        def move(connection: Connection, batch: _Batch) -> None:
            # A dead letter of the other target is replaced; its waiting and done entries stay.
            theirs = f"target = ? AND seq IN ({marks(batch.numbers)})"
            connection.execute(f"DELETE FROM outbox WHERE {theirs} AND state = ?", (to, *batch.numbers, DEAD))
            connection.execute(
                "UPDATE outbox SET target = ?, state = ?, attempts = 0, due_at = ?, born_at = ?, trouble = '',"
                f" owner = '' WHERE {batch.condition} AND seq NOT IN (SELECT seq FROM outbox WHERE {theirs})",
                (to, DUE, now_us, now_us, *batch.values, to, *batch.numbers),
            )
            connection.execute(f"DELETE FROM outbox WHERE {batch.condition}", batch.values)

        Outbox(self._url).given([(to, label)], now_us)
        with opened(self._url) as connection, writing(connection):
            _resume(connection, to, now_us)
        others = [target for target in selection.targets if target != to]
        return self._each(OutboxSelection(others, selection.states, selection.events), move)

    def drop(self, selection: OutboxSelection) -> int:
        """Removes the entries from the outbox; their events stay in the history. Returns their number."""

        def forget(connection: Connection, batch: _Batch) -> None:
            connection.execute(f"DELETE FROM outbox WHERE {batch.condition}", batch.values)

        dropped = 0
        with opened(self._url) as connection, writing(connection):
            notices = _waiting_notices(connection, selection)
            for name in selection.targets:
                numbers = notices.get(name, [])
                dropped += len(numbers)
                connection.executemany(
                    "UPDATE notice SET state = 'dropped' WHERE target = ? AND seq = ?", [(name, seq) for seq in numbers]
                )
                connection.execute(_DROP_UNSENT, (name,))
        return dropped + self._each(selection, forget)

    def _each(self, selection: OutboxSelection, change: Callable[[Connection, _Batch], None]) -> int:
        """Makes the change to all entries in small transactions; returns their number."""
        done = 0
        with opened(self._url) as connection:
            for batch in _batches(connection, selection):
                started = time.monotonic()
                with writing(connection):
                    change(connection, batch)
                done += len(batch.numbers)
                # A waiting writer asks again every few milliseconds: the lock stays free as long as it was held.
                time.sleep(max(_BREATH_SECONDS, time.monotonic() - started) if len(batch.numbers) == _AT_ONCE else 0.0)
        return done

    def _stream(self, target: str, state: str, events: Sequence[int]) -> Iterator[OutboxEntry]:
        with opened(self._url) as connection:
            for batch in _batches(connection, OutboxSelection((target,), (state,), events)):
                found = f"{_ROWS} WHERE outbox.target = ? AND outbox.seq IN ({marks(batch.numbers)})"
                rows = connection.execute(f"{found} ORDER BY outbox.seq", (target, *batch.numbers))
                for row in rows.fetchall():
                    yield OutboxEntry(*row)


def _batches(connection: Connection, selection: OutboxSelection) -> Iterator[_Batch]:
    """Yields the entries' numbers by target, in small parts, each from the store's present state."""
    wanted = sorted(set(selection.events))
    among = f" AND seq IN ({marks(wanted)})" if wanted else ""
    question = f"SELECT seq FROM outbox WHERE target = ? AND state = ? AND seq > ?{among} ORDER BY seq LIMIT {_AT_ONCE}"
    for target in selection.targets:
        for state in selection.states:
            last = 0
            while True:
                rows = connection.execute(question, (target, state, last, *wanted)).fetchall()
                if not rows:
                    break
                last = rows[-1][0]
                yield _Batch(target, state, [row[0] for row in rows])


_DROP_UNSENT = """UPDATE notice_message SET state = 'dropped' WHERE target = ? AND state = 'sending' AND NOT EXISTS (
    SELECT 1 FROM notice WHERE notice.target = notice_message.target AND notice.message = notice_message.id
    AND notice.state = 'telling')"""


def _waiting_notices(connection: Connection, selection: OutboxSelection) -> dict[str, list[int]]:
    """Returns the callstarts of missed calls that still wait for a message, by target."""
    waiting: dict[str, list[int]] = {}
    if DUE in selection.states:
        asked = "SELECT seq FROM notice WHERE target = ? AND state IN ('waiting', 'telling')"
        for name in selection.targets:
            for (seq,) in connection.execute(asked, (name,)).fetchall():
                if not selection.events or seq in selection.events:
                    waiting.setdefault(name, []).append(seq)
    return waiting


def _resume(connection: Connection, target: str, now_us: int) -> None:
    connection.execute("UPDATE outbox_target SET resumed_at = ?, waits_until = 0 WHERE name = ?", (now_us, target))
    connection.execute("UPDATE outbox_target SET state = 'taking' WHERE name = ? AND state = 'stopped'", (target,))


def _number(connection: Connection, own_id: str) -> int:
    text = own_id.strip()
    number = text[1:] if text[:1] == "e" and text[1:].isascii() and text[1:].isdigit() else ""
    column, value = ("seq", int(number[:18])) if number else ("id", text)
    open_states = (DUE, RUNNING, DEAD)
    row = connection.execute(
        f"SELECT delivery.seq FROM delivery JOIN outbox ON outbox.seq = delivery.seq WHERE delivery.{column} = ?"
        f" AND outbox.state IN ({marks(open_states)}) LIMIT 1",
        (value, *open_states),
    ).fetchone()
    if row is None:
        raise UsageError(
            tr("the outbox has no event {id}: none waits, and none was given up", id=repr(own_id)),
            hint=tr("`alovoice events outbox list` shows the events; give a value of its first column"),
        )
    return int(row[0])
