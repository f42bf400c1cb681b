"""From the rows of a list to steps: every row is read and checked before the first is sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli.batch.fields import BadCellError, Field, Form, Reading, plain, read_many
from alovoice_cli.batch.rows import Cell, Row, Table
from alovoice_cli.batch.steps import Step
from alovoice_cli.errors import AlovoiceError, CheckFailedError, UsageError

_SPREADSHEET = ("excel_rounded", "excel_decimal")
_TOLD = 10


@dataclass(frozen=True, slots=True)
class Problem:
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
class Plan:
    """The steps of a list. `repeated` counts equal rows that are no steps of their own; `ignored` are spare columns."""

    steps: tuple[Step, ...]
    repeated: int
    ignored: tuple[str, ...]

    @property
    def people(self) -> frozenset[str]:
        """Those whom the list rings, each once."""
        return frozenset(number for step in self.steps for number in step.numbers)


def parse_map(words: Sequence[str], form: Form) -> Mapping[str, str]:
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
        self, form: Form, profile: str, mapped: Mapping[str, str], defaults: Mapping[str, str | Sequence[str] | None]
    ) -> None:
        self._form, self._profile, self._mapped = form, profile, mapped
        self._defaults = {name: value for name, value in defaults.items() if value}
        self._seen: Counter[str] = Counter()
        self._problems: list[Problem] = []

    def knows(self, heading: str) -> bool:
        """Whether a column of this heading is read."""
        return heading.strip() in self._mapped.values() or self._form.field(heading) is not None

    def plan(self, table: Table) -> Plan:
        """The steps. Raises CheckFailedError for rows that cannot be sent, UsageError for columns that are missing
        and for numbers that a spreadsheet has damaged."""
        columns = self._columns(table)
        steps = [step for row in table.rows if (step := self._step(row, columns)) is not None]
        if self._problems:
            raise self._explained(table.name)
        if not steps:
            raise UsageError(f"{table.name} holds no rows", hint="give a row for each call, below the headings")
        used = set(columns.values())
        ignored = tuple(heading for heading in table.headings if heading not in used)
        return Plan(tuple(steps), sum(self._seen.values()) - len(steps), ignored)

    def _columns(self, table: Table) -> dict[str, str]:
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

    def _step(self, row: Row, columns: Mapping[str, str]) -> Step | None:
        before = len(self._problems)
        readings: dict[str, Reading] = {}
        for field in self._form.fields:
            reading = self._read(field, row, columns.get(field.name, ""))
            if reading is not None:
                readings[field.name] = reading
        payload = {name: reading.value for name, reading in readings.items()}
        if len(self._problems) == before:
            try:
                self._form.check(payload)
            except BadCellError as error:
                self._problems.append(Problem(row.line, 0, "", error.message, error.hint))
        if len(self._problems) > before:
            return None
        says = {name: reading.key for name, reading in readings.items()}
        return self._known(row, payload, says, tuple(readings.values()))

    def _known(
        self, row: Row, payload: dict[str, object], says: Mapping[str, object], readings: Sequence[Reading]
    ) -> Step | None:
        said = json.dumps([self._profile, self._form.command, says], sort_keys=True)
        ordinal = self._seen[said]
        self._seen[said] += 1
        if ordinal and not self._form.twice:
            return None
        key = hashlib.sha256(f"{said}#{ordinal}".encode("utf-8", "surrogatepass")).hexdigest()
        numbers = tuple(dict.fromkeys(number for reading in readings for number in reading.numbers))
        own = str(payload.get(self._form.own_id, "")) if self._form.own_id else str(payload.get("call_id", ""))
        cells = {heading: cell.text for heading, cell in row.cells.items()}
        return Step(key, row.line, payload, numbers, own, cells)

    def _read(self, field: Field, row: Row, heading: str) -> Reading | None:
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

    def _problem(self, row: Row, cell: Cell | None, heading: str, error: BadCellError) -> None:
        column = cell.column if cell is not None else 0
        self._problems.append(Problem(row.line, column, heading, error.message, error.hint, error.code))

    def _explained(self, name: str) -> AlovoiceError:
        first, *rest = self._problems
        told = list(self._sentences(name, rest[:_TOLD]))
        if len(rest) > _TOLD:
            told.append(f"and {len(rest) - _TOLD} more rows")
        damaged = all(problem.code in _SPREADSHEET for problem in self._problems)
        kind = UsageError if damaged else CheckFailedError
        message = next(iter(self._sentences(name, [first])))
        return kind(f"{message}: nothing was sent", hint=first.hint, detail="\n".join(told))

    def _sentences(self, name: str, problems: Sequence[Problem]) -> Iterator[str]:
        return (f"{problem.place(name)}: {problem.message}" for problem in problems)
