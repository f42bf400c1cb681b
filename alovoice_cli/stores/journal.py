"""The journal of one batch: which rows were sent, and how each ended.

`intend` is committed and synced before a row's connection is opened, `settle` after its answer: a row with an intent
and no end may have been carried out. Every row carries a checksum of all its values: a journal that is damaged anywhere
raises, because an empty or older journal would call people twice. Where it lies is in `journal_files` and
`server_journals`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple, Protocol

from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import UsageError
from alovoice_cli.language import all_in_english, tr
from alovoice_cli.stores.migrations import iso, storable


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


class StoredRow(NamedTuple):
    """A row as it is stored. `seal` is the checksum of the other values."""

    key: str
    line: int
    state: str
    fixed: str
    course: str
    seal: str


class JournalTables(Protocol):
    """The storage of a journal. Every method raises UsageError; for any thread."""

    label: str
    """The file's path, or the journal's name on a server."""

    @property
    def is_shared(self) -> bool:
        """Returns whether other machines may send rows of the journal at the same time."""

    def read_head(self) -> tuple[str, str] | None:
        """Returns the head's text and its seal, or None for a journal that was never begun."""

    def read_rows(self) -> Sequence[StoredRow]:
        """Returns all rows by line."""

    def replace(self, head: str, seal: str, rows: Sequence[StoredRow]) -> None:
        """Writes head and rows in place of the earlier ones, all or none."""

    def claim(self, row: StoredRow, before: str) -> bool:
        """Writes a row's intent where the row still has the seal `before`, durably; returns whether it had.

        Raises UsageError where the journal is gone: the next run would not find it, and call everybody again.
        """

    def move(self, row: StoredRow, before: str) -> bool:
        """Writes a row's new state where the row still has the seal `before`; returns whether it had."""

    def seal_of(self, key: str) -> str | None:
        """Returns the row's seal, or None where the row is gone."""

    def seconds_to_wait(self) -> float:
        """Returns how long the pace of all machines together lets no row through."""

    def hold_back(self, seconds: float) -> None:
        """Lets no machine send a row for this time."""

    def owners_alive(self) -> AbstractContextManager[Callable[[str], bool]]:
        """Yields a function that tells whether the owner of this row's intent still works."""

    def close(self) -> None:
        """Closes the journal."""


_NONE: Mapping[str, RowProgress] = MappingProxyType({})


