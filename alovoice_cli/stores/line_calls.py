"""The busy lines: calls in progress in the event store, and lines taken by batches, of all machines that share it.

A batch that leaves lines free reads both before each call.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.stores.database import StoreConnection, database_at
from alovoice_cli.stores.event_engine import ReadOnlyStore, marks
from alovoice_cli.stores.event_rows import call_from
from alovoice_cli.stores.event_schema import CALL_COLUMNS

_BUSY_SECONDS = 0.5
_CHUNK = 500

# Calls between extensions use no line; a call with a line holds that line, in every direction.
GOING = """SELECT line, count(*) FROM call WHERE reported_at BETWEEN ? AND ? AND end_seq IS NULL
    AND trial = 0 AND (line IS NOT NULL OR coalesce(direction, '') <> 'int') GROUP BY line"""


def calls_to(numbers: Sequence[str]) -> str:
    """Returns the query for the calls to these numbers; its values are the numbers, since, and until (unix seconds)."""
    wanted = f"number IN ({marks(numbers)}) AND reported_at BETWEEN ? AND ? AND trial = 0"
    return f"SELECT {CALL_COLUMNS} FROM call WHERE {wanted}"  # noqa: S608 - only marks


class LineCalls:
    """The store at this URL, which may be missing. For one thread at a time.

    Every method raises UsageError for an unsupported kind of store, OSError, or sqlite3.Error.
    """

    def __init__(self, url: str) -> None:
        self._store = ReadOnlyStore(url, busy_seconds=_BUSY_SECONDS)

    def uptimes(self, since: int) -> list[Uptime]:
        """Returns the listeners that were seen at `since` (unix microseconds) or later; none without a store."""
        if not self._store.exists:
            return []
        with self._store.connected() as connection:
            rows = connection.execute("SELECT began_at, seen_at, ended_at FROM uptime WHERE seen_at >= ?", (since,))
            return [Uptime(*row) for row in rows]

    def going(self, since: int, until: int) -> dict[str | None, int]:
        """Returns how many calls of this period (unix seconds) have no end yet, by line (None: unknown line)."""
        with self._store.connected() as connection:
            return dict(connection.execute(GOING, (since, until)).fetchall())

    def to_numbers(self, numbers: Sequence[str], since: int, until: int) -> list[Call]:
        """Returns the calls to these numbers that began in this period (unix seconds), ended or not."""
        found: list[Call] = []
        with self._store.connected() as connection:
            for start in range(0, len(numbers), _CHUNK):
                part = numbers[start : start + _CHUNK]
                found.extend(call_from(row) for row in connection.execute(calls_to(part), (*part, since, until)))
        return found

    def close(self) -> None:
        """Closes the connection."""
        self._store.close()


STORE_NAME = "lines.db"
"""The file's name in the state directory."""

MIGRATIONS = (
    """
    CREATE TABLE claim (
        number INTEGER PRIMARY KEY, profile TEXT NOT NULL, our_id TEXT NOT NULL, line TEXT, lines INTEGER NOT NULL,
        claimed_at INTEGER NOT NULL
    );
    CREATE INDEX claim_by_time ON claim (claimed_at);
    """,
)


ClaimRow = tuple[str, str | None, int, int]
"""Our id of the call, its line (None: any), how many lines it takes, and when they were taken (unix microseconds)."""


class LineClaims:
    """The file `lines.db`, or a table of a server: lines that batches have taken and whose calls are not in the ledger
    yet.

    All batches take lines one after another: two that look at the same time would both take the last line. A claim
    expires after `hold` microseconds. For one thread at a time. Every method raises UsageError for an unusable file.
    """

    def __init__(self, place: Path | str, profile: str, hold: int) -> None:
        # A power cut that loses a claim has also lost its call: no need to wait for the disk.
        self._database = database_at(place, "lines", MIGRATIONS, is_durable=False)
        self._profile, self._hold = profile, hold
        self._kept = ExitStack()
        self._is_open = False

    @contextmanager
    def turn(self, now: int) -> Iterator["Turn"]:
        """While the block runs no other process takes a line. `now` is in unix microseconds."""
        if not self._is_open:
            self._kept.enter_context(self._database.kept_open())
            self._is_open = True
        with self._database.writing() as connection:
            # In both directions: the clock may have been set.
            lately = (now - self._hold, now + self._hold)
            connection.execute("DELETE FROM claim WHERE claimed_at NOT BETWEEN ? AND ?", lately)
            yield Turn(connection, self._profile)

    def close(self) -> None:
        """Closes the file."""
        self._is_open = False
        self._kept.close()


class Turn:
    """One process's exclusive access to the claims."""

    def __init__(self, connection: StoreConnection, profile: str) -> None:
        self._connection, self._profile = connection, profile

    @property
    def claims(self) -> list[ClaimRow]:
        """Returns the lines taken lately by batches on this PBX."""
        statement = "SELECT our_id, line, lines, claimed_at FROM claim WHERE profile = ?"
        found: list[ClaimRow] = self._connection.execute(statement, (self._profile,)).fetchall()
        return found

    def take(self, claim: ClaimRow) -> int:
        """Takes a line, and returns the claim's number; other processes see it after the turn."""
        ((number,),) = self._connection.execute(
            "INSERT INTO claim (profile, our_id, line, lines, claimed_at) VALUES (?, ?, ?, ?, ?) RETURNING number",
            (self._profile, *claim),
        ).fetchall()
        return int(number)

    def give_back(self, number: int) -> None:
        """Gives a line back that was not used."""
        self._connection.execute("DELETE FROM claim WHERE number = ?", (number,))
