"""Decides which rows of a batch are left out, and says so: excluded people, duplicates, rows that were sent before."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import Course, State
from alovoice_cli.batching.repetition import Listed
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.exclusion import read_do_not_call
from alovoice_cli.campaigns.findings import Severity, count, name_lines
from alovoice_cli.campaigns.schedule import parse_zone
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.stores.journal import Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_SAID: Mapping[State, str] = {
    "excluded": "a do-not-call file names a person of the row",
    "duplicate": "another row rings the same people; --each-row sends every row",
    "sent_before": "sent, or perhaps sent, by another batch within 24 hours; --accept-risk sends once more",
}


def read_excluded(session: "Session", wish: Wish) -> frozenset[int]:
    """The numbers of all do-not-call files, whole. Raises CheckFailedError for entries that cannot be read."""
    numbers: set[int] = set()
    first_day = session.now().astimezone(parse_zone(session.settings.timezone)).date()
    for path in wish.exclude:
        listed = read_do_not_call(path, first_day, unread_ok=wish.exclude_unread_ok)
        for finding in listed.findings():
            if finding.severity is Severity.ERROR:
                raise CheckFailedError(f"{path}: {finding.message}: nothing was sent", hint=finding.hint)
            session.warn(f"{path}: {finding.message}; {finding.hint}")
        session.note(listed.note)
        numbers |= listed.numbers
    return frozenset(numbers)


def write_left_out(journal: Journal, changes: Mapping[str, Course]) -> None:
    """Writes the changes down."""
    for key, course in changes.items():
        journal.change(key, course)


def tell_left_out(session: "Session", rows: Listed) -> None:
    """Warns of the rows that are left out, by reason and line."""
    for state, reason in _SAID.items():
        lines = [step.line for step, course in rows if course.state == state]
        if lines:
            rows_are = count(len(lines), "row is", "rows are")
            session.warn(f"{rows_are} {state.replace('_', ' ')} and not sent, {name_lines(lines)}: {reason}")
