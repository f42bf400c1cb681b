"""One delivery from the PBX, as it came, and what could be read of it.

A delivery is the record: its bytes are stored before anyone reads them. Facts are derived from it, best effort, and
can be derived again. One delivery holds one fact, seldom several (a list of call results), or none that can be read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from alovoice_cli.language import mark, tr
from alovoice_cli.phones import canonical

EventType = Literal["callstart", "callend", "result", "route", "probe"]
"""The four that the PBX sends (API, sections 5, 6 and 9), and our own proof that a request reaches the store."""

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
PBX_TYPES: tuple[EventType, ...] = EVENT_TYPES[:-1]

CallType = Literal["call", "missed"]
"""What targets can be told beside events: each finished call, or those alone whose callers nobody talked to."""

CALL_TYPES: tuple[CallType, ...] = get_args(CallType)
TargetType = EventType | CallType

MISSED_STATUSES = ("304", "480", "486", "603", "603-S")
"""`status_code` of calls that nobody took, each its own reason: missed, unavailable, busy, declined, cancelled."""
ANSWERED_STATUS = "200"
STATUS_WORDS = {
    "200": mark("answered"),
    "304": mark("not answered"),
    "402": mark("insufficient funds"),
    "403": mark("forbidden"),
    "404": mark("invalid number"),
    "423": mark("blocked"),
    "480": mark("unavailable"),
    "484": mark("direction not available"),
    "486": mark("busy"),
    "503": mark("direction not available"),
    "603": mark("declined"),
    "603-S": mark("hung up"),
    "OTHER": mark("undefined"),
}
"""API, section 6, in the words of a terminal."""
STATUS_TONES: Mapping[str, Literal["good", "bad", "doubt"]] = {
    **dict.fromkeys(STATUS_WORDS, "doubt"),
    **dict.fromkeys(MISSED_STATUSES, "bad"),
    ANSWERED_STATUS: "good",
}
"""What each status means to people: answered, missed, or never rung."""


def status_word(status: object) -> str:
    """Returns a status in words; one that the document does not name stays as it is."""
    return tr(STATUS_WORDS[str(status)]) if str(status) in STATUS_WORDS else str(status)


TRIAL_HEADER = "x-alovoice-trial"
"""Stands on what `events trigger` and `events certify` make up: no call of a person."""
TRIAL_PREFIX = "99800"
"""How the numbers of made-up calls begin: +998 00 is no network."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it arrived. `received_at` is unix microseconds (UTC); `id` is ours: 26 letters and digits.

    `headers` keep their order and repetitions, lower-case names; `query` is what stood behind the URL's question mark,
    as Latin-1; `seq` is 0 before it is stored, then strictly rising
    in the order of the store. `imported`: `events import` brought it, and no listener of this store received it.
    """

    id: str
    type: EventType
    received_at: int
    body: bytes
    content_type: str = ""
    peer: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    seq: int = 0
    query: str = ""
    imported: bool = False

    @property
    def content_encoding(self) -> str:
        """How its headers say that the body is packed; "" where they do not."""
        return next((value for name, value in self.headers if name == "content-encoding"), "")


@dataclass(frozen=True, slots=True)
class Fact:
    """What one object of a delivery says. Texts are as they came, but `number` and `line`, which are canonical.

    `number` is the other party (canonical: digits, `998` before nine), `line` the PBX's line likewise, `peer` the
    extension, `direction` inc, out or int, `status` the code as text (`603-S`, `ANSWER`). Times are unix seconds,
    `duration` seconds. `call_id` is what a callstart was answered with, what a callend repeats, or a result's own id;
    `pbx_call_id` is the PBX's own (see `call_ids`); `external_id` is the `extid` of our own request.
    """

    call_id: str | None = None
    external_id: str | None = None
    number: str | None = None
    line: str | None = None
    peer: str | None = None
    queue: str | None = None
    direction: str | None = None
    status: str | None = None
    duration: int | None = None
    started_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    record: str | None = None
    pbx_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a body: its value (`None` with a `problem` where nothing could be read) and its facts."""

    value: object
    facts: tuple[Fact, ...] = ()
    digest: str = ""
    """Equal for two bodies that say the same: type and canonical content, as hexadecimal SHA-256."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A stored delivery with what is known of it. `duplicate_of` is the id of the first delivery that said the same.

    `answer` is what we answered, as JSON values: `{"id": …}`, or a route's step with its trail; `rule` is the name of
    the rule that decided. `digest` and `problem` are as in Reading.
    """

    delivery: Delivery
    facts: tuple[Fact, ...] = ()
    duplicate_of: str | None = None
    value: object = None
    problem: str = ""
    answer: Mapping[str, object] = field(default_factory=dict)
    rule: str | None = None
    digest: str = ""

    @property
    def fact(self) -> Fact:
        """The first fact, or one that says nothing."""
        return self.facts[0] if self.facts else Fact()

    @property
    def is_trial(self) -> bool:
        """Whether it is made up: the history leaves it out, and nobody is told of it."""
        return is_trial(self.delivery, self.facts)


