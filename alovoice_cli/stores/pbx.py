"""The simulated PBX's memory: campaigns, calls, analyses, and its few settings.

The course and the messages of each call are in the same file (see `pbx_traffic`). Times are unix seconds. Every record
keeps the speed (virtual seconds a second) of its creation, so that two mounts of one file with different speeds do not
disturb each other's records. Each operation opens its own connection and is one transaction: any thread of any process
may call at any time.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.stores.migrations import explained, open_store, transaction

_BUSY_SECONDS = 10.0
_TABLES = ("campaign", "call", "analysis", "delivery")

MIGRATIONS = (
    """
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE campaign (
        id INTEGER PRIMARY KEY AUTOINCREMENT, answer TEXT NOT NULL, plan TEXT NOT NULL, recipients INTEGER NOT NULL,
        numbers TEXT NOT NULL, born REAL NOT NULL, speed REAL NOT NULL, begins REAL, ends REAL
    );
    CREATE TABLE call (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
        legs TEXT NOT NULL, answered INTEGER NOT NULL, born REAL NOT NULL, speed REAL NOT NULL
    );
    CREATE INDEX call_by_key ON call (key);
    CREATE TABLE analysis (
        call_id TEXT PRIMARY KEY, aicallid TEXT NOT NULL, born REAL NOT NULL, speed REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE call ADD COLUMN course TEXT NOT NULL DEFAULT '';
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY AUTOINCREMENT, call INTEGER NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL,
        content_type TEXT, note TEXT NOT NULL, status INTEGER, answer BLOB NOT NULL, error TEXT NOT NULL
    );
    CREATE INDEX delivery_by_call ON delivery (call);
    """,
)


class CampaignRow(NamedTuple):
    """An accepted campaign: `answer` is its form on the wire, `plan` its dialling; `id` is 0 before storing.

    `begins` and `ends` are virtual times: None for a campaign that is never dialled (paused, or without a window left).
    """

    answer: dict[str, object]
    plan: dict[str, object]
    recipients: int
    born: float
    speed: float
    begins: float | None
    ends: float | None
    id: int = 0


class CallRow(NamedTuple):
    """A requested call. `key` is the caller's own id (`call_id`, `extid`), if any; `legs` are its ringings."""

    kind: str
    key: str
    request: dict[str, object]
    legs: list[dict[str, object]]
    answered: bool
    born: float
    speed: float
    id: int = 0


class AnalysisRow(NamedTuple):
    """A requested analysis."""

    call_id: str
    aicallid: str
    born: float
    speed: float


class PbxStore:
    """The file `sandbox.db`. Raises UsageError for another program's, a damaged or a newer file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings: dict[str, str] | None = None

    def setting(self, name: str, make: Callable[[], str]) -> str:
        """Returns the setting's value; creates it at the first call. Of two processes that create it, one wins.

        All settings are read at once: a mount needs four, and each opening of the file takes a tenth of a command's
        time.
        """
        if self._settings is None:
            with self._reading() as connection:
                self._settings = dict(connection.execute("SELECT name, value FROM setting"))
        if name in self._settings:
            return self._settings[name]
        made = make()
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, made))
            (value,) = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        self._settings[name] = value
        return str(value)

    def change_setting(self, name: str, value: str) -> None:
        """Replaces the setting."""
        self._settings = None
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def add_campaign(self, row: CampaignRow, numbers: Sequence[str]) -> int:
        """Stores the campaign and returns its id; a row with an id keeps it, and is not stored twice."""
        values = (_text(row.answer), _text(row.plan), row.recipients, "\n".join(numbers), row.born, row.speed)
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO campaign (id, answer, plan, recipients, numbers, born, speed, begins, ends)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (row.id or None, *values, row.begins, row.ends),
            )
        return row.id or cursor.lastrowid or 0

    def campaign(self, number: int) -> CampaignRow | None:
        """Returns the campaign with this id, or None."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT answer, plan, recipients, born, speed, begins, ends, id FROM campaign WHERE id = ?", (number,)
            ).fetchone()
        return None if row is None else CampaignRow(json.loads(row[0]), json.loads(row[1]), *row[2:])

    def campaigns_ending(self) -> list[CampaignRow]:
        """Returns the campaigns that are or were dialled, oldest first, without the shipped past ones."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT answer, plan, recipients, born, speed, begins, ends, id FROM campaign"
                " WHERE begins IS NOT NULL AND plan != '{}' ORDER BY id"
            ).fetchall()
        return [CampaignRow(json.loads(row[0]), json.loads(row[1]), *row[2:]) for row in rows]

    def numbers(self, campaign: int) -> tuple[str, ...]:
        """Returns the recipients of a campaign, in the order of their file."""
        with self._reading() as connection:
            row = connection.execute("SELECT numbers FROM campaign WHERE id = ?", (campaign,)).fetchone()
        return tuple(str(row[0]).split("\n")) if row and row[0] else ()

    def add_call(self, row: CallRow) -> int:
        """Stores the call and returns its id."""
        values = (row.kind, row.key, _text(row.request), _text(row.legs), row.answered, row.born, row.speed)
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO call (kind, key, request, legs, answered, born, speed) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        return cursor.lastrowid or 0

    def find_call(self, key: str) -> CallRow | None:
        """Returns the latest call with this key, or else this id; None if the PBX never rang it."""
        columns = "SELECT id, kind, key, request, legs, answered, born, speed FROM call"
        # Ids that SQLite cannot hold are longer than any that it has given.
        number = int(key) if key.isascii() and key.isdigit() and len(key) < len(str(2**63)) else 0
        with self._reading() as connection:
            row = (
                connection.execute(f"{columns} WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)).fetchone()
                or connection.execute(f"{columns} WHERE id = ?", (number,)).fetchone()
            )
        if row is None:
            return None
        return CallRow(row[1], row[2], json.loads(row[3]), json.loads(row[4]), bool(row[5]), row[6], row[7], id=row[0])

    def start_analysis(self, row: AnalysisRow) -> AnalysisRow:
        """Stores the analysis, or returns the existing one: a call is analysed once."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO analysis VALUES (?, ?, ?, ?)", (row.call_id, row.aicallid, row.born, row.speed)
            )
        return self.analysis(row.call_id) or row

    def analysis(self, call_id: str) -> AnalysisRow | None:
        """Returns the analysis of this call; None if nobody requested one."""
        with self._reading() as connection:
            row = connection.execute("SELECT * FROM analysis WHERE call_id = ?", (call_id,)).fetchone()
        return None if row is None else AnalysisRow(*row)

    def clear(self, *, keep: Sequence[str] = ()) -> None:
        """Deletes campaigns, calls, analyses and all settings but those to keep; ids start again."""
        self._settings = None
        with self._writing() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the constants above
            connection.execute("DELETE FROM sqlite_sequence")
            kept = json.dumps(list(keep))
            connection.execute("DELETE FROM setting WHERE name NOT IN (SELECT value FROM json_each(?))", (kept,))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path), closing(open_store(self.path, MIGRATIONS, timeout=_BUSY_SECONDS)) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection, transaction(connection):
            yield connection


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)
