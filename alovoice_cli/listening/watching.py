"""A thread that looks at the files of the rules and at the override, and tells the operator what has changed."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from alovoice_cli.listening.switch import Switch
from alovoice_cli.routing.live import Live, RefusedRules, Reloaded

_LOOK_SECONDS = 0.5


class Watch:
    """`lives` are rules by what they are called in a message: those in force, and a shadow's."""

    def __init__(
        self,
        lives: Mapping[str, Live],
        switch: Switch,
        now: Callable[[], datetime],
        *,
        note: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._lives, self._switch, self._now, self._note, self._warn = lives, switch, now, note, warn
        self._stamps = {name: live.stamps() for name, live in lives.items()}
        self._trouble = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begins to look, twice a second."""
        self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._ending.set()

    def _run(self) -> None:
        while True:
            try:
                self._look()
            except Exception as fault:  # whatever it was, the last good rules stay, and the next look may go well
                if self._trouble != str(fault):
                    self._trouble = str(fault)
                    self._warn(f"the rules cannot be looked at: {type(fault).__name__}: {fault}")
            if self._ending.wait(_LOOK_SECONDS):
                return

    def _look(self) -> None:
        self._switch.tell(self._now())
        for name, live in self._lives.items():
            stamps = live.stamps()
            was_still, self._stamps[name] = stamps == self._stamps[name], stamps
            if was_still:  # else it is being written at this moment: half a file is no mistake of the operator's
                self._tell(name, live, live.refresh(self._now()))

    def _tell(self, name: str, live: Live, outcome: Reloaded | RefusedRules | None) -> None:
        if isinstance(outcome, RefusedRules):
            self._warn(f"{name}{outcome}; see `alovoice route check {live.path}`")
        elif isinstance(outcome, Reloaded):
            count = len(outcome.rules.rules)
            warnings = sum(found.severity == "warning" for found in outcome.findings)
            said = f", with {warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
            self._note(f"{name}{live.path} was read anew: {count} rule{'s' if count != 1 else ''} in force{said}")
