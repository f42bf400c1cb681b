"""What a row may say: the command's own options as columns, each read as the command reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli import phones
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import canonical, parse_dialled


class BadCellError(ValueError):
    """What a cell holds cannot be sent. `code` is of phones.TROUBLES where it is a number's trouble."""

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@dataclass(frozen=True, slots=True)
class CellValue:
    """A cell as read: what is sent, what it is known by among all spellings, and the people whom it rings."""

    value: object
    key: object
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchField:
    """One column: the option's name, its other spellings, and how a cell is read. `read` raises BadCellError."""

    name: str
    read: Callable[[str], CellValue]
    aliases: tuple[str, ...] = ()
    needed: bool = False
    many: bool = False
    """Whether it may hold several, apart by spaces, commas or semicolons, or (in JSON) a list."""

    def answers_to(self, heading: str) -> bool:
        """Whether a column under this heading is this field's."""
        return plain(heading) in (self.name, *self.aliases)


def plain(heading: str) -> str:
    """A heading as options are compared: `--inner-phone`, `Inner phone` and `inner_phone` are one."""
    return "_".join(heading.strip().lower().lstrip("-").replace("-", " ").replace("_", " ").split())


def read_person(cell: str) -> CellValue:
    """A number to ring, in any spelling that lists of recipients may have; sent as +998901234567 unless it is plain."""
    verdict = phones.read_cell(cell)
    if not verdict.number:
        message, hint = phones.trouble_text(verdict.code, cell)
        raise BadCellError(message, hint, verdict.code)
    key = phones.key_of_number(verdict.number)
    return CellValue(phones.sent_as(verdict.number, cell), key, (key,))


def read_party(cell: str) -> CellValue:
    """`PHONE[:LANG]`, the form of a conference's numbers; the object `{"phone", "lang"}` of the API."""
    phone, lang = split_party(cell)
    person = read_person(phone)
    value = {"phone": person.value, "lang": lang.lower()} if lang else {"phone": person.value}
    return CellValue(value, [person.key, lang.lower()], person.numbers)


def split_party(text: str) -> tuple[str, str]:
    """The phone and the language of `PHONE[:LANG]`; the colon of `tel:+998901234567` names none.

    Raises BadCellError where something else than a language follows the phone.
    """
    phone, colon, lang = text.strip().rpartition(":")
    if not colon or not any(letter.isdigit() for letter in phone):
        return text.strip(), ""
    if not (lang.isascii() and lang.isalpha()):
        raise BadCellError(f"{text!r} names no language", "write it as 901234567:uz")
    return phone, lang


def read_line(cell: str) -> CellValue:
    """A line of the PBX, as typed."""
    try:
        line = parse_dialled(cell, "it")
    except UsageError as error:
        raise BadCellError(error.message.removeprefix("it "), error.hint) from None
    return CellValue(line, canonical(line))


def read_id(cell: str) -> CellValue:
    """A number or name of the PBX: extension, queue, menu, user; or an id of yours."""
    typed = cell.strip()
    if code := phones.spreadsheet_trouble(cell):
        message, hint = phones.trouble_text(code, cell)
        raise BadCellError(message, hint, code)
    if not typed or not typed.isprintable() or " " in typed:
        raise BadCellError(f"{cell!r} is no number of the PBX", "see `alovoice peers`, or the web console")
    return CellValue(typed, typed)


def read_segment(cell: str) -> CellValue:
    """A call's id, which will stand in a path."""
    try:
        found = read_id(cell)
    except BadCellError as error:
        hint = "give the id alone, as the PBX shows it"
        raise error if error.code else BadCellError(f"{cell!r} is no call's id", hint) from None
    if str(found.value) in (".", "..") or set("/\\") & set(str(found.value)):
        raise BadCellError(f"{cell!r} cannot stand in a path", "give the id alone, as the PBX shows it")
    return found


def read_language(cell: str) -> CellValue:
    """The language of a voice menu."""
    word = cell.strip().lower()
    if not (word.isascii() and word.isalpha()):
        raise BadCellError(f"{cell!r} names no language", "write it as ru or uz")
    return CellValue(word, word)


def read_many(field: BatchField, words: Sequence[str]) -> CellValue:
    """Several of a field."""
    found = [field.read(word) for word in words]
    numbers = tuple(number for reading in found for number in reading.numbers)
    return CellValue([reading.value for reading in found], [reading.key for reading in found], numbers)


@dataclass(frozen=True, slots=True)
class BatchForm:
    """What the rows of one command may hold. `own_id` is the field of the caller's id, if the command has one.

    `check` raises BadCellError for a row whose fields do not go together. `twice`: whether equal rows are each sent.
    """

    command: str
    fields: tuple[BatchField, ...]
    own_id: str = ""
    check: Callable[[Mapping[str, object]], None] = lambda payload: None
    twice: bool = True

    def field(self, heading: str) -> BatchField | None:
        """The field that a column of this heading is for."""
        return next((field for field in self.fields if field.answers_to(heading)), None)


def _connects_once(payload: Mapping[str, object]) -> None:
    if ("callto" in payload) == ("queue" in payload):
        raise BadCellError("says not once whom to connect", "either callto, or queue")


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
