"""Prints events as they become durable, in a thread of its own: a reader that stalls must not stall the receiving."""

import queue
import threading
from collections.abc import Callable, Sequence

from alovoice_cli.events.event import Event

_MOST_WAITING = 100_000


class Printer:
    """A queue before `show`. What does not fit in it is not printed, and counted; it is in the store."""

    def __init__(self, show: Callable[[Event], None], complain: Callable[[str], None], gone: Callable[[], None]):
        self._show, self._complain, self._gone = show, complain, gone
        self._queue: queue.Queue[Event | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._dropped = 0

    def start(self) -> None:
        """Begins to print."""
        self._thread.start()

    def take(self, events: Sequence[Event]) -> None:
        """Queues the events for printing, but for our own probes."""
        for event in events:
            if event.delivery.type != "probe":
                try:
                    self._queue.put_nowait(event)
                except queue.Full:
                    self._dropped += 1

    def close(self, seconds: float) -> None:
        """Prints what waits, for so many seconds at most."""
        with_room = self._queue.qsize() < _MOST_WAITING
        if with_room:
            self._queue.put_nowait(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (event := self._queue.get()) is not None:
                self._show(event)
                if self._dropped:
                    count, self._dropped = self._dropped, 0
                    self._complain(f"{count} events were not printed: their reader is too slow; they are in the store")
        except (OSError, ValueError):  # a closed pipe, a full disk, a closed stream
            self._gone()
