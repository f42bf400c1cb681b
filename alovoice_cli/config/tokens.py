"""Tokens: their form, and the file that stores them with their servers (tokens.toml).

No message of this module contains a token.
"""

import codecs
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import Config, configured_url, parse_config
from alovoice_cli.config.toml_files import locked, parse_toml, read_text, replace
from alovoice_cli.config.urls import origin_of
from alovoice_cli.errors import BadConfigError, TokenMissingError, UsageError, reason_of
from alovoice_cli.language import mark, tr

LONGEST_TOKEN = 200
_FORBIDDEN = frozenset("/?#%\\ ")
_MARKS = ("\ufeff", "\udcef\udcbb\udcbf")  # the byte order mark, also as Python reads its bytes in the C locale


class StoredToken(NamedTuple):
    """A token of tokens.toml, and the only origin that it may be sent to; None for a token of an older version."""

    value: str
    origin: str | None

    def __repr__(self) -> str:
        return f"<token for {self.origin}>"


def decode_token(content: bytes) -> str:
    """Returns the text of a token's bytes: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "ignore")  # a UTF-16 line may end in the middle of its line feed
    return content.decode("utf-8-sig", "replace")


def check_token(text: str, source: str) -> str:
    """Returns the token without surrounding white space and byte order mark; `source` is named in the error.

    Raises UsageError for a token that cannot stand unchanged in a URL's path (the API's table of methods).
    """
    token = text.strip()
    for begin in _MARKS:
        token = token.removeprefix(begin).strip()
    if not token:
        raise UsageError(
            tr("{source}: the token is empty", source=source), hint=tr("copy it from the settings page of the PBX")
        )
    if len(token) > LONGEST_TOKEN:
        message = tr("{source}: the token is longer than {most} characters", source=source, most=LONGEST_TOKEN)
        raise UsageError(message, hint=tr(_COPY_AGAIN))
    for position, letter in enumerate(token, start=1):
        if letter in _FORBIDDEN or not letter.isascii() or not letter.isprintable():
            raise UsageError(
                tr(
                    "{source}: character {position} cannot be part of a token"
                    " (a space, one of / ? # % \\, or a letter that is not ASCII)",
                    source=source,
                    position=position,
                ),
                hint=tr(_COPY_AGAIN),
            )
    return token


_COPY_AGAIN = mark("copy it again from the settings page of the PBX: it has groups of 8-4-4-4-12 letters and digits")


def read(paths: Paths, profile: str) -> StoredToken | None:
    """Returns the profile's token in tokens.toml, or None. Raises BadConfigError, UsageError."""
    stored = read_all(paths).get(profile)
    return stored and StoredToken(check_token(stored.value, paths.tokens_file.name), stored.origin)


def read_all(paths: Paths) -> dict[str, StoredToken]:
    """Returns every profile's token, unchecked. Raises BadConfigError for an unreadable file, or another user's."""
    path = paths.tokens_file
    text = read_text(path)
    if text is None:
        return {}
    table = parse_toml(path, text)
    values, origins = table.get("tokens", {}), table.get("origins", {})
    if not isinstance(values, dict) or not isinstance(origins, dict) or table.keys() - {"tokens", "origins"}:
        raise BadConfigError(tr("{path} contains more than [tokens] and [origins]", path=path), hint=tr(_LOG_IN_AGAIN))
    if not all(isinstance(token, str) for token in values.values()):
        raise BadConfigError(
            tr("{path} contains a token that is not text in quotes", path=path), hint=tr(_LOG_IN_AGAIN)
        )
    if not all(_is_origin(origin) for origin in origins.values()):
        raise BadConfigError(
            tr("{path} contains an origin that is not a URL in quotes", path=path), hint=tr(_LOG_IN_AGAIN)
        )
    return {name: StoredToken(token, origins.get(name)) for name, token in values.items()}


def _is_origin(value: object) -> bool:
    try:
        return isinstance(value, str) and origin_of(value) == value
    except ValueError:
        return False


_LOG_IN_AGAIN = mark("move the file to another place, then run `alovoice login` again")


