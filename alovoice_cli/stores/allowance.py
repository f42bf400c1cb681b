"""How much time the event writer may take from the deliveries that keep coming."""

import time

# Of the time in which the process has nothing to do; and, when there is none, of the time that storing takes.
_IDLE_SHARE, _BUSY_SHARE = 0.5, 0.1
_MOST_SECONDS, _DEEPEST_DEBT = 0.01, -0.1


class Allowance:
    """Seconds that may be spent on what can wait. What is spent beyond them is a debt."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def is_left(self) -> bool:
        """Whether anything may be spent now; earns what the time since it was asked last is worth."""
        wall, cpu = time.monotonic(), time.process_time()
        idle = (wall - self._wall) - (cpu - self._cpu)  # below zero where two threads compute at once
        self._wall, self._cpu = wall, cpu
        self._earn(max(idle, 0.0) * _IDLE_SHARE)
        return self._seconds > 0

    def stored(self, seconds: float) -> None:
        """So long it took to store what had come."""
        self._earn(seconds * _BUSY_SHARE)

    def spend(self, seconds: float) -> None:
        """So long something took that could have waited."""
        self._seconds = max(self._seconds - seconds, _DEEPEST_DEBT)

    def _earn(self, seconds: float) -> None:
        self._seconds = min(self._seconds + seconds, _MOST_SECONDS)
