"""Makes the queued deliveries of one target, from the durable outbox: in order within each call.

A forward is made at least once. A program is started at most once: that it is about to start is durable before it does.
A target that takes nothing is left alone for a while, and costs one line; an event that it does not take is tried again
with growing pauses, while the events of other calls go on. After 72 hours an event that failed is a dead letter.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.events.outbox import (
    DEAD,
    DONE,
    GIVEN_UP_AFTER_SECONDS,
    DeliveryAttempt,
    DeliveryOutcome,
    HealthChange,
    TargetHealth,
    TargetStanding,
    next_delay,
    next_delay_of_pause,
)
from alovoice_cli.language import tr
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.target_warnings import OutboxCommands, TargetWarnings
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.outbox import (
    Due,
    Outbox,
    claimed,
    noted_state,
    probed,
    pulled_forward,
    put_off,
    settled,
    stopped,
    unclaimed,
)

_MICRO = 1_000_000
_MOST_AT_ONCE = 8
_LAST_SECONDS = 3.0
_CLAIM_SECONDS = 0.2
STOPPED = "its target answered 410: it wants no more events"


def outbox_troubles() -> tuple[type[BaseException], ...]:
    """Returns what the outbox raises when it cannot be read: it says what it can in our own words."""
    return troubles(AlovoiceError)


class UnixClock(Protocol):
    """Unix microseconds that run evenly: a clock that is set must not hold deliveries back, or hurry them."""

    def __call__(self) -> int: ...


class ChangeStore(Protocol):
    """Makes a change in the store; `made` hears after the commit whether it was made."""

    def __call__(self, change: Change, made: Callable[[bool], None] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class OutboxAccess:
    """The outbox as its dispatchers use it: read by them, changed by the event writer."""

    outbox: Outbox
    change: ChangeStore
    complain: Callable[[str], None]
    clock: UnixClock
    commands: OutboxCommands


class Dispatcher:
    """One target's thread. `wake` tells it that there may be something to do."""

    def __init__(
        self, target: Target, courier: Forwarder | Hook, access: OutboxAccess, standing: TargetStanding | None
    ) -> None:
        self.target = target
        self._courier, self._access, self._owner = courier, access, access.outbox.owner
        self._health = TargetHealth.of_earlier_run(
            is_stopped=standing is not None and standing.state == "stopped",
            waits_until=standing.waits_until if standing is not None else 0,
            now=access.clock(),
        )
        self._warnings = TargetWarnings(target, access.complain, access.commands)
        self._trouble = standing.trouble if standing is not None else ""
        self._in_flight: dict[int, str] = {}  # events and their queues: until what follows from the attempt is durable
        self._failed: set[int] = set()  # events whose attempt failed, until that is durable
        self._resumed_at = standing.resumed_at if standing is not None else 0
        self._lock = threading.Lock()  # guards health and queues
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begins with what an earlier run left: perhaps the target is mended by now."""
        self._access.change(probed(self.target.name, self._access.clock()))
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    def halt(self) -> None:
        """Begins no attempt any more."""
        self._stopping = True
        self._woken.set()

    def stop(self) -> None:
        """Begins no attempt any more, and waits a while for what is under way; the rest stays in the outbox."""
        self.halt()
        self._thread.join()
        deadline = time.monotonic() + _LAST_SECONDS
        while self._in_flight and time.monotonic() < deadline:
            self._woken.wait(0.05)
            self._woken.clear()
        self._warnings.tell_count(last=True)

    def _run(self) -> None:
        told = ""
        while not self._stopping:
            try:
                self._resume_if_ordered()
                self._start_what_is_due()
                told = ""
            except outbox_troubles() as trouble:
                if str(trouble) != told:  # once: the deliveries are safe in the store
                    told = str(trouble)
                    self._access.complain(
                        tr(
                            "{target}: the outbox cannot be read now ({problem})",
                            target=self.target.label,
                            problem=told,
                        )
                    )
            self._warnings.tell_count()
            self._woken.wait(self._access.outbox.look_seconds)
            self._woken.clear()

    def _resume_if_ordered(self) -> None:
        """`events outbox retry` orders an attempt at once; a target that is not held back needs no order."""
        if self._health.state not in ("paused", "stopped"):
            return
        name, ordered_at = self.target.name, self._access.outbox.resumed_at(self.target.name)
        if ordered_at != self._resumed_at:
            self._resumed_at = ordered_at
            with self._lock:
                self._health.resume()
            self._note_state()
        elif self._health.state == "stopped" and self._access.outbox.due(name, self._access.clock(), 1):
            self._access.change(stopped(name, STOPPED))  # what came since

    def _start_what_is_due(self) -> None:
        now = self._access.clock()
        with self._lock:
            busy = dict(self._in_flight)
            room = self._health.room(now, _MOST_AT_ONCE) - len(busy)
        if room <= 0:
            return
        # What was busy before the rows were read: they do not show what has changed since.
        ready = self._access.outbox.claim(self.target.name, now, room, busy)
        with self._lock:
            self._in_flight.update((row.delivery.seq, row.queue) for row in ready)
        for row in ready:
            # Not a pool's threads: Python waits for those at its end, and a slow target is not worth that.
            threading.Thread(target=self._attempt, args=[row], name="delivery", daemon=True).start()

    def _attempt(self, row: Due) -> None:
        attempt = DeliveryAttempt(row.delivery.seq, self._access.clock(), row.attempts > 0)
        try:
            outcome = self._delivered(row)
        except Exception as fault:
            # A server that cannot be asked for the event is not the target's fault: it is claimed again later.
            is_away = bool(self._owner) and isinstance(fault, outbox_troubles())
            outcome = DeliveryOutcome("later" if is_away else "retry", f"{type(fault).__name__}: {fault}")
        if outcome.kind in ("retry", "pause"):
            with self._lock:
                self._failed.add(row.delivery.seq)
        change = self._note(self._with_proof(attempt, outcome), outcome)
        is_in_trouble = change.trouble or change.recovery or (change.pulls and self._health.state != "taking")
        waiting = self._waiting() if is_in_trouble else 0
        self._follow(row, outcome, change)
        self._warnings.tell(change, waiting)
        is_refused = change.refuses_event or (outcome.kind == "retry" and bool(self.target.command))
        if is_refused and not attempt.is_repeated:
            self._warnings.tell_refused(row.delivery.id, outcome)
        if self._is_given_up(row, outcome):
            self._warnings.tell_given_up(row.delivery.id, outcome)

    def _delivered(self, row: Due) -> DeliveryOutcome:
        if isinstance(self._courier, Hook):
            return self._courier.deliver(row, lambda: self._claim(row))
        return self._courier.deliver(row)

    def _claim(self, row: Due) -> bool:
        """Makes it durable that the program is about to start; False where it must not."""
        place, was_due = (self.target.name, row.delivery.seq), threading.Event()
        answered = threading.Event()
        claim = claimed(*place, lambda due: was_due.set() if due else was_due.clear(), self._owner)

        def made(is_made: bool) -> None:
            if not is_made:
                was_due.clear()
            answered.set()

        self._access.change(claim, made)
        while not answered.wait(_CLAIM_SECONDS):
            if self._stopping:  # the store takes nothing now, and may take the claim yet
                self._access.change(unclaimed(*place, self._owner))
                return False
        return was_due.is_set()

    def _release(self, row: Due, *, is_made: bool) -> None:
        if not is_made and self._owner:  # the store refused what was to follow: whoever comes makes the delivery again
            self._access.change(unclaimed(self.target.name, row.delivery.seq, self._owner))
        with self._lock:
            self._in_flight.pop(row.delivery.seq, None)
            self._failed.discard(row.delivery.seq)
        self._woken.set()

    def _with_proof(self, attempt: DeliveryAttempt, outcome: DeliveryOutcome) -> DeliveryAttempt:
        """The attempt; where no event is left that was refused before, a new one's success proves as much."""
        if outcome.kind != "delivered" or attempt.is_repeated or self._health.state not in ("refusing", "paused"):
            return attempt
        try:
            has_failed = bool(self._failed) or self._access.outbox.has_failed(self.target.name)
            return replace(attempt, is_repeated=not has_failed)
        except outbox_troubles():
            return attempt

    def _note(self, attempt: DeliveryAttempt, outcome: DeliveryOutcome) -> HealthChange:
        """What the outcome changes for the target, and keeps it."""
        if self.target.command:
            return HealthChange()
        with self._lock:
            before = (self._health.state, self._health.waits_until)
            change = self._health.note(outcome, attempt, self._access.clock(), random.random())  # noqa: S311 - a spread
            is_changed = before != (self._health.state, self._health.waits_until)
        if is_changed:
            self._trouble = outcome.trouble or self._trouble
            self._note_state()
        return change

    def _note_state(self) -> None:
        health, now = self._health, self._access.clock()
        trouble = "" if health.state == "taking" else self._trouble
        until = health.waits_until if health.is_asked_to_wait else 0
        self._access.change(noted_state(self.target.name, self.target.label, health.state, trouble, until, now))

    def _waiting(self) -> int:
        try:
            return self._access.outbox.waiting().get(self.target.name, 0)
        except outbox_troubles():
            return 0

    def _follow(self, row: Due, outcome: DeliveryOutcome, change: HealthChange) -> None:
        """Makes what follows from the attempt durable; until then the row's queue is busy."""
        if change.pulls:
            self._access.change(pulled_forward(self.target.name, self._access.clock()))
        if change.stops:
            self._access.change(stopped(self.target.name, STOPPED))
        self._access.change(self._following(row, outcome), lambda is_made: self._release(row, is_made=is_made))

    def _following(self, row: Due, outcome: DeliveryOutcome) -> Change:
        """The change to the delivery's row."""
        place = (self.target.name, row.delivery.seq)
        if outcome.kind == "delivered":
            return settled(*place, DONE, owner=self._owner)
        if outcome.kind == "later":
            return unclaimed(*place, self._owner)
        if outcome.kind == "gone" or self._is_given_up(row, outcome):
            return settled(*place, DEAD, STOPPED if outcome.kind == "gone" else outcome.trouble, self._owner)
        delay_of = next_delay_of_pause if outcome.kind == "pause" else next_delay
        delay = delay_of(row.attempts + 1, random.random())  # noqa: S311 - spreads retries only
        return put_off(*place, self._access.clock() + int(delay * _MICRO), outcome.trouble, self._owner)

    def _is_given_up(self, row: Due, outcome: DeliveryOutcome) -> bool:
        is_old = self._access.clock() - row.born_at > GIVEN_UP_AFTER_SECONDS * _MICRO
        return outcome.kind == "dead" or (is_old and outcome.kind in ("retry", "pause"))
