"""The next step of a call, in the form that the route "API request" expects (section 9): one of five.

A wrong type or argument ends the call at once, so a RouteStep that exists is always valid.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, tr

ACTION_TYPES: Final = ("peer", "queue", "ivr", "trunk", "hangup")

_ARGUMENTS = {
    "peer": mark("peer needs an extension, in digits"),
    "queue": mark("queue needs the number of a queue, in digits"),
    "ivr": mark("ivr needs the id of a voice menu, in digits"),
    "trunk": mark("trunk needs an outside phone number, in digits"),
    "hangup": mark("hangup needs the id of a sound file, in digits, or nothing"),
}
_ID = re.compile(r"[0-9]{1,15}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_FORMS = "peer:2000, queue:6000, ivr:111, trunk:998901234567, hangup:123, hangup"


def problem_with(action_type: object, action_data: object) -> str:
    """Returns the error that the PBX would find in a step; '' for a valid step."""
    if not isinstance(action_type, str) or action_type not in ACTION_TYPES:
        return tr("{step!r} is not one of the steps {names}", step=action_type, names=", ".join(ACTION_TYPES))
    if action_data is None:
        return "" if action_type == "hangup" else tr(_ARGUMENTS[action_type])
    shape = _PHONE if action_type == "trunk" else _ID
    if not isinstance(action_data, str) or not shape.fullmatch(action_data):
        needs = tr(_ARGUMENTS[action_type])
        return tr("{step} {argument!r}: {problem}", step=action_type, argument=action_data, problem=needs)
    return ""


def _give_a_step() -> str:
    return tr("give a step, such as {examples}", examples=_FORMS)


@dataclass(frozen=True, slots=True)
class RouteStep:
    """The PBX's next step for a call. Raises UsageError for a step that the PBX would not understand."""

    action_type: str
    action_data: str | None = None

    def __post_init__(self) -> None:
        if problem := problem_with(self.action_type, self.action_data):
            raise UsageError(tr("the step is not valid: {problem}", problem=problem), hint=_give_a_step())

    @classmethod
    def from_text(cls, text: str, option: str = "--fallback") -> "RouteStep":
        """Returns the step in words: `queue:6000`, `peer:2000`, `hangup`. Raises UsageError for other text."""
        action_type, colon, action_data = text.strip().partition(":")
        given: str | None = action_data.strip() if colon else None
        if problem := problem_with(action_type.strip().lower(), given):
            message = tr("{option} {step!r} is not a step: {problem}", option=option, step=text, problem=problem)
            raise UsageError(message, hint=_give_a_step())
        return cls(action_type.strip().lower(), given)

    @classmethod
    def from_wire(cls, answer: object) -> "RouteStep":
        """Returns the step of a decoded answer.

        Strict, like the PBX: raises UsageError for an answer that ends the call.
        """
        if not isinstance(answer, dict):
            raise UsageError(tr("the step is not valid: the answer is not a JSON object"), hint=_give_a_step())
        return cls(answer.get("action_type", ""), answer.get("action_data"))

    def as_wire(self) -> dict[str, str]:
        """Returns the JSON object of section 9; without `action_data` where a hangup plays nothing."""
        if self.action_data is None:
            return {"action_type": self.action_type}
        return {"action_type": self.action_type, "action_data": self.action_data}

    def to_bytes(self) -> bytes:
        """Returns the answer's body: strict JSON (the document's samples have unquoted keys), ASCII, one line."""
        return json.dumps(self.as_wire(), ensure_ascii=True, allow_nan=False).encode("ascii")

    def __str__(self) -> str:
        return self.action_type if self.action_data is None else f"{self.action_type}:{self.action_data}"


class Override(NamedTuple):
    """One step for everybody, until an aware moment."""

    step: RouteStep
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Returns whether it is still in force."""
        return now < self.until

    @property
    def why(self) -> str:
        """Returns the reason that is kept with each decision."""
        return f"override until {self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
