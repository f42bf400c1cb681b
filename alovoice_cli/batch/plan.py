"""Reads and checks every row of a list before the first row is sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli import phones
from alovoice_cli.batch.table import ListTable, TableCell, TableRow
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.errors import AlovoiceError, CheckFailedError, UsageError
from alovoice_cli.language import Translated, in_english, joined, ngettext, tr
from alovoice_cli.phones import canonical, parse_dialled

_TOLD = 10


class BadCellError(ValueError):
    """A cell holds something that cannot be sent. `code` is of phones.TROUBLES where a spreadsheet damaged it."""

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@dataclass(frozen=True, slots=True)
class CellValue:
    """A cell as read: the value to send, one key for all its spellings, and the people that it rings."""

    value: object
    key: object
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchField:
    """One column: the option's name, its other spellings, and its reader. `read` raises BadCellError."""

    name: str
    read: Callable[[str], CellValue]
    aliases: tuple[str, ...] = ()
    needed: bool = False
    many: bool = False
    """Whether a cell may hold several values: separated by spaces, commas or semicolons, or a JSON list."""

    def answers_to(self, heading: str) -> bool:
        """Returns whether a column with this heading belongs to this field."""
        return plain(heading) in (self.name, *self.aliases)


def plain(heading: str) -> str:
    """Returns a heading in the form for comparing: `--inner-phone`, `Inner phone` and `inner_phone` are equal."""
    return "_".join(heading.lower().replace("-", " ").replace("_", " ").split())


def read_person(cell: str) -> CellValue:
    """Reads a number to ring, in any spelling of a recipients' list. A full number is sent as +998901234567."""
    verdict = phones.read_cell(cell)
    if not verdict.number:
        raise BadCellError(*phones.trouble_text(verdict.code, cell))
    key = phones.key_of_number(verdict.number)
    return CellValue(phones.sent_as(verdict.number, cell), key, (key,))


def read_party(cell: str) -> CellValue:
    """Reads `PHONE[:LANG]`, the form of a conference's numbers, as the API's object `{"phone", "lang"}`."""
    phone, lang = split_party(cell)
    person = read_person(phone)
    value = {"phone": person.value, "lang": lang.lower()} if lang else {"phone": person.value}
    return CellValue(value, [person.key, lang.lower()], person.numbers)


def split_party(text: str) -> tuple[str, str]:
    """Splits `PHONE[:LANG]`. The colon of `tel:+998901234567` starts no language.

    Raises BadCellError where the part after the colon is no language.
    """
    phone, colon, lang = text.strip().rpartition(":")
    if not colon or not any(letter.isdigit() for letter in phone):
        return text.strip(), ""
    if not (lang.isascii() and lang.isalpha()):
        raise BadCellError(tr("{value} does not end with a language", value=repr(text)), tr("write it as 901234567:uz"))
    return phone, lang


def read_line(cell: str) -> CellValue:
    """Reads a line of the PBX, as typed."""
    try:
        line = parse_dialled(cell, "it")
    except UsageError as error:
        message, english = (text.removeprefix("it ") for text in (error.message, in_english(error.message)))
        raise BadCellError(Translated(message, english), error.hint) from None
    return CellValue(line, canonical(line))


def read_id(cell: str) -> CellValue:
    """Reads a number or name of the PBX (extension, queue, menu, user), or an id of the caller's own."""
    typed = cell.strip()
    if code := phones.spreadsheet_trouble(cell):
        raise BadCellError(*phones.trouble_text(code, cell), code)
    if not typed or not typed.isprintable() or " " in typed:
        raise BadCellError(
            tr("{value} is not a number of the PBX", value=repr(cell)), tr("see `alovoice peers`, or the web console")
        )
    return CellValue(typed, typed)


def read_segment(cell: str) -> CellValue:
    """Reads a call's id, which becomes part of a URL path."""
    try:
        found = read_id(cell)
    except BadCellError as error:
        hint = tr("give the id alone, as the PBX shows it")
        raise error if error.code else BadCellError(tr("{value} is not a call's id", value=repr(cell)), hint) from None
    if str(found.value) in (".", "..") or set("/\\") & set(str(found.value)):
        raise BadCellError(
            tr("{value} cannot be a part of a URL", value=repr(cell)), tr("give the id alone, as the PBX shows it")
        )
    return found


