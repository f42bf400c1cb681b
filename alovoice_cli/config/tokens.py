"""Tokens: their form, and the file that keeps them with the servers that they belong to (tokens.toml).

No message of this module holds a token.
"""

import codecs
import os
import stat
from dataclasses import dataclass, field

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.reading import parse_toml, read_text
from alovoice_cli.config.urls import origin_of
from alovoice_cli.errors import BadConfigError, UsageError

LONGEST_TOKEN = 200
_FORBIDDEN = frozenset("/?#%\\ ")
_MARKS = ("\ufeff", "\udcef\udcbb\udcbf")  # the byte order mark, also as Python reads its bytes in the C locale


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token of tokens.toml, and the only origin that it may be sent to; None where an older version stored it."""

    value: str = field(repr=False)
    origin: str | None


def decode_token(content: bytes) -> str:
    """The text of a token's bytes: UTF-8, or UTF-16 behind a byte order mark, as PowerShell writes it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "ignore")  # a line may end amid its line feed
    return content.decode("utf-8-sig", "replace")


def check_token(text: str, source: str) -> str:
    """The token without white space and a byte order mark round it; `source` says in the error where it came from.

    Raises UsageError for what cannot stand in a URL's path as it is (the API's table of methods).
    """
    token = text.strip()
    for mark in _MARKS:
        token = token.removeprefix(mark).strip()
    if not token:
        raise UsageError(f"the token from {source} is empty", hint="copy it from the PBX's settings page")
    if len(token) > LONGEST_TOKEN:
        raise UsageError(f"the token from {source} is longer than {LONGEST_TOKEN} characters", hint=_COPY_AGAIN)
    for position, letter in enumerate(token, start=1):
        if letter in _FORBIDDEN or not letter.isascii() or not letter.isprintable():
            raise UsageError(
                f"the token from {source} holds at place {position} what no token holds"
                " (a space, one of / ? # % \\, or no ASCII letter)",
                hint=_COPY_AGAIN,
            )
    return token


_COPY_AGAIN = "copy it again from the PBX's settings page: it looks like 8-4-4-4-12 letters and digits"


def read(paths: Paths, profile: str) -> StoredToken | None:
    """The profile's token in tokens.toml; None if there is none. Raises BadConfigError, UsageError."""
    stored = read_all(paths).get(profile)
    return stored and StoredToken(check_token(stored.value, paths.tokens_file.name), stored.origin)


def read_all(paths: Paths) -> dict[str, StoredToken]:
    """Every profile's token, unchecked. Raises BadConfigError when the file cannot be read or is not ours."""
    path = paths.tokens_file
    text = read_text(path)
    if text is None:
        return {}
    table = parse_toml(path, text)
    values, origins = table.get("tokens", {}), table.get("origins", {})
    if not isinstance(values, dict) or not isinstance(origins, dict) or table.keys() - {"tokens", "origins"}:
        raise BadConfigError(f"{path} holds more than [tokens] and [origins]", hint=_START_ANEW)
    if not all(isinstance(token, str) for token in values.values()):
        raise BadConfigError(f"{path} holds a token that is no text in quotes", hint=_START_ANEW)
    if not all(_is_origin(origin) for origin in origins.values()):
        raise BadConfigError(f"{path} holds an origin that is no URL in quotes", hint=_START_ANEW)
    return {name: StoredToken(token, origins.get(name)) for name, token in values.items()}


def _is_origin(value: object) -> bool:
    try:
        return isinstance(value, str) and origin_of(value) == value
    except ValueError:
        return False


_START_ANEW = "move it aside, then run `alovoice login` again"


def exposure(paths: Paths) -> str:
    """A warning if others may read tokens.toml (its next writing closes it), or nothing. Not known on Windows."""
    try:
        mode = stat.S_IMODE(paths.tokens_file.stat().st_mode)
    except OSError:
        return ""
    if os.name != "posix" or not mode & 0o077:
        return ""
    return f"{paths.tokens_file} is open to other users (mode {mode:04o}): run `chmod 600` on it, and change the token"
