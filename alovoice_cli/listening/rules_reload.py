"""Reads changed rules in a child process: sorting a million numbers in this process would make every caller wait.

The child checks the file with its lists, and returns the result as a pickle through a pipe. Loading the pickle takes
the listener milliseconds, however long the child worked.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import cast

from alovoice_cli.errors import UsageError
from alovoice_cli.language import Language, language_in_use, tr, use_language
from alovoice_cli.routing.lint import CheckedRules, check

_CHILD = "from alovoice_cli.listening.rules_reload import main; main()"
_NICENESS = 5  # of the child: on few processors callers have priority


class ReloadFailedError(Exception):
    """The child ended without a result; the message gives the reason."""


class RulesReload:
    """One reading of a rules file. Calls `done` in its own thread when `checked` has the result."""

    def __init__(self, path: Path, now: datetime, done: Callable[[], None]) -> None:
        self._done = done
        self._outcome: CheckedRules | UsageError | ReloadFailedError | None = None
        self._process = _start_child(path, now)
        self._thread = Thread(target=self._run, args=(path, now), name="rules-reload", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Returns whether the reading has ended."""
        return self._outcome is not None

    def checked(self) -> CheckedRules:
        """Returns the rules when the reading is done.

        Raises UsageError if the file cannot be opened, ReloadFailedError if the child died.
        """
        if isinstance(self._outcome, CheckedRules):
            return self._outcome
        raise self._outcome or ReloadFailedError(tr("the rules are still being read"))

    def give_up(self) -> None:
        """Ends the child: its result is no longer needed."""
        if self._process is not None:
            self._process.kill()

    def _run(self, path: Path, now: datetime) -> None:
        self._outcome = _read(path, now) if self._process is None else _received(self._process)
        self._done()


def _start_child(path: Path, now: datetime) -> "subprocess.Popen[bytes] | None":
    """Returns the child; None if this machine starts no process now, and the file must be read here."""
    search = os.pathsep.join(filter(None, sys.path))  # the child finds the program where this process found it
    command = [sys.executable, "-P", "-c", _CHILD, str(path), now.isoformat(), language_in_use()]
    try:
        return subprocess.Popen(  # noqa: S603 - our own module, a path, a time and a language
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": search},
            start_new_session=True,  # Ctrl-C at a terminal is for the listener, which ends the child itself
        )
    except OSError:
        return None


def _received(process: "subprocess.Popen[bytes]") -> CheckedRules | UsageError | ReloadFailedError:
    assert process.stdout is not None  # as _start_child asks for
    with process:
        try:
            outcome: CheckedRules | UsageError | ReloadFailedError = pickle.load(process.stdout)  # noqa: S301 - our own child's
        except Exception:  # EOFError, or any error from half a pickle
            process.stdout.close()  # ends a child that still writes
            code = process.wait()
            if code < 0:
                return ReloadFailedError(tr("the process that read them was ended by signal {signal}", signal=-code))
            return ReloadFailedError(tr("the process that read them ended with exit code {code}", code=code))
        return outcome


def _read(path: Path, now: datetime) -> CheckedRules | UsageError | ReloadFailedError:
    try:
        return check(path, now)
    except UsageError as error:
        return error
    except Exception as fault:  # for example a MemoryError: the listener reports it
        return ReloadFailedError(f"{type(fault).__name__}: {fault}")


def main() -> None:
    """Runs as the child, whose arguments are the file, the time and the language."""
    with suppress(AttributeError, OSError):  # Windows has no niceness, a hardened unit may forbid it
        os.nice(_NICENESS)
    path, now, language = sys.argv[1:]
    use_language(cast(Language, language))
    outcome = _read(Path(path), datetime.fromisoformat(now))
    pickle.dump(outcome, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()
