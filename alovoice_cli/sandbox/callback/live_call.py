"""A running call of the simulated PBX: each change is stored, and its handlers are informed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from alovoice_cli.campaigns.dialer_simulation import DialAttempt, DialStatus, lot
from alovoice_cli.posts import Posted
from alovoice_cli.sandbox.callback.day import Ringing, outside_code
from alovoice_cli.sandbox.callback.messages import Wording, read_start_reply
from alovoice_cli.sandbox.callback.posting import Envelope, Letter, Mailing
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.scenario import Scenario
from alovoice_cli.stores.pbx_traffic import CallCourse, Traffic

RECORD_BASE = "http://sandbox.localhost/stereo"
"""The base URL of recordings: always the embedded PBX's, so that days on different ports can be compared."""

_RESULT_AFTER_SECONDS = 2
_SHORTEST_PHONE, _LOCAL_PHONE = 7, 9
Then = Callable[[Posted | None], None]


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """Virtual time: at `moment` (monotonic seconds) it is `virtual` (unix seconds)."""

    virtual: float
    moment: float
    speed: float

    def due(self, at: float) -> float:
        """Returns the monotonic moment of a virtual time."""
        return self.moment + (at - self.virtual) / self.speed


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """The additional values of a result for a requested call, besides its times."""

    from_number: str
    to_number: str
    dialstatus: str
    attempts: list[dict[str, object]]


class LiveCall:
    """A call with this id and its course so far. Every change is stored when it happens."""

    def __init__(self, calls: "LiveCalls", number: int, key: str, clock: SandboxClock, course: CallCourse) -> None:
        self._calls = calls
        self.id, self.key, self.clock, self.course = number, key, clock, course
        self.envelope = Envelope(number, clock.speed)
        calls.traffic.note_course(number, course)

    def note(self, **changes: object) -> None:
        """Changes what is known of the call."""
        self.course = replace(self.course, **changes)  # type: ignore[arg-type]  # the names are the course's own
        self._calls.traffic.note_course(self.id, self.course)

    def ask_route(self, number: str, queue: str, then: Then) -> None:
        """Asks for the call's route; `number` is the caller's in the form of the question, without a plus."""
        words = self._words("route")
        self._post("route", words, lambda: words.route(number, self.course.line, queue, "inc"), 0, then)

    def tell_start(self, then: Then, *, after_seconds: int = 0) -> None:
        """Sends the callstart, this many virtual seconds after the beginning."""
        words = self._words("callstart")
        self._post("callstart", words, lambda: words.callstart(self.course), after_seconds, then)

    def ring(self, ringing: Ringing, *, after_seconds: int) -> None:
        """Lets the call ring, this many seconds after its beginning, and follow its course to the end."""
        began = self.course.started_at + after_seconds
        answered = began + ringing.ring_seconds if ringing.talk_seconds else None
        ended = began + ringing.ring_seconds + ringing.talk_seconds
        self.end(answered_at=answered, ended_at=ended, status_code=ringing.status_code)

    def end(self, *, answered_at: int | None, ended_at: int, status_code: str) -> None:
        """Stores how the call ends, and sends the callend when it is due."""
        self.note(answered_at=answered_at, ended_at=ended_at, status_code=status_code)
        words = self._words("callend")
        self._post("callend", words, partial(self._callend, words), ended_at - self.course.started_at, _nothing)

    def tell_result(self, made: ReportedCall) -> None:
        """Sends the call's result, shortly after its end."""
        assert self.course.ended_at is not None
        words = self._words("result")
        after = self.course.ended_at - self.course.started_at + _RESULT_AFTER_SECONDS
        self._post("result", words, partial(self._result, words, made), after, _nothing)

    def _words(self, kind: str) -> Wording:
        return Wording(self._calls.seed, kind, self.id)

    def _post(self, kind: str, words: Wording, write: Callable[[], bytes], after_seconds: int, then: Then) -> None:
        due = self.clock.due(self.course.started_at + after_seconds)
        self._calls.mailing.enter(Letter(self.envelope, kind, words.content_type, write, then, due))

    def _callend(self, words: Wording) -> bytes:
        course = self.course
        assert course.ended_at is not None
        return words.callend(course.call_id, course.ended_at, self._talk_seconds, course.status_code, self._record)

    def _result(self, words: Wording, made: ReportedCall) -> bytes:
        course = self.course
        fields: dict[str, object] = {
            "id": self.id,
            "from_number": made.from_number,
            "to_number": made.to_number,
            "trunk_number": words.number("trunk_number", course.line, text_in_100=50),
            "begin_time": course.started_at,
            "answer_time": course.answered_at or 0,
            "end_time": course.ended_at,
            "duration": self._talk_seconds,
            "dialstatus": made.dialstatus,
            "record": self._record,
        }
        if self.key:
            fields["externalid"] = words.number("externalid", self.key)
        return words.result(fields, made.attempts)

    @property
    def _talk_seconds(self) -> int:
        course = self.course
        return 0 if course.answered_at is None or course.ended_at is None else course.ended_at - course.answered_at

    @property
    def _record(self) -> str:
        return "" if self.course.answered_at is None else f"{RECORD_BASE}/{self.id}"


