"""The event store in a SQLite file: WAL, synchronous FULL on every connection, one writer at a time."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores.migrations import foreign_error

_TYPES = {"BIGINT": "INTEGER"}  # in SQLite only an INTEGER primary key is the row id


def sqlite_path(url: str) -> Path:
    """Returns the file of the store's URL: `sqlite:///FILE` (four slashes for an absolute path) or a path alone.

    Raises UsageError for another kind of database, and for one in memory, which would end with the program.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "sqlite":
        raise UsageError(
            tr("event stores of this kind are not supported: {scheme}://…", scheme=scheme),
            hint=tr("give a file: sqlite:////path/to/events.db, or a server: postgresql://user@host/database"),
        )
    name = rest.removeprefix("/") if separator else url
    if _in_memory(name):
        raise UsageError(
            tr("an event store in memory is lost when the program ends"),
            hint=tr("give a file: sqlite:////path/to/events.db"),
        )
    return Path(name).absolute()


def _in_memory(name: str) -> bool:
    return name in ("", ":memory:") or name.startswith(("file:", ":memory:?")) or "mode=memory" in name


def refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    """Raises UsageError for a file with tables of which none is an event store's."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not tables & {"delivery", "schema_version"}:
        raise foreign_error(path)


def open_read_only(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Opens an existing file for reading only. Another thread may close the connection if its user has ended."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )


def shrink(connection: sqlite3.Connection, pages: int) -> int:
    """Returns up to this many free pages to the file system, in one short transaction; returns how many are left."""
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would free one page only
    left: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return left


def size(path: Path) -> int:
    """Returns the size of the file and its log in bytes."""
    parts = [path.with_name(path.name + suffix) for suffix in ("", "-wal")]
    return sum(part.stat().st_size for part in parts if part.exists())


def is_refusal(error: BaseException) -> bool:
    """Returns whether SQLite works and refuses these values."""
    return isinstance(
        error, (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    )


def is_damage(error: BaseException) -> bool:
    """Returns whether the error, or its cause, means a damaged file, or a file that is no database."""
    return bool(_codes(error) & {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_busy(error: BaseException) -> bool:
    """Returns whether the error, or its cause, means that another process writes."""
    return bool(_codes(error) & {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def _codes(error: BaseException) -> set[int]:
    return {getattr(told, "sqlite_errorcode", 0) & 0xFF for told in (error, error.__cause__)}


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Returns whether the store has the table."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone())


def add_column(connection: sqlite3.Connection, table: str, definition: str) -> None:
    """Adds a column at the table's end, unless it exists."""
    name = definition.split()[0]
    if name not in [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")


def own_types(text: str) -> str:
    """Returns the statement with SQLite's column types."""
    for word, own in _TYPES.items():
        text = text.replace(word, own)
    return text


def move_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Renames a damaged store and its companion files to `NAME.corrupt-<unix time>`; never deletes them."""
    aside = path.with_name(f"{path.name}.corrupt-{int(clock())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
