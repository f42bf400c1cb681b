"""What people see of batches: rows, sums, the report file, the exit code, the list of all batches."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from alovoice_cli.batch_rows import LEFT_OUT, STATES, BatchRow, RowProgress
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.language import all_in_english, joined, mark, ngettext, spaced, tr
from alovoice_cli.output.data_formats import safe_cell
from alovoice_cli.output.files import check_free, check_writable, write_private
from alovoice_cli.output.listing import cell_text
from alovoice_cli.spreadsheet import PLAIN, SpreadsheetFormat
from alovoice_cli.stores.journal_files import JournalFolder
from alovoice_cli.stores.journal_places import JournalPlace, Journals

if TYPE_CHECKING:
    from alovoice_cli.session import Session


Listed = Sequence[tuple[BatchRow, RowProgress]]

_WORST_FIRST = (6, 3, 5, 7, 1, 4, 2, 9, 0)
_COUNTED: Mapping[str, str] = {
    "done": mark("{number} done"),
    "refused": mark("{number} refused"),
    "unsent": mark("{number} unsent"),
    "unknown": mark("{number} unknown"),
    "pending": mark("{number} not sent yet"),
    "duplicate": mark("{number} duplicate"),
    "excluded": mark("{number} excluded"),
    "sent_before": mark("{number} sent before"),
}
_ADDED = ("outcome", "sent", "status", "answer", "extid", "receipt", "attempts", "problem")


def row_json(row: BatchRow, course: RowProgress) -> dict[str, object]:
    """Returns one row as JSON Lines on stdout print it. `call_id` is the PBX's, of a row that rings nobody."""
    return {
        **({} if row.numbers else {"call_id": row.our_id}),
        "row": row.line,
        "key": row.key,
        "outcome": course.state,
        "sent": course.sent,
        "status": course.status,
        "answer": course.answer,
        "extid": row.our_id or None,
        "attempts": course.attempts,
        "receipt": course.receipt or None,
        "problem": course.problem or None,
    }


def tally(courses: Iterable[RowProgress]) -> Mapping[str, int]:
    """Counts the rows in each state; a state without rows is left out."""
    found = Counter(shown_state(course) for course in courses)
    return {state: found[state] for state in STATES if found[state]}


def shown_state(course: RowProgress) -> str:
    """Returns the state that people see. The intent of an ended process is `unknown`: the call may have been made."""
    return "unknown" if course.state == "intent" else course.state


def sums(courses: Sequence[RowProgress]) -> str:
    """Returns a sentence such as `312 rows: 309 done, 2 refused, 1 unknown`."""
    states = joined(", ", [tr(_COUNTED[state], number=spaced(number)) for state, number in tally(courses).items()])
    return ngettext("{n} row: {states}", "{n} rows: {states}", len(courses), states=states)


def worst_code(courses: Iterable[RowProgress]) -> int:
    """Returns the batch's exit code: 6 before 3, 5, 7, 1, 4, 0; pending rows count for nothing."""
    ended = [course for course in courses if course.state not in ("pending", "duplicate", "excluded")]
    codes = {int(ExitCode.UNKNOWN_OUTCOME) if shown_state(c) == "unknown" else c.exit_code for c in ended}
    # Trouble of this machine half way, such as a full disk: other rows were sent, so the code is not "nothing sent".
    if ExitCode.USAGE in codes and len(codes) > 1:
        codes = codes - {int(ExitCode.USAGE)} | {int(ExitCode.SERVER)}
    return next((code for code in _WORST_FIRST if code in codes), 0)


def write_report(path: Path, listed: Listed, form: SpreadsheetFormat = PLAIN) -> None:
    """Writes the operator's columns and the outcome of each row; the file is whole, or as before. Raises UsageError."""
    headings = list(dict.fromkeys(heading for row, _ in listed for heading in row.cells))
    added = [name if name not in headings else f"alovoice_{name}" for name in _ADDED]
    text = StringIO()
    text.write(form.mark)
    writer = csv.writer(text, delimiter=form.delimiter or ",")
    writer.writerow([safe_cell(heading) for heading in (*headings, *added)])
    for row, course in listed:
        shown: Mapping[str, object] = {**row_json(row, course), "outcome": shown_state(course)}
        cells = (
            *(row.cells.get(heading, "") for heading in headings),
            *(cell_text(all_in_english(shown[name])) for name in _ADDED),
        )
        writer.writerow(map(safe_cell, cells))
    write_private(path, text.getvalue(), force=True)


