"""The commands that take `--batch`: what their rows hold, and how one row is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alovoice_cli.api.types import Party
from alovoice_cli.batch.fields import ANALYSIS, CONFERENCE, IVR, OUT, TRANSCRIPT, Form
from alovoice_cli.errors import NotReadyError, UsageError

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """One command. `send(client, payload, our_id)` makes the request and returns the answer.

    `path` is its endpoint's; empty for one that only reads: then there is no journal, and nothing to agree to.
    """

    form: Form
    send: Callable[["Client", Payload, str], object]
    path: str = ""
    noun: str = "call"

    @property
    def command(self) -> str:
        """The words, such as `call out`."""
        return self.form.command

    @property
    def name(self) -> str:
        """The last of the words."""
        return self.command.rpartition(" ")[2]

    @property
    def reads(self) -> bool:
        """Whether sending it again repeats nothing."""
        return not self.path

    @property
    def dials(self) -> bool:
        """Whether people are rung."""
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
    # Without `stalk` it is not ready: what a call still under analysis gets is not documented (section 8).
    if "stalk" not in (answer.get("answer") or {}):
        raise NotReadyError(f"the analysis of call {payload['call_id']} is not ready", hint="run it again in a while")
    return answer


VERBS = {
    verb.command: verb
    for verb in (
        Verb(OUT, _out, "/outcall/"),
        Verb(IVR, _ivr, "/requestcall/"),
        Verb(CONFERENCE, _conference, "/requestcall/"),
        Verb(ANALYSIS, _send, "/callsendai/", noun="analysis"),
        Verb(TRANSCRIPT, _result, noun="analysis"),
    )
}


def verb_of(command: str) -> Verb:
    """The verb that a journal names. Raises UsageError for one that this version does not know."""
    if command not in VERBS:
        raise UsageError(f"this version knows no batches of `{command}`", hint="upgrade alovoice")
    return VERBS[command]
