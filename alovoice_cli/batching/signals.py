"""Ctrl-C, SIGTERM and SIGHUP during a batch: counted, so that rows in flight may finish."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from alovoice_cli.errors import ExitCode

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
if _HANGUP is not None:
    _CODES[_HANGUP] = ExitCode.TERMINATED


class Signals:
    """How many came, and the exit code of the first. SIGHUP counts once: shell and system both send it."""

    def __init__(self) -> None:
        self._is_hung_up = False
        self.count = 0
        self.code: ExitCode = ExitCode.INTERRUPTED

    def take(self, number: int, frame: object) -> None:
        """The handler: does nothing but count."""
        if number == _HANGUP:
            if self._is_hung_up:
                return
            self._is_hung_up = True
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
    before = {number: signal.signal(number, signals.take) for number in _CODES if not _is_ignored(number)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    """Whether `nohup` has said that a closed terminal ends nothing."""
    return number == _HANGUP and signal.getsignal(number) is signal.SIG_IGN
