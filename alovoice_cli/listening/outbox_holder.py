"""Forwards the outbox of a store while no other listener on the same store does.

The holder has the lock beside the store; the system releases the lock when its process dies for any reason.
"""

from pathlib import Path

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.language import tr
from alovoice_cli.listening.dispatch import OutboxAccess
from alovoice_cli.listening.outbox_workers import OutboxForwarding, OutboxWorkers
from alovoice_cli.listening.target_warnings import interrupted_line
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.outbox import outbox_lock

_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 0.5  # commands of `events outbox` hold the lock for a moment


class OutboxHolder(OutboxForwarding):
    """One listener's workers, and the thread that starts them when this listener gets the outbox."""

    def __init__(self, store: Path, workers: OutboxWorkers, access: OutboxAccess) -> None:
        super().__init__(workers, access)
        self._lock = outbox_lock(store)
        self._told = ""

    def release(self) -> None:
        """Releases the outbox, after the results of the last deliveries are durable."""
        self._lock.release()

    def _run(self) -> None:
        try:
            while not self._ending.is_set() and not self._takes():
                self._ending.wait(_LOOK_SECONDS)
        except Exception as fault:
            self._access.complain(tr("no events are forwarded: {problem}", problem=f"{type(fault).__name__}: {fault}"))

    def _takes(self) -> bool:
        """Returns whether this is finished: the outbox is ours and its dispatchers work, or there are no targets."""
        targets, outbox = self._workers.targets, self._access.outbox
        try:
            self._workers.note_targets()
            if not self._lock.acquire(_PATIENCE_SECONDS):
                if targets:
                    self._tell_once(_second_text(self._lock.owner()))
                return not targets
            standing = outbox.standing()
            interrupted = outbox.give_up_interrupted()
        except troubles(AlovoiceError) as trouble:
            self._lock.release()
            self._tell_once(
                tr(
                    "the outbox cannot be opened now ({problem}): no events are forwarded; the listener tries again",
                    problem=trouble,
                )
            )
            return False
        for name, label, event_id in interrupted:
            self._access.complain(interrupted_line(name, label, event_id, self._access.commands))
        if self._told:
            self._access.complain(tr("this listener takes over: it forwards events from now on"))
        self._workers.start(standing)
        if not targets:
            self._lock.release()  # another listener may have targets
        return True

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._access.complain(text)


def _second_text(process: str) -> str:
    if process:
        return tr(
            "another listener (process {process}) forwards events of this store: this one receives, stores and answers,"
            " and takes over when the other ends",
            process=process,
        )
    return tr(
        "another listener forwards events of this store: this one receives, stores and answers, and takes over when the"
        " other ends"
    )
