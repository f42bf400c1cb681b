"""What an event store knows of the calls that go on: asked before each call of a batch that leaves lines free."""

from collections.abc import Collection, Sequence

from alovoice_cli.batch.call_evidence import MICRO, SKEW
from alovoice_cli.batch.lines import HOLD, LONGEST_CALL, HeardCalls, heard_from
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.stores.event_engine import Connection, ReadOnlyStore, marks
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_BUSY_SECONDS = 0.5
_CHUNK = 500

LISTENERS = "SELECT began_at, seen_at, ended_at FROM uptime WHERE seen_at >= ?"
# Between extensions no line is needed; a call that names one holds it, whatever its direction.
GOING = """SELECT line, count(*) FROM call WHERE reported_at BETWEEN ? AND ? AND end_seq IS NULL
    AND trial = 0 AND (line IS NOT NULL OR coalesce(direction, '') <> 'int') GROUP BY line"""


def calls_to(numbers: Sequence[str]) -> str:
    """The question for the calls to so many numbers; its values are these, since, and until (unix seconds)."""
    wanted = f"number IN ({marks(numbers)}) AND reported_at BETWEEN ? AND ? AND trial = 0"
    return f"SELECT {CALL_COLUMNS} FROM call WHERE {wanted}"  # noqa: S608 - only marks


class LineCalls:
    """The store at this URL, which may not be there. For one thread at a time."""

    def __init__(self, url: str) -> None:
        self._store = ReadOnlyStore(url, busy_seconds=_BUSY_SECONDS)

    def heard(self, numbers: Collection[str], now: int) -> HeardCalls | None:
        """The calls that go on at this moment (unix microseconds), and those to these numbers; None: nobody listens.

        Raises UsageError for a store of a kind that is not served, OSError, or sqlite3.Error.
        """
        if not self._store.exists:
            return None
        with self._store.connected() as connection:
            return _ask(connection, sorted(numbers), now)

    def close(self) -> None:
        """Gives the connection back."""
        self._store.close()


def _ask(connection: Connection, numbers: list[str], now: int) -> HeardCalls | None:
    until = (now + HOLD) // MICRO
    listeners = connection.execute(LISTENERS, (now - LONGEST_CALL,)).fetchall()
    since = heard_from((Uptime(*row) for row in listeners), now)
    if since is None:
        return None
    # Those to our numbers first: a call that begins in between is then counted twice, and not at all otherwise.
    ours: list[Call] = []
    for start in range(0, len(numbers), _CHUNK):
        part = numbers[start : start + _CHUNK]
        rows = connection.execute(calls_to(part), (*part, (now - HOLD - SKEW) // MICRO, until))
        ours.extend(Call(*row) for row in rows)
    return HeardCalls(dict(connection.execute(GOING, (since // MICRO, until)).fetchall()), ours)
