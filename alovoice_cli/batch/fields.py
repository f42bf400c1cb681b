"""What a row may say: the command's own options as columns, each read as the command reads it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli import phones
from alovoice_cli.errors import UsageError
from alovoice_cli.phones import canonical, parse_dialled

_NATIONAL, _WHOLE = 9, 12  # digits of the two forms in which the API's samples write a number


class BadCellError(ValueError):
    """What a cell holds cannot be sent. `code` is of phones.TROUBLES where it is a number's trouble."""

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell as read: what is sent, what it is known by among all spellings, and the people whom it rings."""

    value: object
    key: object
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One column: the option's name, its other spellings, and how a cell is read. `read` raises BadCellError."""

    name: str
    read: Callable[[str], Reading]
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


def read_person(cell: str) -> Reading:
    """A number to ring, in any spelling that lists of recipients may have; sent as +998901234567 unless it is plain."""
    verdict = phones.read_cell(cell)
    if not verdict.number:
        message, hint = _trouble(verdict.code, cell)
        raise BadCellError(message, hint, verdict.code)
    number = phones.key_of_number(verdict.number)
    typed = cell.strip()
    as_typed = typed.removeprefix("+")
    sendable = as_typed.isascii() and as_typed.isdigit() and (typed == as_typed or len(as_typed) == _WHOLE)
    is_plain = sendable and len(as_typed) in (_NATIONAL, _WHOLE) and canonical(as_typed) == number
    return Reading(typed if is_plain else f"+{verdict.number}", number, (number,))


def read_party(cell: str) -> Reading:
    """`PHONE[:LANG]`, the form of a conference's numbers; the object `{"phone", "lang"}` of the API."""
    phone, lang = split_party(cell)
    person = read_person(phone)
    value = {"phone": person.value, "lang": lang.lower()} if lang else {"phone": person.value}
    return Reading(value, [person.key, lang.lower()], person.numbers)


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


def read_line(cell: str) -> Reading:
    """A line of the PBX, as typed."""
    try:
        line = parse_dialled(cell, "it")
    except UsageError as error:
        raise BadCellError(error.message.removeprefix("it "), error.hint) from None
    return Reading(line, canonical(line))


def read_id(cell: str) -> Reading:
    """A number or name of the PBX: extension, queue, menu, user; or an id of yours."""
    typed = cell.strip()
    if code := phones.spreadsheet_trouble(cell):
        message, hint = _trouble(code, cell)
        raise BadCellError(message, hint, code)
    if not typed or not typed.isprintable() or " " in typed:
        raise BadCellError(f"{cell!r} is no number of the PBX", "see `alovoice peers`, or the web console")
    return Reading(typed, typed)


def read_segment(cell: str) -> Reading:
    """A call's id, which will stand in a path."""
    try:
        found = read_id(cell)
    except BadCellError as error:
        hint = "give the id alone, as the PBX shows it"
        raise error if error.code else BadCellError(f"{cell!r} is no call's id", hint) from None
    if str(found.value) in (".", "..") or set("/\\") & set(str(found.value)):
        raise BadCellError(f"{cell!r} cannot stand in a path", "give the id alone, as the PBX shows it")
    return found


def read_language(cell: str) -> Reading:
    """The language of a voice menu."""
    word = cell.strip().lower()
    if not (word.isascii() and word.isalpha()):
        raise BadCellError(f"{cell!r} names no language", "write it as ru or uz")
    return Reading(word, word)


def read_many(field: Field, words: Sequence[str]) -> Reading:
    """Several of a field."""
    found = [field.read(word) for word in words]
    numbers = tuple(number for reading in found for number in reading.numbers)
    return Reading([reading.value for reading in found], [reading.key for reading in found], numbers)


def _trouble(code: str, cell: str) -> tuple[str, str]:
    shown = cell.strip()
    if code == "empty":
        return "holds nothing", "write a number, or leave the row out"
    what = phones.TROUBLES.get(code, ("no phone number",))[0]
    return f"{shown!r}: {what}", phones.ADVICE.get(code, "")


@dataclass(frozen=True, slots=True)
class Form:
    """What the rows of one command may hold. `own_id` is the field of the caller's id, if the command has one.

    `check` raises BadCellError for a row whose fields do not go together. `twice`: whether equal rows are each sent.
    """

    command: str
    fields: tuple[Field, ...]
    own_id: str = ""
    check: Callable[[Mapping[str, object]], None] = lambda payload: None
    twice: bool = True

    def field(self, heading: str) -> Field | None:
        """The field that a column of this heading is for."""
        return next((field for field in self.fields if field.answers_to(heading)), None)


def _connects_once(payload: Mapping[str, object]) -> None:
    if ("callto" in payload) == ("queue" in payload):
        raise BadCellError("says not once whom to connect", "either callto, or queue")


OUT = Form(
    "call out",
    (
        Field("inner_phone", read_id, ("from",), needed=True),
        Field("number", read_person, ("to",), needed=True),
        Field("call_id", read_id),
        Field("user_id", read_id),
    ),
    own_id="call_id",
)
IVR = Form(
    "call ivr",
    (
        Field("callto", read_person, ("to",), needed=True),
        Field("ivrid", read_id, ("ivr",), needed=True),
        Field("fromline", read_line, ("line",), needed=True),
        Field("lang", read_language),
        Field("extid", read_id),
    ),
    own_id="extid",
)
CONFERENCE = Form(
    "call conference",
    (
        Field("callfrom", read_party, ("from",), needed=True),
        Field("callto", read_party, ("to",), many=True),
        Field("queue", read_id),
        Field("extid", read_id),
    ),
    own_id="extid",
    check=_connects_once,
)
ANALYSIS = Form("ai send", (Field("call_id", read_segment, needed=True),), twice=False)
TRANSCRIPT = Form("ai result", (Field("call_id", read_segment, needed=True),), twice=False)
