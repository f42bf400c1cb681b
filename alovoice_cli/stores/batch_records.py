"""The batches in the ledger, with their rows: a second record besides the journals.

A batch is written before its first row is sent. So the same rows are recognised under another name, and a sent row
stays known if its journal is lost.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from alovoice_cli.stores.database import StoreConnection, in_chunks
from alovoice_cli.stores.ledger import Ledger
from alovoice_cli.stores.migrations import iso, storable

_COLUMNS = "profile, digest, name, path, source, begun_at"
_SENT = """SELECT receipt.number, batch_row.key, batch_row.our_id, batch_row.name, 'R-' || receipt.code,
    COALESCE(receipt.state, 'unknown'), receipt.begun_at
    FROM batch_row JOIN receipt ON receipt.our_id = batch_row.our_id
    WHERE batch_row.key IN ({}) AND receipt.profile = ? AND receipt.begun_at >= ?
    AND COALESCE(receipt.state, 'unknown') NOT IN ('refused', 'unsent')"""


class BatchRecord(NamedTuple):
    """A batch. `digest` is of its rows, `path` of its journal, `source` of its list; `begun_at` is ISO 8601 in UTC."""

    profile: str
    digest: str
    name: str
    path: str
    source: str
    begun_at: str


class SentRow(NamedTuple):
    """A row that the batch of this name sent, or may have sent (`outcome` unknown)."""

    key: str
    our_id: str
    batch: str
    receipt: str
    outcome: str
    begun_at: str


class BatchRecords:
    """The batches in a ledger. Every method raises UsageError for an unusable file."""

    def __init__(self, ledger: Ledger) -> None:
        self._database = ledger.database

    def find_twin(self, record: BatchRecord, since: datetime) -> BatchRecord | None:
        """Returns the latest batch of the same rows with another journal, begun at `since` (aware) or later."""
        if not self._database.exists:
            return None
        with self._database.opened() as connection:
            return _find_twin(connection, record, since)

    def write(
        self, record: BatchRecord, rows: Iterable[tuple[str, str]], twins_since: datetime | None
    ) -> BatchRecord | None:
        """Writes a batch and its rows (key, our id); they are durable when this returns None.

        If a twin began at `twins_since` (aware) or later, writes nothing and returns the twin.
        """
        with self._database.writing() as connection:
            if twins_since is not None and (twin := _find_twin(connection, record, twins_since)) is not None:
                return twin
            values = BatchRecord(*map(storable, record))
            connection.execute("DELETE FROM batch WHERE path = ? AND digest = ?", (values.path, values.digest))
            connection.execute(f"INSERT INTO batch ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - a constant
            connection.executemany(
                "INSERT INTO batch_row (key, our_id, name) VALUES (?, ?, ?)"
                " ON CONFLICT (key, our_id) DO UPDATE SET name = excluded.name",
                ((key, our_id, values.name) for key, our_id in rows),
            )
        return None

    def forget(self, path: str) -> None:
        """Forgets the batch of this journal, if it sent nothing; its rows' receipts stay."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM batch WHERE path = ?", (storable(path),))

    def sent_rows(self, profile: str, keys: Iterable[str], since: datetime) -> list[SentRow]:
        """Returns those rows that were sent, or may have been, at `since` (aware) or later, oldest first."""
        if not self._database.exists:
            return []
        with self._database.opened() as connection:
            found = in_chunks(
                keys,
                lambda marks, part: connection.execute(
                    _SENT.format(marks), (*part, storable(profile), iso(since))
                ).fetchall(),
            )
        return [SentRow(*row) for _, *row in sorted(found, key=lambda row: int(row[0]))]


def _find_twin(connection: StoreConnection, record: BatchRecord, since: datetime) -> BatchRecord | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM batch WHERE profile = ? AND digest = ? AND path != ? AND begun_at >= ?"  # noqa: S608 - a constant
        " ORDER BY number DESC",
        (storable(record.profile), record.digest, storable(record.path), iso(since)),
    ).fetchone()
    return None if row is None else BatchRecord(*row)