def read_language(cell: str) -> CellValue:
    """Reads the language of a voice menu."""
    word = cell.strip().lower()
    if not (word.isascii() and word.isalpha()):
        raise BadCellError(tr("{value} is not a language", value=repr(cell)), tr("write it as ru or uz"))
    return CellValue(word, word)


def read_many(field: BatchField, words: Sequence[str]) -> CellValue:
    """Reads several values of a field."""
    found = [field.read(word) for word in words]
    numbers = tuple(number for reading in found for number in reading.numbers)
    return CellValue([reading.value for reading in found], [reading.key for reading in found], numbers)


@dataclass(frozen=True, slots=True)
class BatchForm:
    """The fields of one command's rows. `own_id` is the field of the caller's id, if the command has such a field.

    `check` raises BadCellError for a row whose fields contradict each other. `twice`: equal rows are each sent.
    """

    command: str
    fields: tuple[BatchField, ...]
    own_id: str = ""
    check: Callable[[Mapping[str, object]], None] = lambda payload: None
    twice: bool = True

    def field(self, heading: str) -> BatchField | None:
        """Returns the field of a column with this heading."""
        return next((field for field in self.fields if field.answers_to(heading)), None)


def _connects_once(payload: Mapping[str, object]) -> None:
    if ("callto" in payload) == ("queue" in payload):
        raise BadCellError(tr("the row must name whom to connect, once"), tr("give either callto or queue"))


OUT = BatchForm(
    "call out",
    (
        BatchField("inner_phone", read_id, ("from",), needed=True),
        BatchField("number", read_person, ("to",), needed=True),
        BatchField("call_id", read_id),
        BatchField("user_id", read_id),
    ),
    own_id="call_id",
)
IVR = BatchForm(
    "call ivr",
    (
        BatchField("callto", read_person, ("to",), needed=True),
        BatchField("ivrid", read_id, ("ivr",), needed=True),
        BatchField("fromline", read_line, ("line",), needed=True),
        BatchField("lang", read_language),
        BatchField("extid", read_id),
    ),
    own_id="extid",
)
CONFERENCE = BatchForm(
    "call conference",
    (
        BatchField("callfrom", read_party, ("from",), needed=True),
        BatchField("callto", read_party, ("to",), many=True),
        BatchField("queue", read_id),
        BatchField("extid", read_id),
    ),
    own_id="extid",
    check=_connects_once,
)
ANALYSIS = BatchForm("ai send", (BatchField("call_id", read_segment, needed=True),), twice=False)
TRANSCRIPT = BatchForm("ai result", (BatchField("call_id", read_segment, needed=True),), twice=False)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row. `column` counts from 1; 0 where no single column is wrong."""

    line: int
    column: int
    heading: str
    message: str
    hint: str

    def place(self, name: str) -> str:
        """Returns `clients.csv, row 12, column 2 (number)`."""
        values = {"file": name, "row": self.line, "column": self.column, "name": self.heading}
        if self.column and self.heading:
            return tr("{file}, row {row}, column {column} ({name})", **values)
        if self.column:
            return tr("{file}, row {row}, column {column}", **values)
        if self.heading:
            return tr("{file}, row {row}, {name}", **values)
        return tr("{file}, row {row}", **values)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The rows of a list. `repeated` is the number of repeated rows, sent once; `ignored` are unused columns."""

    rows: tuple[BatchRow, ...]
    repeated: int
    ignored: tuple[str, ...]


