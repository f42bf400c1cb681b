"""The bodies that the simulated PBX sends, as the vendor's document has them (sections 5, 6 and 9).

The document leaves the types of many fields open, and its samples send JSON without its content type. So do we, by
lot: numbers come as numbers or as text, and the content type is JSON's, another one, or missing. The same call says the
same bytes in every run.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.posts import Posted
from alovoice_cli.sandbox.callback.call_course import Ringing
from alovoice_cli.sandbox.callback.posting import Envelope, Letter, Mailing
from alovoice_cli.stores.pbx_traffic import CallCourse, Traffic

RECORD_BASE = "http://sandbox.localhost/stereo"
"""Where recordings are said to lie: at the embedded PBX whatever port this one has, so that days can be compared."""

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
    """How one message of one call is written: every choice is drawn by the seed, the call and the type."""

    def __init__(self, seed: int, kind: str, call: int) -> None:
        self._seed, self._kind, self._call = seed, kind, call

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, or None where there is none."""
        return _CONTENT_TYPES[self.draw("content type") % len(_CONTENT_TYPES)]

    def draw(self, what: str) -> int:
        """A number of 64 bits for this choice."""
        return lot(self._seed, "wording", self._kind, self._call, what)

    def number(self, name: str, value: int | str, *, text_in_100: int = _TEXT_IN_100) -> int | str:
        """The value of this field as a number or as text; what is no plain number stays text."""
        text = str(value)
        is_plain = text.isascii() and text.isdigit() and len(text) <= 15 and str(int(text)) == text
        return int(text) if is_plain and self.draw(name) % 100 >= text_in_100 else text

    def callstart(self, course: CallCourse) -> bytes:
        """The start of a call."""
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
        """The end of a call: without `call_id` where the handler gave none; a call without recording says so or not."""
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
        """A call's result: one object, a list of one, or with the document's `[]` before its first five names."""
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
        """The question of where a call goes next."""
        fields: dict[str, object] = {"from_number": number, "line_number": line}
        if queue:
            fields["queue_number"] = self.number("queue_number", queue)
        return _dump({**fields, "direction": direction})

    def _attempts(self, attempts: list[dict[str, object]]) -> object:
        """`attempts` is an array, an object or a string, says the document."""
        shape = self.draw("attempts") % 10
        if shape < 6:
            return attempts
        numbered = {str(place): attempt for place, attempt in enumerate(attempts, 1)}
        return numbered if shape < 8 else json.dumps(attempts, ensure_ascii=False)


def _dump(value: object) -> bytes:
    """As JavaScript writes it: no spaces, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


_RESULT_AFTER_SECONDS = 2
_SHORTEST_PHONE, _LOCAL_PHONE = 7, 9
Then = Callable[[Posted | None], None]


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """Virtual time on the machine's: at `moment` (monotonic seconds) it is `virtual` (unix seconds)."""

    virtual: float
    moment: float
    speed: float

    def due(self, at: float) -> float:
        """The monotonic moment of a virtual time."""
        return self.moment + (at - self.virtual) / self.speed


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """What a result says of a call that the PBX was asked to make, besides its times."""

    from_number: str
    to_number: str
    dialstatus: str
    attempts: list[dict[str, object]]


class LiveCall:
    """A call of this id, whose course is known so far. All that happens to it is written down as it happens."""

    def __init__(
        self,
        mailing: Mailing,
        traffic: Traffic,
        *,
        seed: int,
        number: int,
        key: str,
        clock: SandboxClock,
        course: CallCourse,
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

    def tell_result(self, made: ReportedCall) -> None:
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


class LiveCalls:
    """Begins calls, each with a row in the account."""

    def __init__(self, mailing: Mailing, traffic: Traffic, seed: int) -> None:
        self._mailing, self._traffic, self.seed = mailing, traffic, seed

    def asks(self, kind: str) -> bool:
        """Whether a message of this type has a handler."""
        return kind in self._mailing.handlers

    def open(self, kind: str, key: str, clock: SandboxClock, course: CallCourse, owed: Sequence[str]) -> LiveCall:
        """A call that begins now, with its row. `owed` are the messages that tell of it; those count that are sent."""
        owing = self._owing(course, owed)
        number = self._traffic.add_call(kind, key, owing, born=course.started_at, speed=clock.speed)
        return self._live(number, key, clock, owing)

    def adopt(self, number: int, key: str, clock: SandboxClock, course: CallCourse, owed: Sequence[str]) -> LiveCall:
        """A call that has a row already."""
        return self._live(number, key, clock, self._owing(course, owed))

    def _live(self, number: int, key: str, clock: SandboxClock, course: CallCourse) -> LiveCall:
        return LiveCall(
            self._mailing, self._traffic, seed=self.seed, number=number, key=key, clock=clock, course=course
        )

    def _owing(self, course: CallCourse, owed: Sequence[str]) -> CallCourse:
        return replace(course, owed=tuple(kind for kind in owed if self.asks(kind)))


def wire_phone(number: str) -> str:
    """A number as callstart has it, `+X…`: nine digits are of this country; an extension stays as it is (A)."""
    digits = number.removeprefix("+")
    if number.startswith("+") or len(digits) < _SHORTEST_PHONE:
        return number
    return f"+998{digits}" if len(digits) == _LOCAL_PHONE else f"+{digits}"


def _nothing(_: Posted | None) -> None:
    """The answer to a callend or a result says `true` and no more."""
