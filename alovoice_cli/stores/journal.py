"""The journal of one batch: which of its rows went out, and how each ended.

`intend` is committed and synced before a row's connection is opened, `settle` after its answer: a row with an intent
and no end may have been carried out. Commits of several threads share one sync. Every row carries a seal over all that
is known of it: a journal that is damaged anywhere refuses, for an empty or older one would call people twice.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType

from alovoice_cli.batch.steps import Course, Result, Step
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.cells import iso, storable
from alovoice_cli.stores.migrations import explained, open_store, transaction
from alovoice_cli.stores.together import Together

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
class Head:
    """What the whole batch is. `source` is the list's path, or `-`; `digest` is of its latest bytes."""

    profile: str
    command: str
    source: str
    digest: str
    created_at: str
    generation: int = 1
    rows: int = 0


_NONE: Mapping[str, Course] = MappingProxyType({})
_MOVING = "UPDATE step SET state = ?3, course = ?4, seal = ?5 WHERE key = ?1 AND state = ?2"
_Move = tuple[str, str, str, str, str]
"""A row's key, its state so far, its new state, its course and the seal over all of it."""


class Journal:
    """One file. Its user holds the batch's lock. Any thread may call; every method raises UsageError for a bad file."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._connection = open_store(path, MIGRATIONS)
        self._file = _identity(path)
        self._is_shared = False
        self._together = Together(path, self._connection, self._write)
        try:
            with explained(path):
                self._check()
                self._head = self._read_head()
                self._steps, self._courses = self._read_steps()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the file, and leaves nothing of it in a log beside it."""
        with explained(self.path):
            self._together.close()

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def head(self) -> Head | None:
        """The batch; None for a journal that was never begun."""
        return self._head

    @property
    def steps(self) -> list[Step]:
        """All rows, of earlier lists too, in the order of their lines."""
        return list(self._steps.values())

    def course(self, key: str) -> Course | None:
        """How far a row has come; None for one that is not here."""
        return self._courses.get(key)

    def listed(self) -> Iterator[tuple[Step, Course]]:
        """The rows of the latest list."""
        generation = self._head.generation if self._head else 1
        return ((step, self._courses[key]) for key, step in self._steps.items() if step.generation == generation)

    # --- what is written ---------------------------------------------------------------------------------------------

    def begin(self, head: Head, steps: Iterable[Step], left_out: Mapping[str, Course] = _NONE) -> None:
        """Takes the rows of a list: the first one, or a changed one that was agreed to. All of it, or nothing.

        A row that is here already stays as far as it has come, and keeps its id; `left_out` are rows that are not to be
        sent, or whose state changes otherwise.
        """
        generation = self._head.generation + 1 if self._head else 1
        merged = dict(self._steps)
        for step in steps:
            known = merged.get(step.key)
            own = step.our_id if known is None else known.our_id
            merged[step.key] = replace(step, our_id=own, generation=generation)
        courses = {key: left_out.get(key) or self._courses.get(key, Course()) for key in merged}
        head = replace(head, generation=generation, rows=len(merged))
        with explained(self.path):
            rows = [_values(step, courses[step.key]) for step in merged.values()]
            self._together.alone(lambda connection: _replace(connection, head, rows))
        self._head, self._courses = head, courses
        self._steps = dict(sorted(merged.items(), key=lambda item: item[1].line))

    def share_sync(self) -> Callable[[], None]:
        """From now on `intend` only writes; it is on the disk when the function that this returns was called after it.

        For a run whose every request waits for the ledger's sync before it leaves: it then waits for both at once.
        """
        self._is_shared = True
        return self._sync

    def _sync(self) -> None:
        with explained(self.path):
            self._together.sync()

    def intend(self, key: str, *, risk: bool = False) -> Course:
        """Writes down that the row is about to be sent; on the disk when this returns, but see `share_sync`.

        Raises UsageError where the file has lost its name: the next run would find none, and call everybody again.
        """
        self._check_name()
        before = self._courses[key]
        course = Course("intent", before.attempts + 1, before.risks + risk, began_at=iso(self._now()))
        return self._move(key, before, course)

    def change(self, key: str, course: Course) -> Course:
        """Writes down that a row is left out, or is not left out any more. Raises UsageError for a step back."""
        return self._move(key, self._courses[key], course)

    def settle(self, key: str, result: Result) -> Course:
        """Writes down how it ended. Raises UsageError for a step back, such as a call that was made becoming unsent.

        Where the disk is full, this process still knows how it ended; the next one finds an intent, and so unknown.
        """
        before = self._courses[key]
        after = result.end(before, iso(self._now()))
        try:
            return self._move(key, before, after)
        finally:
            if after.follows(before):
                self._courses[key] = after

    def _move(self, key: str, before: Course, after: Course) -> Course:
        if not after.follows(before):
            raise UsageError(f"{self.path}: a row that is {before.state} cannot become {after.state}")
        _, _, state, _, course, seal = _values(self._steps[key], after)
        with explained(self.path):
            # An end that a power cut takes back leaves an intent: unknown, and never called again.
            waits = after.state == "intent" and not self._is_shared
            run = self._together.run if waits else self._together.run_unsynced
            run((key, before.state, state, course, seal))
        self._courses[key] = after
        return after

    def _write(self, connection: sqlite3.Connection, moves: Sequence[_Move]) -> Sequence[None]:
        # One statement is a transaction by itself; several at a time come where nobody shares the ledger's sync.
        with nullcontext() if len(moves) == 1 else transaction(connection):
            for move in moves:
                if connection.execute(_MOVING, move).rowcount != 1:
                    raise damaged(self.path, "a row is not where it was")
        return [None] * len(moves)

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

    def _read_head(self) -> Head | None:
        kept = dict(self._connection.execute("SELECT name, value FROM head").fetchall())
        if not kept:
            return None
        try:
            text = kept["batch"]
            if _digest(text) != kept["seal"]:
                raise ValueError("the head's seal is broken")
            return Head(**json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.path, str(error)) from error

    def _read_steps(self) -> tuple[dict[str, Step], dict[str, Course]]:
        steps: dict[str, Step] = {}
        courses: dict[str, Course] = {}
        rows = self._connection.execute("SELECT key, line, state, fixed, course, seal FROM step ORDER BY line")
        for row in rows:
            try:
                step, course = _read(row)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise damaged(self.path, str(error)) from error
            steps[step.key], courses[step.key] = step, course
        if len(steps) != (self._head.rows if self._head else 0):
            raise damaged(self.path, "rows are missing")
        return steps, courses


