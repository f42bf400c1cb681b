"""The override of a profile: a small file that a running listener checks for each question.

The file is replaced as a whole, so a reader sees the old or the new one; only the user may read it.
"""

import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from alovoice_cli.errors import FULL_DISK, UsageError, reason_of
from alovoice_cli.language import mark, tr
from alovoice_cli.routing.step import Override, RouteStep
from alovoice_cli.stores.migrations import full_disk_error, give_to_owner

_ELSEWHERE = mark("make its directory writable, or set ALOVOICE_STATE_DIR to another one")
_LARGEST = 4096  # bytes; a real one has a hundred

_READER_SECONDS = 10.0
"""A listener marks every two seconds that it reads the file; after this long without a mark there is no listener."""

Stamp = tuple[int, int, int]


class OverrideFile:
    """The file of one profile; it may be missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark = path.with_suffix(".listener")

    def stamp(self) -> Stamp | None:
        """Returns a value that differs for each state of the file, None without a file. Takes a few microseconds."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - half the time of Path.stat, while a caller waits
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def read(self) -> Override | None:
        """Returns the file's content, also after its end. Raises UsageError for an unreadable file."""
        try:
            with self.path.open("rb") as file:
                told = json.loads(file.read(_LARGEST))
            return Override(RouteStep.from_wire(told["step"]), datetime.fromtimestamp(told["until"], UTC))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(
                tr("{path} cannot be read: {problem}", path=self.path, problem=reason_of(error)), hint=tr(_ELSEWHERE)
            ) from error
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError, UsageError) as error:
            raise UsageError(
                tr("{path} is not in the form that `alovoice route override` writes", path=self.path),
                hint=tr("set the override again: `alovoice route override STEP --for 30m`, or `--off`"),
            ) from error

    def write(self, override: Override) -> None:
        """Puts the override in force. Raises UsageError if the file cannot be written."""
        told = {"step": override.step.as_wire(), "until": override.until.timestamp()}
        temporary = self.path.with_name(f".{self.path.name}.{os.urandom(4).hex()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor has no path
                    file.write(json.dumps(told).encode() + b"\n")
                    file.flush()
                    give_to_owner(file.fileno(), self.path.parent)
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            if error.errno in FULL_DISK:
                raise full_disk_error(self.path, str(error)) from error
            raise UsageError(
                tr("{path} cannot be written: {problem}", path=self.path, problem=reason_of(error)), hint=tr(_ELSEWHERE)
            ) from error

    def remove(self) -> None:
        """Removes the file, if it exists. Raises UsageError if it cannot be removed."""
        try:
            with suppress(FileNotFoundError):
                self.path.unlink()
        except OSError as error:
            raise UsageError(
                tr("{path} cannot be removed: {problem}", path=self.path, problem=reason_of(error)), hint=tr(_ELSEWHERE)
            ) from error

    def mark_reader(self) -> None:
        """Marks that a listener reads the file. Raises OSError if that cannot be written."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mark.touch(0o600)
        seconds = time.time()  # not the clock of the file's server: `has_reader` is asked by this machine's
        os.utime(self._mark, (seconds, seconds))

    def unmark_reader(self) -> None:
        """Removes the mark of a listener that ends; another one marks the file again within two seconds."""
        self._mark.unlink(missing_ok=True)

    def has_reader(self, now: datetime) -> bool:
        """Returns whether a listener reads the file; not by a mark from the future, which a set back clock leaves."""
        try:
            return abs(now.timestamp() - self._mark.stat().st_mtime) < _READER_SECONDS
        except OSError:
            return False