class Journal:
    """One journal; its user holds the batch's lock.

    For any thread; every method raises UsageError for a damaged journal.
    """

    _rows: dict[str, BatchRow]
    _courses: dict[str, RowProgress]
    _seals: dict[str, str]

    def __init__(self, tables: JournalTables, now: Callable[[], datetime]) -> None:
        self._tables, self._now = tables, now
        try:
            self._head = self._read_head()
            self._read_rows()
        except BaseException:
            tables.close()
            raise

    def close(self) -> None:
        """Closes the journal."""
        self._tables.close()

    @property
    def label(self) -> str:
        """Returns the file's path, or the name on a server."""
        return self._tables.label

    @property
    def is_shared(self) -> bool:
        """Returns whether other machines may send rows at the same time."""
        return self._tables.is_shared

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

    def refresh(self) -> None:
        """Reads the rows again, if other machines send some of them."""
        if self._tables.is_shared:
            self._read_rows()

    def orphans(self) -> list[tuple[BatchRow, RowProgress]]:
        """Returns the rows in flight whose owner has died: nobody will write how they ended."""
        with self._tables.owners_alive() as is_alive:
            self.refresh()
            return [
                (row, course) for row, course in self.listed() if course.state == "intent" and not is_alive(row.key)
            ]

    def is_due(self, key: str) -> bool:
        """Returns whether the row is unchanged since this process read it: another machine may have sent it."""
        if not self._tables.is_shared:
            return True
        found = self._tables.seal_of(key)
        if found is None:
            raise deleted(self.label)
        return found == self._seals[key]

    def seconds_to_wait(self) -> float:
        """Returns how long the pace of all machines together lets no row through."""
        return self._tables.seconds_to_wait()

    def hold_back(self, seconds: float) -> None:
        """Lets no machine send a row for this time."""
        self._tables.hold_back(seconds)

    # --- what is written ---------------------------------------------------------------------------------------------

    def begin(self, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress] = _NONE) -> None:
        """Adds the rows of a list, new or changed: all of them, or none.

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
        text = json.dumps(asdict(head))
        stored = [_stored(row, courses[row.key]) for row in merged.values()]
        self._tables.replace(text, _digest(text), stored)
        self._head, self._courses, self._seals = head, courses, {row.key: row.seal for row in stored}
        self._rows = dict(sorted(merged.items(), key=lambda item: item[1].line))

    def intend(self, key: str, *, risk: bool = False) -> RowProgress | None:
        """Writes that the row will be sent now; durable when this returns.

        Returns None if machines share the journal, and another machine has taken the row or the common pace.
        """
        before = self._courses[key]
        after = RowProgress("intent", before.attempts + 1, before.risks + risk, began_at=iso(self._now()))
        self._check_step(before, after)
        stored = _stored(self._rows[key], after)
        if not self._tables.claim(stored, self._seals[key]):
            if self._tables.is_shared:
                return None
            raise self._lost(key)
        self._courses[key], self._seals[key] = after, stored.seal
        return after

    def change(self, key: str, course: RowProgress) -> RowProgress:
        """Writes that a row is left out, or is left out no longer. Raises UsageError for a step back.

        A row that another machine has taken meanwhile stays as it is.
        """
        if self._move(key, self._courses[key], course) or self._tables.is_shared:
            return self._courses[key]
        raise self._lost(key)

    def settle(self, key: str, result: RowResult) -> RowProgress:
        """Writes how the row ended. Raises UsageError for a step back, such as a made call that becomes unsent.

        On a full disk this process still knows the end; the next process finds an intent, which means unknown.
        """
        before = self._courses[key]
        after = result.end(before, iso(self._now()))
        try:
            if not self._move(key, before, after):
                raise self._lost(key)
        finally:
            if after.follows(before):
                self._courses[key] = after
        return after

    def settle_orphan(self, key: str, result: RowResult) -> None:
        """Writes how a row of a dead owner ended, unless another machine has done so already."""
        if not self._move(key, self._courses[key], result.end(self._courses[key], iso(self._now()))):
            self.refresh()

    def _move(self, key: str, before: RowProgress, after: RowProgress) -> bool:
        self._check_step(before, after)
        stored = _stored(self._rows[key], after)
        if not self._tables.move(stored, self._seals[key]):
            return False
        self._courses[key], self._seals[key] = after, stored.seal
        return True

    def _lost(self, key: str) -> UsageError:
        """Returns the error for a row whose state has changed since this process wrote it."""
        gone = self._tables.seal_of(key) is None
        return deleted(self.label) if gone else damaged(self.label, "a row is not where it was")

    def _check_step(self, before: RowProgress, after: RowProgress) -> None:
        if not after.follows(before):
            raise UsageError(
                tr(
                    "{path}: a row that is {before} cannot become {after}",
                    path=self.label,
                    before=before.state,
                    after=after.state,
                )
            )

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read_head(self) -> JournalHead | None:
        kept = self._tables.read_head()
        if kept is None:
            return None
        text, seal = kept
        try:
            if _digest(text) != seal:
                raise ValueError("the head's seal is broken")
            return JournalHead(**json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise damaged(self.label, str(error)) from error

    def _read_rows(self) -> None:
        rows: dict[str, BatchRow] = {}
        courses: dict[str, RowProgress] = {}
        seals: dict[str, str] = {}
        for stored in self._tables.read_rows():
            try:
                row, course = _read(stored)
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
                raise damaged(self.label, str(error)) from error
            rows[row.key], courses[row.key], seals[row.key] = row, course, stored.seal
        if len(rows) != (self._head.rows if self._head else 0):
            raise damaged(self.label, "rows are missing")
        self._rows, self._courses, self._seals = rows, courses, seals


_COURSE = tuple(field.name for field in fields(RowProgress))
_of_course = attrgetter(*_COURSE)


def _stored(row: BatchRow, course: RowProgress) -> StoredRow:
    fixed = json.dumps([row.payload, row.numbers, row.our_id, row.cells, row.generation])
    told = json.dumps(all_in_english(dict(zip(_COURSE, _of_course(course), strict=True))))
    key = storable(row.key)
    return StoredRow(key, row.line, course.state, fixed, told, _digest(key, str(row.line), course.state, fixed, told))


def with_receipt(row: StoredRow, receipts: Mapping[str, str]) -> StoredRow:
    """Returns the row with its receipt's new code, where `receipts` has one for it."""
    told = json.loads(row.course)
    code = receipts.get(told["receipt"])
    if code is None:
        return row
    course = json.dumps({**told, "receipt": code})
    return row._replace(course=course, seal=_digest(row.key, str(row.line), row.state, row.fixed, course))


def _read(row: StoredRow) -> tuple[BatchRow, RowProgress]:
    key, line, state, fixed, told, seal = row
    if _digest(key, str(line), state, fixed, told) != seal:
        raise ValueError(f"the seal of line {line} is broken")
    payload, numbers, our_id, cells, generation = json.loads(fixed)
    course: Mapping[str, object] = json.loads(told)
    return BatchRow(key, line, payload, tuple(numbers), our_id, cells, generation), RowProgress(**course)  # type: ignore[arg-type] # sealed as it was written


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def damaged(label: str, why: str) -> UsageError:
    """Returns the error for a damaged journal."""
    return UsageError(
        tr("{path} is damaged: it is not certain whom this batch has called, so nothing is sent", path=label),
        hint=tr("see `alovoice call receipts list` for what was sent; call the others with a new list"),
        detail=why,
    )


def deleted(label: str) -> UsageError:
    """Returns the error for a journal that is gone while its batch runs."""
    return UsageError(
        tr("{path} was deleted or moved while the batch runs: nothing more is sent", path=label),
        hint=tr("put it back and run the same command again; `alovoice call receipts list` has what was sent"),
    )
