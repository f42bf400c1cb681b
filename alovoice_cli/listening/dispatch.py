"""Makes the queued deliveries of one target, from the durable outbox: at least once, in order within each call.

A target that is not reached is left alone for a while, and costs one line; an event that it does not take is tried
again with growing pauses, while the events of other calls go on. After 72 hours it is a dead letter.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.outbox import GIVEN_UP_AFTER_SECONDS, next_delay, pause
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_engine import TROUBLES
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.outbox import DEAD, DONE, Due, Outbox, put_off, settled

_MICRO = 1_000_000
_MOST_AT_ONCE = 8
_LOOK_SECONDS = 1.0
_LAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How a queued delivery went. `final`: it is not repeated.

    Not `reached`: nobody was there, which says nothing of the event.
    """

    done: bool
    trouble: str = ""
    reached: bool = True
    final: bool = False


class UnixClock(Protocol):
    """Unix microseconds that run evenly: a clock that is set must not hold deliveries back, or hurry them."""

    def __call__(self) -> int: ...


@dataclass(slots=True)
class _State:
    """What the dispatcher knows while it runs; guarded by its lock.

    `handled` are deliveries by number, with their attempts before: until the store shows more, the row read is old.
    `applied` are those whose change has been made since.
    """

    in_flight: set[str] = field(default_factory=set)  # queues
    handled: dict[int, int] = field(default_factory=dict)
    applied: set[int] = field(default_factory=set)
    failures: int = 0
    paused_until: int = 0


class Dispatcher:
    """One target's thread. `wake` tells it that there may be something to do."""

    def __init__(
        self,
        target: Target,
        outbox: Outbox,
        deliver: Callable[[Delivery], DeliveryOutcome],
        change: Callable[[Change], None],
        complain: Callable[[str], None],
        clock: UnixClock,
    ) -> None:
        self.target = target
        self._outbox, self._deliver, self._change, self._complain, self._clock = (
            outbox,
            deliver,
            change,
            complain,
            clock,
        )
        self._state, self._lock = _State(), threading.Lock()
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begins with what an earlier run left."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    def stop(self) -> None:
        """Starts nothing more, and waits a while for what is under way; the rest stays in the outbox."""
        self._stopping = True
        self._woken.set()
        self._thread.join()
        deadline = time.monotonic() + _LAST_SECONDS
        while self._state.in_flight and time.monotonic() < deadline:
            self._woken.wait(0.05)
            self._woken.clear()

    def _run(self) -> None:
        told = ""
        while not self._stopping:
            try:
                self._start_what_is_due()
                told = ""
            except TROUBLES as trouble:
                if str(trouble) != told:  # once: the deliveries are safe in the store
                    told = str(trouble)
                    self._complain(f"{self.target.label}: the outbox cannot be read now ({told})")
            self._woken.wait(_LOOK_SECONDS)
            self._woken.clear()

    def _start_what_is_due(self) -> None:
        now, state = self._clock(), self._state
        with self._lock:
            busy, applied = set(state.in_flight), state.applied
            state.applied = set()
            if now < state.paused_until or len(busy) >= _MOST_AT_ONCE:
                state.applied |= applied
                return
        rows = self._outbox.due(self.target.name, now, _MOST_AT_ONCE * 4)
        with self._lock:
            stale = {row.delivery.seq for row in rows if row.attempts <= state.handled.get(row.delivery.seq, -1)}
            for seq in applied - stale:
                state.handled.pop(seq, None)
            ready = [row for row in rows if row.queue not in busy and row.delivery.seq not in stale]
            room = 1 if state.failures else _MOST_AT_ONCE - len(busy)  # one that was away is tried with one event
            ready = ready[:room]
            state.in_flight.update(row.queue for row in ready)
        for row in ready:
            # Not a pool's threads: Python waits for those at its end, and a slow target is not worth that.
            threading.Thread(target=self._run_delivery, args=[row], name="delivery", daemon=True).start()

    def _run_delivery(self, row: Due) -> None:
        try:
            verdict = self._deliver(row.delivery)
        except Exception as fault:
            verdict = DeliveryOutcome(done=False, trouble=f"{type(fault).__name__}: {fault}")
        with self._lock:
            was_away = self._state.failures > 0
            self._note_reach(verdict)
            is_away = self._state.failures > 0
            self._state.handled[row.delivery.seq] = row.attempts
            self._state.in_flight.discard(row.queue)
        self._change(self._applying(row, verdict))
        self._tell(row, verdict, was_away=was_away, is_away=is_away)
        self._woken.set()

    def _note_reach(self, verdict: DeliveryOutcome) -> None:
        state = self._state
        state.failures = 0 if verdict.reached else state.failures + 1
        wait = pause(state.failures, random.random()) if state.failures else 0.0  # noqa: S311 - spreads retries only
        state.paused_until = self._clock() + int(wait * _MICRO)

    def _applying(self, row: Due, verdict: DeliveryOutcome) -> Change:
        """The change to the delivery's row, which also tells this dispatcher that it was made."""
        name, seq = self.target.name, row.delivery.seq
        if verdict.done:
            change = settled(name, seq, DONE)
        elif self._is_given_up(row, verdict):
            change = settled(name, seq, DEAD, verdict.trouble)
        else:
            delay = next_delay(row.attempts + 1, random.random()) if verdict.reached else 0.0  # noqa: S311 - as above
            change = put_off(name, seq, self._clock() + int(delay * _MICRO), verdict.trouble)

        def apply(connection: Any) -> None:
            change(connection)
            with self._lock:
                self._state.applied.add(seq)

        return apply

    def _is_given_up(self, row: Due, verdict: DeliveryOutcome) -> bool:
        return verdict.final or self._clock() - row.born_at > GIVEN_UP_AFTER_SECONDS * _MICRO

    def _tell(self, row: Due, verdict: DeliveryOutcome, *, was_away: bool, is_away: bool) -> None:
        """One line when a target goes, one with a count when it is back, one for each event that is given up."""
        label = self.target.label
        if is_away and not was_away:
            self._complain(f"{label} is not reached ({verdict.trouble}): its events wait, for up to 72 hours")
        if was_away and not is_away:
            count = self._outbox.waiting().get(self.target.name, 0)
            self._complain(f"{label} answers again: {count} events waited for it")
        if not verdict.done and self._is_given_up(row, verdict):
            self._complain(f"{label}: event {row.delivery.id} is given up: {verdict.trouble}")
