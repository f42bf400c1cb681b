"""Between the server's event loop, where requests wait, and the writer's thread, where events become durable."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.noting import Note
from alovoice_cli.events.outbox import queue_of
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_rows import Errand
from alovoice_cli.stores.event_writer import EventWriter
from alovoice_cli.stores.household import Arrival, Settle

_NOTED_SECONDS = 1.0


class Bridge:
    """The writer's household, and what the receiver awaits. `watchers` hear of each event in the writer's thread."""

    def __init__(
        self,
        targets: Sequence[Target],
        complain: Callable[[str], None],
        lost: Callable[[], None],
        *,
        repeats: bool = False,
    ) -> None:
        self._repeats = repeats
        self._targets, self.complain, self.is_lost = targets, complain, lost
        self.watchers: list[Callable[[Sequence[Event]], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: EventWriter | None = None
        self._arrived: list[Arrival] = []
        self._awaited: dict[str, asyncio.Future[None]] = {}

    def attach(self, writer: EventWriter) -> None:
        """Names the writer that deliveries go to."""
        self._writer = writer

    # --- in the loop -------------------------------------------------------------------------------------------------

    def append(self, delivery: Delivery, *, note_follows: bool = False) -> "asyncio.Future[int | None]":
        """Stores the delivery: its number, 0 where it is spooled, None where it is lost."""
        assert self._writer is not None
        if self._loop is None:  # asking each time is a system call
            self._loop = asyncio.get_running_loop()
        future: asyncio.Future[int | None] = self._loop.create_future()
        if not self._arrived:
            self._loop.call_soon(self._hand_over)
        self._arrived.append(Arrival(delivery, future.set_result, note_follows))
        return future

    def _hand_over(self) -> None:
        """All that came in one turn of the loop: the writer, woken by the first, would fight for the rest's time."""
        assert self._writer is not None
        arrived, self._arrived = self._arrived, []
        self._writer.append(arrived)

    def note(self, note: Note) -> None:
        """Tells the writer what became of a delivery."""
        assert self._writer is not None
        self._writer.note(note)

    async def noted(self, note: Note) -> None:
        """The same, and waits for it to be durable; a store that takes longer than a second is not waited for."""
        future = asyncio.get_running_loop().create_future()
        self._awaited[note.delivery.id] = future
        self.note(note)
        with suppress(TimeoutError):
            await asyncio.wait_for(future, _NOTED_SECONDS)
        self._awaited.pop(note.delivery.id, None)

    # --- in the writer's thread --------------------------------------------------------------------------------------

    def settled(self, outcomes: Sequence[tuple[Settle, int | None]]) -> None:
        """One call into the loop for the whole commit."""
        self._in_loop(_settle, outcomes)

    def happened(self, events: Sequence[Event]) -> None:
        """Passes the events on, and lets go who waited for one of them."""
        for watch in self.watchers:
            watch(events)
        if self._awaited:
            self._in_loop(self._release, [event.delivery.id for event in events])

    def errands(self, event: Event) -> list[Errand]:
        """What the targets are to be told; of a repeated delivery nothing, unless asked for: it was told before."""
        kind = event.delivery.type
        if event.duplicate_of is not None and not self._repeats:
            return []
        return [Errand(target.name, queue_of(event)) for target in self._targets if kind in target.kinds]

    def _release(self, ids: Sequence[str]) -> None:
        for own_id in ids:
            future = self._awaited.get(own_id)
            if future is not None and not future.done():
                future.set_result(None)

    def _in_loop(self, function: Callable[..., None], *values: object) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(function, *values)


def _settle(outcomes: Sequence[tuple[Settle, int | None]]) -> None:
    for settle, number in outcomes:
        try:  # noqa: SIM105 - a context manager for each would take longer than all the rest
            settle(number)
        except asyncio.InvalidStateError:
            pass  # its request was cancelled: the delivery is stored all the same
