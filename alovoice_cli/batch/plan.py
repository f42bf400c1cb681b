"""Reads and checks every row of a list before the first is sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from alovoice_cli.batch.fields import BadCellError, BatchField, BatchForm, CellValue, plain, read_many
from alovoice_cli.batch.table import ListTable, TableCell, TableRow
from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import AlovoiceError, CheckFailedError, UsageError

_SPREADSHEET = ("excel_rounded", "excel_decimal")
_TOLD = 10


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row. `column` counts from 1; 0 where none is at fault."""

    line: int
    column: int
    heading: str
    message: str
    hint: str
    code: str = ""

    def place(self, name: str) -> str:
        """`clients.csv, line 12, column 2 (number)`."""
        column = f", column {self.column}" if self.column else ""
        heading = f" ({self.heading})" if self.heading and self.column else f", {self.heading}" if self.heading else ""
        return f"{name}, line {self.line}{column}{heading}"


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The rows of a list. `repeated` counts equal rows that are sent once; `ignored` are spare columns."""

    rows: tuple[BatchRow, ...]
    repeated: int
    ignored: tuple[str, ...]


def parse_map(words: Sequence[str], form: BatchForm) -> Mapping[str, str]:
    """`number=Телефон`: which column stands for which option. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, heading = word.partition("=")
        field = form.field(name)
        if not equals or not heading.strip() or field is None:
            names = ", ".join(field.name for field in form.fields)
            raise UsageError(f"--map {word!r} maps nothing", hint=f"write it as OPTION=COLUMN; options: {names}")
        found[field.name] = heading.strip()
    return found


class Planner:
    """Reads the rows of one command. `defaults` are the command line's own options, for rows that do not say it."""

    def __init__(
        self,
        form: BatchForm,
        profile: str,
        mapped: Mapping[str, str],
        defaults: Mapping[str, str | Sequence[str] | None],
    ) -> None:
        self._form, self._profile, self._mapped = form, profile, mapped
        self._defaults = {name: value for name, value in defaults.items() if value}
        self._seen: Counter[str] = Counter()
        self._problems: list[RowProblem] = []

    def knows(self, heading: str) -> bool:
        """Whether a column of this heading is read."""
        return heading.strip() in self._mapped.values() or self._form.field(heading) is not None

    def plan(self, table: ListTable) -> BatchPlan:
        """Returns the rows to send.

        Raises CheckFailedError for rows that cannot be sent, UsageError for columns that are missing and for numbers
        that a spreadsheet has damaged.
        """
        columns = self._columns(table)
        rows = [row for read in table.rows if (row := self._read_row(read, columns)) is not None]
        if self._problems:
            raise self._explained(table.name)
        if not rows:
            raise UsageError(f"{table.name} holds no rows", hint="give a row for each call, below the headings")
        used = set(columns.values())
        ignored = tuple(heading for heading in table.headings if heading not in used)
        return BatchPlan(tuple(rows), sum(self._seen.values()) - len(rows), ignored)

    def _columns(self, table: ListTable) -> dict[str, str]:
        """Which heading each field stands under."""
        columns: dict[str, str] = {}
        for field in self._form.fields:
            wanted = self._mapped.get(field.name)
            fits = [head for head in table.headings if (head == wanted if wanted else field.answers_to(head))]
            if wanted and not fits:
                fits = [head for head in table.headings if plain(head) == plain(wanted)]
            if len(fits) > 1:
                raise UsageError(f"{table.name}: {' and '.join(fits)} both stand for {field.name}", hint="use --map")
            if fits:
                columns[field.name] = fits[0]
            elif wanted or (field.needed and field.name not in self._defaults and table.rows):
                shown = " · ".join(table.headings)
                for_all = "" if wanted else f", or give --{field.name.replace('_', '-')} for all rows"
                raise UsageError(
                    f"{table.name} has no column {wanted or field.name!r}",
                    hint=f"its first row is {shown}; name a column with --map {field.name}=COLUMN{for_all}",
                )
        return columns

    def _read_row(self, row: TableRow, columns: Mapping[str, str]) -> BatchRow | None:
        before = len(self._problems)
        readings: dict[str, CellValue] = {}
        for field in self._form.fields:
            reading = self._read(field, row, columns.get(field.name, ""))
            if reading is not None:
                readings[field.name] = reading
        payload = {name: reading.value for name, reading in readings.items()}
        if len(self._problems) == before:
            try:
                self._form.check(payload)
            except BadCellError as error:
                self._problems.append(RowProblem(row.line, 0, "", error.message, error.hint))
        if len(self._problems) > before:
            return None
        says = {name: reading.key for name, reading in readings.items()}
        return self._known(row, payload, says, tuple(readings.values()))

    def _known(
        self, row: TableRow, payload: dict[str, object], says: Mapping[str, object], readings: Sequence[CellValue]
    ) -> BatchRow | None:
        said = json.dumps([self._profile, self._form.command, says], sort_keys=True)
        ordinal = self._seen[said]
        self._seen[said] += 1
        if ordinal and not self._form.twice:
            return None
        key = hashlib.sha256(f"{said}#{ordinal}".encode("utf-8", "surrogatepass")).hexdigest()
        numbers = tuple(dict.fromkeys(number for reading in readings for number in reading.numbers))
        own = str(payload.get(self._form.own_id, "")) if self._form.own_id else str(payload.get("call_id", ""))
        cells = {heading: cell.text for heading, cell in row.cells.items()}
        return BatchRow(key, row.line, payload, numbers, own, cells)

    def _read(self, field: BatchField, row: TableRow, heading: str) -> CellValue | None:
        cell = row.cells.get(heading)
        text: str | Sequence[str] = cell.text if cell is not None else ""
        given = self._defaults.get(field.name)
        if (cell is None or not cell.text.strip()) and given is not None:
            cell, text = None, given
        if not text or (isinstance(text, str) and not text.strip()):
            if field.needed:
                self._problem(row, cell, heading or field.name, BadCellError("holds nothing", "fill it in"))
            return None
        try:
            if field.many:
                words = cell.several if cell is not None else (text,) if isinstance(text, str) else text
                return read_many(field, words)
            return field.read(str(text))
        except BadCellError as error:
            self._problem(row, cell, heading if cell is not None else f"--{field.name.replace('_', '-')}", error)
            return None

    def _problem(self, row: TableRow, cell: TableCell | None, heading: str, error: BadCellError) -> None:
        column = cell.column if cell is not None else 0
        self._problems.append(RowProblem(row.line, column, heading, error.message, error.hint, error.code))

    def _explained(self, name: str) -> AlovoiceError:
        first, *rest = self._problems
        told = list(self._sentences(name, rest[:_TOLD]))
        if len(rest) > _TOLD:
            told.append(f"and {len(rest) - _TOLD} more rows")
        damaged = all(problem.code in _SPREADSHEET for problem in self._problems)
        kind = UsageError if damaged else CheckFailedError
        message = next(iter(self._sentences(name, [first])))
        return kind(f"{message}: nothing was sent", hint=first.hint, detail="\n".join(told))

    def _sentences(self, name: str, problems: Sequence[RowProblem]) -> Iterator[str]:
        return (f"{problem.place(name)}: {problem.message}" for problem in problems)