def check_report(path: Path, source: str, *, tries: bool = True) -> None:
    """Raises UsageError where the report cannot be written, or would overwrite the list.

    It writes and removes a trial file, before any row is sent.
    """
    check_free(path, force=True)
    if not path.absolute().parent.is_dir():
        raise UsageError(
            tr("there is no directory {path} for the report", path=path.parent),
            hint=tr("create it, or choose another place"),
        )
    if path.absolute() == Path(source).absolute():
        raise UsageError(
            tr("the report would overwrite the list {path}", path=source), hint=tr("give the report another name")
        )
    if tries:
        check_writable(path)


_EMPTY: Mapping[str, int] = {**dict.fromkeys(STATES, 0), "left_out": 0}


def journals_of(session: "Session") -> Journals:
    """Returns the journals of this machine, or of all machines that share the store."""
    place = session.store_place("")
    if isinstance(place, str):
        from alovoice_cli.stores.server_journals import ServerJournals  # noqa: PLC0415 - files need none of it

        return ServerJournals(place, session.now)
    return JournalFolder(place, session.now)


def list_journals(session: "Session") -> list[Mapping[str, object]]:
    """Returns all batches, the latest first. A batch whose journal cannot be read is listed with its `problem`."""
    found = [_glance(place) for place in journals_of(session).places()]
    return sorted(found, key=lambda item: str(item["created_at"]), reverse=True)


def _glance(place: JournalPlace) -> Mapping[str, object]:
    named = {"name": place.name, "path": place.label}
    nothing = {"command": None, "profile": None, "source": None, "created_at": "", "rows": 0, **_EMPTY}
    try:
        journal = place.open()
    except UsageError as problem:
        return {**named, **nothing, "problem": problem.message}
    try:
        head, courses = journal.head, [course for _, course in journal.listed()]
    finally:
        journal.close()
    assert head is not None  # the folder opens no other
    sums_by_state: Mapping[str, int] = tally(courses)
    left_out = sum(course.state in LEFT_OUT for course in courses)
    told = {"command": head.command, "profile": head.profile, "source": head.source, "created_at": head.created_at}
    return {**named, **told, "rows": len(courses), **_EMPTY, **sums_by_state, "left_out": left_out, "problem": None}


def journal_rows(session: "Session", name: str, state: str | None) -> list[Mapping[str, object]]:
    """Returns the rows of one batch, in one state or in all. Raises UsageError where there is no such batch."""
    journal = journals_of(session).existing(name).open()
    try:
        listed = list(journal.listed())
    finally:
        journal.close()
    return [
        {
            **row_json(row, course),
            "outcome": shown_state(course),
            "numbers": list(row.numbers),
            "began_at": course.began_at or None,
            "ended_at": course.ended_at or None,
        }
        for row, course in listed
        if state is None or shown_state(course) == state
    ]


def forget_journal(session: "Session", name: str, *, accept_risk: bool) -> str:
    """Deletes a journal that no process holds, and returns what it held. Asks on a terminal.

    Raises UsageError where rows wait or are unknown, unless that risk is accepted: no other file remembers those rows.
    """
    place = journals_of(session).existing(name)
    with place.locked():
        journal = place.open()
        courses = [course for _, course in journal.listed()]
        journal.close()
        told = sums(courses)
        open_rows = any(shown_state(course) not in ("done", "refused", *LEFT_OUT) for course in courses)
        if open_rows and not accept_risk:
            raise UsageError(
                tr(
                    "the batch {name} is not finished ({rows}), and no other file records these rows",
                    name=place.name,
                    rows=told,
                ),
                hint=tr(
                    "`alovoice call batches resume {name}` continues it; --accept-risk deletes the records",
                    name=place.name,
                ),
            )
        session.display.confirm_on_terminal(
            tr("Delete the batch {name} ({rows})? Its list would then be sent again.", name=place.name, rows=told)
        )
        place.forget()
    place.forget_lock()
    return told


def moment(text: str, session: "Session") -> str:
    """Returns a moment of the journal in the profile's time zone, as people read it: `2026-03-02 10:00 (utc +5)`."""
    if not text:
        return ""
    local = datetime.fromisoformat(text).astimezone(session.clock.zone)
    return f"{local:%Y-%m-%d %H:%M} ({session.settings.timezone})"
