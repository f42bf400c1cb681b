"""The override for a running listener: obeyed from the next question on, and reported when it begins and ends."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, tzinfo

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.routing.step import Override
from alovoice_cli.stores.override import OverrideFile, Stamp

_MARK_SECONDS = 2.0


class Switch:
    """The override of one profile.

    `in_force` is called while a caller waits: it reads the file only after a change, and reports nothing.
    """

    def __init__(self, file: OverrideFile, warn: Callable[[str], None], zone: tzinfo) -> None:
        self._file, self._warn, self._zone = file, warn, zone
        self._read: tuple[Stamp | None, Override | None, str] = (None, None, "")
        self._told: Override | None = None
        self._told_trouble = ""
        self._marked_at = float("-inf")

    def mark(self) -> None:
        """Marks every two seconds, for `alovoice route override`, that a listener obeys the file."""
        clock = time.monotonic()
        if clock - self._marked_at >= _MARK_SECONDS:
            self._marked_at = clock
            with suppress(OSError):  # a full disk: the override is obeyed anyway
                self._file.mark_reader()

    def unmark(self) -> None:
        """Removes the mark when the listener ends."""
        with suppress(OSError):
            self._file.unmark_reader()

    def in_force(self, now: datetime) -> Override | None:
        """Returns the override that applies now, or None. Raises nothing: an unreadable file is no override."""
        try:
            stamp = self._file.stamp()
            if stamp != self._read[0]:
                self._read = (stamp, self._file.read() if stamp else None, "")
        except (OSError, UsageError) as error:
            stamp = stamp if isinstance(error, UsageError) else None
            self._read = (stamp, None, getattr(error, "message", str(error)))
        override = self._read[1]
        return override if override is not None and override.holds(now) else None

    def tell(self, now: datetime) -> None:
        """Reports overrides that have begun or ended since the last report; for a thread that may wait to print."""
        override = self.in_force(now)
        before, self._told = self._told, override
        if override is not None and override != before:
            until = override.until.astimezone(self._zone)
            moment = f"{until:%Y-%m-%d %H:%M:%S}"
            self._warn(tr("override: every caller gets {step} until {moment}", step=override.step, moment=moment))
        elif override is None and before is not None:
            self._warn(tr("the override has ended: the rules decide again"))
        trouble, self._told_trouble = self._told_trouble, self._read[2]
        if self._told_trouble and trouble != self._told_trouble:
            self._warn(tr("{problem}: there is no override", problem=self._told_trouble))
