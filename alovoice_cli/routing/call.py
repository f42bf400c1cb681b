"""One call while rules are asked of it, and what a condition is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeVar

from alovoice_cli.routing.history import History
from alovoice_cli.routing.numbers import Number
from alovoice_cli.routing.question import Question

T = TypeVar("T")


class Call:
    """One question while rules are asked of it: its facts, and what was found out on the way."""

    __slots__ = ("_known", "caller", "direction", "history", "line", "local", "now", "question", "queue")

    def __init__(self, question: Question, now: datetime, zone: tzinfo, history: History) -> None:
        self.question = question
        self.now = now
        self.local = now.astimezone(zone)
        self.history = history
        self.caller = Number.of(question.from_number)
        self.line = Number.of(question.line_number)
        self.queue = question.queue_number
        self.direction = question.direction
        self._known: dict[object, object] = {}

    def once(self, key: object, find_out: Callable[[], T]) -> T:
        """The value under this key, found out when it is first asked for."""
        if key not in self._known:
            self._known[key] = find_out()
        return self._known[key]  # type: ignore[return-value] # under one key stands one kind of value

    def known(self, key: object) -> object:
        """The value under this key, None where nobody asked for it yet."""
        return self._known.get(key)


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
