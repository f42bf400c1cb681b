"""What this machine asked a PBX to do: each request that dials, creates or costs, written down before it leaves.

A row begins with `intend`, committed and synced before the request may leave, and ends with `settle`. A row without
an end belongs to a process that is still at work or died in between: the request may have been carried out, so it
reads as `unknown`. Each operation opens its own connection: any thread of any process may call at any time.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.batch_records import SCHEMA as BATCHES
from alovoice_cli.stores.batch_records import BatchRecord, SentRow, find_sent_rows, find_twin_batch, write_batch
from alovoice_cli.stores.beside import Beside
from alovoice_cli.stores.cells import iso, storable
from alovoice_cli.stores.migrations import explained, open_store, transaction
from alovoice_cli.stores.quotas import Quota
from alovoice_cli.stores.receipt_writing import Begin, End, count_against, write_receipts
from alovoice_cli.stores.receipts import COLUMNS, Entry, Intended, Settled, entry_from
from alovoice_cli.stores.together import Together

_MISREAD = str.maketrans("OIL", "011")  # Crockford's alphabet leaves out what is taken for a digit

_TICKS_A_SECOND = 100_000  # of 10 microseconds: 15 digits last until the year 2286
_LARGEST_ID = 10**15 - 1

MIGRATIONS = (
    """
    CREATE TABLE receipt (
        number INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
        command TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, numbers TEXT NOT NULL, our_id TEXT NOT NULL,
        request TEXT NOT NULL, begun_at TEXT NOT NULL, pid INTEGER NOT NULL,
        state TEXT, exit_code INTEGER, sent TEXT, status INTEGER, answer TEXT, settled_at TEXT
    );
    CREATE TABLE made_id (last INTEGER NOT NULL);
    INSERT INTO made_id VALUES (0);
    """,
    """
    CREATE INDEX receipt_by_time ON receipt (profile, begun_at);
    CREATE INDEX receipt_by_id ON receipt (our_id);
    """,
    BATCHES,
)


class Ledger:
    """The file `ledger.db`. A damaged one refuses: an empty ledger would say that nothing was ever sent.

    Every method raises UsageError when the file cannot be used; nothing has been sent then.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._kept: Together[Begin | End, str] | None = None

    def intend(self, intent: Intended, quota: Quota | None = None) -> str:
        """Writes down what is about to be sent and returns its receipt (`R-7F3K`), once it is safely on the disk.

        Raises UsageError where the quota is spent: counted and written in one transaction, whoever else dials.
        """
        columns = (
            *(storable(text) for text in (intent.profile, intent.command, intent.method, intent.path)),
            json.dumps(list(intent.numbers)),
            storable(intent.our_id),
            json.dumps(dict(intent.request)),
            self._moment(),
            os.getpid(),
        )
        return f"R-{self._write(Begin(columns, quota))}"

    def settle(self, receipt: str, outcome: Settled) -> None:
        """Adds the outcome to a receipt; a second outcome replaces the first."""
        columns = (
            outcome.state,
            int(outcome.exit_code),
            outcome.sent,
            outcome.status,
            storable(outcome.answer),
            self._moment(),
        )
        if not self._write(End(_code(receipt), columns)):
            raise _unknown_receipt(receipt)

    def make_id(self) -> str:
        """An id for a call: decimal, at most 15 digits (the API's section 4), never given twice in this directory."""
        return self.make_ids(1)[0]

    def make_ids(self, count: int) -> list[str]:
        """Several at once, as `make_id`."""
        tick = int(self._now().timestamp() * _TICKS_A_SECOND)
        with self._writing() as connection:
            # The clock may go back, and two processes may ask within one tick: so the last id counts too.
            (last,) = connection.execute("SELECT last FROM made_id").fetchone()
            made = max(int(last) + 1, tick)
            latest = made + count - 1
            connection.execute("UPDATE made_id SET last = ?", (latest,))
            if latest > _LARGEST_ID:
                raise UsageError("no id of 15 digits is left: the clock is far in the future", hint="set the clock")
        return [str(number) for number in range(made, latest + 1)]

    def receipts(self, *, since: datetime | None = None, limit: int = 0) -> list[Entry]:
        """The receipts, newest first; of those begun at `since` (aware) or later; `limit` 0 means all."""
        begun = "" if since is None else iso(since)
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM receipt WHERE begun_at >= ? ORDER BY number DESC LIMIT ?",  # noqa: S608 - a constant
                (begun, limit or -1),
            ).fetchall()
        return [self._entry(row) for row in rows]

    def count(self, profile: str, quota: Quota) -> int:
        """How many requests count against the quota already: those that were carried out, or may have been."""
        with self._open() as connection:
            return count_against(connection, storable(profile), quota)

    def called_numbers(self, profile: str, since: datetime) -> set[str]:
        """The numbers of the calls that were, or may have been, asked for at `since` (aware) or later."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT numbers FROM receipt WHERE profile = ? AND begun_at >= ?"
                " AND COALESCE(state, 'unknown') NOT IN ('refused', 'unsent')",
                (storable(profile), iso(since)),
            ).fetchall()
        return {number for (numbers,) in rows for number in json.loads(numbers)}

    def receipts_of(self, our_ids: Iterable[str]) -> list[Entry]:
        """The receipts of requests that bore one of these ids of ours, oldest first; none where there is no ledger."""
        ids = [storable(our_id) for our_id in our_ids]
        if not ids or not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM receipt WHERE our_id IN (SELECT value FROM json_each(?)) ORDER BY number",  # noqa: S608 - a constant
                (json.dumps(ids),),
            ).fetchall()
        return [self._entry(row) for row in rows]

    def find_twin_batch(self, record: BatchRecord, since: datetime) -> BatchRecord | None:
        """The latest batch of the same rows with another journal, begun at `since` (aware) or later."""
        if not self.path.exists():
            return None
        with self._open() as connection:
            return find_twin_batch(connection, record, iso(since))

    def record_batch(
        self, record: BatchRecord, rows: Iterable[tuple[str, str]], twins_since: datetime | None
    ) -> BatchRecord | None:
        """Writes down a batch and its rows (key, our id), safely on the disk when this returns None.

        Where a twin was begun at `twins_since` (aware) or later, nothing is written, and the twin is returned.
        """
        with self._writing() as connection:
            twin = None if twins_since is None else find_twin_batch(connection, record, iso(twins_since))
            if twin is None:
                write_batch(connection, record, rows)
        return twin

    def forget_batch(self, path: str) -> None:
        """Forgets the batch of this journal, for one that has sent nothing; its rows' receipts stay."""
        with self._writing() as connection:
            connection.execute("DELETE FROM batch WHERE path = ?", (path,))

    def sent_rows(self, profile: str, keys: Iterable[str], since: datetime) -> list[SentRow]:
        """The rows of batches that were, or may have been, sent at `since` (aware) or later, oldest first."""
        if not self.path.exists():
            return []
        with self._open() as connection:
            return find_sent_rows(connection, storable(profile), keys, iso(since))

    def placed(self, profile: str, since: datetime, path: str = "") -> list[Entry]:
        """The profile's receipts begun at `since` (aware) or later, oldest first: an indexed read, for who asks often.

        Those of one path (its beginning), or all. None where there is no ledger yet.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM receipt WHERE profile = ? AND begun_at >= ?"  # noqa: S608 - a constant
                " AND path LIKE ? || '%' ORDER BY begun_at",
                (storable(profile), iso(since), path),
            ).fetchall()
        return [self._entry(row) for row in rows]

    def receipt(self, code: str) -> Entry:
        """The receipt of this code, in either case, with or without `R-`. Raises UsageError if there is none."""
        with self._open() as connection:
            row = connection.execute(
                f"SELECT {COLUMNS} FROM receipt WHERE code = ?",  # noqa: S608 - a constant
                (_code(code),),
            ).fetchone()
        if row is None:
            raise _unknown_receipt(code)
        return self._entry(row)

    def _entry(self, row: tuple[object, ...]) -> Entry:
        try:
            return entry_from(row)
        except ValueError as error:
            raise UsageError(f"{self.path} is damaged: receipt R-{row[0]} cannot be read") from error

    def _moment(self) -> str:
        return iso(self._now())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = open_store(self.path, MIGRATIONS)
        try:
            with explained(self.path):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def kept_open(self, sync_too: Callable[[], None]) -> Iterator[None]:
        """Keeps one connection while the block runs, for the many requests of a batch: to open is most of the cost.

        `sync_too` syncs what else must be on the disk when `intend` returns.
        """
        with explained(self.path):
            beside = Beside(sync_too)
            self._kept = Together(self.path, open_store(self.path, MIGRATIONS), write_receipts, beside)
        try:
            yield
        finally:
            beside.close()
            kept, self._kept = self._kept, None
            with explained(self.path):
                kept.close()

    def _write(self, change: Begin | End) -> str:
        kept = self._kept
        if kept is not None:
            with explained(self.path):
                # An end that a power cut takes back leaves a receipt that reads unknown. The next intent syncs it too.
                return kept.run(change) if isinstance(change, Begin) else kept.run_unsynced(change)
        with self._open() as connection:
            (code,) = write_receipts(connection, [change])
            return code

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection, transaction(connection):
            yield connection


def _code(receipt: str) -> str:
    return storable(receipt.strip().upper().removeprefix("R-").translate(_MISREAD))


def _unknown_receipt(receipt: str) -> UsageError:
    return UsageError(f"there is no receipt {receipt} here", hint="see `alovoice call receipts list`")
