"""Where the simulated PBX sends what happens: the customer's handlers, and who carries the bytes there."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from alovoice_cli.errors import UsageError
from alovoice_cli.posts import Posted
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.sandbox.scenario import Scenario

EVENT_TYPES = ("callstart", "callend", "result", "route")
ANSWER_SECONDS = 5.0
"""How long a handler may take. How long the vendor's server waits is not documented (A)."""

_TYPED = re.compile(r"([A-Za-z_]+)=(.*)", re.DOTALL)
_HINT = "give a base such as http://127.0.0.1:8787/h/SECRET, or TYPE=URL with " + ", ".join(EVENT_TYPES)


def parse_handlers(values: Sequence[str]) -> dict[str, str]:
    """The URL of each type of message that has one: a base serves all four, `TYPE=URL` one and before the base.

    Raises UsageError for an unknown type, a type or base given twice, and what is no http or https URL.
    """
    bases = [value for value in values if not _TYPED.fullmatch(value)]
    if len(bases) > 1:
        raise UsageError("--events-to has two bases", hint=_HINT)
    handlers = {kind: f"{_url(base, is_base=True)}/{kind}" for base in bases for kind in EVENT_TYPES}
    named: set[str] = set()
    for value in values:
        if match := _TYPED.fullmatch(value):
            kind = _known(match[1])
            if kind in named:
                raise UsageError(f"--events-to has two URLs for {kind}", hint=_HINT)
            named.add(kind)
            handlers[kind] = _url(match[2], is_base=False)
    return handlers


def _known(word: str) -> str:
    if word in EVENT_TYPES:
        return word
    near = difflib.get_close_matches(word, EVENT_TYPES, 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"--events-to: the PBX sends no {word!r}{meant}", hint=_HINT)


def _url(text: str, *, is_base: bool) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError("--events-to is no http or https URL", hint=_HINT)
    if parts.username is not None or parts.password is not None:
        raise UsageError("--events-to holds a user or a password", hint="leave what stands before the @ out")
    if parts.fragment or (is_base and parts.query):
        raise UsageError("--events-to: a base ends with its path", hint=_HINT)
    return text.rstrip("/") if is_base else text


_INTEGER = re.compile(r"\d{1,12}", re.ASCII)
_ALL_DIGITS = re.compile(r"\d+", re.ASCII)
_CALLTO = re.compile(r"\+?\d[\d ()-]{0,30}", re.ASCII)
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class StartReply:
    """The answer to a callstart: the handler's id of the call, or the number that the call is led to, or neither."""

    call_id: str | None = None
    callto: str | None = None


def read_start_reply(answer: Posted | None) -> StartReply:
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


def read_step(answer: Posted | None, scenario: Scenario) -> RouteStep | None:
    """The step that the route answered; None where the call ends at once: no step, a wrong one, no such place here."""
    try:
        step = RouteStep.from_wire(_json(_text(answer)))
    except UsageError:
        return None
    known = {
        "peer": {str(peer["number"]) for peer in scenario.peers},
        "queue": set(scenario.queues),
        "ivr": set(scenario.ivrs),
    }
    return step if step.action_type not in known or step.action_data in known[step.action_type] else None


def _text(answer: Posted | None) -> str:
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
