"""The journals of this machine: a SQLite file each, in the folder `batches` of the state directory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock

from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores.journal import Journal, JournalHead, StoredRow, damaged, deleted
from alovoice_cli.stores.journal_places import NAME, JournalPlace, Journals
from alovoice_cli.stores.migrations import explained, open_store, transaction
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
_MOVING = "UPDATE step SET state = ?, course = ?, seal = ? WHERE key = ? AND seal = ?"


class JournalFile:
    """One journal in its file, for one process at a time. For any thread."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)
        self._connection = open_store(path, MIGRATIONS)
        self._file = _identity(path)
        self._writing = Lock()

    def read_head(self) -> tuple[str, str] | None:
        with explained(self.path):
            (verdict,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(self.label, str(verdict))
            kept = dict(self._connection.execute("SELECT name, value FROM head").fetchall())
        if not kept:
            return None
        if not kept.keys() >= {"batch", "seal"}:
            raise damaged(self.label, "the head is not whole")
        return kept["batch"], kept["seal"]

    def read_rows(self) -> Sequence[StoredRow]:
        with explained(self.path):
            found = self._connection.execute("SELECT key, line, state, fixed, course, seal FROM step ORDER BY line")
            return [StoredRow(*row) for row in found]

    def replace(self, head: str, seal: str, rows: Sequence[StoredRow]) -> None:
        with explained(self.path), self._writing, transaction(self._connection):
            self._connection.execute("DELETE FROM step")
            self._connection.executemany(
                "INSERT INTO step (key, line, state, fixed, course, seal) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            for name, value in (("batch", head), ("seal", seal)):
                self._connection.execute("INSERT OR REPLACE INTO head VALUES (?, ?)", (name, value))

    def claim(self, row: StoredRow, before: str) -> bool:
        self._check_name()
        return self.move(row, before)

    def move(self, row: StoredRow, before: str) -> bool:
        with explained(self.path), self._writing:
            # One statement is a transaction by itself.
            moved = self._connection.execute(_MOVING, (row.state, row.course, row.seal, row.key, before))
            return moved.rowcount == 1

    def seal_of(self, key: str) -> str | None:
        with explained(self.path):
            found = self._connection.execute("SELECT seal FROM step WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def seconds_to_wait(self) -> float:
        return 0.0

    def hold_back(self, seconds: float) -> None:
        """Does nothing: the only process keeps its own pace."""

    @contextmanager
    def owners_alive(self) -> Iterator[Callable[[str], bool]]:
        yield lambda key: False  # the lock is ours: the writer of every intent has ended

    def close(self) -> None:
        """Closes the file, and leaves no log beside it."""
        with explained(self.path), self._writing, closing(self._connection):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _check_name(self) -> None:
        try:
            is_here = _identity(self.path) == self._file
        except OSError:
            is_here = False
        if not is_here:
            raise deleted(self.label)


def _identity(path: Path) -> tuple[int, int]:
    """Returns the identity of a file, independent of its name."""
    found = path.stat()
    return found.st_dev, found.st_ino


FOLDER = "batches"
EARLIER = "earlier"
SUFFIX = ".db"


class JournalPath(JournalPlace):
    """A journal's file."""

    def __init__(self, name: str, path: Path, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.name, self.path, self.label = name, path, str(path)

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def locked(self, *, shared: bool = False, spacing: float = 0.0) -> Iterator[None]:
        if shared:
            raise UsageError(
                tr("--shared needs a store that machines can share: nothing was sent"),
                hint=tr("run `alovoice config set store postgresql://user@host/database` on each machine"),
            )
        with hold(self.path.with_name(self.path.name + ".lock"), tr("the batch {name} runs", name=self.name)):
            yield

    def begin(self, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress]) -> Journal:
        made = self.path.with_name(self.path.name + ".new")
        _remove(made)  # left by a process that was killed here
        journal = Journal(JournalFile(made), self._now)
        try:
            journal.begin(head, rows, left_out)
        except BaseException:
            with suppress(UsageError):  # the original error says more
                journal.close()
            _remove(made)
            raise
        journal.close()
        made.rename(self.path)
        return Journal(self._tables(), self._now)

    def set_aside(self) -> str:
        kept = self.path.parent / EARLIER / f"{self.path.stem}-{self._now():%Y%m%dT%H%M%S%f}{SUFFIX}"
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.rename(kept)
        return str(kept)

    def forget(self) -> None:
        _remove(self.path)

    def forget_lock(self) -> None:
        self.path.with_name(self.path.name + ".lock").unlink(missing_ok=True)

    def _tables(self) -> JournalFile:
        return JournalFile(self.path)


class JournalFolder(Journals):
    """The journals of this machine."""

    def __init__(self, state: Path, now: Callable[[], datetime]) -> None:
        self.folder = state / FOLDER
        self._now = now

    def named(self, label: str) -> JournalPath:
        if "/" in label or "\\" in label or label.endswith(SUFFIX):
            return self._place(Path(label).absolute())
        if not NAME.fullmatch(label):
            raise UsageError(
                tr("{value} is not a valid name of a batch", value=repr(label)),
                hint=tr("use letters, digits, `-`, `_` and `.`, or a path"),
            )
        return self._place(self.folder / f"{label}{SUFFIX}")

    def places(self) -> list[JournalPlace]:
        found = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        return [self._place(path) for path in found]

    def _place(self, path: Path) -> JournalPath:
        return JournalPath(path.name.removesuffix(SUFFIX), path, self._now)


def _remove(database: Path) -> None:
    for rest in ("", "-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
