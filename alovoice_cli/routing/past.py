"""Conditions that ask the event store about the caller's calls before this one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from alovoice_cli.routing.call import Call, Condition

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SpokeWithin(Condition):
    """The caller's last answered call is not longer ago."""

    window: timedelta
    cost = 9

    def holds(self, call: Call) -> bool:
        """Whether there was such a call. Without a number nobody is known."""
        return last_peer(call, self.window) is not None

    def facts(self, call: Call) -> str:
        """With whom they spoke."""
        if not call.caller.key:
            return "a hidden number has no past"
        peer = last_peer(call, self.window)
        return "no answered call of the caller is known" if peer is None else f"they spoke with {peer}"


def last_peer(call: Call, window: timedelta) -> str | None:
    """The extension of the caller's last answered call within the window."""
    if not call.caller.key:
        return None
    return _once(call, ("last_peer", window), lambda since: call.history.last_peer(call.caller.digits, since))


@dataclass(frozen=True, slots=True)
class CallsWithin(Condition):
    """The caller has called so often before, or more often."""

    count: int
    window: timedelta
    cost = 9

    def _calls(self, call: Call) -> int:
        if not call.caller.key:
            return 0
        return _once(call, ("calls", self.window), lambda since: call.history.calls(call.caller.digits, since))

    def holds(self, call: Call) -> bool:
        """Whether there were as many calls."""
        return self._calls(call) >= self.count

    def facts(self, call: Call) -> str:
        """How many calls there were."""
        return f"calls before: {self._calls(call)}"


@dataclass(frozen=True, slots=True)
class MissedWithin(Condition):
    """A call of the caller was missed not longer ago."""

    window: timedelta
    cost = 9

    def _missed(self, call: Call) -> int:
        if not call.caller.key:
            return 0
        return _once(call, ("missed", self.window), lambda since: call.history.missed(call.caller.digits, since))

    def holds(self, call: Call) -> bool:
        """Whether any was missed."""
        return self._missed(call) > 0

    def facts(self, call: Call) -> str:
        """How many were missed."""
        return f"missed calls: {self._missed(call)}"


def _once(call: Call, question: tuple[str, timedelta], ask: Callable[[datetime], T]) -> T:
    """The history's answer; asked once a call, from then on remembered."""
    if question not in call.past:
        try:
            since = call.now - question[1]
        except OverflowError:
            since = datetime.min.replace(tzinfo=UTC)
        call.past[question] = ask(since)
    return cast(T, call.past[question])
