"""A question of the PBX, the call for which rules are evaluated, and the base of all conditions."""

import json
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NamedTuple
from urllib.parse import parse_qsl

from alovoice_cli.routing.history import History
from alovoice_cli.routing.numbers import Number

_LONGEST = 64  # characters of a field: no number is longer
_DIRECTIONS = {"inc": "inc", "in": "inc", "incoming": "inc", "inbound": "inc", "out": "out", "outgoing": "out"}


class UnreadableQuestionError(ValueError):
    """The body contains no question; the message gives the reason."""


class Question(NamedTuple):
    """Unchanged numbers, an empty text for a missing field. `direction` is `inc`, `out` or empty."""

    from_number: str = ""
    line_number: str = ""
    queue_number: str = ""
    direction: str = ""

    @classmethod
    def from_wire(cls, body: object) -> "Question":
        """Reads a decoded object: texts or numbers, names with or without `[]`; other values count as missing.

        Raises UnreadableQuestionError for another type, or an object without any of the four fields.
        """
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict):
            raise UnreadableQuestionError("the body is not a JSON object")
        fields = {str(name).replace("[]", "").strip().lower(): value for name, value in body.items()}
        known = ("from_number", "line_number", "queue_number", "direction")
        if not any(name in fields for name in known):
            raise UnreadableQuestionError("the body has none of the fields " + ", ".join(known))
        caller, line, queue, direction = (_text(fields.get(name)) for name in known)
        return cls(caller, line, queue, _DIRECTIONS.get(direction.lower(), ""))

    @classmethod
    def from_body(cls, body: bytes) -> "Question":
        """Reads a request's body: JSON, or a form's fields. Raises UnreadableQuestionError, and nothing else."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableQuestionError("the body is not text") from error
        try:
            return cls.from_wire(json.loads(text))
        except UnreadableQuestionError:
            raise
        except (ValueError, RecursionError) as error:  # also a number of 5,000 digits
            form = _form(text)
            if form is None:
                raise UnreadableQuestionError("the body is not JSON") from error
        return cls.from_wire(form)

    def as_wire(self) -> dict[str, str]:
        """Returns the question as an object of section 9, without missing fields."""
        fields = {
            "from_number": self.from_number,
            "line_number": self.line_number,
            "queue_number": self.queue_number,
            "direction": self.direction,
        }
        return {name: value for name, value in fields.items() if value}


def _form(text: str) -> dict[str, str] | None:
    try:
        return dict(parse_qsl(text, strict_parsing=True, max_num_fields=50)) or None
    except ValueError:
        return None


def _text(value: object) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        value = int(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST else ""
    return value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""


class IncomingCall:
    """One question while rules are evaluated: its facts, and results that several rules need."""

    __slots__ = ("caller", "direction", "history", "known", "line", "local", "now", "past", "question", "queue")

    def __init__(self, question: Question, now: datetime, zone: tzinfo, history: History) -> None:
        self.question = question
        self.now = now
        self.local = now.astimezone(zone)
        self.history = history
        self.caller = Number.of(question.from_number)
        self.line = Number.of(question.line_number)
        self.queue = question.queue_number
        self.direction = question.direction
        self.known: dict[object, bool] = {}
        """Results of number sets and hours for this call: each is computed once."""
        self.past: dict[object, object] = {}
        """Results of the history: a look-up may be slow, and is made once."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a call. `text` is its spelling in the file."""

    text: str = field(compare=False)

    cost = 1
    """Cheap conditions are evaluated first; those about the past, which need the store, last."""

    def holds(self, call: IncomingCall) -> bool:
        """Returns whether the condition holds for the call."""
        raise NotImplementedError

    def facts(self, call: IncomingCall) -> str:
        """Returns the call's facts for this condition, for the trail."""
        raise NotImplementedError
