"""Prints events when they are durable, in its own thread: a stalled reader must not stop the receiving."""

import queue
import threading
from collections.abc import Callable, Sequence

from alovoice_cli.events.event import Event
from alovoice_cli.language import ngettext

_MOST_WAITING = 100_000


class Printer:
    """A queue of events for `show`; all events of one commit are one item, so that the thread is woken once for them.

    Events that do not fit are counted and not printed; they are in the store.
    """

    def __init__(self, show: Callable[[Event], None], complain: Callable[[str], None], gone: Callable[[], None]):
        self._show, self._complain, self._gone = show, complain, gone
        self._queue: queue.SimpleQueue[Sequence[Event] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._dropped = 0

    def start(self) -> None:
        """Starts to print."""
        self._thread.start()

    def take(self, events: Sequence[Event]) -> None:
        """Queues the events for printing, without our own test requests."""
        shown = [event for event in events if event.delivery.type != "probe"]
        if self._waiting + len(shown) > _MOST_WAITING:
            self._dropped += len(shown)
        elif shown:
            self._waiting += len(shown)
            self._queue.put(shown)

    def close(self, seconds: float) -> None:
        """Prints the waiting events, for at most this many seconds."""
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
