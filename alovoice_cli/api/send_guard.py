"""Ensures that an error of this machine never looks like "nothing happened".

Every request that dials, creates or costs is written to the ledger before it leaves, and its outcome before anything is
printed. The guard also keeps both in memory: whatever fails afterwards, `SendGuard.guard` knows the true exit code.
"""

from collections.abc import Callable
from threading import Lock, local
from typing import Protocol

from alovoice_cli.errors import AlovoiceError, ExitCode, UsageError, worst
from alovoice_cli.language import tr
from alovoice_cli.receipts import Intent, RequestOutcome

_PATIENCE_SECONDS = 1.0
_SAYS_NOT_DONE = frozenset({1, 2, 5, 130, 143})


class ReceiptLedger(Protocol):
    """Keeps receipts. A Protocol, because this package may not import a store (see dialling.GuardedLedger)."""

    def intend(self, intent: Intent) -> str:
        """Writes the intent durably, then returns its receipt."""

    def settle(self, receipt: str, outcome: RequestOutcome) -> None:
        """Writes the outcome."""


class Abandoned(Exception):  # noqa: N818 - not an error: nobody waits for the request any more
    """Raised in place of sending the first byte when the request was given up before: the request does not leave."""


class InFlightRequest:
    """One request of the guard: `left()` before its first byte, `settle()` when its outcome is known."""

    __slots__ = ("_guard", "has_left", "outcome", "receipt", "withdrawn")

    def __init__(self, guard: "SendGuard", receipt: str) -> None:
        self._guard = guard
        self.receipt = receipt
        self.has_left = False
        self.withdrawn = False
        self.outcome: RequestOutcome | None = None

    def left(self) -> None:
        """Notes that the first byte leaves now. Raises Abandoned after `withdraw`, or after the exit code was given."""
        self._guard.mark_left(self)

    def withdraw(self) -> bool:
        """Prevents the request from leaving; returns whether it had not left before."""
        return self._guard.withdraw(self)

    def settle(self, outcome: RequestOutcome) -> None:
        """Notes the outcome: in memory first, so that it stays true also when the ledger's disk fails."""
        self.outcome = outcome
        self._guard.write(self.receipt, outcome)


class SendGuard:
    """The requests of one process. Safe to use from several threads. The ledger is opened for the first request."""

    def __init__(self, open_ledger: Callable[[], ReceiptLedger] | None = None) -> None:
        self._open_ledger = open_ledger
        self._ledger: ReceiptLedger | None = None
        self._requests: list[InFlightRequest] = []
        self._lock = Lock()
        self._closed = False
        self._planned = 1
        self._command_told_all = False
        self._here = local()
        self.trouble: Exception | None = None
        """Why the ledger could not write an outcome: a message beside the answer, never in place of the answer."""

    def begin(self, intent: Intent, *, planned: int = 1) -> InFlightRequest:
        """Writes the intent. `planned` is how many requests the command sends in all.

        An interrupted command that sent fewer is not done. Raises UsageError where the ledger is not writable, and the
        ledger's own refusals: nothing was sent, nothing will be.
        """
        self._planned = max(self._planned, planned)
        self._here.receipt = ""
        try:
            receipt = self._intend(intent)
        except AlovoiceError:
            raise
        except Exception as error:
            raise UsageError(
                tr("nothing was sent: the ledger of calls cannot be written"),
                hint=tr("check the free space and the permissions of the state directory, then run again"),
                detail=str(error),
            ) from error
        self._here.receipt = receipt
        request = InFlightRequest(self, receipt)
        self._requests.append(request)
        return request

    def _intend(self, intent: Intent) -> str:
        with self._lock:
            if self._ledger is None and self._open_ledger is not None:
                self._ledger = self._open_ledger()
        return "" if self._ledger is None else self._ledger.intend(intent)

    def mark_left(self, request: InFlightRequest) -> None:
        """See InFlightRequest.left."""
        with self._lock:
            if self._closed or request.withdrawn:
                raise Abandoned
            request.has_left = True

    def withdraw(self, request: InFlightRequest) -> bool:
        """See InFlightRequest.withdraw."""
        with self._lock:
            request.withdrawn = True
            return not request.has_left

    def command_told_all(self) -> None:
        """Keeps the command's own exit code once all requests are settled: the command has reported each request."""
        self._command_told_all = True

    def prove(self, receipt: str, code: int) -> None:
        """Replaces the exit code of a request that left by the code that the PBX's own events prove."""
        for request in self._requests:
            if request.receipt == receipt and request.outcome is not None:
                request.outcome = request.outcome._replace(exit_code=code)

    def write(self, receipt: str, outcome: RequestOutcome) -> None:
        """Writes an outcome to the ledger; a failure goes to `trouble`."""
        if self._ledger is None:
            return
        try:
            self._ledger.settle(receipt, outcome)
        except Exception as error:  # a full disk must not hide that the call was made
            self.trouble = error

    @property
    def last_receipt(self) -> str:
        """Returns the receipt of the latest request, or ''."""
        return self._requests[-1].receipt if self._requests else ""

    @property
    def receipt_here(self) -> str:
        """Returns the receipt of this thread's latest request, or ''."""
        return getattr(self._here, "receipt", "")

    @property
    def anything_left(self) -> bool:
        """Returns whether a request that dials, creates or costs has left this process."""
        return any(request.has_left for request in self._requests)

    def guard(self, code: int) -> int:
        """Returns the true exit code for the code that the program is about to end with.

        After this call no request can leave. A request that left and was not settled makes the code 6. Once a request
        left, a code that means "not done" is replaced by the worst outcome of the requests.
        """
        # Not `with`: a signal during the release leaves the lock held, and the next call must not hang.
        held = self._lock.acquire(timeout=_PATIENCE_SECONDS)
        self._closed = True
        if held:
            self._lock.release()
        if not self.anything_left:
            return code
        if any(request.has_left and request.outcome is None for request in self._requests):
            return ExitCode.UNKNOWN_OUTCOME
        if code not in _SAYS_NOT_DONE or self._command_told_all:
            return code
        true = worst([request.outcome.exit_code for request in self._requests if request.outcome is not None])
        cut_short = true == ExitCode.DONE and len(self._requests) < self._planned
        return ExitCode.INTERRUPTED if cut_short else true
