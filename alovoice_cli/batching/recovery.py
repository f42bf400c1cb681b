"""What a run that was killed left behind: each row in flight is looked up in the ledger, or is unknown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import Outcome, Result, Step
from alovoice_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from alovoice_cli.session import Session
    from alovoice_cli.stores.journal import Journal
    from alovoice_cli.stores.receipts import Entry

_SETTLED: dict[str, Outcome] = {"done": "done", "refused": "refused", "unsent": "unsent"}
_LOST = "the process ended before its answer was written down"


def recover(session: "Session", journal: "Journal") -> None:
    """Gives an end to rows that have none. Only what the ledger knows for certain is believed; silence is unknown."""
    for step, course in journal.listed():
        if course.state != "intent":
            continue
        entry = _entry_of(session, journal, step, course.began_at)
        if entry is not None and entry.outcome in _SETTLED:
            result = Result(
                _SETTLED[entry.outcome],
                entry.exit_code or 0,
                entry.sent,
                entry.status,
                entry.answer,
                receipt=entry.receipt,
            )
        else:
            receipt = entry.receipt if entry else ""
            result = Result("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem=_LOST, receipt=receipt)
        journal.settle(step.key, result)


def refuse_lost_writes(session: "Session", journal: "Journal", going: Sequence[Step]) -> None:
    """Raises UsageError where the ledger knows of a row as called that the journal holds for unsent.

    SQLite drops the damaged end of a write-ahead log in silence: the journal alone would then call people twice.
    """
    own = {step.our_id: step for step in going if is_ours(step)}
    for entry in session.ledger.receipts_of(own):
        if entry.outcome in ("done", "unknown"):
            raise UsageError(
                f"{journal.path} has lost what the ledger knows: line {own[entry.our_id].line} was sent"
                f" ({entry.receipt}); nothing is sent now",
                hint="the journal was damaged, or put back from a copy; see `alovoice call receipts list`",
            )


def is_ours(step: Step) -> bool:
    """Whether the id was made here, and so is of this row alone."""
    return bool(step.our_id) and step.our_id not in (step.payload.get("call_id"), step.payload.get("extid"))


def _entry_of(session: "Session", journal: "Journal", step: Step, began_at: str) -> "Entry | None":
    """The receipt of the row's last attempt, if it is certain which that is."""
    if not is_ours(step):
        return None
    found = [entry for entry in session.ledger.receipts_of([step.our_id]) if entry.begun_at >= began_at]
    return found[0] if len(found) == 1 else None


def adopt_earlier(session: "Session", journal: "Journal", going: Sequence[Step]) -> list[Step]:
    """Gives analyses that this machine has asked for before the end that they had then; returns those.

    Each call is sent once, as `ai send` promises: so says the ledger, whichever journal or none it came by.
    """
    profile, hide = session.settings.profile, session.masker.hide
    earlier = {
        entry.our_id: entry
        for entry in session.ledger.receipts_of(hide(step.our_id) for step in going)
        if (entry.command, entry.profile) == ("ai send", profile) and entry.outcome in ("done", "unknown")
    }
    adopted = [step for step in going if hide(step.our_id) in earlier]
    for step in adopted:
        entry = earlier[hide(step.our_id)]
        outcome: Outcome = "done" if entry.outcome == "done" else "unknown"
        code = ExitCode.DONE if outcome == "done" else ExitCode.UNKNOWN_OUTCOME
        told = f"sent before, at {entry.begun_at[:16]}Z; --again sends it once more"
        journal.intend(step.key)
        journal.settle(
            step.key, Result(outcome, code, entry.sent, entry.status, entry.answer, told, receipt=entry.receipt)
        )
    return adopted
