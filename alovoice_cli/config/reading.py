"""Reads a TOML file of ours; says where in it the trouble is."""

import difflib
import re
import stat
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from alovoice_cli.errors import BadConfigError

_LARGEST_BYTES = 256 << 10  # a thousand profiles
_MOST_DOTS = 64  # of a line; tomllib takes 6 seconds for a dotted key of 16,000 parts
_MOST_PARSES = 200
_LONGEST_SHOWN = 40
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_text(path: Path, *, largest: int = _LARGEST_BYTES, hint: str = "move it aside") -> str | None:
    """The file's text without a byte order mark; None if there is no file.

    Reads at most `largest` bytes. Raises BadConfigError, with the hint for a file that is larger.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadConfigError(f"{path} is no ordinary file", hint="move it aside")
        with path.open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise BadConfigError(f"{path} is larger than {largest >> 10} kB", hint=hint)
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise BadConfigError(f"{path} is no UTF-8 text (byte {error.start})", hint="save it as UTF-8") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def parse_toml(path: Path, text: str) -> dict[str, object]:
    """The text as TOML. Raises BadConfigError with the path, and line and column where they are known."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS and not line.lstrip().startswith("#"):
            raise BadConfigError(f"{path}, line {number}: more than {_MOST_DOTS} dots", hint="correct it by hand")
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


def shorten(key: str) -> str:
    """A key of the file as a message may show it."""
    return key if len(key) <= _LONGEST_SHOWN else f"{key[:_LONGEST_SHOWN]}…"


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
    """The line where the statement begins that makes the text hold the key, for every spelling: dotted, quoted, in
    braces. None where there is none, or where the search would take too long.

    A bisection over the beginnings of the text. A beginning that ends within a value of several lines does not parse.
    """
    if not _holds_key(text, keys):
        return None
    lines, parses = text.split("\n"), 0
    without, bound = 0, len(lines)
    while bound - without > 1:
        holds = None
        for count in range((without + bound) // 2, bound):
            parses += 1
            holds = _holds_key("\n".join(lines[:count]), keys)
            if holds is not None or parses > _MOST_PARSES:
                break
        if parses > _MOST_PARSES:
            return None
        if holds is False:
            without = count
        else:
            bound = (without + bound) // 2
    return without + 1


def _holds_key(text: str, keys: Sequence[str]) -> bool | None:
    """Whether the text, parsed, has the key in its tables; None where the text does not parse."""
    try:
        table: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
