"""What is still to be forwarded: the durable errands of stored events, in order within each call.

Read here by whoever runs the errands; changed by jobs that ride along in the event writer's transactions.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Update, and_, exists, func, select

from alovoice_cli.events.event import Delivery
from alovoice_cli.stores.event_engine import open_engine, told_plainly, transaction
from alovoice_cli.stores.event_file import Job
from alovoice_cli.stores.event_rows import delivery_from
from alovoice_cli.stores.event_tables import DELIVERY, OUTBOX

DUE, DONE, DEAD = "due", "done", "dead"

_EARLIER = OUTBOX.alias()


@dataclass(frozen=True, slots=True)
class Due:
    """An errand whose turn it is. `born_at` is unix microseconds; `attempts` were made before."""

    delivery: Delivery
    queue: str
    attempts: int
    born_at: int


class Outbox:
    """The errands of one store. Each method uses a connection of its own; raises as the database does."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_engine(url)

    def due(self, target: str, now_us: int, limit: int) -> list[Due]:
        """The errands whose time has come, oldest first: of each queue only the first that is not done."""
        waits = exists().where(
            _EARLIER.c.target == target,
            _EARLIER.c.queue == OUTBOX.c.queue,
            _EARLIER.c.state == DUE,
            _EARLIER.c.seq < OUTBOX.c.seq,
        )
        query = (
            select(DELIVERY, OUTBOX.c.queue, OUTBOX.c.attempts, OUTBOX.c.born_at)
            .join(OUTBOX, DELIVERY.c.seq == OUTBOX.c.seq)
            .where(OUTBOX.c.target == target, OUTBOX.c.state == DUE, OUTBOX.c.due_at <= now_us, ~waits)
            .order_by(OUTBOX.c.seq)
            .limit(limit)
        )
        with self._engine.connect() as connection, told_plainly(), transaction(connection, writes=False):
            rows = connection.execute(query).all()
        return [Due(delivery_from(row), row.queue, row.attempts, row.born_at) for row in rows]

    def waiting(self) -> dict[str, int]:
        """How many errands are still to be done, by target."""
        query = select(OUTBOX.c.target, func.count()).where(OUTBOX.c.state == DUE).group_by(OUTBOX.c.target)
        with self._engine.connect() as connection, told_plainly(), transaction(connection, writes=False):
            return {row[0]: row[1] for row in connection.execute(query)}

    def close(self) -> None:
        """Lets go of the store."""
        self._engine.dispose()


def settled(target: str, seq: int, state: str, trouble: str = "") -> Job:
    """The job that ends an errand: DONE, or DEAD with its trouble."""

    def settle(connection: Connection) -> None:
        connection.execute(_of(target, seq).values(state=state, attempts=OUTBOX.c.attempts + 1, trouble=trouble[:500]))

    return settle


def put_off(target: str, seq: int, due_at: int, trouble: str) -> Job:
    """The job that notes a failed attempt, and when the next one is due (unix microseconds)."""

    def delay(connection: Connection) -> None:
        connection.execute(
            _of(target, seq).values(attempts=OUTBOX.c.attempts + 1, due_at=due_at, trouble=trouble[:500])
        )

    return delay


def _of(target: str, seq: int) -> Update:
    return OUTBOX.update().where(and_(OUTBOX.c.target == target, OUTBOX.c.seq == seq))
