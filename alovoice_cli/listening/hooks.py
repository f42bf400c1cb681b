"""Starts the operator's program for an event: its words as they are, no shell, the event on standard input."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import BoundedSemaphore

from alovoice_cli.events.event import Delivery
from alovoice_cli.listening.dispatch import DeliveryOutcome
from alovoice_cli.listening.targets import Target

HOOK_SECONDS = 30.0
MOST_AT_ONCE = 8

_slots = BoundedSemaphore(MOST_AT_ONCE)
"""Of all hooks together: a burst of events must not become a burst of processes."""


class Hook:
    """Runs one `--exec`. A program that fails is told of and not started again: what it did, it did."""

    def __init__(
        self, target: Target, environ: Mapping[str, str], as_json: Callable[[Delivery], Mapping[str, object]]
    ) -> None:
        self._target, self._as_json = target, as_json
        # The token is for this program alone.
        self._environ = {name: value for name, value in environ.items() if name != "ALOVOICE_TOKEN"}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def deliver(self, delivery: Delivery) -> DeliveryOutcome:
        """Runs the program once."""
        line = json.dumps(self._as_json(delivery), allow_nan=False).encode() + b"\n"
        with _slots:
            if self._stopping:
                return DeliveryOutcome(done=False, trouble="the listener ended before its turn came")
            try:
                process = subprocess.Popen(  # noqa: S603 - the operator's own words, split without a shell
                    self._target.command,
                    env={**self._environ, "ALOVOICE_EVENT_ID": delivery.id, "ALOVOICE_EVENT_TYPE": delivery.type},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,  # ours carries data only; what it complains of goes where we complain
                    start_new_session=os.name == "posix",
                )
            except OSError as error:
                return DeliveryOutcome(
                    done=False, trouble=f"it cannot be started: {error.strerror or error}", final=True
                )
            self._running.add(process)
            try:
                return _attend(process, line)
            finally:
                self._running.discard(process)

    def stop(self) -> None:
        """Ends the programs that still run, and starts no more: their events wait for the next start."""
        self._stopping = True
        for process in list(self._running):
            _kill(process)


def _attend(process: subprocess.Popen[bytes], line: bytes) -> DeliveryOutcome:
    with process:
        try:
            process.communicate(line, timeout=HOOK_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            return DeliveryOutcome(done=False, trouble=f"it ran longer than {HOOK_SECONDS:.0f} s", final=True)
    if process.returncode:
        return DeliveryOutcome(done=False, trouble=f"it ended with {process.returncode}", final=True)
    return DeliveryOutcome(done=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the program, and what it has started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
