"""Starts the operator's program for an event: its words as they are, no shell, the event on standard input."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore

from alovoice_cli.events.event import Delivery
from alovoice_cli.listening.dispatch import Verdict
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

    def deliver(self, delivery: Delivery) -> Verdict:
        """Runs the program once."""
        line = json.dumps(self._as_json(delivery), allow_nan=False).encode() + b"\n"
        with _slots:
            try:
                done = subprocess.run(  # noqa: S603 - the operator's own words, split without a shell
                    self._target.command,
                    input=line,
                    env={**self._environ, "ALOVOICE_EVENT_ID": delivery.id, "ALOVOICE_EVENT_TYPE": delivery.type},
                    stdout=subprocess.DEVNULL,  # ours carries data only; what it complains of goes where we complain
                    timeout=HOOK_SECONDS,
                    check=False,
                    start_new_session=os.name == "posix",
                )
            except subprocess.TimeoutExpired:
                return Verdict(done=False, trouble=f"it ran longer than {HOOK_SECONDS:.0f} s", final=True)
            except OSError as error:
                return Verdict(done=False, trouble=f"it cannot be started: {error.strerror or error}", final=True)
        if done.returncode:
            return Verdict(done=False, trouble=f"it ended with {done.returncode}", final=True)
        return Verdict(done=True)
