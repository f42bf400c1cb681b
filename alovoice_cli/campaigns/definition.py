"""A campaign as a file, `campaign.toml`: the options of `autorule create` under their own names, to keep and repeat."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from pathlib import Path

import tomli_w

from alovoice_cli.campaigns.papers import FILES, Paper
from alovoice_cli.errors import UsageError

_TEXTS = ("name", *FILES, "from", "to", "fromtime", "totime", "timezone")
_COUNTS = ("maxline", "goodtime", "tryes")
_LISTS = ("recipient", "trunks")
_DIGESTS = tuple(f"{name}_sha256" for name in FILES)
KEYS = (*_TEXTS[:3], "recipient", *_TEXTS[3:7], "trunks", *_COUNTS, "paused", "timezone", *_DIGESTS)
"""What a file may say, in the order in which it is written."""

_MOST_WRITTEN_OUT = 1000
_ARMED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

Definition = dict[str, object]
"""Texts, whole numbers, `paused` and lists of texts by KEYS; files are absolute paths."""


def read_definition(content: bytes, name: str, folder: Path) -> Definition:
    """What the file says; paths in it are taken from `folder`. Raises UsageError for what no campaign says."""
    try:
        said = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8", hint="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is no TOML: {error}", hint="see one: `alovoice autorule export ID`") from error
    definition = {key: _value(name, key, value) for key, value in said.items()}
    for key in FILES:
        path = str(definition.get(key, "-"))
        if path != "-":
            definition[key] = str(folder / path)
    return definition


def _value(name: str, key: str, value: object) -> object:
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"keys: {', '.join(KEYS[: -len(_DIGESTS)])}"
        raise UsageError(f"{name}: no campaign has the key {key!r}", hint=hint)
    form = _form(key)
    found = _as_text(value) if form == "a text in quotes" else value
    if key == "trunks" and isinstance(value, str):
        found = [value]
    right = {
        "a text in quotes": isinstance(found, str),
        "a whole number": isinstance(found, int) and not isinstance(found, bool),
        "true or false": isinstance(found, bool),
        "a list of texts in quotes": isinstance(found, list) and all(isinstance(part, str) for part in found),
    }
    if not right[form]:
        raise UsageError(f"{name}: {key} must be {form}", hint="see one: `alovoice autorule export ID`")
    return found


def _form(key: str) -> str:
    if key in _COUNTS:
        return "a whole number"
    if key in _LISTS:
        return "a list of texts in quotes"
    return "true or false" if key == "paused" else "a text in quotes"


def _as_text(value: object) -> object:
    """TOML has days and times of its own: `from = 2026-11-24`, `fromtime = 10:00:00` are what they look like."""
    if type(value) is date:
        return value.isoformat()
    return value.isoformat("minutes") if isinstance(value, time) and not value.second else value


def define(
    fields: Mapping[str, str], record: Paper | None, recipients: Paper | None, numbers: Sequence[str]
) -> Definition:
    """The definition of a campaign that was sent: of the form's `fields`, its files, and whom it called.

    A list that lies in no file is written out where it is short (1,000 numbers), and left out where it is not.
    """
    said: Definition = {key: text for key, text in fields.items() if key in _TEXTS and key not in FILES}
    said |= {key: int(fields[key]) for key in _COUNTS if fields.get(key, "").isdigit()}
    said["trunks"] = [trunk.strip() for trunk in fields.get("trunks", "").split(",") if trunk.strip()]
    said["paused"] = fields.get("paused") == "1"
    for key, paper in zip(FILES, (record, recipients), strict=True):
        if paper is not None and paper.path:
            said |= {key: paper.path, f"{key}_sha256": paper.sha256}
    if "recipients" not in said and 0 < len(numbers) <= _MOST_WRITTEN_OUT:
        said["recipient"] = list(numbers)
    return {key: said[key] for key in KEYS if key in said}


def missing_files(definition: Mapping[str, object]) -> list[str]:
    """The options that a definition leaves to be given: a file that is not known by its path."""
    absent = [key for key in FILES if key not in definition]
    return [key for key in absent if key == "record" or "recipient" not in definition]


def write_definition(definition: Mapping[str, object], remarks: Sequence[str] = ()) -> str:
    """The definition as TOML under its remarks; nothing in it can drive a terminal."""
    head = "".join(f"# {remark}\n" for remark in remarks)
    return _ARMED.sub(lambda match: f"\\u{ord(match.group()):04x}", head + tomli_w.dumps(definition))
