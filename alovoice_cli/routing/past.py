"""Conditions that ask the event store about the caller's calls before this one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alovoice_cli.routing.call import Call, Condition


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
        peer = last_peer(call, self.window)
        return "no answered call of the caller is known" if peer is None else f"they spoke with {peer}"


def last_peer(call: Call, window: timedelta) -> str | None:
    """The extension of the caller's last answered call within the window."""
    if not call.caller.key:
        return None
    return call.once(
        ("last_peer", window), lambda: call.history.last_peer(call.caller.digits, _since(call.now, window))
    )


@dataclass(frozen=True, slots=True)
class CallsWithin(Condition):
    """The caller has called so often before, or more often."""

    count: int
    window: timedelta
    cost = 9

    def _calls(self, call: Call) -> int:
        if not call.caller.key:
            return 0
        return call.once(
            ("calls", self.window), lambda: call.history.calls(call.caller.digits, _since(call.now, self.window))
        )

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
        return call.once(
            ("missed", self.window), lambda: int(call.history.missed(call.caller.digits, _since(call.now, self.window)))
        )

    def holds(self, call: Call) -> bool:
        """Whether any was missed."""
        return self._missed(call) > 0

    def facts(self, call: Call) -> str:
        """How many were missed."""
        return f"missed calls: {self._missed(call)}"


def _since(now: datetime, window: timedelta) -> datetime:
    try:
        return now - window
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)
