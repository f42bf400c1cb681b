"""What ended runs, and other machines, left in a journal: rows in flight, and rows that the ledger knows better."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alovoice_cli.batch_rows import BatchRow, RowOutcome, RowResult
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.language import mark, tr
from alovoice_cli.receipts import Receipt
from alovoice_cli.stores.journal import Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_SETTLED: dict[str, RowOutcome] = {"done": "done", "refused": "refused", "unsent": "unsent"}
_LOST = mark("the process ended before the answer was recorded")
_LAST_ANSWER_SECONDS = 5.0  # beyond a request's own time: to write down how it ended
_LOOK_SECONDS = 0.2


def recover(session: "Session", journal: Journal) -> None:
    """Settles the rows in flight of a killed run by the certain outcomes of the ledger; the others are unknown."""
    for row, course in journal.orphans():
        entry = _entry_of(session, row, course.began_at)
        if entry is not None and entry.outcome in _SETTLED:
            result = RowResult(
                _SETTLED[entry.outcome],
                entry.exit_code or 0,
                entry.sent,
                entry.status,
                entry.answer,
                receipt=entry.receipt,
            )
        else:
            receipt = entry.receipt if entry else ""
            result = RowResult("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem=tr(_LOST), receipt=receipt)
        journal.settle_orphan(row.key, result)


def catch_up(session: "Session", journal: Journal, *, waits: bool) -> frozenset[str]:
    """Learns how the rows ended that other machines sent, and returns the keys of those that are being sent now.

    `waits` for them to end, as long as a request takes at most; rows of a dead machine become unknown.
    """
    deadline = time.monotonic() + session.settings.timeout + _LAST_ANSWER_SECONDS
    while True:
        recover(session, journal)
        flying = frozenset(row.key for row, course in journal.listed() if course.state == "intent")
        if not (flying and waits) or time.monotonic() > deadline:
            return flying
        time.sleep(_LOOK_SECONDS)


def refuse_lost_writes(session: "Session", journal: Journal, going: Sequence[BatchRow]) -> None:
    """Raises UsageError where the ledger knows a row as sent and the journal knows the row as unsent.

    SQLite silently drops the damaged end of a write-ahead log: the journal alone would then call people twice.
    """
    own = {row.our_id: row for row in going if is_ours(row)}
    for entry in session.ledger.receipts_of(own):
        # A machine that shares the journal writes there first: then the row is not due any more.
        if entry.outcome in ("done", "unknown") and journal.is_due(own[entry.our_id].key):
            raise UsageError(
                tr(
                    "{path} has lost records: by the ledger, row {row} was sent ({receipt}); nothing was sent now",
                    path=journal.label,
                    row=own[entry.our_id].line,
                    receipt=entry.receipt,
                ),
                hint=tr("the journal was damaged, or restored from a copy; see `alovoice call receipts list`"),
            )


def is_ours(row: BatchRow) -> bool:
    """Returns whether this program made the id: then no other row has the same id."""
    return bool(row.our_id) and row.our_id not in (row.payload.get("call_id"), row.payload.get("extid"))


def _entry_of(session: "Session", row: BatchRow, began_at: str) -> Receipt | None:
    """Returns the receipt of the row's last attempt, if that receipt is certain."""
    if not is_ours(row):
        return None
    found = [entry for entry in session.ledger.receipts_of([row.our_id]) if entry.begun_at >= began_at]
    return found[0] if len(found) == 1 else None
