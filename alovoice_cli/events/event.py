"""One delivery from the PBX as received, and the facts that were read from it.

A delivery is the record: its bytes are stored before anyone reads them. Facts are derived from it as far as possible,
and can be derived again. One delivery contains one fact, rarely several (a list of call results), or none that can be
read.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from alovoice_cli.language import mark, tr
from alovoice_cli.phones import canonical

EventType = Literal["callstart", "callend", "result", "route", "probe"]
"""The four types that the PBX sends (API, sections 5, 6 and 9), and the listener's own test request."""

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
PBX_TYPES: tuple[EventType, ...] = EVENT_TYPES[:-1]

CallType = Literal["call", "missed"]
"""What targets can receive besides events: each finished call, or only calls that nobody answered."""

CALL_TYPES: tuple[CallType, ...] = get_args(CallType)
TargetType = EventType | CallType

MISSED_STATUSES = ("304", "480", "486", "603", "603-S")
"""`status_code` of calls that nobody answered: no answer, unavailable, busy, declined, cancelled."""
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
"""The statuses of API, section 6, in words for a terminal."""
STATUS_TONES: Mapping[str, Literal["good", "bad", "doubt"]] = {
    **dict.fromkeys(STATUS_WORDS, "doubt"),
    **dict.fromkeys(MISSED_STATUSES, "bad"),
    ANSWERED_STATUS: "good",
}
"""What each status means to people: answered, missed, or never rung."""


def status_word(status: object) -> str:
    """Returns a status in words; a status that the document does not name stays unchanged."""
    return tr(STATUS_WORDS[str(status)]) if str(status) in STATUS_WORDS else str(status)


_DIRECTIONS = {"inc": mark("inbound"), "out": mark("outbound"), "int": mark("internal")}


def direction_word(direction: str | None) -> str:
    """Returns a direction of the API in words; any other text unchanged, and '' for None."""
    return tr(_DIRECTIONS[direction]) if direction in _DIRECTIONS else direction or ""


TRIAL_HEADER = "x-alovoice-trial"
"""The header of events that `events trigger` and `events certify` make up: they are no calls of people."""
TRIAL_PREFIX = "99800"
"""The beginning of the numbers of made-up calls: +998 00 is no network."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as received. `received_at` is unix microseconds (UTC); `id` is ours: 26 letters and digits.

    `headers` keep their order and repetitions, with lower-case names. `query` is the text after the URL's question
    mark, as Latin-1. `seq` is 0 before the delivery is stored; then it rises in the order of the store. `imported`:
    `events import` brought the delivery, and no listener of this store received it.
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
        """Returns the Content-Encoding of its headers; "" for none."""
        return next((value for name, value in self.headers if name == "content-encoding"), "")


@dataclass(frozen=True, slots=True)
class Fact:
    """The content of one object of a delivery. Texts are as received, except `number` and `line`, which are canonical.

    `number` is the other party (digits, `998` before nine), `line` the PBX's line, `peer` the extension, `direction`
    inc, out or int, `status` the code as text (`603-S`, `ANSWER`). Times are unix seconds, `duration` is in seconds.
    `call_id` is the answer to a callstart, the same id in a callend, or a result's own id; `pbx_call_id` is the PBX's
    own id (see `call_ids`); `external_id` is the `extid` of our own request.
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
    """The content of a body: its value (None and a `problem` for an unreadable body) and its facts."""

    value: object
    facts: tuple[Fact, ...] = ()
    digest: str = ""
    """Equal for two bodies with the same content: hexadecimal SHA-256 of type and canonical content."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A stored delivery with its facts. `duplicate_of` is the id of the first delivery with the same content.

    `answer` is the answer of the listener, as JSON values: `{"id": …}`, or a route's step with its trail. `rule` is the
    name of the rule that decided. `digest` and `problem` are as in Reading.
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
        """Returns the first fact, or an empty one."""
        return self.facts[0] if self.facts else Fact()

    @property
    def is_trial(self) -> bool:
        """Returns whether the event is made up: the history leaves it out, and no target receives it."""
        return is_trial(self.delivery, self.facts)


def is_trial(delivery: Delivery, facts: Iterable[Fact]) -> bool:
    """Returns whether a delivery with these facts is made up, by its header or its numbers."""
    numbers = (fact.number or "" for fact in facts)
    return (TRIAL_HEADER, "1") in delivery.headers or any(number.startswith(TRIAL_PREFIX) for number in numbers)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, joined from its callstart, callend and result by `call_id`, the id that answered the callstart.

    Duplicates are left out. `pbx_call_id` is the PBX's own id, from the link to the recording.

    Times are unix seconds. A call without an end has `status` None. `reported_at` is when its first event arrived.
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
        """Returns whether start and end are known, and the end belongs to this start: a CRM may use its own ids twice.

        An end that arrived before its start belongs to it if its time is not earlier.
        """
        if self.start_seq is None or self.end_seq is None:
            return False
        is_late = self.started_at is not None and self.ended_at is not None and self.started_at <= self.ended_at
        return self.end_seq > self.start_seq or is_late

    @property
    def is_answered(self) -> bool:
        """Returns whether somebody talked: status 200."""
        return self.status == ANSWERED_STATUS

    @property
    def is_missed(self) -> bool:
        """Returns whether the call ended and nobody answered it."""
        return self.status in MISSED_STATUSES


# Which result belongs to which call: the document gives a result the PBX's own `id`, and does not say whether that is
# the id that answered the callstart. Two calls may have the same id by chance, and usually call and result have no id
# in common.

APART_SECONDS = 300
"""Two messages of one call may differ by this many seconds in the time at which the call began."""


def parties(fact: Fact) -> set[str]:
    """Returns the numbers in a result, in canonical form: the caller's and the called one's."""
    return {canonical(text) or text for text in (fact.number, fact.peer) if text}


def is_of_another(fact: Fact, call: Call) -> bool:
    """Returns whether a result with this call's id belongs to another call: with other numbers and another time."""
    told = parties(fact)
    if call.number is None or not told or call.number in told:
        return False
    if call.started_at is None or fact.started_at is None:
        return True
    return abs(call.started_at - fact.started_at) > APART_SECONDS


def is_meant(event: Event, call: Call | None, external_ids: Collection[str]) -> bool:
    """Returns whether an event with this call's id, or one of these ids of ours, belongs to this call."""
    if event.delivery.type != "result" or call is None or any(fact.external_id in external_ids for fact in event.facts):
        return True
    return not is_of_another(event.fact, call)
