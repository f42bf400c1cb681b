"""What a handler answers the simulated PBX, read as the vendor's document says it (sections 6 and 9)."""

import json
import re
from dataclasses import dataclass

from alovoice_cli.errors import UsageError
from alovoice_cli.routing.step import Step
from alovoice_cli.sandbox.callback.handlers import Answer
from alovoice_cli.sandbox.scenario import Scenario

_INTEGER = re.compile(r"\d{1,12}", re.ASCII)
_ALL_DIGITS = re.compile(r"\d+", re.ASCII)
_CALLTO = re.compile(r"\+?\d[\d ()-]{0,30}", re.ASCII)
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class StartReply:
    """The answer to a callstart: the handler's id of the call, or the number that the call is led to, or neither."""

    call_id: str | None = None
    callto: str | None = None


def read_start_reply(answer: Answer | None) -> StartReply:
    """An integer of at most 12 digits or a text of at most 32 characters, plain or as a JSON value; or `callto`.

    Whatever else comes (an error, a page, a longer text) gives the call no id.
    """
    text = _text(answer)
    if text.startswith("{"):
        value = _json(text)
        callto = value.get("callto") if isinstance(value, dict) else None
        called = str(callto).strip() if isinstance(callto, str | int) and not isinstance(callto, bool) else ""
        return StartReply(callto=re.sub(r"[ ()-]", "", called)) if _CALLTO.fullmatch(called) else StartReply()
    if text.startswith('"'):
        value = _json(text)
        text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= _LONGEST_ID or not text.isprintable():
        return StartReply()
    return StartReply() if _ALL_DIGITS.fullmatch(text) and not _INTEGER.fullmatch(text) else StartReply(call_id=text)


def read_step(answer: Answer | None, scenario: Scenario) -> Step | None:
    """The step that the route answered; None where the call ends at once: no step, a wrong one, no such place here."""
    try:
        step = Step.from_wire(_json(_text(answer)))
    except UsageError:
        return None
    known = {
        "peer": {str(peer["number"]) for peer in scenario.peers},
        "queue": set(scenario.queues),
        "ivr": set(scenario.ivrs),
    }
    return step if step.action_type not in known or step.action_data in known[step.action_type] else None


def _text(answer: Answer | None) -> str:
    if answer is None or answer.status is None or not 200 <= answer.status < 300:
        return ""
    try:
        return answer.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
