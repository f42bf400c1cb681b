"""A campaign as a file, `campaign.toml`: the options of `autorule create` under their own names."""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import BinaryIO

from alovoice_cli.campaigns.campaign_record import FILES, SubmittedFile
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, tr

_TEXTS = ("name", *FILES, "from", "to", "fromtime", "totime", "timezone")
_COUNTS = ("maxline", "goodtime", "tryes")
_LISTS = ("recipient", "trunks")
_DIGESTS = tuple(f"{name}_sha256" for name in FILES)
KEYS = (*_TEXTS[:3], "recipient", *_TEXTS[3:7], "trunks", *_COUNTS, "paused", "timezone", *_DIGESTS)
"""The keys of a file, in the order of writing."""

_MOST_WRITTEN_OUT = 1000
_ARMED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

Definition = dict[str, object]
"""Texts, whole numbers, `paused` and lists of texts by KEYS; files are absolute paths."""


def read_definition(content: bytes, name: str, folder: Path) -> Definition:
    """Reads a file's content; its paths are relative to `folder`. Raises UsageError for unknown keys and bad values."""
    try:
        said = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(tr("{name} is not UTF-8", name=name), hint=tr("save it as UTF-8")) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            tr("{name} is not valid TOML: {problem}", name=name, problem=error), hint=_see_one()
        ) from error
    definition = {key: _value(name, key, value) for key, value in said.items()}
    for key in FILES:
        path = str(definition.get(key, "-"))
        if path != "-":
            definition[key] = str(folder / path)
    return definition


def open_definition(given: str, stdin: BinaryIO, folder: Path) -> Definition:
    """Reads the definition in a file, or in stdin (`-`), with paths relative to `folder`. Raises UsageError."""
    if given == "-":
        return read_definition(stdin.read(), "stdin", folder)
    with open_regular(Path(given)) as file:
        return read_definition(file.read(), given, Path(given).parent)


def _value(name: str, key: str, value: object) -> object:
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1)
        hint = tr("keys: {names}", names=", ".join(KEYS[: -len(_DIGESTS)]))
        if near:
            hint = tr("did you mean {word}?", word=near[0])
        raise UsageError(tr("{name}: a campaign has no key {key!r}", name=name, key=key), hint=hint)
    found = _as_text(value) if key in (*_TEXTS, *_DIGESTS) else value
    if key == "paused":
        message, is_right = mark("{name}: {key} must be true or false"), isinstance(found, bool)
    elif key in _COUNTS:
        message = mark("{name}: {key} must be a whole number")
        is_right = isinstance(found, int) and not isinstance(found, bool)
    elif key in _LISTS:
        found = [found] if key == "trunks" and isinstance(found, str) else found
        message = mark("{name}: {key} must be a list of texts in quotes")
        is_right = isinstance(found, list) and all(isinstance(part, str) for part in found)
    else:
        message, is_right = mark("{name}: {key} must be a text in quotes"), isinstance(found, str)
    if not is_right:
        raise UsageError(tr(message, name=name, key=key), hint=_see_one())
    return found


def _see_one() -> str:
    return tr("see an example: `alovoice autorule export ID`")


def _as_text(value: object) -> object:
    """Returns TOML's own days and times as text: `from = 2026-11-24`, `fromtime = 10:00:00`."""
    if type(value) is date:
        return value.isoformat()
    return value.isoformat("minutes") if isinstance(value, time) and not value.second else value


def define(
    fields: Mapping[str, str], record: SubmittedFile | None, recipients: SubmittedFile | None, numbers: Sequence[str]
) -> Definition:
    """Returns the definition of a campaign that was sent: from the form's `fields`, its files and its numbers.

    A list without a file is written out up to 1,000 numbers, and left out above that.
    """
    said: Definition = {key: text for key, text in fields.items() if key in _TEXTS and key not in FILES}
    said |= {key: int(fields[key]) for key in _COUNTS if fields.get(key, "").isdigit()}
    said["trunks"] = [trunk.strip() for trunk in fields.get("trunks", "").split(",") if trunk.strip()]
    said["paused"] = fields.get("paused") == "1"
    for key, file in zip(FILES, (record, recipients), strict=True):
        if file is not None and file.path:
            said |= {key: file.path, f"{key}_sha256": file.sha256}
    if "recipients" not in said and 0 < len(numbers) <= _MOST_WRITTEN_OUT:
        said["recipient"] = list(numbers)
    return {key: said[key] for key in KEYS if key in said}


@dataclass(frozen=True, slots=True)
class DefinitionDefaults:
    """A definition behind the command line: each method returns the given value, or else the definition's."""

    definition: Definition

    def text(self, key: str, given: str | None) -> str | None:
        """Returns a text, such as the name."""
        value = given if given is not None else self.definition.get(key)
        return None if value is None else str(value)

    def known(self, given: Mapping[str, str | None]) -> dict[str, str]:
        """Returns the texts of these keys, without those that both sources lack."""
        texts = {key: self.text(key, value) for key, value in given.items()}
        return {key: text for key, text in texts.items() if text is not None}

    def whole(self, key: str, given: int | None, least: int) -> int | None:
        """Returns a whole number. Raises UsageError for a number below `least` in the definition."""
        value = given if given is not None else self.definition.get(key)
        if isinstance(value, int) and value < least:
            text = mark("{key} = {value} in the campaign's definition is less than {least}")
            raise UsageError(tr(text, key=key, value=value, least=least))
        return value if isinstance(value, int) else None

    def flag(self, key: str, given: bool | None) -> bool:
        """Returns yes or no; no where both sources lack it."""
        return bool(self.definition.get(key)) if given is None else given

    def texts(self, key: str, given: Sequence[str] | None) -> tuple[str, ...]:
        """Returns a list of texts."""
        value = given or self.definition.get(key)
        return tuple(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else ()

    def joined(self, key: str, given: str | None) -> str | None:
        """Returns a list of texts as one text, with commas."""
        return given if given is not None else ",".join(self.texts(key, None)) or None

    def beside(self, given: Collection[str]) -> "DefinitionDefaults":
        """Returns the defaults that remain beside the given files and numbers.

        `recipients` replaces `recipient`, and the other way round; a given file has no known digest.
        """
        gone = {"recipients", "recipient"} if {"recipients", "recipient"} & set(given) else set[str]()
        gone |= {f"{key}_sha256" for key in (*given, *gone)}
        return DefinitionDefaults({key: value for key, value in self.definition.items() if key not in gone})

    @property
    def digests(self) -> dict[str, str]:
        """Returns the SHA-256 of the campaign's files, by path."""
        known = {self.definition.get(key): self.definition.get(f"{key}_sha256") for key in FILES}
        return {str(path): str(digest) for path, digest in known.items() if path and digest}


def missing_files(definition: Mapping[str, object]) -> list[str]:
    """Returns the file options that the definition lacks: files without a known path."""
    absent = [key for key in FILES if key not in definition]
    return [key for key in absent if key == "record" or "recipient" not in definition]


def write_definition(definition: Mapping[str, object], remarks: Sequence[str] = ()) -> str:
    """Returns the definition as TOML under its remarks, without characters that control a terminal."""
    import tomli_w  # noqa: PLC0415 - only `autorule export` writes TOML

    head = "".join(f"# {remark}\n" for remark in remarks)
    return _ARMED.sub(lambda match: f"\\u{ord(match.group()):04x}", head + tomli_w.dumps(definition))
