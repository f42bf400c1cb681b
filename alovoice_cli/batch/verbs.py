"""The commands that take `--batch`: the fields of their rows, how to send one row, and its outcome."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alovoice_cli.api.call import Party
from alovoice_cli.batch.plan import ANALYSIS, CONFERENCE, IVR, OUT, TRANSCRIPT, BatchForm
from alovoice_cli.batch_rows import BatchRow, RowOutcome, RowResult
from alovoice_cli.errors import AlovoiceError, ExitCode, NotReadyError, RateLimitedError, UsageError
from alovoice_cli.language import in_english, tr
from alovoice_cli.masking import mask_fields

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client
    from alovoice_cli.session import Session


Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchVerb:
    """One command. `send(client, payload, our_id)` makes the request and returns the answer.

    `path` is the endpoint's path; empty for a command that only reads, which needs no journal and no agreement.
    """

    form: BatchForm
    send: Callable[["Client", Payload, str], object]
    path: str = ""
    noun: str = "call"

    @property
    def command(self) -> str:
        """Returns the words, such as `call out`."""
        return self.form.command

    @property
    def name(self) -> str:
        """Returns the last word."""
        return self.command.rpartition(" ")[2]

    @property
    def reads(self) -> bool:
        """Returns whether sending a row again is harmless."""
        return not self.path

    @property
    def dials(self) -> bool:
        """Returns whether people are rung."""
        return self.noun == "call"


def _out(client: "Client", payload: Payload, our_id: str) -> object:
    return client.call.out(
        inner_phone=payload["inner_phone"],
        number=payload["number"],
        call_id=our_id,
        user_id=payload.get("user_id"),
    )


def _ivr(client: "Client", payload: Payload, our_id: str) -> object:
    return client.call.ivr(
        callto=payload["callto"],
        ivrid=payload["ivrid"],
        fromline=payload["fromline"],
        lang=payload.get("lang", ""),
        extid=our_id,
    )


def _conference(client: "Client", payload: Payload, our_id: str) -> object:
    return client.call.conference(
        callfrom=Party(**payload["callfrom"]),
        callto=[Party(**party) for party in payload.get("callto", ())],
        queue=payload.get("queue", ""),
        extid=our_id,
    )


def _send(client: "Client", payload: Payload, our_id: str) -> object:
    return client.ai.send(payload["call_id"])


def _result(client: "Client", payload: Payload, our_id: str) -> object:
    answer: Mapping[str, Any] = client.ai.result(payload["call_id"])
    # Without `stalk` the analysis is not ready; section 8 does not document that answer.
    if "stalk" not in (answer.get("answer") or {}):
        raise NotReadyError(
            tr("the analysis of call {id} is not ready", id=payload["call_id"]),
            hint=tr("run the same command again later"),
        )
    return answer


VERBS = {
    verb.command: verb
    for verb in (
        BatchVerb(OUT, _out, "/outcall/"),
        BatchVerb(IVR, _ivr, "/requestcall/"),
        BatchVerb(CONFERENCE, _conference, "/requestcall/"),
        BatchVerb(ANALYSIS, _send, "/callsendai/", noun="analysis"),
        BatchVerb(TRANSCRIPT, _result, noun="analysis"),
    )
}


def verb_of(command: str) -> BatchVerb:
    """Returns the verb that a journal names. Raises UsageError for a verb that this version does not know."""
    if command not in VERBS:
        raise UsageError(
            tr("this version does not know batches of `{command}`", command=command), hint=tr("upgrade alovoice")
        )
    return VERBS[command]


_LONGEST_PAUSE = 3600.0
_LONGEST_ANSWER = 4096  # characters kept in the journal


def send(session: "Session", client: "Client", verb: BatchVerb, row: BatchRow) -> RowResult:
    """Makes the request of one row, through the send guard like every request. Runs in a thread of the batch."""
    try:
        answer = verb.send(client, row.payload, row.our_id)
    except AlovoiceError as problem:
        return _failed(session, problem)
    except Exception as fault:  # an error of this program must not hide what was sent
        name = f"{type(fault).__name__}: {fault}"
        return RowResult("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem=name, receipt=_receipt(session, verb))
    receipt = _receipt(session, verb)
    if verb.reads:
        return RowResult("done", ExitCode.DONE, "yes", 200, answer)
    kept = session.masker.hide_in(mask_fields(answer))
    if len(json.dumps(kept)) > _LONGEST_ANSWER:
        kept = json.dumps(kept)[:_LONGEST_ANSWER]
    return RowResult("done", ExitCode.DONE, "yes", 200, kept, receipt=receipt)


def _failed(session: "Session", problem: AlovoiceError) -> RowResult:
    outcome: RowOutcome = "unsent" if problem.sent == "no" else "refused"
    if problem.exit_code is ExitCode.UNKNOWN_OUTCOME:
        outcome = "unknown"
    pause = None
    if isinstance(problem, RateLimitedError):
        pause = min(problem.retry_after or 0.0, _LONGEST_PAUSE)
    hide = session.masker.hide
    return RowResult(
        outcome,
        problem.exit_code,
        problem.sent,
        problem.status,
        hide(in_english(problem.detail)) or None,
        hide(in_english(problem.message)),  # for the journal
        session.send_guard.receipt_here,
        pause,
    )


def _receipt(session: "Session", verb: BatchVerb) -> str:
    return "" if verb.reads else session.send_guard.receipt_here
