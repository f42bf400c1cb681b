"""JSON on stdout: the server's own names and types, nothing that can drive a terminal, valid in any encoding."""

import json
import re
from typing import TextIO

from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing, Record

_ARMED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def json_text(value: object, *, indent: bool, ascii_only: bool) -> str:
    """The value as JSON text: two-space indent or one line; control, C1 and bidi characters escaped.

    `ascii_only` is for streams that are not UTF-8: `backslashreplace` would write `\\U0001f600`, which is no JSON.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, indent=2 if indent else None)
    return _ARMED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def write_json(
    thing: Listing | Record, columns: tuple[Column, ...] | None, out: TextIO, *, indent: bool, ascii_only: bool
) -> None:
    """Writes the thing whole, or of a list only the named columns, and a line end."""
    value = thing.as_json()
    if columns is not None and isinstance(thing, Listing):
        value = [{column.name: column.of(item) for column in columns} for item in thing.items]
    out.write(json_text(value, indent=indent, ascii_only=ascii_only) + "\n")
