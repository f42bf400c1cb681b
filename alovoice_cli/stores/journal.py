"""The journal of one batch: which rows were sent, and how each ended.

`intend` is committed and synced before a row's connection is opened, `settle` after its answer: a row with an intent
and no end may have been carried out. Every row carries a checksum of all its values: a journal that is damaged anywhere
raises, because an empty or older journal would call people twice. `JournalFolder` has all journals of a machine.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.migrations import explained, iso, open_store, storable, transaction
from alovoice_cli.stores.process_lock import hold

MIGRATIONS = (
    """
    CREATE TABLE head (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE step (
        key TEXT PRIMARY KEY, line INTEGER NOT NULL, state TEXT NOT NULL, fixed TEXT NOT NULL, course TEXT NOT NULL,
        seal TEXT NOT NULL
    );
    """,
)


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The identity of a batch. `source` is the list's path, or `-`; `digest` is of its latest bytes."""

    profile: str
    command: str
    source: str
    digest: str
    created_at: str
    generation: int = 1
    rows: int = 0


_NONE: Mapping[str, RowProgress] = MappingProxyType({})
_MOVING = "UPDATE step SET state = ?3, course = ?4, seal = ?5 WHERE key = ?1 AND state = ?2"


class Journal:
    """One file, whose user holds the batch's lock. For any thread; every method raises UsageError for a bad file."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._connection = open_store(path, MIGRATIONS)
        self._file = _identity(path)
        self._writing = Lock()
        try:
            with explained(path):
                self._check()
                self._head = self._read_head()
                self._rows, self._courses = self._read_rows()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the file, without leaving data in a log beside it."""
        with explained(self.path), self._writing, closing(self._connection):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def head(self) -> JournalHead | None:
        """Returns the batch; None for a journal that was never begun."""
        return self._head

    @property
    def rows(self) -> list[BatchRow]:
        """Returns all rows, of earlier lists too, in the order of their lines."""
        return list(self._rows.values())

    def course(self, key: str) -> RowProgress | None:
        """Returns the progress of a row; None for an unknown row."""
        return self._courses.get(key)

    def listed(self) -> Iterator[tuple[BatchRow, RowProgress]]:
        """Returns the rows of the latest list, with their progress."""
        generation = self._head.generation if self._head else 1
        return ((row, self._courses[key]) for key, row in self._rows.items() if row.generation == generation)

    # --- what is written ---------------------------------------------------------------------------------------------

    def begin(self, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress] = _NONE) -> None:
        """Takes the rows of a list, new or changed: all of them, or none.

        A known row keeps its progress and its id; `left_out` are rows that will not be sent, or whose state changes
        otherwise.
        """
        generation = self._head.generation + 1 if self._head else 1
        merged = dict(self._rows)
        for row in rows:
            known = merged.get(row.key)
            own = row.our_id if known is None else known.our_id
            merged[row.key] = replace(row, our_id=own, generation=generation)
        courses = {key: left_out.get(key) or self._courses.get(key, RowProgress()) for key in merged}
        head = replace(head, generation=generation, rows=len(merged))
        with explained(self.path):
            values = [_values(row, courses[row.key]) for row in merged.values()]
            with self._writing, transaction(self._connection):
                _replace(self._connection, head, values)
        self._head, self._courses = head, courses
        self._rows = dict(sorted(merged.items(), key=lambda item: item[1].line))

    def intend(self, key: str, *, risk: bool = False) -> RowProgress:
        """Writes that the row will be sent now; on the disk when this returns.

        Raises UsageError where the file has lost its name: the next run would not find it, and call everybody again.
        """
        self._check_name()
        before = self._courses[key]
        course = RowProgress("intent", before.attempts + 1, before.risks + risk, began_at=iso(self._now()))
        return self._move(key, before, course)

    def change(self, key: str, course: RowProgress) -> RowProgress:
        """Writes that a row is left out, or is left out no longer. Raises UsageError for a step back."""
        return self._move(key, self._courses[key], course)

    def settle(self, key: str, result: RowResult) -> RowProgress:
        """Writes how the row ended. Raises UsageError for a step back, such as a made call that becomes unsent.

        On a full disk this process still knows the end; the next process finds an intent, which means unknown.
        """
        before = self._courses[key]
        after = result.end(before, iso(self._now()))
        try:
            return self._move(key, before, after)
        finally:
            if after.follows(before):
                self._courses[key] = after

    def _move(self, key: str, before: RowProgress, after: RowProgress) -> RowProgress:
        if not after.follows(before):
            raise UsageError(f"{self.path}: a row that is {before.state} cannot become {after.state}")
        _, _, state, _, course, seal = _values(self._rows[key], after)
        with explained(self.path), self._writing:
            # One statement is a transaction by itself.
            moved = self._connection.execute(_MOVING, (key, before.state, state, course, seal))
            if moved.rowcount != 1:
                raise damaged(self.path, "a row is not where it was")
        self._courses[key] = after
        return after

    def _check_name(self) -> None:
        try:
            is_here = _identity(self.path) == self._file
        except OSError:
            is_here = False
        if not is_here:
            raise UsageError(
                f"{self.path} was deleted or moved while the batch runs: nothing more is sent",
                hint="put it back and run the same line again; `alovoice call receipts list` has what was sent",
            )

    # --- reading -----------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        (verdict,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(self.path, str(verdict))

    def _read_head(self) -> JournalHead | None:
        kept = dict(self._connection.execute("SELECT name, value FROM head").fetchall())
        if not kept:
            return None
        try:
            text = kept["batch"]
            if _digest(text) != kept["seal"]:
                raise ValueError("the head's seal is broken")
            return JournalHead(**json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.path, str(error)) from error

    def _read_rows(self) -> tuple[dict[str, BatchRow], dict[str, RowProgress]]:
        rows: dict[str, BatchRow] = {}
        courses: dict[str, RowProgress] = {}
        found = self._connection.execute("SELECT key, line, state, fixed, course, seal FROM step ORDER BY line")
        for values in found:
            try:
                row, course = _read(values)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise damaged(self.path, str(error)) from error
            rows[row.key], courses[row.key] = row, course
        if len(rows) != (self._head.rows if self._head else 0):
            raise damaged(self.path, "rows are missing")
        return rows, courses


