"""Starts the operator's program for an event: its words unchanged, without a shell, the event on standard input."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import BoundedSemaphore

from alovoice_cli.events.outbox import DeliveryOutcome
from alovoice_cli.json_text import json_text
from alovoice_cli.listening.targets import EventReader, Target
from alovoice_cli.stores.outbox import Due
from alovoice_cli.stores.row_values import json_of

HOOK_SECONDS = 30.0
STOP_SECONDS = 10.0
"""How long a program may run after the SIGTERM at the end of the listener."""
MOST_AT_ONCE = 8
_LOOK_SECONDS = 0.05
_SECRET_VARIABLES = (
    *("ALOVOICE_TOKEN", "ALOVOICE_LISTEN_SECRET"),
    *("ALOVOICE_LISTEN_SIGN_SECRET", "ALOVOICE_LISTEN_FORWARD_HEADER"),
)

_slots = BoundedSemaphore(MOST_AT_ONCE)
"""For all hooks together: a burst of events must not become a burst of processes."""


class Hook:
    """Runs one `--exec`. A program that fails is reported and not started again: it may have done its work."""

    def __init__(self, target: Target, environ: Mapping[str, str], as_json: EventReader) -> None:
        self._target, self._as_json = target, as_json
        # Token and secrets are only for this program.
        self._environ = {name: value for name, value in environ.items() if name not in _SECRET_VARIABLES}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def deliver(self, due: Due, claim: Callable[[], bool]) -> DeliveryOutcome:
        """Runs the program once, after `claim` has marked its start durably; does not run it if `claim` returns False.

        Raises, before the claim, if the event cannot be read.
        """
        return self.run(json_of(due.message) if due.message else self._as_json(due.delivery), claim)

    def run(self, told: Mapping[str, object], claim: Callable[[], bool] = lambda: True) -> DeliveryOutcome:
        """Runs the program once, with a JSON object with `id` and `type` as its input."""
        line = json_text(told).encode() + b"\n"
        with _slots:
            if self._stopping or not claim() or self._stopping:
                return DeliveryOutcome("later")
            try:
                process = self._start(told)
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                return DeliveryOutcome("dead", f"the program cannot be started: {why}")
            self._running.add(process)
            if self._stopping:  # the stop may have missed this process
                _signal(process, signal.SIGTERM)
            try:
                return self._attend(process, line)
            finally:
                self._running.discard(process)

    def begin_stop(self) -> None:
        """Starts no more programs, and sends SIGTERM to those that run."""
        self._stopping = True
        for process in list(self._running):
            _signal(process, signal.SIGTERM)

    def finish_stop(self, deadline: float) -> None:
        """Waits for the programs until the deadline (of `time.monotonic`), and kills the remaining ones."""
        while self._running and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        for process in list(self._running):
            _signal(process, _KILL)

    def _start(self, told: Mapping[str, object]) -> subprocess.Popen[bytes]:
        named = {"ALOVOICE_EVENT_ID": str(told["id"]), "ALOVOICE_EVENT_TYPE": str(told["type"])}
        return subprocess.Popen(  # noqa: S603 - the operator's own words, split without a shell
            self._target.command,
            env=self._environ | named | ({"ALOVOICE_EVENT_TRIAL": "1"} if told.get("trial") else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # our stdout carries data only; its stderr goes to ours
            start_new_session=os.name == "posix",
        )

    def _attend(self, process: subprocess.Popen[bytes], line: bytes) -> DeliveryOutcome:
        with process:
            try:
                process.communicate(line, timeout=HOOK_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(process, _KILL)
                return DeliveryOutcome("dead", f"the program ran longer than {HOOK_SECONDS:.0f} s")
        if not process.returncode:
            return DeliveryOutcome("delivered")
        how = _how_it_ended(process.returncode)
        return DeliveryOutcome("dead", f"{how} when the listener was stopped" if self._stopping else how)


def _how_it_ended(code: int) -> str:
    with suppress(ValueError):
        if code < 0:
            return f"the program was ended by {signal.Signals(-code).name}"
    return f"the program ended with exit code {code}"


_KILL = signal.SIGKILL if os.name == "posix" else signal.SIGTERM


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends the signal to the program and to its own child processes; on Windows only terminates the program."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.terminate()
