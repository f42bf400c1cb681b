"""Forwards what the outbox of a store holds, while no other listener on the same store does.

The holder is whoever has the lock beside the store; the kernel gives it back when its process dies, however that is.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.events.outbox import INTERRUPTED, TargetStanding, target_id
from alovoice_cli.listening.dispatch import Dispatcher, OutboxAccess
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.hooks import STOP_SECONDS, Hook
from alovoice_cli.listening.messengers import MessageProgram
from alovoice_cli.listening.notifier import Notifier
from alovoice_cli.listening.target_warnings import start_lines
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.outbox import outbox_lock

_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 0.5  # commands of `events outbox` hold the lock for a moment


class OutboxHolder:
    """One listener's dispatchers, and the thread that starts them when the outbox is theirs."""

    def __init__(
        self,
        store: Path,
        couriers: Mapping[Target, Forwarder | Hook],
        notifiers: Sequence[Notifier],
        access: OutboxAccess,
    ) -> None:
        self._couriers, self._notifiers, self._access = couriers, notifiers, access
        self._targets = [*couriers, *(notifier.target for notifier in notifiers)]
        self._lock = outbox_lock(store)
        self._dispatchers: list[Dispatcher] = []
        self._is_noted = False
        self._told = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-holder", daemon=True)

    def start(self) -> None:
        """Takes the outbox now, or when its holder is gone."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        for dispatcher in self._dispatchers:
            dispatcher.wake()
        for notifier in self._notifiers:
            notifier.wake()

    def stop(self) -> None:
        """Begins nothing any more; waits for what is under way, and ends programs: SIGTERM, then 10 s."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        workers: list[Dispatcher | Notifier] = [*self._dispatchers, *self._notifiers]
        for worker in workers:
            worker.halt()
        hooks = [courier for courier in self._couriers.values() if isinstance(courier, Hook)]
        hooks += [one.messenger.hook for one in self._notifiers if isinstance(one.messenger, MessageProgram)]
        for hook in hooks:
            hook.begin_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for hook in hooks:
            hook.finish_stop(deadline)
        for worker in workers:
            worker.stop()

    def release(self) -> None:
        """Leaves the outbox to others: after what followed from the last deliveries is durable."""
        self._lock.release()

    def _run(self) -> None:
        try:
            while not self._ending.is_set() and not self._takes():
                self._ending.wait(_LOOK_SECONDS)
        except Exception as fault:
            self._access.complain(f"nothing is forwarded: {type(fault).__name__}: {fault}")

    def _takes(self) -> bool:
        """Whether all is done: the outbox is ours and its dispatchers are at work, or there are no targets."""
        try:
            self._note_targets()
            if not self._lock.acquire(_PATIENCE_SECONDS):
                if self._targets:
                    self._tell_once(f"{_owner(self._lock.owner())} forwards for this store: {_SECOND}")
                return not self._targets
            standing = self._access.outbox.standing()
            self._tell_interrupted(self._access.outbox.give_up_interrupted())
        except troubles(AlovoiceError) as trouble:
            self._lock.release()
            self._tell_once(f"the outbox cannot be taken now ({trouble}): nothing is forwarded, and it is tried again")
            return False
        if self._told:
            self._access.complain("this listener takes over, and forwards from now on")
        for line in start_lines(standing, self._targets, self._access.commands):
            self._access.complain(line)
        if self._targets:
            self._dispatchers = self._started({one.name: one for one in standing})
            for notifier in self._notifiers:
                notifier.start()
        else:
            self._lock.release()  # another listener may have targets
        return True

    def _note_targets(self) -> None:
        if self._targets and not self._is_noted:
            self._access.outbox.given([(one.name, one.label) for one in self._targets], self._access.clock())
            self._is_noted = True

    def _started(self, standing: Mapping[str, TargetStanding]) -> list[Dispatcher]:
        dispatchers = [
            Dispatcher(target, courier, self._access, standing.get(target.name))
            for target, courier in self._couriers.items()
        ]
        for dispatcher in dispatchers:
            dispatcher.start()
        return dispatchers

    def _tell_interrupted(self, interrupted: Sequence[tuple[str, str, str]]) -> None:
        for name, label, event_id in interrupted:
            again = self._access.commands("retry", event_id, "--target", target_id(name))
            self._access.complain(f"{label}: event {event_id}: {INTERRUPTED}; {again} starts it again")

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._access.complain(text)


_SECOND = "this one receives, stores and answers, does not forward, and takes over when the other ends"


def _owner(process: str) -> str:
    return f"another listener (process {process})" if process else "another listener"
