"""What is told of a batch: each row, the report, the sums, the exit code."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from alovoice_cli.batch.steps import Course, State, Step
from alovoice_cli.campaigns.findings import count
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.output.columns import cell_text
from alovoice_cli.output.csv import safe_cell
from alovoice_cli.output.files import check_free, check_writable, write_private

Listed = Sequence[tuple[Step, Course]]

_WORST_FIRST = (6, 3, 5, 7, 1, 4, 2, 9, 0)
STATES: tuple[State, ...] = (
    "done", "refused", "unsent", "unknown", "pending", "duplicate", "excluded", "sent_before"
)  # fmt: skip
_SHOWN: Mapping[str, str] = {"pending": "not sent yet", "sent_before": "sent before"}
_ADDED = ("outcome", "sent", "status", "answer", "extid", "receipt", "attempts", "problem")


def row_json(step: Step, course: Course) -> dict[str, object]:
    """One row as a stream prints it."""
    return {
        "row": step.line,
        "key": step.key,
        "outcome": course.state,
        "sent": course.sent,
        "status": course.status,
        "answer": course.answer,
        "extid": step.our_id or None,
        "attempts": course.attempts,
        "receipt": course.receipt or None,
        "problem": course.problem or None,
    }


def tally(courses: Iterable[Course]) -> Mapping[str, int]:
    """How many rows are in each state, those that there are."""
    found = Counter(shown_state(course) for course in courses)
    return {state: found[state] for state in STATES if found[state]}


def shown_state(course: Course) -> str:
    """The state as people see it: an intent that no process is at any more may have been carried out."""
    return "unknown" if course.state == "intent" else course.state


def sums(courses: Sequence[Course]) -> str:
    """`312 rows: 309 done, 2 refused, 1 unknown`."""
    told = ", ".join(f"{number} {_SHOWN.get(state, state)}" for state, number in tally(courses).items())
    return f"{count(len(courses), 'row')}: {told}"


def worst_code(courses: Iterable[Course]) -> int:
    """What the batch ends with: 6 before 3, 5, 7, 1, 4, 0; pending rows count for nothing."""
    ended = [course for course in courses if course.state not in ("pending", "duplicate", "excluded")]
    codes = {int(ExitCode.UNKNOWN_OUTCOME) if shown_state(c) == "unknown" else c.exit_code for c in ended}
    # Trouble of this machine half way, such as a full disk: others have left, so it is not told as nothing sent.
    if ExitCode.USAGE in codes and len(codes) > 1:
        codes = codes - {int(ExitCode.USAGE)} | {int(ExitCode.SERVER)}
    return next((code for code in _WORST_FIRST if code in codes), 0)


def write_report(path: Path, listed: Listed) -> None:
    """The operator's columns and the outcome, a row a row; the file is there whole, or as it was. Raises UsageError."""
    headings = list(dict.fromkeys(heading for step, _ in listed for heading in step.cells))
    added = [name if name not in headings else f"alovoice_{name}" for name in _ADDED]
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([safe_cell(heading) for heading in (*headings, *added)])
    for step, course in listed:
        writer.writerow(map(safe_cell, _report_row(headings, step, course)))
    write_private(path, text.getvalue(), force=True)


def _report_row(headings: Sequence[str], step: Step, course: Course) -> list[str]:
    told: Mapping[str, object] = {**row_json(step, course), "outcome": shown_state(course)}
    return [*(step.cells.get(heading, "") for heading in headings), *(cell_text(told[name]) for name in _ADDED)]


def check_report(path: Path, source: str, *, tries: bool = True) -> None:
    """Raises UsageError where the report could not be written, or would be written over the list: before any row.

    It tries, with a file that is gone again.
    """
    check_free(path, force=True)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for the report", hint="make it, or name another place")
    if path.absolute() == Path(source).absolute():
        raise UsageError(f"the report would be written over the list {source}", hint="give it a name of its own")
    if tries:
        check_writable(path)
