"""Makes the queued deliveries of one target, from the durable outbox: in order within each call.

A forward is made at least once. A program is started at most once: its start is durable before it happens. A target
that takes nothing is left alone for a while, and gets one line of warning. An event that the target refuses is tried
again with growing pauses, while the events of other calls continue. After 72 hours a failed event becomes a dead
letter.
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
from alovoice_cli.stores.row_values import DamagedRowError

_MICRO = 1_000_000
_MOST_AT_ONCE = 8
_LAST_SECONDS = 3.0
_CLAIM_SECONDS = 0.2
STOPPED = "its target answered 410: it wants no more events"


def outbox_troubles() -> tuple[type[BaseException], ...]:
    """Returns the types of errors of an outbox that cannot be read; our own errors have a message for people."""
    return troubles(AlovoiceError)


class UnixClock(Protocol):
    """Unix microseconds that rise steadily: a changed clock must neither delay nor hurry deliveries."""

    def __call__(self) -> int: ...


class ChangeStore(Protocol):
    """Makes a change in the store; `made` receives after the commit whether it was made."""

    def __call__(self, change: Change, made: Callable[[bool], None] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class OutboxAccess:
    """The outbox for its dispatchers: they read it, and the event writer changes it."""

    outbox: Outbox
    change: ChangeStore
    complain: Callable[[str], None]
    clock: UnixClock
    commands: OutboxCommands


class Dispatcher:
    """The thread of one target. `wake` tells it to look for deliveries."""

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
        self._stored_state = standing.state if standing is not None else "taking"
        self._in_flight: dict[int, str] = {}  # events and their queues, until the result of the attempt is durable
        self._failed: set[int] = set()  # events whose attempt failed, until that is durable
        self._resumed_at = standing.resumed_at if standing is not None else 0
        self._lock = threading.Lock()  # guards health and queues
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Starts, also with deliveries of an earlier run: the target may work again by now."""
        self._access.change(probed(self.target.name, self._access.clock()))
        self._thread.start()

    def wake(self) -> None:
        """Tells the thread to look for new deliveries."""
        self._woken.set()

    def halt(self) -> None:
        """Starts no more attempts."""
        self._stopping = True
        self._woken.set()

    def stop(self) -> None:
        """Starts no more attempts, and waits a while for those in flight; the rest stays in the outbox."""
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
        """Tries at once if `events outbox retry` ordered it; a target that is not paused needs no order."""
        if self._health.state not in ("paused", "stopped"):
            return
        name, ordered_at = self.target.name, self._access.outbox.resumed_at(self.target.name)
        if ordered_at != self._resumed_at:
            self._resumed_at = ordered_at
            with self._lock:
                self._health.resume()
            self._note_state()
        elif self._health.state == "stopped" and self._access.outbox.due(name, self._access.clock(), 1):
            self._access.change(stopped(name, STOPPED))  # entries that were queued since

    def _start_what_is_due(self) -> None:
        now = self._access.clock()
        with self._lock:
            busy = dict(self._in_flight)
            room = self._health.room(now, _MOST_AT_ONCE) - len(busy)
        if room <= 0:
            return
        # The queues that were busy before the rows were read: the rows do not show later changes.
        ready = self._access.outbox.claim(self.target.name, now, room, busy)
        with self._lock:
            self._in_flight.update((row.seq, row.queue) for row in ready)
        for row in ready:
            # Not a thread pool: Python waits for its threads at exit, and a slow target must not delay that.
            threading.Thread(target=self._attempt, args=[row], name="delivery", daemon=True).start()

    def _attempt(self, row: Due) -> None:
        attempt = DeliveryAttempt(row.seq, self._access.clock(), row.attempts > 0)
        try:
            outcome = self._delivered(row)
        except DamagedRowError as damage:
            outcome = DeliveryOutcome("dead", f"the stored event is damaged: {damage}")
        except Exception as fault:
            # An unreachable server is not the target's fault: the delivery is claimed again later.
            is_away = bool(self._owner) and isinstance(fault, outbox_troubles())
            outcome = DeliveryOutcome("later" if is_away else "retry", f"{type(fault).__name__}: {fault}")
        if outcome.kind in ("retry", "pause"):
            with self._lock:
                self._failed.add(row.seq)
        change = self._note(self._with_proof(attempt, outcome), outcome)
        is_in_trouble = change.trouble or change.recovery or (change.pulls and self._health.state != "taking")
        waiting = self._waiting() if is_in_trouble else 0
        self._follow(row, outcome, change)
        self._warnings.tell(change, waiting)
        is_refused = change.refuses_event or (outcome.kind == "retry" and bool(self.target.command))
        if is_refused and not attempt.is_repeated:
            self._warnings.tell_refused(row.id, outcome)
        if self._is_given_up(row, outcome):
            self._warnings.tell_given_up(row.id, outcome)

    def _delivered(self, row: Due) -> DeliveryOutcome:
        if isinstance(self._courier, Hook):
            return self._courier.deliver(row, lambda: self._claim(row))
        return self._courier.deliver(row)

    def _claim(self, row: Due) -> bool:
        """Marks durably that the program is about to start; returns False if it must not start."""
        place, was_due = (self.target.name, row.seq), threading.Event()
        answered = threading.Event()
        claim = claimed(*place, lambda due: was_due.set() if due else was_due.clear(), self._owner)

        def made(is_made: bool) -> None:
            if not is_made:
                was_due.clear()
            answered.set()

        self._access.change(claim, made)
        while not answered.wait(_CLAIM_SECONDS):
            if self._stopping:  # the store takes nothing now, and may take the claim later
                self._access.change(unclaimed(*place, self._owner))
                return False
        return was_due.is_set()

    def _release(self, row: Due, *, is_made: bool) -> None:
        if not is_made and self._owner:  # the store refused the result: another listener makes the delivery again
            self._access.change(unclaimed(self.target.name, row.seq, self._owner))
        with self._lock:
            self._in_flight.pop(row.seq, None)
            self._failed.discard(row.seq)
        self._woken.set()

    def _with_proof(self, attempt: DeliveryAttempt, outcome: DeliveryOutcome) -> DeliveryAttempt:
        """Returns the attempt. If no refused event is left, a new event's success proves that the target works."""
        if outcome.kind != "delivered" or attempt.is_repeated or self._health.state not in ("refusing", "paused"):
            return attempt
        try:
            has_failed = bool(self._failed) or self._access.outbox.has_failed(self.target.name)
            return replace(attempt, is_repeated=not has_failed)
        except outbox_troubles():
            return attempt

    def _note(self, attempt: DeliveryAttempt, outcome: DeliveryOutcome) -> HealthChange:
        """Returns what the outcome changes for the target, and stores it."""
        if self.target.command:
            return HealthChange()
        with self._lock:
            before = (self._health.state, self._health.waits_until)
            change = self._health.note(outcome, attempt, self._access.clock(), random.random())  # noqa: S311 - a spread
            is_changed = before != (self._health.state, self._health.waits_until)
            # The trouble of an earlier run ends with the first event that is taken.
            is_over = outcome.kind == "delivered" and self._stored_state != self._health.state
        if is_changed or is_over:
            self._trouble = outcome.trouble or self._trouble
            self._note_state()
        return change

    def _note_state(self) -> None:
        health, now = self._health, self._access.clock()
        self._stored_state = health.state
        trouble = "" if health.state == "taking" else self._trouble
        until = health.waits_until if health.is_asked_to_wait else 0
        self._access.change(noted_state(self.target.name, self.target.label, health.state, trouble, until, now))

    def _waiting(self) -> int:
        try:
            return self._access.outbox.waiting().get(self.target.name, 0)
        except outbox_troubles():
            return 0

    def _follow(self, row: Due, outcome: DeliveryOutcome, change: HealthChange) -> None:
        """Stores the result of the attempt durably; until then the row's queue is busy."""
        if change.pulls:
            self._access.change(pulled_forward(self.target.name, self._access.clock()))
        if change.stops:
            self._access.change(stopped(self.target.name, STOPPED))
        self._access.change(self._following(row, outcome), lambda is_made: self._release(row, is_made=is_made))

    def _following(self, row: Due, outcome: DeliveryOutcome) -> Change:
        """Returns the change to the delivery's row."""
        place = (self.target.name, row.seq)
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
