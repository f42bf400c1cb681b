"""Ctrl-C and SIGTERM during a batch: counted, so that rows in flight may finish."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from alovoice_cli.errors import ExitCode

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class Signals:
    """How many came, and the exit code of the first."""

    def __init__(self) -> None:
        self.count = 0
        self.code: ExitCode = ExitCode.INTERRUPTED

    def take(self, number: int, frame: object) -> None:
        """The handler: does nothing but count."""
        if not self.count:
            self.code = _CODES[signal.Signals(number)]
        self.count += 1


@contextmanager
def counted() -> Iterator[Signals]:
    """Counts the signals while the block runs; outside the main thread, where none arrive, there are none."""
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals.take) for number in _CODES}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
