"""What an event store knows of the calls that go on: asked before each call of a batch that leaves lines free."""

from collections.abc import Sequence

from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.stores.event_engine import ReadOnlyStore, marks
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_BUSY_SECONDS = 0.5
_CHUNK = 500

# Between extensions no line is needed; a call that names one holds it, whatever its direction.
GOING = """SELECT line, count(*) FROM call WHERE reported_at BETWEEN ? AND ? AND end_seq IS NULL
    AND trial = 0 AND (line IS NOT NULL OR coalesce(direction, '') <> 'int') GROUP BY line"""


def calls_to(numbers: Sequence[str]) -> str:
    """The question for the calls to so many numbers; its values are these, since, and until (unix seconds)."""
    wanted = f"number IN ({marks(numbers)}) AND reported_at BETWEEN ? AND ? AND trial = 0"
    return f"SELECT {CALL_COLUMNS} FROM call WHERE {wanted}"  # noqa: S608 - only marks


class LineCalls:
    """The store at this URL, which may not be there. For one thread at a time.

    Every method raises UsageError for a store of a kind that is not served, OSError, or sqlite3.Error.
    """

    def __init__(self, url: str) -> None:
        self._store = ReadOnlyStore(url, busy_seconds=_BUSY_SECONDS)

    def uptimes(self, since: int) -> list[Uptime]:
        """The listeners that were seen at `since` (unix microseconds) or later; none where there is no store."""
        if not self._store.exists:
            return []
        with self._store.connected() as connection:
            rows = connection.execute("SELECT began_at, seen_at, ended_at FROM uptime WHERE seen_at >= ?", (since,))
            return [Uptime(*row) for row in rows]

    def going(self, since: int, until: int) -> dict[str | None, int]:
        """How many calls that began in this period (unix seconds) have no end yet, by line (None: it was not told)."""
        with self._store.connected() as connection:
            return dict(connection.execute(GOING, (since, until)).fetchall())

    def to_numbers(self, numbers: Sequence[str], since: int, until: int) -> list[Call]:
        """The calls, over or not, to these numbers that began in this period (unix seconds)."""
        found: list[Call] = []
        with self._store.connected() as connection:
            for start in range(0, len(numbers), _CHUNK):
                part = numbers[start : start + _CHUNK]
                found.extend(Call(*row) for row in connection.execute(calls_to(part), (*part, since, until)))
        return found

    def close(self) -> None:
        """Gives the connection back."""
        self._store.close()
