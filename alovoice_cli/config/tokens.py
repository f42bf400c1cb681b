"""Tokens: their form, the file that keeps them (tokens.toml), and the command that prints one instead.

No message of this module holds a token.
"""

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.reading import parse_toml, read_text
from alovoice_cli.errors import BadConfigError, TokenMissingError, UsageError

_LONGEST = 200
_FORBIDDEN = frozenset("/?#%\\ ")
_COMMAND_SECONDS = 10


def check_token(text: str, source: str) -> str:
    """The token without white space round it; `source` says in the error where it came from.

    Raises UsageError for what cannot stand in a URL's path as it is (the API's table of methods).
    """
    token = text.strip()
    if not token:
        raise UsageError(f"the token from {source} is empty", hint="copy it from the PBX's settings page")
    if len(token) > _LONGEST:
        raise UsageError(f"the token from {source} is longer than {_LONGEST} characters", hint=_COPY_AGAIN)
    for position, letter in enumerate(token, start=1):
        if letter in _FORBIDDEN or not letter.isascii() or not letter.isprintable():
            raise UsageError(
                f"the token from {source} holds at place {position} what no token holds"
                " (a space, one of / ? # % \\, or no ASCII letter)",
                hint=_COPY_AGAIN,
            )
    return token


_COPY_AGAIN = "copy it again from the PBX's settings page: it looks like 8-4-4-4-12 letters and digits"


def read(paths: Paths, profile: str) -> str | None:
    """The profile's token in tokens.toml; None if there is none. Raises BadConfigError, UsageError."""
    token = read_all(paths).get(profile)
    return None if token is None else check_token(token, paths.tokens_file.name)


def read_all(paths: Paths) -> dict[str, str]:
    """Every profile's token, unchecked. Raises BadConfigError when the file cannot be read or is not ours."""
    path = paths.tokens_file
    text = read_text(path)
    if text is None:
        return {}
    table = parse_toml(path, text)
    tokens = table.get("tokens", {})
    if not isinstance(tokens, dict) or table.keys() - {"tokens"}:
        raise BadConfigError(f"{path} holds more than [tokens]", hint=_START_ANEW)
    if not all(isinstance(token, str) for token in tokens.values()):
        raise BadConfigError(f"{path} holds a token that is no text in quotes", hint=_START_ANEW)
    return tokens


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


def run_token_command(command: str, environ: Mapping[str, str]) -> str:
    """The first line that the command prints. It runs without a shell, for 10 seconds at most.

    Raises TokenMissingError that names the program alone: its arguments and its output may hold the token.
    """
    words = _split(command)
    program = Path(words[0]).name if words else ""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, from the user's own file
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in environ.items() if name != "ALOVOICE_TOKEN"},
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _no_token(program, f"took longer than {_COMMAND_SECONDS} seconds") from None
    except (OSError, ValueError, IndexError) as error:
        raise _no_token(program, f"cannot be run: {getattr(error, 'strerror', None) or 'bad words'}") from None
    if done.returncode:
        raise _no_token(program, f"ended with {done.returncode}")
    first, _, _ = done.stdout.decode("utf-8", "replace").strip().partition("\n")
    if not first.strip():
        raise _no_token(program, "printed nothing")
    return check_token(first, f"the token command `{program}`")


def _split(command: str) -> list[str]:
    if os.name == "posix":
        return shlex.split(command)
    # POSIX rules would take the backslashes out of C:\Program Files.
    return [word.strip('"') for word in shlex.split(command, posix=False)]


def _no_token(program: str, trouble: str) -> TokenMissingError:
    return TokenMissingError(
        f"the token command `{program}` {trouble}",
        hint="run it by hand to see why; `alovoice config get token_command` shows it",
    )
