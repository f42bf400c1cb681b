"""JSON on stdout: the server's own names and types, nothing that can drive a terminal, valid in any encoding."""

import json
import re
from itertools import chain
from textwrap import indent as indented
from typing import TextIO

from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing

_ARMED = "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def json_text(value: object, *, indent: bool, ascii_only: bool) -> str:
    """The value as JSON text: two-space indent or one line; control, C1 and bidi characters escaped.

    `ascii_only` is for streams that are not UTF-8: `backslashreplace` would write `\\U0001f600`, which is no JSON.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, indent=2 if indent else None)
    return re.sub(_ARMED, lambda match: f"\\u{ord(match.group()):04x}", text)


def write_json(
    listing: Listing, columns: tuple[Column, ...] | None, out: TextIO, *, indent: bool, ascii_only: bool, lines: bool
) -> None:
    """Writes the list whole, or of each item only the named columns, in the bytes that JSON has for all of it.

    `lines` writes a JSON text a line instead, each flushed.
    """
    if listing.has_whole and columns is None:
        out.write(json_text(listing.whole, indent=indent, ascii_only=ascii_only) + "\n")
        return
    values = (
        pair.whole if columns is None else {column.name: column.of(pair.item) for column in columns}
        for pair in listing.pairs()
    )
    texts = (json_text(value, indent=indent and not lines, ascii_only=ascii_only) for value in values)
    if lines:
        for text in texts:
            out.write(text + "\n")
            out.flush()
        return
    first = next(texts, None)  # before the bracket: a list that fails to begin prints nothing
    if first is None:
        out.write("[]\n")
        return
    begin, between, end = ("[\n", ",\n", "\n]\n") if indent else ("[", ", ", "]\n")
    for text in chain([first], texts):
        out.write(begin + (indented(text, "  ") if indent else text))
        begin = between
    out.write(end)
