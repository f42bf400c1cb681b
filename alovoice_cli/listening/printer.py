"""Prints events as they become durable, in a thread of its own: a reader that stalls must not stall the receiving."""

import queue
import threading
from collections.abc import Callable, Sequence

from alovoice_cli.events.event import Event
from alovoice_cli.language import ngettext

_MOST_WAITING = 100_000


class Printer:
    """A queue before `show`, of as many events at once as were stored at once: a thread is woken once for all of them.

    What does not fit in it is not printed, and counted; it is in the store.
    """

    def __init__(self, show: Callable[[Event], None], complain: Callable[[str], None], gone: Callable[[], None]):
        self._show, self._complain, self._gone = show, complain, gone
        self._queue: queue.SimpleQueue[Sequence[Event] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._dropped = 0

    def start(self) -> None:
        """Begins to print."""
        self._thread.start()

    def take(self, events: Sequence[Event]) -> None:
        """Queues the events for printing, but for our own probes."""
        shown = [event for event in events if event.delivery.type != "probe"]
        if self._waiting + len(shown) > _MOST_WAITING:
            self._dropped += len(shown)
        elif shown:
            self._waiting += len(shown)
            self._queue.put(shown)

    def close(self, seconds: float) -> None:
        """Prints what waits, for so many seconds at most."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (events := self._queue.get()) is not None:
                for event in events:
                    self._show(event)
                self._waiting -= len(events)
                if self._dropped:
                    count, self._dropped = self._dropped, 0
                    self._complain(
                        ngettext(
                            "{n} event was not printed because the reader is too slow; it is in the event store",
                            "{n} events were not printed because the reader is too slow; they are in the event store",
                            count,
                        )
                    )
        except (OSError, ValueError):  # a closed pipe, a full disk, a closed stream
            self._gone()
