"""What goes to stderr: errors, warnings, notes. Plain codes instead of rich, which would cost an error 50 ms."""

from typing import TextIO

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.masking import disarm
from alovoice_cli.output.json import json_text

_STYLES = {"error": "1;31", "warning": "1;33", "hint": "36", "note": "2"}


def write_error(error: AlovoiceError, err: TextIO, *, as_json: bool, color: bool, ascii_only: bool) -> None:
    """One sentence on what is wrong, the detail that helps, what to do next; or the same as one JSON object."""
    if as_json:
        err.write(json_text({"error": error.as_json()}, indent=False, ascii_only=ascii_only) + "\n")
        return
    write_message("error", error.message, err, color=color)
    for line in error.detail.splitlines():
        err.write("  " + disarm(line) + "\n")
    if error.hint:
        write_message("hint", error.hint, err, color=color)


def write_message(kind: str, text: str, err: TextIO, *, color: bool) -> None:
    """`kind: text` on one line, control characters shown; kinds: error, warning, hint, note."""
    label = f"\x1b[{_STYLES[kind]}m{kind}:\x1b[0m" if color else f"{kind}:"
    err.write(f"{label} {disarm(text)}\n")
