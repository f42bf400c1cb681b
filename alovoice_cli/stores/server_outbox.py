"""The outbox on a server, from which several listeners forward: each claims what it sends.

A claim is the owner's name in the row, set under `FOR UPDATE SKIP LOCKED`, only in the first row of each queue. It ends
with the result of the attempt, or with the owner's session: then the next listener that looks frees the row.

The order is that of storing. If two listeners spooled while the server was down, the part of one of them comes later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from alovoice_cli.events.outbox import DEAD, DUE, INTERRUPTED, RUNNING, waited_for
from alovoice_cli.stores.event_engine import Connection, marks, writing
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.outbox import QUEUED_COLUMNS, Due, Outbox, due_from
from alovoice_cli.stores.postgres import ServerConnection
from alovoice_cli.stores.server_owner import (
    FORWARDERS_LOCK,
    TELLER_LOCK,
    OwnerSession,
    dead_owners,
    is_locked,
    is_settled,
)

_CLAIM = f"""WITH chosen AS (
        SELECT outbox.target, outbox.seq FROM outbox JOIN delivery AS own ON own.seq = outbox.seq
        WHERE outbox.target = ? AND outbox.state = '{DUE}' AND outbox.due_at NOT BETWEEN ? AND ? AND outbox.owner = ''
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS other JOIN delivery AS earlier ON earlier.seq = other.seq
            WHERE other.target = outbox.target AND other.queue = outbox.queue
            AND other.state IN ('{DUE}', '{RUNNING}') AND other.seq <> outbox.seq
            AND (earlier.received_at, earlier.seq) < (own.received_at, own.seq))
        ORDER BY outbox.seq LIMIT ? FOR UPDATE OF outbox SKIP LOCKED)
    UPDATE outbox SET owner = ? FROM chosen WHERE outbox.target = chosen.target AND outbox.seq = chosen.seq
    RETURNING outbox.seq"""
_CLAIMED = f"SELECT {QUEUED_COLUMNS} WHERE outbox.target = ? AND outbox.seq = ANY(?) ORDER BY outbox.seq"
_CLAIMS = "SELECT seq, owner FROM outbox WHERE target = ? AND owner <> ''"
_FREE = f"""UPDATE outbox SET owner = '', trouble = CASE WHEN state = '{RUNNING}' THEN ? ELSE trouble END,
    state = CASE WHEN state = '{RUNNING}' THEN '{DEAD}' ELSE state END
    WHERE target = ? AND seq IN (SELECT seq FROM outbox WHERE target = ? AND owner = ? FOR UPDATE SKIP LOCKED)
    RETURNING seq, state, trouble"""
_LET_GO = f"UPDATE outbox SET owner = '' WHERE target = ? AND owner = ? AND state = '{DUE}' AND seq IN"


_OWNERS = f"SELECT DISTINCT owner FROM outbox WHERE owner <> '' AND state = '{RUNNING}'"
_INTERRUPTED = f"""UPDATE outbox SET state = '{DEAD}', trouble = ?, owner = ''
    FROM delivery WHERE delivery.seq = outbox.seq AND outbox.state = '{RUNNING}' AND outbox.owner IN"""


def give_up_interrupted(connection: Connection) -> list[tuple[str, str]]:
    """Makes dead letters of programs that were running when their listeners died.

    Returns the target's name and the event's id of each. An entry without an owner was copied from another store.
    """
    owners = [row[0] for row in connection.execute(_OWNERS).fetchall()]
    gone = ["", *dead_owners(connection, owners)]
    with writing(connection):
        asked = f"{_INTERRUPTED} ({marks(gone)}) RETURNING outbox.target, delivery.id"
        return [tuple(row) for row in connection.execute(asked, (INTERRUPTED, *gone)).fetchall()]


def is_forwarded(connection: Connection) -> bool:
    """Returns whether a listener forwards the events of this store."""
    return is_locked(connection, FORWARDERS_LOCK)


class ServerOutbox(Outbox):
    """The queued deliveries of one store on a server, for a listener with this `session`."""

    look_seconds = 0.2

    def __init__(self, url: str, session: OwnerSession, tell_interrupted: Callable[[str, Sequence[str]], None]) -> None:
        super().__init__(url)
        self._session, self._tell_interrupted = session, tell_interrupted
        self.owner = session.name

    @property
    def tells_people(self) -> bool:
        """Returns whether this listener sends the messages about missed calls."""
        return self._session.has(TELLER_LOCK)

    def fenced(self, change: Change, tell: Callable[[bool], None]) -> Change:
        """Returns the change, made only while this listener's session holds the lock for telling people."""

        def make(connection: Connection) -> None:
            assert isinstance(connection, ServerConnection)
            pid = self._session.pid
            is_teller = pid is not None and is_locked(connection, TELLER_LOCK, pid)
            if is_teller:
                change(connection)
            tell(is_teller)

        return make

    def give_up_interrupted(self) -> list[tuple[str, str, str]]:
        """Makes dead letters as Outbox does, of the programs of dead listeners."""
        with self._session.connected() as connection:
            return [(name, name, own_id) for name, own_id in give_up_interrupted(connection)]

    def claim(self, target: str, now_us: int, room: int, busy: Mapping[int, str]) -> list[Due]:
        """Claims at most `room` deliveries to make now, after it has freed the claims of dead listeners."""
        with self._session.connected() as connection:
            freed = self._freed(connection, target, busy)
            if not is_settled(connection):
                return []
            rows = connection.execute(_CLAIM, (target, *waited_for(now_us), room, self.owner)).fetchall()
            numbers = sorted(row[0] for row in rows)
            found = connection.execute(_CLAIMED, (target, numbers)).fetchall() if numbers else []
        if freed:
            self._tell_interrupted(target, freed)
        return [due_from(row) for row in found]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._session.connected() as connection:
            yield connection

    def _freed(self, connection: ServerConnection, target: str, busy: Mapping[int, str]) -> list[str]:
        """Frees the claims of dead listeners; returns the ids of events whose programs were interrupted."""
        claims = connection.execute(_CLAIMS, (target,)).fetchall()
        # Claimed by a statement whose answer was lost.
        forgotten = [seq for seq, owner in claims if owner == self.owner and seq not in busy]
        if forgotten:
            connection.execute(f"{_LET_GO} ({marks(forgotten)})", (target, self.owner, *forgotten))
        interrupted: list[int] = []
        for owner in dead_owners(connection, {owner for _, owner in claims} - {self.owner}):
            rows = connection.execute(_FREE, (INTERRUPTED, target, target, owner)).fetchall()
            interrupted += [seq for seq, state, trouble in rows if state == DEAD and trouble == INTERRUPTED]
        if not interrupted:
            return []
        asked = f"SELECT id FROM delivery WHERE seq IN ({marks(interrupted)}) ORDER BY seq"
        return [row[0] for row in connection.execute(asked, interrupted).fetchall()]
