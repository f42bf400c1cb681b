"""The fields of `alovoice api`, in gh's spelling: `-f key=text`, `-F key=value` with a type, `-F key=@file`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from alovoice_cli.api.endpoints import ADD_AUTORULE, Endpoint
from alovoice_cli.api.request import Body, Fields, FilePart, Multipart, wire_name
from alovoice_cli.errors import UsageError, reason_of
from alovoice_cli.language import tr

_KEY = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*")
_STEP = re.compile(r"\[([^\[\]]*)\]")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_TYPES = {".mp3": "audio/mpeg", ".csv": "text/csv"}
_WORDS = {"true": True, "false": False, "null": None}


def read_fields(texts: Sequence[str], typed: Sequence[str]) -> dict[str, object]:
    """Returns the fields as one object. `a[b]=1` nests, `a[]=1` appends to a list.

    Raises UsageError for a field without `=`, a key that is malformed or used in two ways, an unreadable file.
    """
    fields: dict[str, object] = {}
    for given in texts:
        key, value = _split(given, "-f")
        _lay(fields, key, value)
    for given in typed:
        key, value = _split(given, "-F")
        _lay(fields, key, _text_of(value[1:]) if value.startswith("@") else typed_value(value))
    return fields


def typed_value(text: str) -> object:
    """Returns `true`, `false`, `null` and whole numbers as JSON values; everything else as text."""
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.fullmatch(text) else text


def upload_parts(texts: Sequence[str], typed: Sequence[str], files: list[BinaryIO]) -> Multipart:
    """Returns the fields as the parts of a form; `-F key=@file` is a file.

    Opened files are added to `files`, to close.
    """
    parts: list[tuple[str, str | FilePart]] = [_split(given, "-f") for given in texts]
    for given in typed:
        key, value = _split(given, "-F")
        if not value.startswith("@"):
            parts.append((key, value))
            continue
        path = Path(value[1:])
        try:
            file = path.open("rb")
        except OSError as error:
            raise UsageError(tr("{path} cannot be read: {problem}", path=path, problem=reason_of(error))) from error
        files.append(file)
        kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        parts.append((key, FilePart(wire_name(str(path)), kind, file, str(path))))
    return Multipart(tuple(parts))


def body_of(endpoint: Endpoint, texts: Sequence[str], typed: Sequence[str], files: list[BinaryIO]) -> Body | None:
    """Returns the body of the fields: a form with files for addAutorule, else fields in the profile's encoding."""
    if not texts and not typed:
        return None
    if endpoint is ADD_AUTORULE:
        return upload_parts(texts, typed, files)
    return Fields(read_fields(texts, typed))


def with_query(path: str, texts: Sequence[str], typed: Sequence[str]) -> str:
    """Returns the path with the fields as its query, as gh does for a GET. Raises UsageError as `read_fields` does."""
    pairs = [_split(given, "-f") for given in texts] + [_split(given, "-F") for given in typed]
    if not pairs:
        return path
    return path + ("&" if "?" in path else "?") + urlencode(pairs)


def _split(given: str, option: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals or not _KEY.fullmatch(key):
        raise UsageError(
            tr("{option} {value} is not a valid field", option=option, value=repr(given)),
            hint=tr("write it as {option} key=value", option=option),
        )
    return key, value


def _text_of(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(tr("{path} cannot be read: {problem}", path=path, problem=reason_of(error))) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            tr("{path} is not text in UTF-8", path=path), hint=tr("a field of JSON can hold only text")
        ) from error


def _lay(fields: dict[str, object], key: str, value: object) -> None:
    first = key.partition("[")[0]
    steps = [first, *_STEP.findall(key)]
    place: object = fields
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: object = value if following is None else [] if following == "" else {}
        if isinstance(place, list) and step == "":
            place.append(fresh)
            place = fresh
        elif isinstance(place, dict) and step != "" and (following is not None or step not in place):
            place = place.setdefault(step, fresh)
        else:
            raise UsageError(
                tr("the field {key} is given in two ways", key=key),
                hint=tr("so far: {fields}", fields=json.dumps(fields)),
            )