_OPEN = ("pending", "unsent", "refused", "duplicate", "sent_before")
"""States in which a do-not-call file still keeps a row from being sent."""


def leave_out(
    rows: Sequence[tuple[BatchRow, RowProgress]],
    *,
    excluded: AbstractSet[int] = frozenset(),
    sent_before: Mapping[str, RowProgress] | None = None,
    each_row: bool = False,
) -> dict[str, RowProgress]:
    """The rows whose state this changes, each with its new course. `sent_before` are courses by the rows' keys.

    `each_row` says that every row is meant: no row is a duplicate then.
    """
    found = {row.key: _excluded(row) for row, course in rows if _is_excluded(row, course, excluded)}
    known = sent_before or {}
    for row, course in rows:
        if row.key in known and row.key not in found and course.state in _OPEN and course.state != "sent_before":
            found[row.key] = known[row.key]
    rest = [(row, found.get(row.key, course)) for row, course in rows]
    return found | find_duplicates(rest, each_row=each_row)


def find_duplicates(rows: Sequence[tuple[BatchRow, RowProgress]], *, each_row: bool = False) -> dict[str, RowProgress]:
    """Waiting rows that become duplicates, and duplicates that wait from now on, each with its new course.

    The first row that rings the same people stands for the others, or whichever was, or may have been, sent.
    """
    lines: dict[frozenset[str], int] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate") and row.numbers:
            lines.setdefault(frozenset(row.numbers), row.line)
    found: dict[str, RowProgress] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate"):
            continue
        people = frozenset(row.numbers)
        is_first = people not in lines
        if people and is_first:
            lines[people] = row.line
        is_duplicate = bool(people) and not is_first and not each_row
        if is_duplicate != (course.state == "duplicate"):
            found[row.key] = _duplicate(row, lines[people]) if is_duplicate else RowProgress()
    return found


def _is_excluded(row: BatchRow, course: RowProgress, excluded: AbstractSet[int]) -> bool:
    return course.state in _OPEN and any(number.isdigit() and int(number) in excluded for number in row.numbers)


def _excluded(row: BatchRow) -> RowProgress:
    whom = "this number" if len(row.numbers) == 1 else "one of these numbers"
    return RowProgress("excluded", problem=f"a do-not-call file lists {whom}")


def _duplicate(row: BatchRow, line: int) -> RowProgress:
    whom = "the same person" if len(row.numbers) == 1 else "the same people"
    return RowProgress("duplicate", problem=f"rings {whom} as line {line}")