@dataclass(frozen=True, slots=True)
class LiveCalls:
    """Begins calls, each with a row in the account."""

    mailing: Mailing
    traffic: Traffic
    seed: int

    def asks(self, kind: str) -> bool:
        """Returns whether a message of this type has a handler."""
        return kind in self.mailing.handlers

    def open(self, kind: str, key: str, clock: SandboxClock, course: CallCourse, owed: Sequence[str]) -> LiveCall:
        """Begins a call now, with its row. `owed` are its messages; those with a handler count."""
        owing = self._owing(course, owed)
        number = self.traffic.add_call(kind, key, owing, born=course.started_at, speed=clock.speed)
        return LiveCall(self, number, key, clock, owing)

    def adopt(self, number: int, key: str, clock: SandboxClock, course: CallCourse, owed: Sequence[str]) -> LiveCall:
        """Returns a call that has a row already."""
        return LiveCall(self, number, key, clock, self._owing(course, owed))

    def _owing(self, course: CallCourse, owed: Sequence[str]) -> CallCourse:
        return replace(course, owed=tuple(kind for kind in owed if self.asks(kind)))


def wire_phone(number: str) -> str:
    """Returns a number in callstart's form, `+X…`: nine digits are Uzbek; an extension is unchanged (A)."""
    digits = number.removeprefix("+")
    if number.startswith("+") or len(digits) < _SHORTEST_PHONE:
        return number
    return f"+998{digits}" if len(digits) == _LOCAL_PHONE else f"+{digits}"


def _nothing(_: Posted | None) -> None:
    """Ignores the answer: to a callend or a result it is only `true`."""


OWED = ("callstart", "callend", "result")

Legs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A call to make, and the course of its ringings."""

    order: CallOrder
    legs: Legs

    def course(self, started_at: int, scenario: Scenario, seed: int) -> CallCourse:
        """Returns callstart's values. The line is the requested one, or any."""
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
        """Returns how the last ringing ended: after an answer nobody else is rung."""
        return str(self.legs[-1]["dialstatus"]) if self._got_through else str(self.legs[0]["dialstatus"])

    @property
    def _got_through(self) -> bool:
        return len(self.legs) > 1 or not self.order.then

    def times(self, started_at: int) -> tuple[int | None, int]:
        """Returns when the last person answered, and when the call ended."""
        rung = started_at + sum(leg["ring_seconds"] for leg in self.legs)
        if self._got_through and self.dialstatus() == DialStatus.ANSWER:
            return rung, rung + max(int(self.legs[-1]["talk_seconds"]), 1)
        return None, rung

    def made(self, line: str) -> ReportedCall:
        """Returns the result's values."""
        order = self.order
        first = order.first if order.kind != "ivr" else line
        return ReportedCall(
            first, str(self.legs[-1]["number"]).removeprefix("queue "), self.dialstatus(), _attempts(self.legs)
        )


def _attempts(legs: Legs) -> list[dict[str, object]]:
    return [{key: leg[key] for key in ("number", "dialstatus", "ring_seconds")} for leg in legs]


def lead_request(calls: LiveCalls, call: LiveCall, request: RequestedCall) -> None:
    """Sends the call's beginning, its end and its result."""
    order = request.order
    # Without an id from the handler, the CRM's own id of its request names the call (A).
    own_id = order.key if order.kind == "out" else ""
    call.tell_start(partial(name_call, call, own_id or None))
    answered_at, ended_at = request.times(call.course.started_at)
    code = outside_code(calls.seed, request.dialstatus(), order.kind, order.key, call.id)
    call.end(answered_at=answered_at, ended_at=ended_at, status_code=code)
    call.tell_result(request.made(call.course.line))


def name_call(call: LiveCall, own_id: str | None, answer: Posted | None) -> None:
    """Names the call by the answer to its callstart; ignores a redirect, because the caller chose the number."""
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
