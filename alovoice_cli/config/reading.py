"""Reads a TOML file of ours; says where in it the trouble is."""

import difflib
import re
import stat
import tomllib
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path

from alovoice_cli.errors import BadConfigError

_LARGEST_BYTES = 1 << 20
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_text(path: Path) -> str | None:
    """The file's text without a byte order mark; None if there is no file. Raises BadConfigError."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadConfigError(f"{path} is no ordinary file", hint="move it aside")
        if status.st_size > _LARGEST_BYTES:
            raise BadConfigError(f"{path} is larger than 1 MiB: it cannot be ours", hint="move it aside")
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise BadConfigError(f"{path} is no UTF-8 text (byte {error.start})", hint="save it as UTF-8") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def parse_toml(path: Path, text: str) -> dict[str, object]:
    """The text as TOML. Raises BadConfigError with the path, and line and column where they are known."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfigError(_placed(path, text, str(error)), hint="correct it by hand: it is TOML") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; `[` a thousand times
        raise BadConfigError(f"{path} holds a value beyond all measure", hint="correct it by hand") from error


def complain(path: Path, text: str, keys: Sequence[str], trouble: str, *, hint: str = "") -> BadConfigError:
    """The error that says where in the text the key (given with the tables that it stands in) is, and what is wrong."""
    line = _line_of(text, keys)
    if line is None:
        return BadConfigError(f"{path}: {trouble}", hint=hint)
    column = text.split("\n")[line - 1].find(keys[-1]) + 1
    return BadConfigError(f"{path}, line {line}, column {max(column, 1)}: {trouble}", hint=hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?`, or nothing when no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _placed(path: Path, text: str, message: str) -> str:
    place = _PLACE.search(message)
    if place is None:
        return f"{path}: {message}"
    lines = text.split("\n")
    line, column = place.groups() if place[1] else (len(lines), len(lines[-1]) + 1)
    return f"{path}, line {line}, column {column}: {message[: place.start()]}"


def _line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line where a key first appears: that of the statement after which the text so far holds the key.

    Parsing ever longer beginnings is slow and right for every spelling: dotted, quoted, in braces.
    """
    begun = 1
    for number, beginning in enumerate(accumulate(text.split("\n"), lambda so_far, line: f"{so_far}\n{line}"), start=1):
        try:
            table = tomllib.loads(beginning)
        except (ValueError, RecursionError):
            continue  # within a value of several lines
        if _holds(table, keys):
            return begun
        begun = number + 1
    return None


def _holds(table: object, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
