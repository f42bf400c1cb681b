"""Forwards the outbox on a server, together with the other listeners on the same store.

Each delivery is claimed by one of them. One listener, which holds a lock, sends the messages about missed calls.
"""

import time

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.language import mark, tr
from alovoice_cli.listening.dispatch import OutboxAccess
from alovoice_cli.listening.outbox_workers import OutboxForwarding, OutboxWorkers
from alovoice_cli.listening.target_warnings import interrupted_line
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.server_owner import TELLER_LOCK, OwnerSession

_AGAIN_SECONDS = 0.5
_LOOK_SECONDS = 1.0


class OutboxSharer(OutboxForwarding):
    """One listener's workers, and the thread that keeps its session on the server, and so its claims."""

    def __init__(self, session: OwnerSession, workers: OutboxWorkers, access: OutboxAccess, *, tells: bool) -> None:
        super().__init__(workers, access)
        self._session, self._tells = session, tells
        self._is_started, self._checked_at = False, float("-inf")
        self._told = self._told_of_teller = ""

    def release(self) -> None:
        """Ends the session, after the results of the last deliveries are durable."""
        self._session.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._keep()
            except troubles(AlovoiceError) as trouble:
                self._tell_once(
                    tr(
                        "the outbox cannot be reached now ({problem}): no events are forwarded until then",
                        problem=trouble,
                    )
                )
                self._ending.wait(_AGAIN_SECONDS)
            except Exception as fault:
                self._access.complain(
                    tr("no events are forwarded: {problem}", problem=f"{type(fault).__name__}: {fault}")
                )
                return

    def _keep(self) -> None:
        """Keeps the session, starts the workers with the first one, and waits a while for a notification."""
        self._session.hold()
        if not self._is_started:
            self._workers.note_targets()
            standing = self._access.outbox.standing()
            labels = {one.name: one.label for one in standing}
            for name, _, event_id in self._access.outbox.give_up_interrupted():
                self._access.complain(interrupted_line(name, labels.get(name, name), event_id, self._access.commands))
            self._workers.start(standing)
            self._is_started = True
        if not self._workers.targets:  # waiting events of removed targets are reported
            self._session.close()
            self._ending.set()
            return
        if self._told:
            self._told = ""
            self._access.complain(tr("the outbox can be reached again: this listener forwards events"))
        if time.monotonic() - self._checked_at > _LOOK_SECONDS:
            self._check()
        if self._session.wait(_LOOK_SECONDS):
            self._workers.wake()

    def _check(self) -> None:
        """Checks whether the session still exists, and whether this listener sends the messages to people."""
        if self._tells:
            self._note_teller(is_teller=self._session.take(TELLER_LOCK))
        else:
            self._session.check()
        self._checked_at = time.monotonic()

    def _note_teller(self, *, is_teller: bool) -> None:
        if not is_teller and not self._told_of_teller:
            self._told_of_teller = _SECOND
            self._access.complain(tr(_SECOND))
        elif is_teller and self._told_of_teller:
            self._told_of_teller = ""
            self._access.complain(tr("this listener takes over: it reports missed calls from now on"))

    def _tell_once(self, text: str) -> None:
        if not self._told:
            self._told = text
            self._access.complain(text)


_SECOND = mark("another listener reports missed calls: this one takes over when the other ends")
