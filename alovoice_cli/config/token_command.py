"""Runs the command that prints a profile's token.

No message of this module holds a token, the command's arguments or its output.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread

from alovoice_cli.config.tokens import check_token, decode_token
from alovoice_cli.errors import TokenMissingError

_MOST_BYTES = 64 << 10
_POLL_SECONDS = 0.02
_LAST_WORDS_SECONDS = 1.0  # a killed program's pipe closes at once
_RUN_BY_HAND = "run it by hand to see why, without a terminal; `alovoice config get token_command` shows it"
_ONE_LINE = "let it print the token alone, such as `sh -c 'COMMAND | head -n 1'`"


def run_token_command(command: str, environ: Mapping[str, str], seconds: float) -> str:
    """The one line that the command prints, within `seconds`. It runs without a shell and without a terminal.

    The programs that the command started end with it. Raises TokenMissingError, which names the program alone, and
    UsageError for a line that is no token.
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
        raise _no_token(program, f"cannot be run: {getattr(error, 'strerror', None) or 'bad words'}") from None
    output = _read_output(process, program, seconds)
    if process.returncode < 0:
        raise _no_token(program, f"was ended by signal {-process.returncode}")
    if process.returncode:
        raise _no_token(program, f"ended with {process.returncode}")
    lines = decode_token(output).strip().splitlines()
    if not lines:
        raise _no_token(program, "printed nothing")
    if len(lines) > 1:
        raise _no_token(program, "printed a second line", hint=_ONE_LINE)
    return check_token(lines[0], f"the token command `{program}`")


def _read_output(process: subprocess.Popen[bytes], program: str, seconds: float) -> bytes:
    """What the process printed until it ended. Ends the process and all its children, also when interrupted."""
    found: list[bytes] = []
    stream = process.stdout
    assert stream is not None
    reader = Thread(target=lambda: found.append(stream.read(_MOST_BYTES + 1)), daemon=True)
    reader.start()
    deadline = time.monotonic() + seconds
    try:
        while process.poll() is None and not _is_too_much(found):
            if time.monotonic() > deadline:
                raise _no_token(program, f"took longer than {seconds:g} seconds", hint="`--timeout` gives it longer")
            reader.join(_POLL_SECONDS) if reader.is_alive() else time.sleep(_POLL_SECONDS)
    finally:
        _end(process)
        reader.join(_LAST_WORDS_SECONDS)
        if not reader.is_alive():  # else a grandchild has left the session and keeps the pipe
            stream.close()
    if _is_too_much(found):
        raise _no_token(program, f"printed more than {_MOST_BYTES >> 10} kB", hint=_ONE_LINE)
    return b"".join(found)


def _is_too_much(found: list[bytes]) -> bool:
    return sum(map(len, found)) > _MOST_BYTES


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and its session; a child that lives on would keep the pipe, and may hold the token."""
    if os.name == "posix":
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _split(command: str) -> list[str]:
    if os.name == "posix":
        return shlex.split(command)
    # POSIX rules would take the backslashes out of C:\Program Files.
    return [word.strip('"') for word in shlex.split(command, posix=False)]


def _no_token(program: str, trouble: str, *, hint: str = _RUN_BY_HAND) -> TokenMissingError:
    return TokenMissingError(f"the token command `{program}` {trouble}", hint=hint)