def _replace(
    connection: sqlite3.Connection, head: JournalHead, rows: list[tuple[str, int, str, str, str, str]]
) -> None:
    connection.execute("DELETE FROM step")
    connection.executemany("INSERT INTO step (key, line, state, fixed, course, seal) VALUES (?, ?, ?, ?, ?, ?)", rows)
    text = json.dumps(asdict(head))
    connection.execute("INSERT OR REPLACE INTO head VALUES ('batch', ?)", (text,))
    connection.execute("INSERT OR REPLACE INTO head VALUES ('seal', ?)", (_digest(text),))


_COURSE = tuple(field.name for field in fields(RowProgress))
_of_course = attrgetter(*_COURSE)


def _values(row: BatchRow, course: RowProgress) -> tuple[str, int, str, str, str, str]:
    fixed = json.dumps([row.payload, row.numbers, row.our_id, row.cells, row.generation])
    told = json.dumps(dict(zip(_COURSE, _of_course(course), strict=True)))
    key = storable(row.key)
    return key, row.line, course.state, fixed, told, _digest(key, str(row.line), course.state, fixed, told)


def _read(row: tuple[str, int, str, str, str, str]) -> tuple[BatchRow, RowProgress]:
    key, line, state, fixed, told, seal = row
    if _digest(key, str(line), state, fixed, told) != seal:
        raise ValueError(f"the seal of line {line} is broken")
    payload, numbers, our_id, cells, generation = json.loads(fixed)
    course: Mapping[str, object] = json.loads(told)
    return BatchRow(key, line, payload, tuple(numbers), our_id, cells, generation), RowProgress(**course)  # type: ignore[arg-type] # sealed as it was written


