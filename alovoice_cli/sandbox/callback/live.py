"""One call as it goes on, and the messages that tell of it.

Where the document is silent (A): a call that no extension takes part in has the `inner_phone` 0, one into a voice menu
the menu's id. A result is sent of each call that the PBX was asked to make (requests and campaigns), two seconds after
its end; one that was not answered has the `answer_time` 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from alovoice_cli.sandbox.callback.course import Ringing
from alovoice_cli.sandbox.callback.handlers import Answer
from alovoice_cli.sandbox.callback.mailing import Envelope, Letter, Mailing
from alovoice_cli.sandbox.callback.wording import RECORD_BASE, Wording
from alovoice_cli.stores.pbx_traffic import Course, Traffic

_RESULT_AFTER_SECONDS = 2
_SHORTEST_PHONE, _LOCAL_PHONE = 7, 9
Then = Callable[[Answer | None], None]


@dataclass(frozen=True, slots=True)
class Clock:
    """Virtual time on the machine's: at `moment` (monotonic seconds) it is `virtual` (unix seconds)."""

    virtual: float
    moment: float
    speed: float

    def due(self, at: float) -> float:
        """The monotonic moment of a virtual time."""
        return self.moment + (at - self.virtual) / self.speed


@dataclass(frozen=True, slots=True)
class Made:
    """What a result says of a call that the PBX was asked to make, besides its times."""

    from_number: str
    to_number: str
    dialstatus: str
    attempts: list[dict[str, object]]


class LiveCall:
    """A call of this id, whose course is known so far. All that happens to it is written down as it happens."""

    def __init__(
        self, mailing: Mailing, traffic: Traffic, *, seed: int, number: int, key: str, clock: Clock, course: Course
    ) -> None:
        self._mailing, self._traffic, self._seed = mailing, traffic, seed
        self.id, self.key, self.clock, self.course = number, key, clock, course
        self.envelope = Envelope(number, clock.speed)
        traffic.note_course(number, course)

    def note(self, **changes: object) -> None:
        """Changes what is known of the call."""
        self.course = replace(self.course, **changes)  # type: ignore[arg-type]  # the names are the course's own
        self._traffic.note_course(self.id, self.course)

    def ask_route(self, number: str, queue: str, then: Then) -> None:
        """Asks where the call goes; `number` is the caller's as the route's question has it, without a plus."""
        words = self._words("route")
        self._post("route", words, lambda: words.route(number, self.course.line, queue, "inc"), 0, then)

    def tell_start(self, then: Then, *, after_seconds: int = 0) -> None:
        """Tells of the call's beginning, so many virtual seconds after it."""
        words = self._words("callstart")
        self._post("callstart", words, lambda: words.callstart(self.course), after_seconds, then)

    def ring(self, ringing: Ringing, *, after_seconds: int) -> None:
        """The call rings, so many seconds after its beginning, and takes its course to an end."""
        began = self.course.started_at + after_seconds
        answered = began + ringing.ring_seconds if ringing.talk_seconds else None
        ended = began + ringing.ring_seconds + ringing.talk_seconds
        self.end(answered_at=answered, ended_at=ended, status_code=ringing.status_code)

    def end(self, *, answered_at: int | None, ended_at: int, status_code: str) -> None:
        """Writes down how the call ends, and tells of it when it is due."""
        self.note(answered_at=answered_at, ended_at=ended_at, status_code=status_code)
        words = self._words("callend")
        self._post("callend", words, partial(self._callend, words), ended_at - self.course.started_at, _nothing)

    def tell_result(self, made: Made) -> None:
        """Tells of the call's result, shortly after its end, which is known."""
        assert self.course.ended_at is not None
        words = self._words("result")
        after = self.course.ended_at - self.course.started_at + _RESULT_AFTER_SECONDS
        self._post("result", words, partial(self._result, words, made), after, _nothing)

    def _words(self, kind: str) -> Wording:
        return Wording(self._seed, kind, self.id)

    def _post(self, kind: str, words: Wording, write: Callable[[], bytes], after_seconds: int, then: Then) -> None:
        due = self.clock.due(self.course.started_at + after_seconds)
        self._mailing.enter(Letter(self.envelope, kind, words.content_type, write, then, due))

    def _callend(self, words: Wording) -> bytes:
        course = self.course
        assert course.ended_at is not None
        return words.callend(course.call_id, course.ended_at, self._talk_seconds, course.status_code, self._record)

    def _result(self, words: Wording, made: Made) -> bytes:
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


class LiveCalls:
    """Begins calls, each with a row in the account."""

    def __init__(self, mailing: Mailing, traffic: Traffic, seed: int) -> None:
        self._mailing, self._traffic, self.seed = mailing, traffic, seed

    def asks(self, kind: str) -> bool:
        """Whether a message of this type has a handler."""
        return kind in self._mailing.handlers

    def open(self, kind: str, key: str, clock: Clock, course: Course, owed: Sequence[str]) -> LiveCall:
        """A call that begins now, with its row. `owed` are the messages that tell of it; those count that are sent."""
        owing = self._owing(course, owed)
        number = self._traffic.add_call(kind, key, owing, born=course.started_at, speed=clock.speed)
        return self._live(number, key, clock, owing)

    def adopt(self, number: int, key: str, clock: Clock, course: Course, owed: Sequence[str]) -> LiveCall:
        """A call that has a row already."""
        return self._live(number, key, clock, self._owing(course, owed))

    def _live(self, number: int, key: str, clock: Clock, course: Course) -> LiveCall:
        return LiveCall(
            self._mailing, self._traffic, seed=self.seed, number=number, key=key, clock=clock, course=course
        )

    def _owing(self, course: Course, owed: Sequence[str]) -> Course:
        return replace(course, owed=tuple(kind for kind in owed if self.asks(kind)))


def wire_phone(number: str) -> str:
    """A number as callstart has it, `+X…`: nine digits are of this country; an extension stays as it is (A)."""
    digits = number.removeprefix("+")
    if number.startswith("+") or len(digits) < _SHORTEST_PHONE:
        return number
    return f"+998{digits}" if len(digits) == _LOCAL_PHONE else f"+{digits}"


def _nothing(_: Answer | None) -> None:
    """The answer to a callend or a result says `true` and no more."""