def is_trial(delivery: Delivery, facts: Iterable[Fact]) -> bool:
    """Whether a delivery with these facts is made up, as its sender or its numbers say."""
    numbers = (fact.number or "" for fact in facts)
    return (TRIAL_HEADER, "1") in delivery.headers or any(number.startswith(TRIAL_PREFIX) for number in numbers)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, joined from its callstart, callend and result by `call_id`, what the callstart was answered with.

    Duplicates are left out. `pbx_call_id` is the PBX's own id, as the link to the recording tells it.

    Times are unix seconds. A call without an end has `status` None. `reported_at` is when we first heard of it.
    """

    call_id: str
    reported_at: int
    number: str | None = None
    line: str | None = None
    peer: str | None = None
    direction: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    status: str | None = None
    duration: int | None = None
    record: str | None = None
    external_id: str | None = None
    start_seq: int | None = None
    end_seq: int | None = None
    result_seq: int | None = None
    pbx_call_id: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether start and end are known, and the end is of this start: a CRM that counts its own ids may repeat one.

        An end that came before its start has a time that is not before it.
        """
        if self.start_seq is None or self.end_seq is None:
            return False
        is_late = self.started_at is not None and self.ended_at is not None and self.started_at <= self.ended_at
        return self.end_seq > self.start_seq or is_late

    @property
    def is_answered(self) -> bool:
        """Whether somebody talked: status 200."""
        return self.status == ANSWERED_STATUS

    @property
    def is_missed(self) -> bool:
        """Whether an end was told, and nobody took the call."""
        return self.status in MISSED_STATUSES


# Which result is of which call: the document gives a result the PBX's own `id`, and does not say whether that is the id
# which the callstart was answered with. Equal ids of two calls are possible, and no id in common is usual.

APART_SECONDS = 300
"""How far apart the times that two messages tell for the beginning of one call may be."""


def parties(fact: Fact) -> set[str]:
    """The numbers that a result tells, in one spelling: who was called, and who called."""
    return {canonical(text) or text for text in (fact.number, fact.peer) if text}


def is_of_another(fact: Fact, call: Call) -> bool:
    """Whether a result that has this call's id speaks of another one: of other numbers, and of another time."""
    told = parties(fact)
    if call.number is None or not told or call.number in told:
        return False
    if call.started_at is None or fact.started_at is None:
        return True
    return abs(call.started_at - fact.started_at) > APART_SECONDS


def is_meant(event: Event, call: Call | None, external_ids: Collection[str]) -> bool:
    """Whether an event that has this call's id, or one of these ids of ours, is no result of another call."""
    if event.delivery.type != "result" or call is None or any(fact.external_id in external_ids for fact in event.facts):
        return True
    return not is_of_another(event.fact, call)
