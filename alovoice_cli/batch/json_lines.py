"""JSON Lines as a batch takes them: an object a line, whose keys are the headings."""

import json
from typing import BinaryIO

from alovoice_cli.batch.rows import Cell, Row, Table
from alovoice_cli.errors import CheckFailedError, UsageError


def is_json_lines(file: BinaryIO) -> bool:
    """Whether an open, seekable file begins as JSON Lines do; a CSV does not begin with a brace."""
    file.seek(0)
    return file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_json_lines(file: BinaryIO, name: str) -> Table:
    """Reads the file from its start.

    Raises UsageError, with the line, for what is no object of texts and whole numbers, and CheckFailedError for a key
    that a row has twice: which of its values is meant, nobody knows.
    """
    file.seek(0)
    rows: list[Row] = []
    headings: dict[str, None] = {}
    for line, raw in enumerate(file, start=1):
        text = _decoded(raw, line, name).strip()
        if not text:
            continue
        pairs = _pairs(text, line, name)
        rows.append(Row(line, {key: _cell(value, key, line, name) for key, value in pairs.items()}))
        headings.update(dict.fromkeys(pairs))
    return Table(name, tuple(headings), tuple(rows))


class _Object(dict[str, object]):
    """An object as it stands; `twice` is the first key that it has twice."""

    twice: str | None = None


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            found.twice = key
            break
        seen.add(key)
    return found


def _pairs(text: str, line: int, name: str) -> dict[str, object]:
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}, line {line} is no JSON: {error}", hint="give one object a line") from error
    if not isinstance(value, _Object):
        raise UsageError(f"{name}, line {line} is no JSON object", hint="give one object a line")
    if value.twice is not None:
        raise CheckFailedError(
            f"{name}, line {line} has the key {value.twice!r} twice: nothing was sent", hint="leave one of them"
        )
    return value


def _decoded(raw: bytes, line: int, name: str) -> str:
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}, line {line} is no text in UTF-8", hint="JSON Lines are UTF-8") from error


def _cell(value: object, key: str, line: int, name: str) -> Cell:
    if value is None:
        return Cell("", 0)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return Cell(str(value), 0)
    if isinstance(value, list) and all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in value):
        return Cell(" ".join(map(str, value)), 0, tuple(map(str, value)))
    raise UsageError(
        f"{name}, line {line}: {key!r} is neither text nor a whole number", hint="quote it, or give a list of texts"
    )
