"""Calls that the PBX was asked to make, one by one or as a campaign, and what is told of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alovoice_cli.campaigns.dialer_simulation import DialAttempt, DialStatus, lot
from alovoice_cli.posts import Posted
from alovoice_cli.sandbox.callback.call_course import outside_code
from alovoice_cli.sandbox.callback.handlers import read_start_reply
from alovoice_cli.sandbox.callback.live_call import LiveCall, LiveCalls, ReportedCall, SandboxClock, wire_phone
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.scenario import Scenario
from alovoice_cli.stores.pbx_traffic import CallCourse

OWED = ("callstart", "callend", "result")

Legs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A call to make, and how its ringings go."""

    order: CallOrder
    legs: Legs

    def course(self, started_at: int, scenario: Scenario, seed: int) -> CallCourse:
        """What callstart says of it. The line is the one asked for, else any."""
        order = self.order
        lines = list(scenario.trunks)
        line = str(order.request.get("fromline") or lines[lot(seed, "line", order.kind, order.key) % len(lines)])
        extensions = {str(peer["number"]) for peer in scenario.peers}
        outside = next((number for number in order.then if not number.startswith("queue ")), order.first)
        number = outside if order.first in extensions else order.first
        inner = order.first if order.first in extensions else str(order.request.get("ivrid") or 0)
        kind = "int" if number in extensions else "out"
        return CallCourse(kind, wire_phone(number), line, int(inner), started_at, went_to=str(self.legs[-1]["number"]))

    def dialstatus(self) -> str:
        """How the last ringing ended: nobody is rung after one who answers."""
        return str(self.legs[-1]["dialstatus"]) if self._got_through else str(self.legs[0]["dialstatus"])

    @property
    def _got_through(self) -> bool:
        return len(self.legs) > 1 or not self.order.then

    def times(self, started_at: int) -> tuple[int | None, int]:
        """When the call was answered, by the last one who was rung, and when it ended."""
        rung = started_at + sum(leg["ring_seconds"] for leg in self.legs)
        if self._got_through and self.dialstatus() == DialStatus.ANSWER:
            return rung, rung + max(int(self.legs[-1]["talk_seconds"]), 1)
        return None, rung

    def made(self, line: str) -> ReportedCall:
        """What the result says of it."""
        order = self.order
        first = order.first if order.kind != "ivr" else line
        return ReportedCall(
            first, str(self.legs[-1]["number"]).removeprefix("queue "), self.dialstatus(), _attempts(self.legs)
        )


def _attempts(legs: Legs) -> list[dict[str, object]]:
    return [{key: leg[key] for key in ("number", "dialstatus", "ring_seconds")} for leg in legs]


def lead_request(calls: LiveCalls, call: LiveCall, request: RequestedCall) -> None:
    """Tells of the call's beginning, its end and its result."""
    order = request.order
    # The CRM's own id of a call that it asked for names the call where its handler does not (A).
    own_id = order.key if order.kind == "out" else ""
    call.tell_start(partial(name_call, call, own_id or None))
    answered_at, ended_at = request.times(call.course.started_at)
    code = outside_code(calls.seed, request.dialstatus(), order.kind, order.key, call.id)
    call.end(answered_at=answered_at, ended_at=ended_at, status_code=code)
    call.tell_result(request.made(call.course.line))


def name_call(call: LiveCall, own_id: str | None, answer: Posted | None) -> None:
    """The answer to the callstart names the call; a redirect is not obeyed: somebody chose the number."""
    call.note(call_id=read_start_reply(answer).call_id or own_id)


@dataclass(frozen=True, slots=True)
class RequestedCampaign:
    """A campaign that is dialled: one attempt after the other, each when it is due."""

    calls: LiveCalls
    number: int
    clock: SandboxClock
    attempts: Iterator[DialAttempt]
    at: Callable[[float, Callable[[], None]], None]

    def go_on(self) -> None:
        """Waits for the next attempt, if there is one."""
        if (attempt := next(self.attempts, None)) is not None:
            self.at(self.clock.due(attempt.started_at.timestamp()), partial(self._dial, attempt))

    def _dial(self, attempt: DialAttempt) -> None:
        self.go_on()
        started_at = int(attempt.started_at.timestamp())
        course = CallCourse("out", wire_phone(attempt.number), attempt.trunk, 0, started_at, went_to=attempt.number)
        call = self.calls.open("campaign", "", self.clock, course, OWED)
        call.tell_start(partial(name_call, call, None))
        status = str(attempt.dialstatus)
        call.end(
            answered_at=None if attempt.answered_at is None else int(attempt.answered_at.timestamp()),
            ended_at=int(attempt.ended_at.timestamp()),
            status_code=outside_code(self.calls.seed, status, self.number, attempt.number, attempt.ordinal),
        )
        tries: list[dict[str, object]] = [{"number": attempt.number, "attempt": attempt.ordinal, "dialstatus": status}]
        call.tell_result(ReportedCall(attempt.trunk, attempt.number, status, tries))