def foreign_server(profile: str, origin: str, url: str, place: str, *, is_command: bool) -> UsageError:
    """Returns the error for a token of `origin` where this run's server is another one; `place` says by what."""
    named = {"flag": "--base-url", "default": tr("the default")}.get(place, place)
    facts = {"profile": profile, "origin": origin, "url": url, "place": named}
    login, change = f"alovoice login -p {profile}", f"alovoice config set {profile}.base_url"
    if is_command:
        return UsageError(
            tr(
                "the token command of profile {profile} belongs to {origin} and is not used for {url} ({place})",
                **facts,
            ),
            hint=tr(
                "`{command}` makes it the server of the profile, ALOVOICE_TOKEN gives this run a token",
                command=f"{change} {url}",
            ),
        )
    message = tr("the token of profile {profile} belongs to {origin} and is not sent to {url} ({place})", **facts)
    if place in ("flag", "ALOVOICE_BASE_URL"):
        command = f"{login} --base-url {url}" if place == "flag" else login
        hint = tr("`{command}` stores a token for it, ALOVOICE_TOKEN gives this run a token", command=command)
    else:
        hint = tr(
            "`{login}` stores a token for it; `{change}` goes back to the server of the token",
            login=login,
            change=f"{change} {origin}",
        )
    return UsageError(message, hint=hint)


def exposure(paths: Paths) -> str:
    """Returns a warning if others may read tokens.toml (its next writing corrects that), or ''. Not on Windows."""
    try:
        mode = stat.S_IMODE(paths.tokens_file.stat().st_mode)
    except OSError:
        return ""
    if os.name != "posix" or not mode & 0o077:
        return ""
    return tr(
        "{path} can be read by other users (mode {mode}): run `chmod 600` on it, and change the token",
        path=paths.tokens_file,
        mode=f"{mode:04o}",
    )


def bound_tokens(paths: Paths, config: Config) -> dict[str, StoredToken]:
    """Returns every token with its origin: a token without one belongs to its profile's base URL in `config`.

    Raises BadConfigError for an unreadable tokens.toml.
    """
    return {
        name: StoredToken(token.value, token.origin or origin_of(configured_url(config, name)))
        for name, token in read_all(paths).items()
    }


def tokens_text(tokens: Mapping[str, StoredToken]) -> bytes:
    """Returns the content of tokens.toml."""
    import tomli_w

    values = {name: token.value for name, token in tokens.items()}
    origins = {name: token.origin for name, token in tokens.items() if token.origin}
    return tomli_w.dumps({"tokens": values, "origins": origins} if origins else {"tokens": values}).encode()


def forget_token(paths: Paths, profile: str) -> bool:
    """Removes the profile's token; returns False without one. Raises BadConfigError for a file that is not writable."""
    if profile not in read_all(paths):
        return False
    with locked(paths):
        config = parse_config(paths.config_file, read_text(paths.config_file) or "")
        tokens = bound_tokens(paths, config)
        tokens.pop(profile, None)
        replace({paths.tokens_file: tokens_text(tokens)})
    return True


def read_bot_token(paths: Paths, profile: str) -> StoredToken | None:
    """Returns the token of the profile's Telegram bot in notify.toml, or None. Raises BadConfigError, UsageError."""
    stored = _read_bots(paths).get(profile)
    return stored and StoredToken(check_token(stored.value, _bots_file(paths).name), stored.origin)


def keep_bot_token(paths: Paths, profile: str, token: StoredToken | None) -> bool:
    """Stores the token of the profile's Telegram bot, or forgets it (None); returns whether there was one before."""
    with locked(paths):
        bots = _read_bots(paths)
        before = bots.pop(profile, None)
        if token is not None:
            bots[profile] = token
        if before != token:
            import tomli_w

            told = {name: {"token": one.value, "origin": one.origin or ""} for name, one in bots.items()}
            replace({_bots_file(paths): tomli_w.dumps({_TELEGRAM: told}).encode()})
    return before is not None


_TELEGRAM = "telegram"


def _bots_file(paths: Paths) -> Path:
    return paths.config / "notify.toml"


def _read_bots(paths: Paths) -> dict[str, StoredToken]:
    path = _bots_file(paths)
    text = read_text(path)
    table: Any = {} if text is None else parse_toml(path, text).get(_TELEGRAM, {})
    try:
        bots = {str(name): StoredToken(one["token"], one["origin"]) for name, one in table.items()}
        if all(isinstance(one.value, str) and isinstance(one.origin, str) for one in bots.values()):
            return bots
    except (AttributeError, KeyError, TypeError):
        pass
    raise BadConfigError(
        tr("{path} is not in the form that `alovoice notify login` writes", path=path),
        hint=tr("move the file to another place, then run `alovoice notify login`"),
    )


_MOST_BYTES = 64 << 10
_POLL_SECONDS = 0.02
_LAST_WORDS_SECONDS = 1.0  # a killed program's pipe closes at once
_RUN_BY_HAND = mark("run it by hand, without a terminal, to see why; `alovoice config get {key}` shows it")
_ONE_LINE = mark("it must print only the token, such as `sh -c 'COMMAND | head -n 1'`")


