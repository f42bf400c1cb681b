"""The same rows again within 24 hours: refused under another name, and not sent where the ledger knows that they were.

The ledger is the second witness beside the journals: a journal may be deleted, or put back from a copy.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import Course, Step
from alovoice_cli.batching.execution import moment
from alovoice_cli.batching.places import Place
from alovoice_cli.batching.recovery import is_ours
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.findings import count
from alovoice_cli.dialling import DAY
from alovoice_cli.errors import CheckFailedError, ExitCode, UsageError
from alovoice_cli.stores.batch_records import BatchRecord, SentRow
from alovoice_cli.stores.cells import iso, storable
from alovoice_cli.stores.journal import Head, Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session

Listed = Sequence[tuple[Step, Course]]


def refuse_twin(session: "Session", wish: Wish, head: Head, place: Place, steps: Sequence[Step]) -> None:
    """Raises CheckFailedError where another batch of the same rows began within 24 hours."""
    if not wish.allow_duplicate:
        record = _record(session, head, place, steps)
        _refuse(session.ledger.find_twin_batch(record, session.now() - DAY), len(steps))


def record_batch(
    session: "Session", wish: Wish, head: Head, place: Place, steps: Sequence[Step], *, is_new: bool
) -> None:
    """Writes the batch into the ledger, before its first row is sent.

    Raises CheckFailedError where a new one has a twin: of two that start at once, one goes.
    """
    since = session.now() - DAY if is_new and not wish.allow_duplicate else None
    record, hide = _record(session, head, place, steps), session.masker.hide
    _refuse(session.ledger.record_batch(record, [(step.key, hide(step.our_id)) for step in steps], since), len(steps))


def refuse_all_sent(sent: dict[str, Course], steps: Sequence[Step]) -> None:
    """Raises CheckFailedError for a new batch each of whose rows was sent within 24 hours."""
    courses = [sent[step.key] for step in steps if step.key in sent]
    if len(courses) == len(steps) and all(course.exit_code == ExitCode.DONE for course in courses):
        raise CheckFailedError(
            f"{_all_rows(len(steps))} of this list {'was' if len(steps) == 1 else 'were'} sent within 24 hours,"
            " as the ledger says: nothing was sent",
            hint="see `alovoice call receipts list`; --allow-duplicate sends them once more",
            detail=courses[0].problem,
        )


def find_sent_before(session: "Session", wish: Wish, rows: Listed) -> dict[str, Course]:
    """The rows whose receipt of the last 24 hours the journal does not know; none where that risk was accepted."""
    if wish.allow_duplicate or wish.accept_risk:
        return {}
    own = {(step.key, step.our_id) for step, _ in rows if is_ours(step)}
    keys = [step.key for step, course in rows if course.state in ("pending", "unsent", "refused")]
    found = session.ledger.sent_rows(session.settings.profile, keys, session.now() - DAY)
    return {row.key: _course(row) for row in found if (row.key, row.our_id) not in own}


def forget_unsent(session: "Session", journal: Journal, going: Sequence[Step]) -> None:
    """Forgets a batch that has sent nothing, such as one whose token was refused: its rows may go by any name."""
    courses = [course for _, course in journal.listed()]
    if going and not any(course.sent in ("yes", "maybe") and course.state != "refused" for course in courses):
        forget_batch(session, journal.path)


def forget_batch(session: "Session", path: Path) -> None:
    """Forgets the batch of this journal, of which nothing has left."""
    with suppress(UsageError):  # the disk is full: at worst the same rows need --allow-duplicate
        session.ledger.forget_batch(storable(str(path)))


def _course(row: SentRow) -> Course:
    is_done = row.outcome == "done"
    verb, sent = ("was sent", "yes") if is_done else ("may have been sent", "maybe")
    problem = f"{verb} at {moment(row.begun_at)} by the batch {row.batch}: not sent again; --accept-risk sends it"
    code = ExitCode.DONE if is_done else ExitCode.UNKNOWN_OUTCOME
    return Course("sent_before", exit_code=int(code), sent=sent, problem=problem, receipt=row.receipt)


def _record(session: "Session", head: Head, place: Place, steps: Sequence[Step]) -> BatchRecord:
    keys = "\n".join(sorted(step.key for step in steps))
    digest = hashlib.sha256(keys.encode("ascii")).hexdigest()
    path, source = storable(str(place.path)), storable(head.source)
    return BatchRecord(storable(head.profile), digest, storable(place.name), path, source, iso(session.now()))


def _refuse(twin: BatchRecord | None, rows: int) -> None:
    if twin is None:
        return
    source = "a list on stdin" if twin.source == "-" else f"the list {twin.source}"
    raise CheckFailedError(
        f"the same {count(rows, 'row')} began at {moment(twin.begun_at)} as the batch {twin.name}: nothing was sent",
        hint=f"`alovoice call batches resume {twin.name}` goes on with it; --allow-duplicate if both are meant",
        detail=f"it has {source} and the journal {twin.path}",
    )


def _all_rows(rows: int) -> str:
    return "the only row" if rows == 1 else f"all {rows} rows"
