"""Whether this process is so busy receiving that everything else should wait."""

import time

_WINDOW_SECONDS = 0.1
_BUSY_SHARE = 0.75  # of one core: one interpreter lock serves the receiving loop and the writer
_MANY = 50  # arrivals in a window: less is no flood, however busy the process is otherwise


class Pressure:
    """Looks ten times a second at the processor time that the process took while deliveries came."""

    def __init__(self) -> None:
        self._wall, self._processor, self._arrivals = time.monotonic(), time.process_time(), 0
        self._is_high = False

    def add(self, arrivals: int) -> None:
        """So many deliveries came."""
        self._arrivals += arrivals

    def is_high(self) -> bool:
        """Whether receiving takes all that there is."""
        wall = time.monotonic()
        passed = wall - self._wall
        if passed >= _WINDOW_SECONDS:
            processor = time.process_time()
            busy = (processor - self._processor) / passed > _BUSY_SHARE
            self._is_high = busy and self._arrivals * _WINDOW_SECONDS / passed > _MANY
            self._wall, self._processor, self._arrivals = wall, processor, 0
        return self._is_high
