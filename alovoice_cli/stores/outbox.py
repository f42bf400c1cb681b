"""What is still to be forwarded: durable deliveries of stored events, in order within each call.

Read here by whoever delivers them; changed by changes that ride along in the event writer's transactions.
"""

from dataclasses import dataclass

from alovoice_cli.events.event import Delivery
from alovoice_cli.stores.event_engine import Connection, open_event_store, opened
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.event_rows import delivery_from
from alovoice_cli.stores.event_schema import DELIVERY_COLUMNS

DUE, DONE, DEAD = "due", "done", "dead"

_LONGEST_TROUBLE = 500
_COLUMNS = ", ".join(f"delivery.{name}" for name in DELIVERY_COLUMNS.split(", "))
# Of each queue only the first that is not done.
_DUE = f"""SELECT {_COLUMNS}, outbox.queue, outbox.attempts, outbox.born_at
    FROM delivery JOIN outbox ON delivery.seq = outbox.seq
    WHERE outbox.target = ? AND outbox.state = '{DUE}' AND outbox.due_at <= ? AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier WHERE earlier.target = outbox.target AND earlier.queue = outbox.queue
        AND earlier.state = '{DUE}' AND earlier.seq < outbox.seq)
    ORDER BY outbox.seq LIMIT ?"""  # noqa: S608 - only our own names


@dataclass(frozen=True, slots=True)
class Due:
    """A queued delivery whose turn it is. `born_at` is unix microseconds; `attempts` were made before."""

    delivery: Delivery
    queue: str
    attempts: int
    born_at: int


class Outbox:
    """The queued deliveries of one store. Each method uses a connection of its own; raises as the database does."""

    def __init__(self, url: str) -> None:
        self._url = url
        open_event_store(url).close()

    def due(self, target: str, now_us: int, limit: int) -> list[Due]:
        """The deliveries whose time has come, oldest first: of each queue only the first that is not done."""
        with opened(self._url) as connection:
            rows = connection.execute(_DUE, (target, now_us, limit)).fetchall()
        return [Due(delivery_from(row), *row[-3:]) for row in rows]

    def waiting(self) -> dict[str, int]:
        """How many deliveries are still to be made, by target."""
        with opened(self._url) as connection:
            return dict(
                connection.execute(
                    "SELECT target, count(*) FROM outbox WHERE state = ? GROUP BY target", (DUE,)
                ).fetchall()
            )


def settled(target: str, seq: int, state: str, trouble: str = "") -> Change:
    """The change that ends a queued delivery: DONE, or DEAD with its trouble."""

    def settle(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET state = ?, attempts = attempts + 1, trouble = ? WHERE target = ? AND seq = ?",
            (state, trouble[:_LONGEST_TROUBLE], target, seq),
        )

    return settle


def put_off(target: str, seq: int, due_at: int, trouble: str) -> Change:
    """The change that notes a failed attempt, and when the next one is due (unix microseconds)."""

    def delay(connection: Connection) -> None:
        connection.execute(
            "UPDATE outbox SET attempts = attempts + 1, due_at = ?, trouble = ? WHERE target = ? AND seq = ?",
            (due_at, trouble[:_LONGEST_TROUBLE], target, seq),
        )

    return delay
