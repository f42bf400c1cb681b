"""The messages of the simulated PBX: the handlers that get them, their bytes, and what a handler answers.

The vendor's document (sections 5, 6 and 9) leaves the types of many fields open, and its samples send JSON without its
content type. So do we, by lot: numbers come as numbers or as text, and the content type is JSON's, another one, or
missing. The same call says the same bytes in every run.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, tr
from alovoice_cli.posts import Posted
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.sandbox.scenario import Scenario
from alovoice_cli.stores.pbx_traffic import CallCourse

EVENT_TYPES = ("callstart", "callend", "result", "route")
ANSWER_SECONDS = 5.0
"""How long a handler may take. How long the vendor's server waits is not documented (A)."""

_TYPED = re.compile(r"([A-Za-z_]+)=(.*)", re.DOTALL)


def _hint() -> str:
    return tr(
        "give a base URL such as http://127.0.0.1:8787/h/SECRET, or TYPE=URL with {types}",
        types=", ".join(EVENT_TYPES),
    )


def parse_handlers(values: Sequence[str]) -> dict[str, str]:
    """Returns the URL of each type of message: a base serves all four types, `TYPE=URL` one type with priority."""
    bases = [value for value in values if not _TYPED.fullmatch(value)]
    if len(bases) > 1:
        raise UsageError(tr("--events-to has two base URLs"), hint=_hint())
    handlers = {kind: f"{_url(base, is_base=True)}/{kind}" for base in bases for kind in EVENT_TYPES}
    named: set[str] = set()
    for value in values:
        if match := _TYPED.fullmatch(value):
            kind = _known(match[1])
            if kind in named:
                raise UsageError(tr("--events-to has two URLs for {type}", type=kind), hint=_hint())
            named.add(kind)
            handlers[kind] = _url(match[2], is_base=False)
    return handlers


def _known(word: str) -> str:
    if word in EVENT_TYPES:
        return word
    near = difflib.get_close_matches(word, EVENT_TYPES, 1)
    message = tr("--events-to: the PBX does not send {value}", value=repr(word))
    if near:
        message = joined("; ", (message, tr("did you mean {word}?", word=near[0])))
    raise UsageError(message, hint=_hint())


def _url(text: str, *, is_base: bool) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(tr("--events-to is not an http or https URL"), hint=_hint())
    if parts.username is not None or parts.password is not None:
        raise UsageError(tr("--events-to contains a user or a password"), hint=tr("leave out what is before the @"))
    if parts.fragment or (is_base and parts.query):
        raise UsageError(tr("--events-to: a base URL ends with its path"), hint=_hint())
    return text.rstrip("/") if is_base else text


_INTEGER = re.compile(r"\d{1,12}", re.ASCII)
_ALL_DIGITS = re.compile(r"\d+", re.ASCII)
_CALLTO = re.compile(r"\+?\d[\d ()-]{0,30}", re.ASCII)
_LONGEST_ID = 32


@dataclass(frozen=True, slots=True)
class StartReply:
    """The answer to a callstart: the handler's id of the call, or a number to lead the call to, or neither."""

    call_id: str | None = None
    callto: str | None = None


def read_start_reply(answer: Posted | None) -> StartReply:
    """Reads an integer of at most 12 digits or a text of at most 32 characters, plain or JSON; or `callto`.

    Any other answer (an error, a page, a longer text) gives the call no id.
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
    """Returns the route's step; None where the call ends at once: no step, a wrong one, an unknown destination."""
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


_CONTENT_TYPES = (
    *("application/json",) * 9,
    *(None,) * 5,
    *("application/x-www-form-urlencoded",) * 4,  # what curl --data makes of the document's samples
    *("text/plain;charset=UTF-8",) * 2,
)
_TEXT_IN_100 = 20
_LIST_IN_100, _BRACKETS_IN_100 = 10, 5
_BRACKETED = ("id", "from_number", "to_number", "trunk_number", "begin_time")


class Wording:
    """The form of one message of one call: seed, call and type decide every choice."""

    def __init__(self, seed: int, kind: str, call: int) -> None:
        self._seed, self._kind, self._call = seed, kind, call

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, or None where there is none."""
        return _CONTENT_TYPES[self.draw("content type") % len(_CONTENT_TYPES)]

    def draw(self, what: str) -> int:
        """Returns a number of 64 bits for this choice."""
        return lot(self._seed, "wording", self._kind, self._call, what)

    def number(self, name: str, value: int | str, *, text_in_100: int = _TEXT_IN_100) -> int | str:
        """Returns the field's value as a number or as text; other text stays text."""
        text = str(value)
        is_plain = text.isascii() and text.isdigit() and len(text) <= 15 and str(int(text)) == text
        return int(text) if is_plain and self.draw(name) % 100 >= text_in_100 else text

    def callstart(self, course: CallCourse) -> bytes:
        """Returns the body of a callstart."""
        return _dump(
            {
                "inner_phone": self.number("inner_phone", course.inner_phone),
                "number": course.number,
                "line": self.number("line", course.line, text_in_100=50),
                "type": course.type,
                "start_time": self.number("start_time", course.started_at),
            }
        )

    def callend(self, call_id: str | None, finished_at: int, duration: int, status_code: str, record: str) -> bytes:
        """Returns the end of a call: without `call_id` if the handler gave none; without a recording in two forms."""
        fields: dict[str, object] = {} if call_id is None else {"call_id": self.number("call_id", call_id)}
        fields |= {
            "finish_time": self.number("finish_time", finished_at),
            "duration": self.number("duration", duration),
            "status_code": self.number("status_code", status_code, text_in_100=40),
        }
        if record or self.draw("record") % 2:
            fields["record"] = record
        return _dump(fields)

    def result(self, fields: Mapping[str, object], attempts: list[dict[str, object]]) -> bytes:
        """Returns a call's result: an object, a list of one, or an object with `[]` before its first five names."""
        written = {
            name: self.number(name, value) if isinstance(value, int) else value for name, value in fields.items()
        }
        written["attempts"] = self._attempts(attempts)
        shape = self.draw("shape") % 100
        if shape < _LIST_IN_100:
            return _dump([written])
        if shape < _LIST_IN_100 + _BRACKETS_IN_100:
            written = {f"[]{name}" if name in _BRACKETED else name: value for name, value in written.items()}
        return _dump(written)

    def route(self, number: str, line: str, queue: str, direction: str) -> bytes:
        """Returns the body of a route question."""
        fields: dict[str, object] = {"from_number": number, "line_number": line}
        if queue:
            fields["queue_number"] = self.number("queue_number", queue)
        return _dump({**fields, "direction": direction})

    def _attempts(self, attempts: list[dict[str, object]]) -> object:
        """Returns `attempts` as an array, an object or a string: the document allows all three."""
        shape = self.draw("attempts") % 10
        if shape < 6:
            return attempts
        numbered = {str(place): attempt for place, attempt in enumerate(attempts, 1)}
        return numbered if shape < 8 else json.dumps(attempts, ensure_ascii=False)


def _dump(value: object) -> bytes:
    """Returns JSON as JavaScript writes it: no spaces, letters unchanged."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
