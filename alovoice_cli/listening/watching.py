"""A thread that watches the files of the rules and the override, and reports changes to the operator."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.listening.rules_reload import ReloadFailedError, RulesReload
from alovoice_cli.listening.switch import Switch
from alovoice_cli.routing.live import Live, RefusedRules, Reloaded

_LOOK_SECONDS = 0.5
_STILL_SECONDS = 0.4  # seconds: a file that changes while it is read is still being written
_RETRY_SECONDS = 30.0
_MOST_OVERTAKEN = 3  # then one reading continues to its end, so that a list that always changes also comes into force
_END_SECONDS = 1.0


class FollowedRules:
    """The rules of one file and their reload; a newer change of the files replaces a running reload."""

    def __init__(self, live: Live, wake: Callable[[], None]) -> None:
        self.live, self._wake = live, wake
        self._stamps = live.stamps()
        self._changed_at = self._retry_at = 0.0
        self._reload: RulesReload | None = None
        self._overtaken = 0

    def look(self, now: datetime) -> Reloaded | RefusedRules | None:
        """Returns the result of an ended reload, or None. Raises ReloadFailedError."""
        stamps, clock = self.live.stamps(), time.monotonic()
        if stamps != self._stamps:
            self._stamps, self._changed_at, self._retry_at = stamps, clock, 0.0
            if self._reload is not None and self._overtaken < _MOST_OVERTAKEN:
                self._overtaken += 1
                self.give_up()
        if self._reload is not None:
            return self._ended(self._reload, clock) if self._reload.is_done else None
        is_still = clock - self._changed_at >= _STILL_SECONDS
        if is_still and clock >= self._retry_at and self.live.has_changed:
            self._reload = RulesReload(self.live.path, now, self._wake)
        return None

    def _ended(self, reload: RulesReload, clock: float) -> Reloaded | RefusedRules:
        self._reload, self._overtaken = None, 0
        try:
            return self.live.take(reload.checked())
        except UsageError as error:
            return self.live.refuse(error)
        except ReloadFailedError:
            self.live.outdated = True
            self._retry_at = clock + _RETRY_SECONDS
            raise

    def give_up(self) -> None:
        """Ends the running reload."""
        if self._reload is not None:
            self._reload.give_up()
            self._reload = None


class Watch:
    """The watching thread. `lives` are rules by their name in messages: those in force, and a shadow's."""

    def __init__(
        self,
        lives: Mapping[str, Live],
        switch: Switch,
        now: Callable[[], datetime],
        *,
        note: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._switch, self._now, self._note, self._warn = switch, now, note, warn
        self._wake, self._is_ending = threading.Event(), False
        self._followed = {name: FollowedRules(live, self._wake.set) for name, live in lives.items()}
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Starts to look, twice a second."""
        self._switch.mark()
        self._thread.start()

    def close(self) -> None:
        """Stops looking, and ends a running reload."""
        self._is_ending = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while not self._is_ending:
            self._wake.clear()
            try:
                self._look()
            except Exception as fault:  # whatever the error is, the last good rules stay, and the next look may succeed
                self._tell_trouble(fault)
            self._wake.wait(_LOOK_SECONDS)
        self._switch.unmark()
        for followed in self._followed.values():
            followed.give_up()

    def _look(self) -> None:
        self._switch.mark()
        self._switch.tell(self._now())
        for name, followed in self._followed.items():
            outcome = followed.look(self._now())
            if outcome is not None:
                self._trouble = ""
                self._tell(name, followed.live, outcome)

    def _tell_trouble(self, fault: Exception) -> None:
        said = str(fault) if isinstance(fault, ReloadFailedError) else f"{type(fault).__name__}: {fault}"
        if said != self._trouble:
            self._trouble = said
            self._warn(
                tr("the changed rules were not read; the last good rules stay in force: {problem}", problem=said)
            )

    def _tell(self, name: str, live: Live, outcome: Reloaded | RefusedRules) -> None:
        if isinstance(outcome, RefusedRules):
            self._warn(
                tr(
                    "{problem}; see {command}",
                    problem=joined("", [name, str(outcome)]),
                    command=f"`alovoice route check {live.path}`",
                )
            )
            return
        count = len(outcome.rules.rules)
        warnings = sum(found.severity == "warning" for found in outcome.findings)
        text = ngettext(
            "{file} was read again: {n} rule in force",
            "{file} was read again: {n} rules in force",
            count,
            file=live.path,
        )
        said = [text, ngettext("{n} warning", "{n} warnings", warnings)] if warnings else [text]
        self._note(joined("", [name, joined(", ", said)]))
