"""The values of a stored row. A value that this program does not write is damage, and is named before it is used."""

import json
import math
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from types import NoneType
from typing import Any, get_args

Kinds = Sequence[tuple[type, ...]]
"""The types that each value of a row may have."""
TEXT, NUMBER = (str,), (int,)
TEXT_OR_NONE, NUMBER_OR_NONE = (str, NoneType), (int, NoneType)

_END_OF_TIME = 253_402_300_799_000_000  # the year 9999 in unix microseconds


class DamagedRowError(ValueError):
    """A row of a store has a value that was not written by this program."""


def kinds_of(record: Any) -> Kinds:
    """Returns the types of a dataclass's fields, for `require_kinds`."""
    return tuple(get_args(field.type) or (field.type,) for field in fields(record))


def require_kinds(row: Sequence[object], kinds: Kinds) -> None:
    """Raises DamagedRowError for a row with a value of another type."""
    if not all(map(isinstance, row, kinds)):
        raise DamagedRowError(f"a row has values of other types: {[type(value).__name__ for value in row]}")


def text_of(value: object) -> str:
    """Returns a text that every store takes. Raises DamagedRowError for another value."""
    if not isinstance(value, str) or "\0" in value:
        raise DamagedRowError("not a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise DamagedRowError(str(error)) from error
    return value


def moment_of(value: object) -> int:
    """Returns unix microseconds up to the year 9999. Raises DamagedRowError for another value."""
    if not isinstance(value, int) or not 0 <= value <= _END_OF_TIME:
        raise DamagedRowError("not a moment")
    return value


def iso_time_of(value: object) -> str:
    """Returns a time with a zone in ISO 8601. Raises DamagedRowError for another value."""
    text = text_of(value)
    try:
        is_whole = datetime.fromisoformat(text).tzinfo is not None
    except ValueError as error:
        raise DamagedRowError(str(error)) from error
    if not is_whole:
        raise DamagedRowError("a time without a zone")
    return text


def json_of(text: str) -> Any:
    """Returns the value of a stored JSON text. Raises DamagedRowError."""
    try:
        return _JSON.decode(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedRowError(f"not JSON: {error}") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise DamagedRowError(f"{text} is not JSON")
    return value


_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def texts_of(text: str) -> tuple[str, ...]:
    """Returns the texts of a stored JSON list. Raises DamagedRowError."""
    value = json_of(text)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise DamagedRowError("not a list of texts")
    return tuple(value)
