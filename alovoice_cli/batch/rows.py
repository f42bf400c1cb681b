"""One row of a batch: what is to be sent, how far the row has come, why it is left out. States only go forward."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

State = Literal["pending", "intent", "done", "refused", "unsent", "unknown", "duplicate", "excluded", "sent_before"]
RowOutcome = Literal["done", "refused", "unsent", "unknown"]

STATES: tuple[State, ...] = ("done", "refused", "unsent", "unknown", "pending", "duplicate", "excluded", "sent_before")
"""All states but `intent`, in the order in which they are shown."""

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
    """What one row says. `line` is where it ends in its file; `numbers` are the people it rings, one key a person.

    `key` is what the row is known by: its profile, command and payload, and which of several equal rows it is.
    `our_id` is the id that the PBX will name it by; empty where the command has none.
    """

    key: str
    line: int
    payload: Mapping[str, object]
    numbers: tuple[str, ...] = ()
    our_id: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    generation: int = 1
    """The latest list in which it stands: 1, and one more each time that a changed list was agreed to."""


@dataclass(frozen=True, slots=True)
class RowProgress:
    """How far a row has come. `sent`: no, maybe or yes; `risks`: how often it was sent although that may call twice."""

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
        """Whether this may come after `earlier`: a call that was made, or may have been, never becomes a new one."""
        if self.state not in _FORWARD[earlier.state]:
            return False
        again = earlier.state in ("unknown", "sent_before") and self.state == "intent"
        return not again or self.risks > earlier.risks


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one attempt. `pause` is how many seconds the PBX wants to be left alone."""

    outcome: RowOutcome
    exit_code: int
    sent: str
    status: int | None = None
    answer: object = None
    problem: str = ""
    receipt: str = ""
    pause: float | None = None

    def end(self, course: RowProgress, ended_at: str) -> RowProgress:
        """Returns the progress of a row that was at `course` before this attempt."""
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


_OPEN = ("pending", "unsent", "refused", "duplicate", "sent_before")
"""States in which a do-not-call file still keeps a row from being sent."""


def leave_out(
    rows: Sequence[tuple[BatchRow, RowProgress]],
    *,
    excluded: AbstractSet[int] = frozenset(),
    sent_before: Mapping[str, RowProgress] | None = None,
    each_row: bool = False,
) -> dict[str, RowProgress]:
    """The rows whose state this changes, each with its new course. `sent_before` are courses by the rows' keys.

    `each_row` says that every row is meant: no row is a duplicate then.
    """
    found = {row.key: _excluded(row) for row, course in rows if _is_excluded(row, course, excluded)}
    known = sent_before or {}
    for row, course in rows:
        if row.key in known and row.key not in found and course.state in _OPEN and course.state != "sent_before":
            found[row.key] = known[row.key]
    rest = [(row, found.get(row.key, course)) for row, course in rows]
    return found | find_duplicates(rest, each_row=each_row)


def find_duplicates(rows: Sequence[tuple[BatchRow, RowProgress]], *, each_row: bool = False) -> dict[str, RowProgress]:
    """Waiting rows that become duplicates, and duplicates that wait from now on, each with its new course.

    The first row that rings the same people stands for the others, or whichever was, or may have been, sent.
    """
    lines: dict[frozenset[str], int] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate") and row.numbers:
            lines.setdefault(frozenset(row.numbers), row.line)
    found: dict[str, RowProgress] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate"):
            continue
        people = frozenset(row.numbers)
        is_first = people not in lines
        if people and is_first:
            lines[people] = row.line
        is_duplicate = bool(people) and not is_first and not each_row
        if is_duplicate != (course.state == "duplicate"):
            found[row.key] = _duplicate(row, lines[people]) if is_duplicate else RowProgress()
    return found


def _is_excluded(row: BatchRow, course: RowProgress, excluded: AbstractSet[int]) -> bool:
    return course.state in _OPEN and any(number.isdigit() and int(number) in excluded for number in row.numbers)


def _excluded(row: BatchRow) -> RowProgress:
    whom = "this number" if len(row.numbers) == 1 else "one of these numbers"
    return RowProgress("excluded", problem=f"a do-not-call file lists {whom}")


def _duplicate(row: BatchRow, line: int) -> RowProgress:
    whom = "the same person" if len(row.numbers) == 1 else "the same people"
    return RowProgress("duplicate", problem=f"rings {whom} as line {line}")
