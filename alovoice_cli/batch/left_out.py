"""Which rows of a batch are not sent: those of excluded people, those sent by an earlier batch, and duplicates."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from alovoice_cli.batch.steps import LEFT_OUT, Course, Step

_OPEN = ("pending", "unsent", "refused", "duplicate", "sent_before")
"""States in which a do-not-call file still keeps a row from being sent."""


def leave_out(
    rows: Sequence[tuple[Step, Course]],
    *,
    excluded: AbstractSet[int] = frozenset(),
    sent_before: Mapping[str, Course] | None = None,
    each_row: bool = False,
) -> dict[str, Course]:
    """The rows whose state this changes, each with its new course. `sent_before` are courses by the rows' keys.

    `each_row` says that every row is meant: no row is a duplicate then.
    """
    found = {step.key: _excluded(step) for step, course in rows if _is_excluded(step, course, excluded)}
    known = sent_before or {}
    for step, course in rows:
        if step.key in known and step.key not in found and course.state in _OPEN and course.state != "sent_before":
            found[step.key] = known[step.key]
    rest = [(step, found.get(step.key, course)) for step, course in rows]
    return found | find_duplicates(rest, each_row=each_row)


def find_duplicates(rows: Sequence[tuple[Step, Course]], *, each_row: bool = False) -> dict[str, Course]:
    """Waiting rows that become duplicates, and duplicates that wait from now on, each with its new course.

    The first row that rings the same people stands for the others, or whichever was, or may have been, sent.
    """
    lines: dict[frozenset[str], int] = {}
    for step, course in rows:
        if course.state not in ("pending", "duplicate") and step.numbers:
            lines.setdefault(frozenset(step.numbers), step.line)
    found: dict[str, Course] = {}
    for step, course in rows:
        if course.state not in ("pending", "duplicate"):
            continue
        people = frozenset(step.numbers)
        is_first = people not in lines
        if people and is_first:
            lines[people] = step.line
        is_duplicate = bool(people) and not is_first and not each_row
        if is_duplicate != (course.state == "duplicate"):
            found[step.key] = _duplicate(step, lines[people]) if is_duplicate else Course()
    return found


def going_people(rows: Sequence[tuple[Step, Course]]) -> frozenset[str]:
    """The people whom the rows ring that are not left out, each once."""
    return frozenset(number for step, course in rows if course.state not in LEFT_OUT for number in step.numbers)


def _is_excluded(step: Step, course: Course, excluded: AbstractSet[int]) -> bool:
    return course.state in _OPEN and any(number.isdigit() and int(number) in excluded for number in step.numbers)


def _excluded(step: Step) -> Course:
    whom = "this person" if len(step.numbers) == 1 else "one of these people"
    return Course("excluded", problem=f"a do-not-call file names {whom}")


def _duplicate(step: Step, line: int) -> Course:
    whom = "the same person" if len(step.numbers) == 1 else "the same people"
    return Course("duplicate", problem=f"rings {whom} as line {line}")
