"""A request that `--dry-run` stopped, as a shell script: the request in comments, and the curl that sends it."""

from collections.abc import Mapping
from typing import TextIO

from alovoice_cli.masking import disarm
from alovoice_cli.output.json import json_text


def write_rehearsal(rehearsed: Mapping[str, object], out: TextIO, *, disarmed: bool) -> None:
    """Writes `method`, `url`, `headers` and `body` as comments, then `curl` as it is (`disarmed` for a terminal)."""
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
