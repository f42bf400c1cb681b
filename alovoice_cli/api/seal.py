"""No trouble of ours may look like "nothing happened".

Every request that dials, creates or costs is told to the ledger before it leaves, and its outcome before anything is
printed. The seal also keeps both in memory: whatever then breaks here, `guard` knows the code that is true.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock, local
from typing import Literal, Protocol

from alovoice_cli.errors import AlovoiceError, ExitCode, Sent, UsageError, worst

State = Literal["done", "refused", "unsent", "unknown"]

_PATIENCE_SECONDS = 1.0
_SAYS_NOT_DONE = frozenset({1, 2, 5, 130, 143})


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent. `path` is a template such as `/outcall/{token}`: the token never comes here."""

    profile: str
    command: str
    method: str
    path: str
    numbers: tuple[str, ...]
    our_id: str
    request: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `answer` is the body's text, masked and capped."""

    state: State
    exit_code: int
    sent: Sent
    status: int | None = None
    answer: str = ""


class Ledger(Protocol):
    """Where receipts are kept."""

    def intend(self, intent: Intent) -> str:
        """Writes the intent so that it survives a power cut, then returns its receipt."""

    def settle(self, receipt: str, outcome: Outcome) -> None:
        """Writes the outcome."""


class Abandoned(Exception):  # noqa: N818 - not an error: the sender was told that nobody waits any more
    """Raised at the moment of leaving, when the request was given up before: it stays here."""


class Flight:
    """One request under the seal: `left()` when its first byte goes, `settle()` when its fate is known."""

    __slots__ = ("_seal", "has_left", "outcome", "receipt", "withdrawn")

    def __init__(self, seal: "Seal", receipt: str) -> None:
        self._seal = seal
        self.receipt = receipt
        self.has_left = False
        self.withdrawn = False
        self.outcome: Outcome | None = None

    def left(self) -> None:
        """Marks that the first byte goes now. Raises Abandoned when it was withdrawn, or the exit code already told."""
        self._seal.mark_left(self)

    def withdraw(self) -> bool:
        """From now on it cannot leave. Whether it has not left before, either."""
        return self._seal.withdraw(self)

    def settle(self, outcome: Outcome) -> None:
        """Notes the outcome: in memory first, so that it stays true whatever the ledger's disk does."""
        self.outcome = outcome
        self._seal.write(self.receipt, outcome)


class Seal:
    """The requests of one process. Safe to use from several threads."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._flights: list[Flight] = []
        self._lock = Lock()
        self._closed = False
        self.expected = 1
        """How many requests the command means to send: interrupted before the last, it is not done."""
        self.accounted = False
        """Whether the command has told of each request by itself: once all are settled, its own exit code stands."""
        self._here = local()
        self.trouble: Exception | None = None
        """Why the ledger could not write an outcome, if so: to be told beside the answer, never instead of it."""

    def begin(self, intent: Intent) -> Flight:
        """Writes the intent down. Raises UsageError when that fails, and what the ledger refuses it by: nothing was
        sent, nothing will be."""
        self._here.receipt = ""
        try:
            receipt = "" if self._ledger is None else self._ledger.intend(intent)
        except AlovoiceError:
            raise
        except Exception as error:
            raise UsageError(
                "nothing was sent: the ledger of calls cannot be written",
                hint="make room or permissions in the state directory, then run again",
                detail=str(error),
            ) from error
        self._here.receipt = receipt
        flight = Flight(self, receipt)
        self._flights.append(flight)
        return flight

    def mark_left(self, flight: Flight) -> None:
        """See Flight.left."""
        with self._lock:
            if self._closed or flight.withdrawn:
                raise Abandoned
            flight.has_left = True

    def withdraw(self, flight: Flight) -> bool:
        """See Flight.withdraw."""
        with self._lock:
            flight.withdrawn = True
            return not flight.has_left

    def prove(self, receipt: str, code: int) -> None:
        """What the PBX's own events say of a request that left: its outcome for `guard`, in place of the answer's."""
        for flight in self._flights:
            if flight.receipt == receipt and flight.outcome is not None:
                flight.outcome = replace(flight.outcome, exit_code=code)

    def write(self, receipt: str, outcome: Outcome) -> None:
        """Gives an outcome to the ledger; a failure is kept in `trouble`."""
        if self._ledger is None:
            return
        try:
            self._ledger.settle(receipt, outcome)
        except Exception as error:  # a full disk must not hide that the call was made
            self.trouble = error

    @property
    def last_receipt(self) -> str:
        """The receipt of the latest request, or nothing."""
        return self._flights[-1].receipt if self._flights else ""

    @property
    def receipt_here(self) -> str:
        """The receipt of this thread's latest request, or nothing."""
        return getattr(self._here, "receipt", "")

    @property
    def anything_left(self) -> bool:
        """Whether a request that dials, creates or costs has left this process."""
        return any(flight.has_left for flight in self._flights)

    def guard(self, code: int) -> int:
        """The exit code that is true, for the one that the program was about to end with.

        From here on nothing can leave any more. A request that left and was not settled makes it 6. Once anything left,
        a code that says "not done" gives way to the worst outcome of the requests.
        """
        # Not `with`: a signal that strikes as the lock is given back leaves it held, and the next call must not hang.
        held = self._lock.acquire(timeout=_PATIENCE_SECONDS)
        self._closed = True
        if held:
            self._lock.release()
        if not self.anything_left:
            return code
        if any(flight.has_left and flight.outcome is None for flight in self._flights):
            return ExitCode.UNKNOWN_OUTCOME
        if code not in _SAYS_NOT_DONE or self.accounted:
            return code
        true = worst([flight.outcome.exit_code for flight in self._flights if flight.outcome is not None])
        cut_short = true == ExitCode.DONE and len(self._flights) < self.expected
        return ExitCode.INTERRUPTED if cut_short else true
