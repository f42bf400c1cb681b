"""A batch's list and its journal: which journal belongs to the list, and what has changed since."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.batch.plan import BatchPlan
from alovoice_cli.batch.row_selection import Listed, find_sent_before, leave_out
from alovoice_cli.batch.run import Run
from alovoice_cli.batch.verbs import BatchVerb
from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.stores.journal import Journal, JournalHead
from alovoice_cli.stores.journal_places import JournalPlace, Journals

if TYPE_CHECKING:
    from alovoice_cli.session import Session


@dataclass(frozen=True, slots=True)
class Batch:
    """A list that was read, with its command and its journal's head."""

    verb: BatchVerb
    head: JournalHead
    plan: BatchPlan


def head_of(journal: Journal) -> JournalHead:
    """Returns the head of a journal."""
    assert journal.head is not None  # the folder opens no other
    return journal.head


def find_path(
    folder: Journals, options: BatchOptions, batch: Batch, *, has_siblings: bool = True
) -> tuple[JournalPlace, bool]:
    """Returns the list's journal, and whether that journal belongs to an earlier list of this name with common rows."""
    if options.journal is not None:
        return folder.named(options.journal), False
    head, verb = batch.head, batch.verb
    path = folder.usual(verb.name, head.source, head.digest)
    if not has_siblings or path.exists:
        return path, False
    keys = {row.key for row in batch.plan.rows}
    found: list[tuple[str, JournalPlace, bool]] = []
    for sibling in folder.siblings(verb.name, head.source):
        journal = sibling.open()
        theirs, listed = head_of(journal), {row.key: course for row, course in journal.listed()}
        journal.close()
        same = (theirs.profile, theirs.source) == (head.profile, head.source)
        waits = any(course.state in ("pending", "intent", "unsent") for course in listed.values())
        if same and (waits or keys & listed.keys()):
            found.append((theirs.created_at, sibling, listed.keys() != keys))
    return max(found)[1:] if found else (path, False)


def changed(path: JournalPlace, why: str) -> UsageError:
    """Returns the error for a list that differs from the journal's list."""
    return UsageError(why, hint=tr("--changed-ok adds its new rows; --journal NAME starts a new batch"))


def with_ids(session: "Session", batch: Batch, journal: Journal | None = None) -> list[BatchRow]:
    """Returns the rows with the id that the PBX will know them by; rows of the journal keep their ids."""
    rows = batch.plan.rows
    nameless = [row.key for row in rows if not row.our_id and (journal is None or journal.course(row.key) is None)]
    if not (batch.verb.form.own_id and nameless):
        return list(rows)
    ids = dict(zip(nameless, session.ledger.make_ids(len(nameless)), strict=True))
    return [replace(row, our_id=ids.get(row.key, row.our_id)) for row in rows]


def take_changes(run: Run, journal: Journal, batch: Batch) -> None:
    """Compares the list with the journal's list, and takes the new rows where `--changed-ok` agrees."""
    session = run.session
    head = head_of(journal)
    if (head.profile, head.command) != (batch.head.profile, batch.head.command):
        raise UsageError(
            tr(
                "the journal {name} belongs to `{command}` on PBX {profile}",
                name=run.name,
                command=head.command,
                profile=head.profile,
            ),
            hint=tr("use another journal for this list"),
        )
    before = {row.key for row, _ in journal.listed()}
    now = {row.key for row in batch.plan.rows}
    if before == now:
        return
    if not run.options.changed_ok:
        raise changed(
            run.journal_path,
            tr(
                "the list of the batch {name} has changed (new rows: {new}, removed rows: {removed}): nothing was sent",
                name=run.name,
                new=len(now - before),
                removed=len(before - now),
            ),
        )
    gone = sum(course.state in ("pending", "unsent") for row, course in journal.listed() if row.key not in now)
    if gone:
        session.warn(
            ngettext(
                "{n} row of the earlier list was not sent; it is not in this list, and will not be sent",
                "{n} rows of the earlier list were not sent; they are not in this list, and will not be sent",
                gone,
            )
        )
    rung = {number for row, course in journal.listed() if course.state in ("done", "unknown") for number in row.numbers}
    again = {number for row in batch.plan.rows if row.key not in before for number in row.numbers} & rung
    if again:
        session.warn(
            ngettext(
                "this batch has already called {n} person of the new rows",
                "this batch has already called {n} people of the new rows",
                len(again),
            )
        )
    rows = with_ids(session, batch, journal)
    fresh = [(row, RowProgress()) for row in rows if journal.course(row.key) is None]
    journal.begin(batch.head, rows, left_out(run, [*standing_rows(journal, now), *fresh]))


def standing_rows(journal: Journal, listed: AbstractSet[str] | None = None) -> list[tuple[BatchRow, RowProgress]]:
    """Returns the rows that are `listed` (keys; default: the latest list), and sent rows of earlier lists.

    A row that was removed from the list and never sent does not count.
    """
    keys = {row.key for row, _ in journal.listed()} if listed is None else listed
    known = [(row, journal.course(row.key) or RowProgress()) for row in journal.rows]
    return [(row, course) for row, course in known if row.key in keys or course.state in ("done", "unknown")]


def left_out(run: Run, rows: Listed, *, each_row: bool = False, is_restart: bool = False) -> dict[str, RowProgress]:
    """Returns the rows that become left out, or that are left out no longer."""
    if not run.verb.dials:
        return {}
    sent = {} if is_restart else find_sent_before(run, rows)
    return leave_out(rows, excluded=run.excluded, sent_before=sent, each_row=each_row or run.options.each_row)