def _replace(connection: sqlite3.Connection, head: Head, rows: list[tuple[str, int, str, str, str, str]]) -> None:
    connection.execute("DELETE FROM step")
    connection.executemany("INSERT INTO step (key, line, state, fixed, course, seal) VALUES (?, ?, ?, ?, ?, ?)", rows)
    text = json.dumps(asdict(head))
    connection.execute("INSERT OR REPLACE INTO head VALUES ('batch', ?)", (text,))
    connection.execute("INSERT OR REPLACE INTO head VALUES ('seal', ?)", (_digest(text),))


_COURSE = tuple(field.name for field in fields(Course))
_of_course = attrgetter(*_COURSE)


def _values(step: Step, course: Course) -> tuple[str, int, str, str, str, str]:
    fixed = json.dumps([step.payload, step.numbers, step.our_id, step.cells, step.generation])
    told = json.dumps(dict(zip(_COURSE, _of_course(course), strict=True)))
    key = storable(step.key)
    return key, step.line, course.state, fixed, told, _digest(key, str(step.line), course.state, fixed, told)


def _read(row: tuple[str, int, str, str, str, str]) -> tuple[Step, Course]:
    key, line, state, fixed, told, seal = row
    if _digest(key, str(line), state, fixed, told) != seal:
        raise ValueError(f"the seal of line {line} is broken")
    payload, numbers, our_id, cells, generation = json.loads(fixed)
    course: Mapping[str, object] = json.loads(told)
    return Step(key, line, payload, tuple(numbers), our_id, cells, generation), Course(**course)  # type: ignore[arg-type] # sealed as it was written


def _identity(path: Path) -> tuple[int, int]:
    """By what a file is known, whichever name it has."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def damaged(path: Path, why: str) -> UsageError:
    """What to say of a journal that cannot be believed."""
    return UsageError(
        f"{path} is damaged: whom this batch has called is not certain any more, so nothing is sent",
        hint="see `alovoice call receipts list` for what was sent; call the rest with a list of their own",
        detail=why,
    )
