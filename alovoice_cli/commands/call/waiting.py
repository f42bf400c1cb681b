"""`--wait` follows a placed call to its end; after a lost answer it asks the events whether the call rang."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from alovoice_cli.batch.call_evidence import PlacedCall, read_receipt
from alovoice_cli.batch.resolve import CallSearch, CallVerdict
from alovoice_cli.batch.verdict_text import WORDS, as_json, sentence
from alovoice_cli.errors import AlovoiceError, ExitCode, OutcomeUnknownError, RefusedError, UsageError
from alovoice_cli.events.event import status_word
from alovoice_cli.language import joined, tr
from alovoice_cli.moments import parse_span
from alovoice_cli.output.listing import Column, Record
from alovoice_cli.session import Session

_COLUMNS = (
    Column("receipt", "Receipt"),
    Column("answer", "Answer"),
    Column("rang", "Did it ring?", words=lambda value: tr(WORDS[str(value)])),
    Column("status", "Status", words=status_word),
    Column("answered_by", "Answered by"),
    Column("duration", "Seconds"),
    Column("said", "Why"),
)


def read_patience(session: Session, wait: str) -> timedelta:
    """Returns how long to wait for the call's end.

    Raises UsageError, before sending, where no listener would hear it.
    """
    patience = parse_span(wait, "--wait")
    if session.options.dry_run:
        return patience
    if session.settings.embedded:
        raise UsageError(
            tr("--wait does not work with the built-in PBX, which sends no events: nothing was sent"),
            hint=tr("`alovoice sandbox serve --events-to URL` serves a PBX that sends events"),
        )
    search = CallSearch(session)
    if not search.store.exists:
        raise UsageError(
            tr("--wait needs a listener, and none has run for this PBX: nothing was sent"),
            hint=tr("start `alovoice listen` and give the PBX its URLs, or leave --wait out"),
        )
    if not search.is_listened():
        raise UsageError(
            tr("--wait needs a listener, and the listener is not running: nothing was sent"),
            hint=tr("start `alovoice listen` again, or leave --wait out"),
        )
    return patience


def follow(session: Session, named: Mapping[str, str], place: Callable[[], object], patience: timedelta) -> int:
    """Places the call, waits for its end, and shows its course.

    Raises RefusedError where it certainly did not ring, OutcomeUnknownError where its end is unknown: never
    NotReadyError, because running the same command again calls again.
    """
    search = CallSearch(session)
    answer: object = None
    lost: OutcomeUnknownError | None = None
    try:
        answer = place()
    except OutcomeUnknownError as error:
        lost = error
    asked = _asked(session)
    if asked is None:  # a request without a receipt cannot be found again
        raise lost or OutcomeUnknownError(tr("the call was requested, but there is no receipt to find it by"))
    try:
        state = lost.message if lost else tr("the PBX accepted the call")
        session.note(joined("", (f"{asked.receipt}: ", state, "; ", tr("waiting for the end of the call"))))
        (verdict,) = search.watch([asked], patience, lambda verdict: verdict.is_over)
    except KeyboardInterrupt:  # this ends the waiting, not the call: the present knowledge is shown
        (verdict,) = search.look([asked])
    said = sentence(verdict, session.clock)
    trouble, resolution = _trouble(verdict, said, lost), as_json(verdict)
    session.send_guard.prove(asked.receipt, trouble.exit_code if trouble else ExitCode.DONE)
    shown = {name: resolution[name] for name in ("status", "answered_by", "duration")}
    fields = {"receipt": asked.receipt, **named, "answer": answer, "rang": resolution["answer"], **shown, "said": said}
    whole = {"receipt": asked.receipt, **named, "answer": answer, "said": said, "resolution": resolution}
    session.show(Record(fields, title=tr("The call"), whole=whole, columns=_COLUMNS))
    if trouble is not None:
        raise trouble
    return ExitCode.DONE


def _asked(session: Session) -> PlacedCall | None:
    receipt = session.last_receipt
    return read_receipt(session.ledger.receipt(receipt)) if receipt else None


def _trouble(verdict: CallVerdict, said: str, lost: OutcomeUnknownError | None) -> AlovoiceError | None:
    """Returns the error for exit code and stderr; None where the call rang and ended."""
    if verdict.answer == "rang" and verdict.is_over:
        return None
    receipt = verdict.asked.receipt
    if verdict.resend_safe:
        return RefusedError(
            said, hint=tr("`alovoice call resolve {receipt}` shows the evidence", receipt=verdict.asked.receipt)
        )
    receipt = verdict.asked.receipt
    return OutcomeUnknownError(
        joined(": ", (receipt, said)),
        hint=tr(
            "running the same command again may call again; `alovoice call resolve {receipt} --wait` searches further",
            receipt=receipt,
        ),
        status=lost.status if lost else None,
        sent=lost.sent if lost else "yes",
    )
