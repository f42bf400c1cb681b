"""One row's request, and what came of it; never raises what a call may end with."""

import json
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import Outcome, Result, Step
from alovoice_cli.batching.verbs import Verb
from alovoice_cli.errors import AlovoiceError, ExitCode, RateLimitedError
from alovoice_cli.masking import mask_fields

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client
    from alovoice_cli.session import Session

_LONGEST_PAUSE = 3600.0
_LONGEST_ANSWER = 4096  # characters kept in the journal


def send(session: "Session", client: "Client", verb: Verb, step: Step) -> Result:
    """Makes the request of one row, through the send guard like any other. Runs in a thread of the batch."""
    try:
        answer = verb.send(client, step.payload, step.our_id)
    except AlovoiceError as problem:
        return _failed(session, problem)
    except Exception as fault:  # a fault of ours must not stop the account of what left
        name = f"{type(fault).__name__}: {fault}"
        return Result("unknown", ExitCode.UNKNOWN_OUTCOME, "maybe", problem=name, receipt=_receipt(session, verb))
    receipt = _receipt(session, verb)
    if verb.reads:
        return Result("done", ExitCode.DONE, "yes", 200, answer)
    kept = session.masker.hide_in(mask_fields(answer))
    if len(json.dumps(kept)) > _LONGEST_ANSWER:
        kept = json.dumps(kept)[:_LONGEST_ANSWER]
    return Result("done", ExitCode.DONE, "yes", 200, kept, receipt=receipt)


def _failed(session: "Session", problem: AlovoiceError) -> Result:
    outcome: Outcome = "unsent" if problem.sent == "no" else "refused"
    if problem.exit_code is ExitCode.UNKNOWN_OUTCOME:
        outcome = "unknown"
    pause = None
    if isinstance(problem, RateLimitedError):
        pause = min(problem.retry_after or 0.0, _LONGEST_PAUSE)
    hide = session.masker.hide
    return Result(
        outcome,
        problem.exit_code,
        problem.sent,
        problem.status,
        hide(problem.detail) or None,
        hide(problem.message),
        session.send_guard.receipt_here,
        pause,
    )


def _receipt(session: "Session", verb: Verb) -> str:
    return "" if verb.reads else session.send_guard.receipt_here
