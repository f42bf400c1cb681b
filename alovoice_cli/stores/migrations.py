"""Opens a SQLite file for a store: private, durable, and at the schema version of this program.

Also defines the form of moments and texts in a column.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from alovoice_cli.errors import FULL_DISK, UsageError, no_space_left, reason_of
from alovoice_cli.language import mark, tr
from alovoice_cli.stores.row_values import DamagedRowError

_POLL_SECONDS = 0.01


def open_store(path: Path, migrations: Sequence[str], *, timeout: float = 5.0) -> sqlite3.Connection:
    """Opens the file at `path` in autocommit mode, and makes it (0600, in a directory 0700) if it is missing.

    `migrations` are SQL scripts, oldest first; a file's version is the number of scripts that it has seen. The missing
    ones run now, all in one transaction, in the first process that comes. `timeout` is the wait, in seconds, for
    another process's transaction. Several threads may use the connection, one at a time.

    Raises UsageError naming the file: made by a newer version, of another program, damaged, busy, or unreachable.
    """
    with explained(path):
        connection = open_private_connection(path, timeout=timeout, check=_refuse_foreign)
        try:
            if _version(path, connection, len(migrations)) < len(migrations):
                _migrate(path, connection, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def open_private_connection(
    path: Path, *, timeout: float, check: Callable[[Path, sqlite3.Connection], None] = lambda path, connection: None
) -> sqlite3.Connection:
    """Opens a durable connection in autocommit mode, and makes the file 0600; raises as SQLite and the OS do.

    `check` may raise before anything in the file is changed.
    """
    make_private_file(path)
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        check(path, connection)
        _make_durable(connection, timeout)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Takes the write lock at once; commits durably at the end, or rolls back after any exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Converts errors of SQLite or the file system to a UsageError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except UnicodeDecodeError as error:  # a name in the file's own schema, or in SQLite's message about it
        raise damaged_error(path, str(error)) from error
    except DamagedRowError as error:
        raise UsageError(tr("{path} is damaged: a row cannot be read", path=path), detail=str(error)) from error
    except OSError as error:
        if error.errno in FULL_DISK:
            raise full_disk_error(path, str(error)) from error
        raise UsageError(
            tr("cannot open {path}: {problem}", path=path, problem=reason_of(error)), hint=tr(_ELSEWHERE)
        ) from error


# On a full disk SQLite's message is "disk I/O error" for a write, and "unable to open" for a new log.
_MAYBE_FULL = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_TRIED_BYTES = 64 * 1024


def full_disk_error(path: Path, detail: str) -> UsageError:
    """Returns the error for a file of the state directory on a full disk."""
    hint = tr("make room there, or set ALOVOICE_STATE_DIR to a directory on another disk")
    return UsageError(no_space_left(path), hint=hint, detail=detail)


def _takes_no_more(path: Path) -> bool:
    """Returns whether the disk has no room for the file or its log, tested by a write in another file."""
    from tempfile import TemporaryFile  # noqa: PLC0415 - only for this rare error

    parts = [part for part in (path, path.with_name(path.name + "-wal")) if part.exists()]
    try:
        with TemporaryFile(dir=path.parent) as trial:
            trial.seek(max((part.stat().st_size for part in parts), default=0))
            trial.write(bytes(_TRIED_BYTES))
            trial.flush()
    except OSError as error:
        return error.errno in FULL_DISK
    return False


def damaged_error(path: Path, detail: str) -> UsageError:
    """Returns the error for a file that cannot be read as what it was."""
    aside = tr(
        "move it to another place (also {name}-wal and {name}-shm, if they exist), then run the command again",
        name=path.name,
    )
    return UsageError(tr("{path} is damaged, or is not a SQLite file", path=path), hint=aside, detail=detail)


_ELSEWHERE = mark("make its directory writable, or set ALOVOICE_STATE_DIR to another one")


def _explanation(path: Path, error: sqlite3.Error) -> UsageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bytes only refine it
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged_error(path, str(error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UsageError(
            tr("{path} is in use by another process", path=path),
            hint=tr("run the command again when that process has ended"),
            detail=str(error),
        )
    if code == sqlite3.SQLITE_FULL or (code in _MAYBE_FULL and _takes_no_more(path)):
        return full_disk_error(path, str(error))
    return UsageError(tr("cannot use {path}: {problem}", path=path, problem=error), hint=tr(_ELSEWHERE))


def make_private_file(path: Path) -> None:
    """Creates the file 0600 where there is none. SQLite gives `-wal` and `-shm` the mode of a file that it opens."""
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            give_to_owner(descriptor, path.parent)
        finally:
            os.close(descriptor)


def give_to_owner(descriptor: int, directory: Path) -> None:
    """Gives a file that root has just made to the directory's owner: a listener that is not root must open it too."""
    with suppress(AttributeError, OSError):  # Windows has no such owners; some file systems know none
        if os.geteuid() == 0:
            owner = directory.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _make_durable(connection: sqlite3.Connection, timeout: float) -> None:
    # FULL is not stored in the file: without it a commit in WAL mode survives our crash, but not a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    deadline = time.monotonic() + timeout
    if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
        # Set before the first page is written: the space of deleted rows can then be freed step by step.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # When two processes switch a new file at once, SQLite returns "locked" to one of them without waiting.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _version(path: Path, connection: sqlite3.Connection, known: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > known:
        raise UsageError(
            tr(
                "{path} was made by a newer version of alovoice (its schema is {version}, this version knows {known})",
                path=path,
                version=version,
                known=known,
            ),
            hint=tr("upgrade alovoice, or set ALOVOICE_STATE_DIR to another directory"),
        )
    return version


def _refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    """Raises UsageError for a file with tables that no version of this program made."""
    question = "SELECT 1 FROM pragma_user_version WHERE user_version = 0 AND EXISTS (SELECT 1 FROM sqlite_master)"
    if connection.execute(question).fetchone():
        raise foreign_error(path)


def foreign_error(path: Path) -> UsageError:
    """Returns the error for a file of SQLite that is not one of this program's stores."""
    return UsageError(
        tr("{path} is a SQLite file of another program", path=path),
        hint=tr("move it to another place, then run the command again"),
    )


def _migrate(path: Path, connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    with transaction(connection):
        version = _version(path, connection, len(migrations))  # again: another process may have been first
        if version == 0:
            _refuse_foreign(path, connection)
        for number, script in enumerate(migrations[version:], start=version + 1):
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def statements(script: str) -> Iterator[str]:
    """Yields the script's statements: `executescript` would commit the transaction first."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def iso(moment: datetime) -> str:
    """Returns a moment as sortable text: always with microseconds, always in UTC."""
    moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def storable(text: str) -> str:
    """Returns the text without lone surrogates (from an argument in a broken encoding), which SQLite refuses."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
