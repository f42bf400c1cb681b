"""Connects the server's event loop, where requests wait, with the writer's thread, where events become durable."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from alovoice_cli.events.event import Event
from alovoice_cli.events.event_assembly import LateAnswer, NewDelivery, Stored
from alovoice_cli.events.outbox import queue_of
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_arrivals import Settle
from alovoice_cli.stores.event_rows import QueuedDelivery
from alovoice_cli.stores.event_writer import EventWriter

_CALLER_SECONDS = 0.2
"""The longest time that a caller waits for the store.

A commit takes 1 to 5 ms; after a slower one the question is stored later, and the caller does not wait for it.
"""
_KEPT_SECONDS = 1.0
_IN_FLIGHT_SECONDS = 2.0


def queued_deliveries(
    event: Event, targets: Sequence[Target], *, repeats: bool, asked: Target | None, ask_seconds: float
) -> list[QueuedDelivery]:
    """Returns what to queue for the targets; nothing for a repeated delivery, unless `repeats`.

    The target that is asked for the answer to a callstart knows of it already, unless asking failed: then it is queued
    too.
    """
    if event.duplicate_of is not None and not repeats:
        return []
    kind, queue = event.delivery.type, queue_of(event)
    is_asked = kind == "callstart" and event.duplicate_of is None
    wait = ask_seconds + _IN_FLIGHT_SECONDS
    return [
        QueuedDelivery(target.name, queue, wait if is_asked and target is asked else 0.0)
        for target in targets
        if kind in target.kinds
    ]


class Bridge:
    """The receiver's side of the store. `watchers` receive each event in the writer's thread."""

    def __init__(self) -> None:
        self.watchers: list[Callable[[Sequence[Event]], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: EventWriter | None = None
        self._arrived: list[tuple[NewDelivery, Settle]] = []
        self._awaited: dict[str, asyncio.Future[None]] = {}

    def attach(self, writer: EventWriter) -> None:
        """Sets the writer that receives the deliveries."""
        self._writer = writer

    # --- in the loop -------------------------------------------------------------------------------------------------

    def store(self, new: NewDelivery) -> "asyncio.Future[Stored | None]":
        """Stores the delivery: returns the stored one, or None if it is lost."""
        if self._loop is None:  # asking each time would be a system call
            self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Stored | None] = self._loop.create_future()
        if not self._arrived:
            self._loop.call_soon(self._hand_over)
        self._arrived.append((new, future.set_result))
        return future

    async def store_soon(self, new: NewDelivery) -> None:
        """Stores the delivery, and waits no longer than a caller can wait."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.store(new)), _CALLER_SECONDS)

    def _hand_over(self) -> None:
        """Hands over all deliveries of one turn of the loop at once: else the writer would compete with the loop."""
        assert self._writer is not None
        arrived, self._arrived = self._arrived, []
        self._writer.append(arrived)

    def keep_answer(self, late: LateAnswer) -> None:
        """Stores the answer to a delivery."""
        assert self._writer is not None
        self._writer.answer(late)

    async def kept_answer(self, late: LateAnswer) -> None:
        """Stores the answer and waits until it is durable, for a second at most."""
        future = asyncio.get_running_loop().create_future()
        self._awaited[late.delivery_id] = future
        self.keep_answer(late)
        with suppress(TimeoutError):
            await asyncio.wait_for(future, _KEPT_SECONDS)
        self._awaited.pop(late.delivery_id, None)

    # --- in the writer's thread --------------------------------------------------------------------------------------

    def settled(self, outcomes: Sequence[tuple[Settle, Stored | None]]) -> None:
        """Passes the results of a whole commit to the loop in one call."""
        self._in_loop(_settle, outcomes)

    def happened(self, events: Sequence[Event]) -> None:
        """Passes the events on, and wakes the requests that wait for one of them."""
        for watch in self.watchers:
            watch(events)
        self.kept([event.delivery.id for event in events])

    def kept(self, ids: Sequence[str]) -> None:
        """Wakes the requests that wait for these durable answers."""
        if self._awaited:
            self._in_loop(self._release, ids)

    def _release(self, ids: Sequence[str]) -> None:
        for own_id in ids:
            future = self._awaited.get(own_id)
            if future is not None and not future.done():
                future.set_result(None)

    def _in_loop(self, function: Callable[..., None], *values: object) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(function, *values)


def _settle(outcomes: Sequence[tuple[Settle, Stored | None]]) -> None:
    for settle, stored in outcomes:
        with suppress(asyncio.InvalidStateError):  # its request was cancelled; the delivery is stored anyway
            settle(stored)