def run_token_command(command: str, environ: Mapping[str, str], seconds: float, *, key: str = "token_command") -> str:
    """Returns the one line that the command prints within `seconds`. It runs without a shell and a terminal.

    `key` is the setting with the command. Programs that the command started are ended too. Raises TokenMissingError,
    which names the program alone, and UsageError for a line that is no token.
    """
    words = _split(command)
    program = Path(words[0]).name if words else ""
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, from the user's own file
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in environ.items() if name != "ALOVOICE_TOKEN"},
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else tr("its words are not valid")
        message = tr("the token command `{program}` cannot be run: {problem}", program=program, problem=reason)
        raise TokenMissingError(message, hint=tr(_RUN_BY_HAND, key=key)) from None
    output = _read_output(process, program, seconds)
    if process.returncode < 0:
        number = -process.returncode
        message = tr("the token command `{program}` was ended by signal {number}", program=program, number=number)
        raise TokenMissingError(message, hint=tr(_RUN_BY_HAND, key=key))
    if process.returncode:
        message = tr("the token command `{program}` ended with {code}", program=program, code=process.returncode)
        raise TokenMissingError(message, hint=tr(_RUN_BY_HAND, key=key))
    lines = decode_token(output).strip().splitlines()
    if not lines:
        message = tr("the token command `{program}` printed nothing", program=program)
        raise TokenMissingError(message, hint=tr(_RUN_BY_HAND, key=key))
    if len(lines) > 1:
        message = tr("the token command `{program}` printed more than one line", program=program)
        raise TokenMissingError(message, hint=tr(_ONE_LINE))
    return check_token(lines[0], tr("the token command `{program}`", program=program))


def _read_output(process: subprocess.Popen[bytes], program: str, seconds: float) -> bytes:
    """Returns the output of the process. Ends the process and all its children, also when interrupted."""
    found: list[bytes] = []
    stream = process.stdout
    assert stream is not None
    reader = Thread(target=lambda: found.append(stream.read(_MOST_BYTES + 1)), daemon=True)
    reader.start()
    deadline = time.monotonic() + seconds
    try:
        while process.poll() is None and not _is_too_much(found):
            if time.monotonic() > deadline:
                raise _too_slow(program, seconds)
            reader.join(_POLL_SECONDS) if reader.is_alive() else time.sleep(_POLL_SECONDS)
    finally:
        _end(process)
        reader.join(_LAST_WORDS_SECONDS)
        if not reader.is_alive():  # after the time-out: a grandchild has left the session and keeps the pipe
            stream.close()
    if _is_too_much(found):
        message = tr(
            "the token command `{program}` printed more than {size} kB", program=program, size=_MOST_BYTES >> 10
        )
        raise TokenMissingError(message, hint=tr(_ONE_LINE))
    return b"".join(found)


def _is_too_much(found: list[bytes]) -> bool:
    return sum(map(len, found)) > _MOST_BYTES


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and its session; a living child would keep the pipe, and may know the token."""
    if os.name == "posix":
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _split(command: str) -> list[str]:
    import shlex

    if os.name == "posix":
        return shlex.split(command)
    # POSIX rules would take the backslashes out of C:\Program Files.
    return [word.strip('"') for word in shlex.split(command, posix=False)]


def _too_slow(program: str, seconds: float) -> TokenMissingError:
    message = tr("the token command `{program}` took longer than {seconds} s", program=program, seconds=f"{seconds:g}")
    return TokenMissingError(message, hint=tr("`--timeout` allows more time"))


_BYTES = 16
_FORM = r"[A-Za-z0-9_-]{8,128}"


def check_secret(text: str) -> str:
    """Returns the operator's own secret.

    Raises UsageError for one that a path cannot hold, or that is easy to guess.
    """
    if not re.fullmatch(_FORM, text):
        raise UsageError(
            tr("a secret has 8 to 128 letters, digits, `-` and `_`"),
            hint=tr("`--secret auto` creates one and stores it"),
        )
    return text


def listen_secret(paths: Paths, profile: str) -> str:
    """Returns the profile's secret; creates it at the first call. Raises BadConfigError for an unusable file."""
    kept = _read(paths).get(profile)
    if kept is not None:
        return kept
    with locked(paths):
        every = _read(paths)  # another process may have created it first
        if profile not in every:
            import secrets

            import tomli_w

            every[profile] = secrets.token_hex(_BYTES)

            replace({_file(paths): tomli_w.dumps({"secrets": every}).encode()})
        return every[profile]


def _file(paths: Paths) -> Path:
    return paths.config / "listen.toml"


def _read(paths: Paths) -> dict[str, str]:
    path = _file(paths)
    text = read_text(path)
    found = {} if text is None else parse_toml(path, text).get("secrets", {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadConfigError(
            tr("{path} is not in the form that `alovoice listen` writes", path=path),
            hint=tr("move the file to another place: new URLs are made"),
        )
    return dict(found)
