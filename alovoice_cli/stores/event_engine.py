"""Opens an event store: the one module that knows which database is behind SQLAlchemy, and what it needs.

Today that is SQLite: WAL, synchronous FULL on every connection, one writer at a time by BEGIN IMMEDIATE.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.event_migrations import MIGRATIONS
from alovoice_cli.stores.event_tables import VERSION
from alovoice_cli.stores.migrations import explained, open_private_connection

TROUBLES = (sqlite3.OperationalError, sqlite3.DatabaseError, OSError)
"""What the use of an open store raises when the store fails (within `told_plainly`)."""

_BUSY_SECONDS = 5.0
_MARK = "alovoice_writes"
_MOST_ROWS = 256  # of 20 columns: SQLite takes 32,766 parameters


def sqlite_path(url: str) -> Path:
    """The file that the store's URL names: `sqlite:///FILE` (four slashes for an absolute one) or a path alone.

    Raises UsageError for another kind of database, and for one in memory, which would be gone when the program ends.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "sqlite":
        raise UsageError(
            f"the store {scheme}://… is of a kind that is not served", hint="give a file: sqlite:////path/to/events.db"
        )
    name = rest.removeprefix("/") if separator else url
    if _in_memory(name):
        raise UsageError(
            "a store in memory is gone when the program ends", hint="give a file: sqlite:////path/to/events.db"
        )
    return Path(name).absolute()


def _in_memory(name: str) -> bool:
    return name in ("", ":memory:") or name.startswith(("file:", ":memory:?")) or "mode=memory" in name


def open_engine(url: str, *, busy_seconds: float = _BUSY_SECONDS, must_exist: bool = False) -> Engine:
    """The store's engine, at this program's schema version; the file is made (0600) when there is none.

    Raises UsageError naming the file: missing where it `must_exist`, of a newer version, damaged, busy, out of reach.
    """
    path = sqlite_path(url)
    if must_exist and not path.exists():
        raise UsageError(
            f"there is no event store {path}", hint="`alovoice listen` makes it, and fills it with what the PBX sends"
        )

    def connect() -> sqlite3.Connection:
        return open_private_connection(path, timeout=busy_seconds)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    with explained(path), told_plainly():
        _migrate(path, engine)
    return engine


@contextmanager
def transaction(connection: Connection, *, writes: bool) -> Iterator[Connection]:
    """One transaction. One that writes holds the write lock from its beginning, and is durable when it ends."""
    connection.execution_options(**{_MARK: writes})
    with connection.begin():
        yield connection


@contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """One transaction that writes."""
    with transaction(connection, writes=True):
        yield connection


Execute = Callable[[str, Sequence[Any]], Any]
"""Runs one statement in the driver's own words, with its values in order; returns a cursor."""


def driver_of(connection: Connection) -> Execute:
    """Runs statements without SQLAlchemy, whose bookkeeping takes 0.3 ms a transaction; errors are the driver's own.

    Outside of a transaction each statement is one of its own, durable when it returns.
    """
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.execute


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_MARK, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class ManyInsert:
    """An insert of many rows by few statements.

    `executemany` lets the interpreter's lock go once a row, and beside a busy event loop takes it back only when that
    yields: 64 rows took 10 ms so. Rows are dicts; every key in `names` must be there.
    """

    def __init__(self, statement: Any, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=sqlite_dialect(), column_keys=list(names))
        self._names: Sequence[str] = compiled.positiontup
        self._head, self._row, self._tail = _around_values(str(compiled))
        self._texts: dict[int, str] = {}

    def run(self, execute: Execute, rows: Sequence[Mapping[str, object]]) -> None:
        """Inserts the rows in their order, within a transaction."""
        self.run_tuples(execute, [tuple([row[name] for name in self._names]) for row in rows])

    def run_tuples(self, execute: Execute, rows: Sequence[Sequence[object]]) -> None:
        """The same, of rows whose values stand in the order of the table's columns (or of `names`)."""
        start = 0
        while start < len(rows):
            start += self.run_some(execute, rows[start:])

    def run_some(self, execute: Execute, rows: Sequence[Sequence[object]]) -> int:
        """Inserts the first of the rows by one statement, as many as one takes; returns how many."""
        count = _at_once(len(rows))
        execute(self._text(count), tuple(chain.from_iterable(rows[:count])))
        return count

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = self._head + ", ".join([self._row] * count) + self._tail
        return text