def parse_map(words: Sequence[str], form: BatchForm) -> Mapping[str, str]:
    """Parses `number=Телефон`: the option and the column that holds its values. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, heading = word.partition("=")
        field = form.field(name)
        if not equals or not heading.strip() or field is None:
            names = ", ".join(field.name for field in form.fields)
            raise UsageError(
                tr("--map {value} is not valid", value=repr(word)),
                hint=tr("write it as OPTION=COLUMN; options: {names}", names=names),
            )
        found[field.name] = heading.strip()
    return found


class Planner:
    """Reads the rows of one command. `defaults` are the command line's own options, for rows without a value."""

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
        """Returns whether a column with this heading is used."""
        return heading.strip() in self._mapped.values() or self._form.field(heading) is not None

    def plan(self, table: ListTable) -> BatchPlan:
        """Returns the rows to send.

        Raises CheckFailedError for rows that cannot be sent, and for missing columns.
        """
        columns = self._columns(table)
        rows = [row for read in table.rows if (row := self._read_row(read, columns)) is not None]
        if self._problems:
            raise self._explained(table.name)
        if not rows:
            raise CheckFailedError(
                tr("{file} has no rows", file=table.name), hint=tr("write a row for each call, below the headings")
            )
        used = set(columns.values())
        ignored = tuple(heading for heading in table.headings if heading not in used)
        return BatchPlan(tuple(rows), sum(self._seen.values()) - len(rows), ignored)

    def _columns(self, table: ListTable) -> dict[str, str]:
        """Returns the heading of each field."""
        columns: dict[str, str] = {}
        for field in self._form.fields:
            wanted = self._mapped.get(field.name)
            fits = [head for head in table.headings if (head == wanted if wanted else field.answers_to(head))]
            if wanted and not fits:
                fits = [head for head in table.headings if plain(head) == plain(wanted)]
            if len(fits) > 1:
                raise CheckFailedError(
                    tr(
                        "{file}: several columns can be {name}: {columns}",
                        file=table.name,
                        name=field.name,
                        columns=", ".join(fits),
                    ),
                    hint=tr("choose one with --map"),
                )
            if fits:
                columns[field.name] = fits[0]
            elif wanted or (field.needed and field.name not in self._defaults and table.rows):
                raise self._no_column(table, field, wanted)
        return columns

    def _no_column(self, table: ListTable, field: BatchField, wanted: str | None) -> CheckFailedError:
        """Returns the error for a missing column; `wanted` is the heading that --map names."""
        values = {"headings": " · ".join(table.headings), "name": field.name}
        if wanted:
            hint = tr("its first row is {headings}; name a column with --map {name}=COLUMN", **values)
        else:
            option = f"--{field.name.replace('_', '-')}"
            hint = tr(
                "its first row is {headings}; name a column with --map {name}=COLUMN, or give {option} for all rows",
                **values,
                option=option,
            )
        return CheckFailedError(
            tr("{file} has no column {name}", file=table.name, name=repr(wanted or field.name)), hint=hint
        )

    def _read_row(self, row: TableRow, columns: Mapping[str, str]) -> BatchRow | None:
        before = len(self._problems)
        readings: dict[str, CellValue] = {}
        for field in self._form.fields:
            reading = self._read(field, row, columns.get(field.name))
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
        key = hashlib.sha256(f"{said}#{ordinal}".encode()).hexdigest()
        numbers = tuple(dict.fromkeys(number for reading in readings for number in reading.numbers))
        own = str(payload.get(self._form.own_id or "call_id", ""))
        cells = {heading: cell.text for heading, cell in row.cells.items()}
        return BatchRow(key, row.line, payload, numbers, own, cells)

    def _read(self, field: BatchField, row: TableRow, heading: str | None) -> CellValue | None:
        cell = None if heading is None else row.cells.get(heading)
        text: str | Sequence[str] = cell.text if cell is not None else ""
        given = self._defaults.get(field.name)
        if (cell is None or not cell.text.strip()) and given is not None:
            cell, text = None, given
        if not text or (isinstance(text, str) and not text.strip()):
            if field.needed:
                self._problem(row, cell, heading or field.name, BadCellError(tr("the cell is empty"), tr("fill it in")))
            return None
        try:
            if field.many:
                words = cell.several if cell is not None else (text,) if isinstance(text, str) else text
                return read_many(field, words)
            return field.read(str(text))
        except BadCellError as error:
            option = f"--{field.name.replace('_', '-')}"
            self._problem(row, cell, option if cell is None else heading or field.name, error)
            return None

    def _problem(self, row: TableRow, cell: TableCell | None, heading: str, error: BadCellError) -> None:
        column = cell.column if cell is not None else 0
        self._problems.append(RowProblem(row.line, column, heading, error.message, error.hint))

    def _explained(self, name: str) -> AlovoiceError:
        first, *rest = self._problems
        told = list(self._sentences(name, rest[:_TOLD]))
        if len(rest) > _TOLD:
            told.append(ngettext("and {n} more row", "and {n} more rows", len(rest) - _TOLD))
        message = next(iter(self._sentences(name, [first])))
        return CheckFailedError(
            tr("{problem}: nothing was sent", problem=message), hint=first.hint, detail=joined("\n", told)
        )

    def _sentences(self, name: str, problems: Sequence[RowProblem]) -> Iterator[str]:
        return (joined(": ", (problem.place(name), problem.message)) for problem in problems)
