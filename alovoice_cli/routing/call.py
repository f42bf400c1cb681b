"""One call while rules are asked of it, and what a condition is."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from alovoice_cli.routing.history import History
from alovoice_cli.routing.numbers import Number
from alovoice_cli.routing.question import Question


class Call:
    """One question while rules are asked of it: its facts, and what was found out on the way."""

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
        """What number sets and hours said of this call: rules that ask the same get the same."""
        self.past: dict[object, object] = {}
        """What the history said: a look-up may be slow, and is made once."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is true of a call or not. `text` is how the file writes it."""

    text: str = field(compare=False)

    cost = 1
    """What is cheap is asked first; the past, which a store must look up, last."""

    def holds(self, call: Call) -> bool:
        """Whether it is true of the call."""
        raise NotImplementedError

    def facts(self, call: Call) -> str:
        """What the call is like in this respect, for the trail."""
        raise NotImplementedError
