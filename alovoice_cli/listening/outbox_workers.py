"""The workers of one listener: a dispatcher for each target, and a notifier for each target for missed calls."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from alovoice_cli.events.outbox import TargetStanding
from alovoice_cli.listening.dispatch import Dispatcher, OutboxAccess
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.hooks import STOP_SECONDS, Hook
from alovoice_cli.listening.messengers import MessageProgram
from alovoice_cli.listening.notifier import Notifier
from alovoice_cli.listening.target_warnings import start_lines
from alovoice_cli.listening.targets import Target


class OutboxWorkers:
    """The dispatchers and notifiers of one listener."""

    def __init__(
        self, couriers: Mapping[Target, Forwarder | Hook], notifiers: Sequence[Notifier], access: OutboxAccess
    ) -> None:
        self._couriers, self._notifiers, self._access = couriers, notifiers, access
        self.targets = [*couriers, *(notifier.target for notifier in notifiers)]
        self._dispatchers: list[Dispatcher] = []
        self._is_noted = False

    def note_targets(self) -> None:
        """Stores the targets in the outbox. Raises the database's errors."""
        if self.targets and not self._is_noted:
            self._access.outbox.given([(one.name, one.label) for one in self.targets], self._access.clock())
            self._is_noted = True

    def start(self, standing: Sequence[TargetStanding]) -> None:
        """Starts to deliver, with the state of the targets from an earlier run."""
        for line in start_lines(standing, self.targets, self._access.commands):
            self._access.complain(line)
        known = {one.name: one for one in standing}
        self._dispatchers = [
            Dispatcher(target, courier, self._access, known.get(target.name))
            for target, courier in self._couriers.items()
        ]
        for worker in self._workers():
            worker.start()

    def wake(self) -> None:
        """Tells all workers to look for new deliveries."""
        for worker in self._workers():
            worker.wake()

    def stop(self) -> None:
        """Starts nothing more; waits for deliveries in flight, and ends programs: SIGTERM, then kill after 10 s."""
        for worker in self._workers():
            worker.halt()
        hooks = [courier for courier in self._couriers.values() if isinstance(courier, Hook)]
        hooks += [one.messenger.hook for one in self._notifiers if isinstance(one.messenger, MessageProgram)]
        for hook in hooks:
            hook.begin_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for hook in hooks:
            hook.finish_stop(deadline)
        for worker in self._workers():
            worker.stop()

    def _workers(self) -> list[Dispatcher | Notifier]:
        return [*self._dispatchers, *self._notifiers]


class OutboxForwarding(ABC):
    """The thread that starts one listener's workers as soon as this listener may forward from the outbox."""

    def __init__(self, workers: OutboxWorkers, access: OutboxAccess) -> None:
        self._workers, self._access = workers, access
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Starts to forward, now or as soon as this listener may."""
        self._thread.start()

    def wake(self) -> None:
        """Tells the workers to look for new deliveries."""
        self._workers.wake()

    def stop(self) -> None:
        """Starts nothing more, and waits for deliveries in flight."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._workers.stop()

    @abstractmethod
    def release(self) -> None:
        """Leaves the outbox to other listeners, after the results of the last deliveries are durable."""

    @abstractmethod
    def _run(self) -> None: ...
