"""One row of a batch: its content, and its progress. States only go forward."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["pending", "intent", "done", "refused", "unsent", "unknown", "duplicate", "excluded", "sent_before"]
RowOutcome = Literal["done", "refused", "unsent", "unknown"]

STATES: tuple[State, ...] = ("done", "refused", "unsent", "unknown", "pending", "duplicate", "excluded", "sent_before")
"""All states but `intent`, in display order."""

LEFT_OUT: frozenset[State] = frozenset({"duplicate", "excluded", "sent_before"})
"""Rows that are not sent: another row rings the same people; a do-not-call file names one of them; the ledger knows
that the row was sent by an earlier batch."""

_FORWARD: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"intent", *LEFT_OUT}),
    "intent": frozenset({"done", "refused", "unsent", "unknown"}),
    "unsent": frozenset({"intent", *LEFT_OUT}),
    "refused": frozenset({"intent", *LEFT_OUT}),
    # To `intent` only with a risk that the operator took: see RowProgress.follows.
    "unknown": frozenset({"done", "refused", "unsent", "intent"}),
    "done": frozenset(),
    "duplicate": frozenset({"pending", "excluded", "sent_before"}),
    "excluded": frozenset(),
    # With a risk, as from `unknown`.
    "sent_before": frozenset({"intent", "excluded"}),
}


@dataclass(frozen=True, slots=True)
class BatchRow:
    """The content of one row. `line` is where it ends in its file; `numbers` are the people it rings, one key a person.

    `key` identifies the row: its profile, command and payload, and its position among equal rows. `our_id` is the PBX's
    id for the call; empty where the command has none.
    """

    key: str
    line: int
    payload: Mapping[str, object]
    numbers: tuple[str, ...] = ()
    our_id: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    generation: int = 1
    """The latest version of the list with this row: 1, and one more for each accepted change of the list."""


@dataclass(frozen=True, slots=True)
class RowProgress:
    """The progress of a row. `sent`: no, maybe or yes; `risks`: how often it was sent at the risk of a second call."""

    state: State = "pending"
    attempts: int = 0
    risks: int = 0
    exit_code: int = 0
    sent: str = "no"
    status: int | None = None
    answer: object = None
    problem: str = ""
    receipt: str = ""
    began_at: str = ""
    ended_at: str = ""

    def follows(self, earlier: "RowProgress") -> bool:
        """Returns whether this may come after `earlier`: a call that was made, or may have been, never becomes new."""
        if self.state not in _FORWARD[earlier.state]:
            return False
        again = earlier.state in ("unknown", "sent_before") and self.state == "intent"
        return not again or self.risks > earlier.risks


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one attempt. `pause` is how many seconds the PBX asks to wait."""

    outcome: RowOutcome
    exit_code: int
    sent: str
    status: int | None = None
    answer: object = None
    problem: str = ""
    receipt: str = ""
    pause: float | None = None

    def end(self, course: RowProgress, ended_at: str) -> RowProgress:
        """Returns the progress of a row that had the progress `course` before this attempt."""
        return RowProgress(
            state=self.outcome,
            attempts=course.attempts,
            risks=course.risks,
            exit_code=int(self.exit_code),
            sent=self.sent,
            status=self.status,
            answer=self.answer,
            problem=self.problem,
            receipt=self.receipt or course.receipt,
            began_at=course.began_at,
            ended_at=ended_at,
        )