def _at_once(count: int) -> int:
    """How many of so many rows go into one statement: few different numbers, for each is prepared and kept."""
    if count <= 16:
        return count
    step = 1 << (count.bit_length() - 3)
    return min(count - count % step, _MOST_ROWS)


def _around_values(text: str) -> tuple[str, str, str]:
    """The text of an insert of one row, as what stands before, in and behind its list of values."""
    begin = text.index("VALUES (") + len("VALUES ")
    end = text.index(")", begin) + 1
    return text[:begin], text[begin:end], text[end:]


def insert_new(table: Table) -> Any:
    """An insert that leaves rows alone whose key is there already."""
    return sqlite_insert(table).on_conflict_do_nothing()


def upsert(table: Table, keys: Sequence[str], changes: Callable[[Any], dict[str, Any]]) -> Any:
    """An insert that, where the key is there already, makes the `changes` (given the row that was not inserted)."""
    statement = sqlite_insert(table)
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changes(statement.excluded))


@contextmanager
def told_plainly() -> Iterator[None]:
    """Gives back the database's own error in place of SQLAlchemy's wrapping, which quotes statements and values."""
    try:
        yield
    except DatabaseError as error:
        if error.orig is None:
            raise
        raise error.orig from None


def shrink(engine: Engine, pages: int = 1000) -> int:
    """Gives up to so many free pages back to the file system, in one short transaction; returns how many are left."""
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would take one step, which is one page
        left: int = raw.execute("PRAGMA freelist_count").fetchone()[0]
        return left


def is_refusal(error: BaseException) -> bool:
    """Whether the error says that the store is well and does not take these values."""
    refusals = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    return isinstance(error, refusals) or not isinstance(error, TROUBLES)


def damaged(error: BaseException) -> bool:
    """Whether the error says that the file is no database, or a torn one."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _migrate(path: Path, engine: Engine) -> None:
    with engine.connect() as connection:
        version = _version(connection)
    if version == len(MIGRATIONS):
        return
    if version > len(MIGRATIONS):
        raise UsageError(
            f"{path} was made by a newer version of alovoice (its schema is {version}, this version knows"
            f" {len(MIGRATIONS)})",
            hint="upgrade alovoice, or name another store with --store",
        )
    with engine.connect() as connection, writing(connection):
        for migrate in MIGRATIONS[_version(connection) :]:  # another process may have come first
            migrate(connection)
        connection.execute(VERSION.delete())
        connection.execute(VERSION.insert().values(version=len(MIGRATIONS)))


def _version(connection: Connection) -> int:
    there = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'")).scalar_one()
    if not there:
        return 0
    return int(connection.execute(select(VERSION.c.version)).scalar() or 0)


def move_aside(path: Path, clock: Callable[[], float] = time.time) -> Path:
    """Renames a damaged store and its companions to `NAME.corrupt-<unix time>`: it is never deleted."""
    aside = path.with_name(f"{path.name}.corrupt-{int(clock())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


def open_reading(url: str, *, busy_seconds: float) -> tuple[Connection, tuple[int, int]]:
    """A connection that can only read, and which file it reads (device, inode): a damaged store is replaced by another.

    For one thread, and for somebody who waits: raises as SQLite and the system do, without making or mending anything.
    """
    path = sqlite_path(url)
    found = path.stat()

    def connect() -> sqlite3.Connection:
        address = f"{path.as_uri()}?mode=ro"
        # Another thread may close it: that which asked may have ended.
        return sqlite3.connect(address, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with told_plainly():
        return engine.connect(), (found.st_dev, found.st_ino)
