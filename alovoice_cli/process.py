"""Connects `main.run` with the real process: its streams, its signals, its exit."""

import contextlib
import gc
import os
import signal
import sys
from typing import NoReturn

from alovoice_cli.errors import Terminated
from alovoice_cli.main import run
from alovoice_cli.output.terminal import make_readable, open_controlling_terminal
from alovoice_cli.session import Session


def run_process() -> NoReturn:
    """Runs the process's own words and ends it with their exit code."""
    _reopen_closed_streams()
    signal.signal(signal.SIGTERM, _terminate)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # `nohup` ignores it
        signal.signal(hangup, _terminate)
    for stream in (sys.stdout, sys.stderr):
        make_readable(stream)  # a letter that the encoding lacks must not raise
    session = Session(
        sys.argv[1:],
        stdin=sys.stdin,
        stdout=sys.stdout,
        stderr=sys.stderr,
        environ=os.environ,
        open_terminal=open_controlling_terminal,
    )
    code = run(session)
    gc.freeze()  # the last collection, at exit, then has nothing to look at
    _drain_streams()
    sys.exit(code)


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


def _reopen_closed_streams() -> None:
    """Opens a place for streams closed by `>&-`, before a database or socket gets file descriptor 1 or 2."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


def _drain_streams() -> None:
    """Flushes both streams, so that a full disk or a closed pipe does not turn the exit code into Python's 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
