"""Text that is no list: errors and remarks on stderr, rehearsed requests, received answers.

Uses plain colour codes: rich would delay an error by 50 ms.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TextIO

from alovoice_cli.errors import AlovoiceError, UsageError
from alovoice_cli.json_text import json_text
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.masking import disarm
from alovoice_cli.output.listing import Tone

TONE_CODES: dict[Tone, str] = {
    "good": "32",
    "bad": "31",
    "doubt": "33",
    "alarm": "1;31",
    "quiet": "2",
    "first": "36",
    "second": "35",
}
_INDENT = "  "
_UNBROKEN = re.compile(r"(?:`[^`]*`|[^\s`]|`)+")
_STYLES = {"error": "1;31", "warning": "1;33", "hint": "36", "note": "2"}
_LABELS = {"error": mark("error"), "warning": mark("warning"), "hint": mark("hint"), "note": mark("note")}


def write_error(
    error: AlovoiceError, err: TextIO, *, as_json: bool, color: bool, ascii_only: bool, width: int = 0
) -> None:
    """Writes one sentence for the error, the useful detail, and the next step; or the same as one JSON object."""
    if as_json:
        err.write(json_text({"error": error.as_json()}, indent=False, ascii_only=ascii_only) + "\n")
        return
    write_message("error", error.message, err, color=color, width=width)
    for line in error.detail.splitlines():
        err.write("  " + disarm(line) + "\n")
    if error.hint:
        write_message("hint", error.hint, err, color=color, width=width)


def write_message(kind: str, text: str, err: TextIO, *, color: bool, width: int = 0) -> None:
    """Prints `kind: text` with control characters shown; the kinds are error, warning, hint, note.

    On one line, or on a terminal of this `width` on as many lines as the text needs, broken only at words.
    """
    word = f"{tr(_LABELS[kind])}:"
    label = f"\x1b[{_STYLES[kind]}m{word}\x1b[0m" if color else word
    first, *others = wrap_words(disarm(text), width, taken=len(word) + 1)
    err.write(f"{label} {first}\n" + "".join(f"{_INDENT}{line}\n" for line in others))


def wrap_words(text: str, width: int, *, taken: int = 0) -> list[str]:
    """Returns the text in lines of at most `width` letters (0: one line), later ones without their indent.

    The first line has `taken` letters before it. A command in backquotes stays on one line: it is there to be pasted.
    """
    if not width or taken + len(text) <= width:
        return [text]
    lines, room = [""], width - taken
    for part in _UNBROKEN.findall(text):
        if lines[-1] and len(lines[-1]) + 1 + len(part) > room:
            lines.append("")
            room = width - len(_INDENT)
        lines[-1] = f"{lines[-1]} {part}" if lines[-1] else part
    return lines


def write_log_line(
    level: str,
    text: str,
    fields: Mapping[str, object],
    err: TextIO,
    *,
    moment: datetime,
    as_json: bool,
    ascii_only: bool,
) -> None:
    """Prints one dated line: `2026-11-28T21:40:07.512+05:00 warning: text`, or a JSON object with text and fields."""
    time = moment.isoformat(timespec="milliseconds")
    if as_json:
        line = json_text({"time": time, "level": level, "message": text, **fields}, indent=False, ascii_only=ascii_only)
    else:
        line = f"{time} {level}: {disarm(text)}"
    err.write(line + "\n")


def write_rehearsal(rehearsed: Mapping[str, object], out: TextIO, *, disarmed: bool) -> None:
    """Writes `method`, `url`, `headers` and `body` as comments, then `curl` unchanged (`disarmed` for a terminal)."""
    _comment(f"{rehearsed['method']} {rehearsed['url']}", out)
    headers, body, curl = rehearsed["headers"], rehearsed["body"], str(rehearsed["curl"])
    if isinstance(headers, dict):
        for name, value in headers.items():
            _comment(f"{name}: {value}", out)
    if isinstance(body, str):
        _comment(body, out)
    elif isinstance(body, list):
        for part in body:
            _comment(_part(part), out)
    elif body is not None:
        _comment(json_text(body, indent=True, ascii_only=False), out)
    out.write("\n" + (disarm(curl, one_line=False) if disarmed else curl) + "\n")


def _part(part: Mapping[str, object]) -> str:
    if "value" in part:
        return f"{part['name']}={part['value']}"
    return f"{part['name']}=@{part['filename']} ({part['type']}, {part['size']} bytes)"


def _comment(text: str, out: TextIO) -> None:
    for line in text.splitlines() or [""]:
        out.write(f"# {disarm(line)}".rstrip() + "\n")


def write_head(status: int, reason: str, headers: Sequence[tuple[str, str]], out: TextIO) -> None:
    """Prints the status line and the headers in HTTP's form, and an empty line."""
    out.write(disarm(f"HTTP/1.1 {status} {reason}".rstrip()) + "\n")
    for name, value in headers:
        out.write(disarm(f"{name}: {value}") + "\n")
    out.write("\n")


def write_body(
    body: bytes, out: TextIO, *, clean: Callable[[object], object], indent: bool, ascii_only: bool, as_json: bool
) -> None:
    """Writes the body. `clean` masks a JSON value or a text; `as_json` makes text a JSON string.

    Raises UsageError for binary data on a person's terminal.
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
    """Returns the bytes, with known secrets masked."""
    return str(clean(body.decode("utf-8", "surrogateescape"))).encode("utf-8", "surrogateescape")


def _plain(text: str) -> str:
    return disarm(text, one_line=False).rstrip("\n")


def _write_bytes(body: bytes, out: TextIO) -> None:
    if out.isatty():
        raise UsageError(
            ngettext("the response is {n} byte of binary data", "the response is {n} bytes of binary data", len(body)),
            hint=tr("redirect it to a file: > FILE"),
        )
    out.flush()
    out.buffer.write(body)
    out.buffer.flush()
