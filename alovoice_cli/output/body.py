"""An answer's body as it came, for `alovoice api`: JSON as JSON, text without what drives a terminal, bytes whole."""

import json
from collections.abc import Callable, Sequence
from typing import TextIO

from alovoice_cli.errors import UsageError
from alovoice_cli.masking import disarm
from alovoice_cli.output.json import json_text


def write_head(status: int, reason: str, headers: Sequence[tuple[str, str]], out: TextIO) -> None:
    """The status line and the headers, as HTTP writes them, and an empty line."""
    out.write(disarm(f"HTTP/1.1 {status} {reason}".rstrip()) + "\n")
    for name, value in headers:
        out.write(disarm(f"{name}: {value}") + "\n")
    out.write("\n")


def write_body(
    body: bytes, out: TextIO, *, clean: Callable[[object], object], indent: bool, ascii_only: bool, as_json: bool
) -> None:
    """Writes the body. `clean` masks a JSON value or a text; `as_json` makes text a JSON string.

    Raises UsageError for bytes that are no text where a person would see them.
    """
    if not body:
        return
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _write_bytes(_masked(body, clean), out)
        return
    try:
        shown = json_text(clean(json.loads(text)), indent=indent, ascii_only=ascii_only)
    except (ValueError, RecursionError):
        cleaned = clean(text)
        shown = json_text(cleaned, indent=False, ascii_only=ascii_only) if as_json else _plain(str(cleaned))
    out.write(shown + "\n")


def _masked(body: bytes, clean: Callable[[object], object]) -> bytes:
    """The bytes as they are, but for a known secret among them."""
    return str(clean(body.decode("utf-8", "surrogateescape"))).encode("utf-8", "surrogateescape")


def _plain(text: str) -> str:
    return disarm(text, one_line=False).rstrip("\n")


def _write_bytes(body: bytes, out: TextIO) -> None:
    if out.isatty():
        raise UsageError(f"the answer is {len(body)} bytes that are no text", hint="send them to a file: > FILE")
    out.flush()
    out.buffer.write(body)
    out.buffer.flush()
