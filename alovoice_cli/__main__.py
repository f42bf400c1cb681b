"""`alovoice`, and `python -m alovoice_cli`: the real world around `main.run`."""

import contextlib
import gc
import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the process's own words and ends it with their exit code."""
    # A run of a command ends before garbage would matter; long-running ones collect by the same, rarer rhythm.
    # Measured: about a tenth of the start-up goes into collections while modules load.
    gc.set_threshold(200_000, 20, 100)
    _reopen_closed_streams()
    if sys.argv[1:] == ["--version"]:
        from alovoice_cli import __version__  # noqa: PLC0415 - answered before the command tree is even loaded

        print(f"alovoice {__version__}")  # noqa: T201 - the one line that needs no session
        sys.exit(0)
    _run()


def _run() -> NoReturn:
    from alovoice_cli.errors import Terminated  # noqa: PLC0415 - after the quick answer above
    from alovoice_cli.main import run  # noqa: PLC0415 - same
    from alovoice_cli.session import Session  # noqa: PLC0415 - same

    def terminate(number: int, frame: object) -> NoReturn:
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    code = run(sys.argv[1:], Session.of_process())
    gc.freeze()  # the last collection, at exit, then has nothing to look at
    _drain_streams()
    sys.exit(code)


def _drain_streams() -> None:
    """Flushes both streams, and lets a full disk or a reader that left not turn the exit code into Python's own 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _reopen_closed_streams() -> None:
    """Gives `>&-` a place to write to, before a database or socket gets file descriptor 1 or 2."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


if __name__ == "__main__":
    main()
