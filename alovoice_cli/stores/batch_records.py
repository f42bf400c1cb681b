"""The batches that the ledger knows, with their rows: a second witness beside the journals.

A batch is written down before its first row is sent. The same rows are known by it under whatever name they come again;
and a row that was sent stays known where its journal is lost.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

SCHEMA = """
CREATE TABLE batch (
    number INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL,
    path TEXT NOT NULL, source TEXT NOT NULL, begun_at TEXT NOT NULL
);
CREATE INDEX batch_by_digest ON batch (profile, digest);
CREATE TABLE batch_row (
    key TEXT NOT NULL, our_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (key, our_id)
) WITHOUT ROWID;
"""

_COLUMNS = "profile, digest, name, path, source, begun_at"


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch. `digest` is of its rows, `path` is its journal's, `source` is its list's, `begun_at` ISO 8601 in UTC."""

    profile: str
    digest: str
    name: str
    path: str
    source: str
    begun_at: str


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row that was, or may have been (`outcome` unknown), sent by the batch of this name."""

    key: str
    our_id: str
    batch: str
    receipt: str
    outcome: str
    begun_at: str


def find_twin_batch(connection: sqlite3.Connection, record: BatchRecord, since: str) -> BatchRecord | None:
    """The latest batch of the same rows under another journal's path, begun at `since` or later."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM batch WHERE profile = ? AND digest = ? AND path != ? AND begun_at >= ?"  # noqa: S608 - a constant
        " ORDER BY number DESC",
        (record.profile, record.digest, record.path, since),
    ).fetchone()
    return None if row is None else BatchRecord(*row)


def write_batch(connection: sqlite3.Connection, record: BatchRecord, rows: Iterable[tuple[str, str]]) -> None:
    """Writes down a batch, and its rows as pairs of key and our id."""
    connection.execute("DELETE FROM batch WHERE path = ? AND digest = ?", (record.path, record.digest))
    connection.execute(
        f"INSERT INTO batch ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
        (record.profile, record.digest, record.name, record.path, record.source, record.begun_at),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO batch_row (key, our_id, name) VALUES (?, ?, ?)",
        ((key, our_id, record.name) for key, our_id in rows),
    )


def find_sent_rows(connection: sqlite3.Connection, profile: str, keys: Iterable[str], since: str) -> list[SentRow]:
    """Those of the rows that were, or may have been, sent at `since` or later, oldest first."""
    found = connection.execute(
        "SELECT batch_row.key, batch_row.our_id, batch_row.name, 'R-' || receipt.code,"
        " COALESCE(receipt.state, 'unknown'), receipt.begun_at"
        " FROM json_each(?) AS wanted JOIN batch_row ON batch_row.key = wanted.value"
        " JOIN receipt ON receipt.our_id = batch_row.our_id"
        " WHERE receipt.profile = ? AND receipt.begun_at >= ?"
        " AND COALESCE(receipt.state, 'unknown') NOT IN ('refused', 'unsent') ORDER BY receipt.number",
        (json.dumps(list(keys)), profile, since),
    ).fetchall()
    return [SentRow(*row) for row in found]