def _identity(path: Path) -> tuple[int, int]:
    """Returns the identity of a file, independent of its name."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def damaged(path: Path, why: str) -> UsageError:
    """Returns the error for a journal that cannot be trusted."""
    return UsageError(
        f"{path} is damaged: whom this batch has called is not certain any more, so nothing is sent",
        hint="see `alovoice call receipts list` for what was sent; call the rest with a list of their own",
        detail=why,
    )


FOLDER = "batches"
EARLIER = "earlier"
SUFFIX = ".db"
_NAME = re.compile(r"[\w][\w.+-]{0,99}")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class JournalPath:
    """One journal's file, and its name for people."""

    name: str
    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the lock of the journal. Raises UsageError naming the process that holds it."""
        with hold(self.path.with_name(self.path.name + ".lock"), f"the batch {self.name} runs"):
            yield

    def set_aside(self, now: datetime) -> Path:
        """Moves the file to a name that is kept and not searched: a restart never deletes a journal."""
        kept = self.path.parent / EARLIER / f"{self.path.stem}-{now:%Y%m%dT%H%M%S%f}{SUFFIX}"
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.rename(kept)
        return kept


def digest_of(profile: str, command: str, content: bytes) -> str:
    """Returns the identity of a list: its bytes, its profile and its command."""
    return hashlib.sha256(b"\0".join((profile.encode(), command.encode(), content))).hexdigest()


class JournalFolder:
    """The journals of this machine."""

    def __init__(self, state: Path, now: Callable[[], datetime]) -> None:
        self.folder = state / FOLDER
        self._now = now

    def named(self, label: str) -> JournalPath:
        """Returns the journal with this name or path. Raises UsageError for text that is neither."""
        if "/" in label or "\\" in label or label.endswith(SUFFIX):
            path = Path(label).absolute()
            return JournalPath(path.name.removesuffix(SUFFIX), path)
        if not _NAME.fullmatch(label):
            raise UsageError(f"no batch can be called {label!r}", hint="letters, digits, `-`, `_`, `.`; or a path")
        return JournalPath(label, self.folder / f"{label}{SUFFIX}")

    def existing(self, label: str) -> JournalPath:
        """Returns the journal as `named` does; raises UsageError if it is missing."""
        place = self.named(label)
        if not place.path.exists():
            raise UsageError(f"there is no batch {label} here", hint="see `alovoice call batches list`")
        return place

    def usual(self, verb: str, source: str, digest: str) -> JournalPath:
        """Returns the journal of a list without a given name: by command, file name and digest."""
        return self.named(f"{verb}-{_slug(source)}-{digest[:_DIGEST_LENGTH]}")

    def siblings(self, verb: str, source: str) -> list[JournalPath]:
        """Returns the journals of other lists with the same file name."""
        pattern = re.compile(re.escape(f"{verb}-{_slug(source)}-") + r"[0-9a-f]{8}")
        return [place for place in self.places() if pattern.fullmatch(place.name)]

    def places(self) -> list[JournalPath]:
        """Returns all journals in the folder."""
        found = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        return [JournalPath(path.name.removesuffix(SUFFIX), path) for path in found]

    def open(self, place: JournalPath) -> Journal:
        """Opens an existing journal. Raises UsageError for a damaged one."""
        journal = Journal(place.path, self._now)
        if journal.head is None:
            journal.close()
            raise damaged(place.path, "it holds nothing")
        return journal

    def begin(
        self, place: JournalPath, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress]
    ) -> Journal:
        """Creates a journal: it gets its name with all rows in it, so that an empty one is always a damaged one."""
        made = place.path.with_name(place.path.name + ".new")
        _remove(made)  # left by a process that was killed here
        journal = Journal(made, self._now)
        try:
            journal.begin(head, rows, left_out)
        except BaseException:
            with suppress(UsageError):  # the original error says more
                journal.close()
            _remove(made)
            raise
        journal.close()
        made.rename(place.path)
        return Journal(place.path, self._now)


def _remove(database: Path) -> None:
    for rest in ("", "-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)


def _slug(source: str) -> str:
    stem = "stdin" if source == "-" else Path(source).stem
    return re.sub(r"[^\w]+", "-", stem).strip("-")[:_SLUG_LENGTH] or "list"
