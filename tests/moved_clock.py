"""A wall clock that a test moves while a process runs, by libfaketime; the monotonic clock stays as it is."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from front_door import FrontDoor

_LIBRARIES = list(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
needs_faketime = pytest.mark.skipif(not _LIBRARIES, reason="libfaketime is missing")


@dataclass
class MovedClock:
    """The clock of the processes that start in this home from now on, and of its runs in this process."""

    alovoice: FrontDoor

    def __post_init__(self) -> None:
        self._file = self.alovoice.home / "clock"
        self.ahead = timedelta(0)
        self.alovoice.environ |= {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # its name in older versions
            "NO_FAKE_STAT": "1",
        }
        self.move()

    def move(self, **time: float) -> None:
        """Puts the clock forward (`hours=1`) or back (`hours=-1`)."""
        self.ahead += timedelta(**time)
        self.alovoice.ahead = self.ahead
        beside = self._file.with_suffix(".new")
        # tests/soak/repeat moves the clock of the tests themselves; libfaketime counts from the machine's.
        moved = int(os.environ.get("ALOVOICE_CLOCK_AHEAD", "0"))
        beside.write_text(f"{self.ahead.total_seconds() + moved:+.0f}\n", "ascii")
        beside.replace(self._file)  # whole or not at all: a process reads it at each look at its clock

    def set_to(self, hour: int, minute: int = 0, *, zone_hours: int = 5) -> None:
        """Puts the clock to this time of day in a zone, at most a day ahead."""
        local = datetime.now(UTC) + self.ahead + timedelta(hours=zone_hours)
        there = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if there < local:
            there += timedelta(days=1)
        self.move(seconds=(there - local).total_seconds())

    @property
    def now(self) -> datetime:
        """What the clock shows."""
        return datetime.now(UTC) + self.ahead
