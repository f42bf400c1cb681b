"""The database of one store: a file of SQLite, or its tables on a PostgreSQL server.

Both run the same SQL and the same numbered migrations. A store on a server is shared by all machines of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from alovoice_cli.stores.migrations import explained, open_store, transaction

if TYPE_CHECKING:
    import sqlite3

CHUNK = 500
"""The most values in one statement: both engines have a limit."""


class StoreConnection(Protocol):
    """What the stores use of a connection; `?` marks a value on both engines."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any:
        """Runs one statement and returns its cursor."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Runs a statement for each row."""


class Database(Protocol):
    """One store's database. Every method raises UsageError that names the file or the server."""

    label: str
    """The file's path, or the server's URL without its password."""

    @property
    def exists(self) -> bool:
        """Returns whether anything was ever stored here; True for any server."""

    def opened(self) -> AbstractContextManager[StoreConnection]:
        """Opens a connection for a few queries; inside `kept_open` returns the open one."""

    def writing(self) -> AbstractContextManager[StoreConnection]:
        """Opens a connection for one transaction; no other process on any machine writes into this store meanwhile."""

    def kept_open(self) -> AbstractContextManager[None]:
        """Keeps one connection open during the block: for the many requests of a batch, opening takes longest."""


def database_at(place: Path | str, name: str, migrations: Sequence[str], *, is_durable: bool = True) -> Database:
    """Returns the file at a path, or the tables of the store `name` on the server of a URL.

    `is_durable`: written data survives a power cut of this machine; a server's commits always do.
    """
    if isinstance(place, Path):
        return FileDatabase(place, migrations, is_durable=is_durable)
    from alovoice_cli.stores.server_database import ServerDatabase  # noqa: PLC0415 - for a store on a server only

    return ServerDatabase(place, name, migrations)


class FileDatabase:
    """A file of SQLite. Each operation opens its own connection: any thread of any process may call at any time."""

    def __init__(self, path: Path, migrations: Sequence[str], *, is_durable: bool = True) -> None:
        self.path, self.label = path, str(path)
        self._migrations, self._is_durable = migrations, is_durable
        self._kept: sqlite3.Connection | None = None
        self._using_kept = RLock()

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path), self._using_kept:
            if self._kept is not None:
                yield self._kept
                return
        # Also for an answer that comes after the kept connection was closed.
        with closing(open_store(self.path, self._migrations)) as connection, explained(self.path):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[StoreConnection]:
        with self.opened() as connection, transaction(connection):
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        with explained(self.path):
            self._kept = open_store(self.path, self._migrations)
            if not self._is_durable:
                self._kept.execute("PRAGMA synchronous = OFF")
        try:
            yield
        finally:
            with explained(self.path), self._using_kept, closing(self._kept) as kept:
                self._kept = None
                kept.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def in_chunks(values: Iterable[str], find: Callable[[str, Sequence[str]], Iterable[Any]]) -> list[Any]:
    """Returns the results of `find(marks, part)` for all values, a part at a time."""
    every = list(values)
    parts = [every[start : start + CHUNK] for start in range(0, len(every), CHUNK)]
    return [found for part in parts for found in find(", ".join("?" * len(part)), part)]
