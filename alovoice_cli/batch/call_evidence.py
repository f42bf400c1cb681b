"""Finds the PBX's events of a call that was placed: by our id first, then by number, line and time.

An id proves; number and time only suggest. The result depends on the known requests and events alone, not on their
order: an event may arrive before the answer to our own request.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from alovoice_cli.events.event import Call, Event, Fact
from alovoice_cli.events.reading import read_objects
from alovoice_cli.moments import unix_microseconds
from alovoice_cli.phones import canonical
from alovoice_cli.receipts import Receipt

Kind = Literal["out", "ivr", "conference"]

MAY_HAVE_RUNG = ("done", "unknown")
"""Outcomes of requests that the PBX carried out, or may have carried out."""


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One request to call. `numbers` and `line` are canonical; the first number of a conference is the initiator.

    `peer` is the extension of `call out`. `begun_at` is when the request was about to leave, in unix microseconds.
    """

    receipt: str
    kind: Kind
    our_id: str
    numbers: tuple[str, ...]
    begun_at: int
    outcome: str = "unknown"
    line: str | None = None
    peer: str | None = None
    profile: str = ""
    command: str = ""
    status: int | None = None

    @property
    def may_have_rung(self) -> bool:
        """Returns whether the PBX carried out the request, or may have."""
        return self.outcome in MAY_HAVE_RUNG


def read_receipt(entry: Receipt) -> PlacedCall | None:
    """Returns the call of this receipt, or None for a receipt of another kind (a campaign, an analysis)."""
    request = entry.request if isinstance(entry.request, Mapping) else {}
    kind = _kind(entry.path, request)
    if kind is None:
        return None
    return PlacedCall(
        receipt=entry.receipt,
        kind=kind,
        our_id=entry.our_id,
        numbers=tuple(canonical(number) for number in entry.numbers),
        begun_at=unix_microseconds(datetime.fromisoformat(entry.begun_at)),
        outcome=entry.outcome,
        line=_canonical_or_none(request.get("fromline")),
        peer=_text_or_none(request.get("inner_phone")),
        profile=entry.profile,
        command=entry.command,
        status=entry.status,
    )


def _kind(path: str, request: Mapping[str, object]) -> Kind | None:
    if path.startswith("/outcall/"):
        return "out"
    if not path.startswith("/requestcall/"):
        return None
    return "conference" if "callfrom" in request else "ivr"


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value).strip() or None


def _canonical_or_none(value: object) -> str | None:
    text = _text_or_none(value)
    return canonical(text) or None if text else None


MICRO = 1_000_000
HORIZON = 2 * 3600 * MICRO
"""How long after the request a call may still begin: PBX queues have dialled 49 minutes late."""
SKEW = 5 * MICRO
"""How far the clock of this machine may have been set back between our request and the event.

A call that was heard of still earlier is another call.
"""
_ID_SKEW = 3600 * MICRO
"""The same, for an event with our id, where no other request has that id."""
_SAME_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class CallEvidence:
    """What is known of one call. `heard_at` is when this machine first heard of the call, in unix microseconds.

    `source` is `call` (its start and end) or `result`. `tried` are the ringings that a result lists: number and word.
    `seqs` are the numbers of the events in the store.
    """

    source: str
    heard_at: int
    call_id: str | None = None
    number: str | None = None
    line: str | None = None
    peer: str | None = None
    direction: str | None = None
    status: str | None = None
    duration: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    answered_at: int | None = None
    record: str | None = None
    tried: tuple[tuple[str, str], ...] = ()
    seqs: tuple[int, ...] = ()
    pbx_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """The evidence for one request.

    `certain` matches by our id, `shared` by an id that other requests have too, `loose` by number, line and time.
    `rivals` are receipts of other requests that the shared or loose evidence may belong to.
    """

    certain: tuple[CallEvidence, ...] = ()
    shared: tuple[CallEvidence, ...] = ()
    loose: tuple[CallEvidence, ...] = ()
    rivals: tuple[str, ...] = ()


@dataclass(slots=True)
class EvidenceFinder:
    """Joins requests with the PBX's events. `asked` are all requests of one PBX that could be confused."""

    asked: Sequence[PlacedCall]
    results: Iterable[Event] = ()
    calls: Iterable[Call] = ()
    _by_id: dict[str, list[PlacedCall]] = field(default_factory=lambda: defaultdict(list))
    _by_number: dict[str, list[PlacedCall]] = field(default_factory=lambda: defaultdict(list))
    _results: dict[str, list[CallEvidence]] = field(default_factory=lambda: defaultdict(list))
    _calls: dict[str, Call] = field(default_factory=dict)
    _to_number: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    _proven: dict[str, tuple[CallEvidence, ...]] = field(default_factory=dict)
    _claimed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for asked in self.asked:
            if asked.our_id:
                self._by_id[asked.our_id].append(asked)
            for number in set(asked.numbers):
                self._by_number[number].append(asked)
        for external_id, trace in _read_results(self.results):
            self._results[external_id].append(trace)
        self._index_calls()
        for asked in self.asked:
            self._prove(asked)

    def _index_calls(self) -> None:
        self._calls.update((call.call_id, call) for call in self.calls)
        for call in self._calls.values():
            if call.number is not None and call.direction != "inc":
                self._to_number[call.number].append(call)

    def of(self, asked: PlacedCall) -> EvidenceFound:
        """Returns the evidence for this request, which must be one of `asked`."""
        certain = self._proven[asked.receipt]
        if certain:
            return EvidenceFound(certain)
        shared = _in_order(trace for trace in self._with_id(asked) if len(self._owners(asked, trace)) > 1)
        if shared:
            rivals = {owner.receipt for trace in shared for owner in self._owners(asked, trace)}
            return EvidenceFound(shared=shared, rivals=_sorted_without(rivals, asked))
        loose = [call for call in self._near(asked) if self._claimed.get(call.call_id) is None]
        rivals = {rival.receipt for call in loose for rival in self._rivals(call)}
        return EvidenceFound(loose=_in_order(map(_of_call, loose)), rivals=_sorted_without(rivals, asked))

    def _prove(self, asked: PlacedCall) -> None:
        traces = [trace for trace in self._with_id(asked) if self._owners(asked, trace) == [asked]]
        for trace in list(traces):
            own = self._call_of(asked, trace) if trace.source == "result" else None
            if own is not None:
                traces.append(_of_call(own))
        self._proven[asked.receipt] = _in_order(traces)
        for trace in traces:
            if trace.source == "call" and trace.call_id is not None:
                self._claimed[trace.call_id] = asked.receipt

    def _with_id(self, asked: PlacedCall) -> list[CallEvidence]:
        """Returns the evidence with our id.

        The `call_id` of `outcall` may return as the call's own id; an `extid` never does.
        """
        if not asked.our_id:
            return []
        found = list(self._results.get(asked.our_id, ()))
        call = self._calls.get(asked.our_id) if asked.kind == "out" else None
        if call is not None and call.direction != "inc" and call.number in (None, *asked.numbers):
            found.append(_of_call(call))
        return [trace for trace in found if trace.heard_at >= asked.begun_at - _ID_SKEW]

    def _owners(self, asked: PlacedCall, trace: CallEvidence) -> list[PlacedCall]:
        """Returns the requests with this id that were made before the evidence arrived.

        Calls with one id share one row in the store: the end of the last call overwrites the first. The evidence may
        belong to any of them.
        """
        able = [other for other in self._by_id[asked.our_id] if other.may_have_rung or other == asked]
        if trace.source == "call":
            return [other for other in able if other.kind == "out"]
        made = [other for other in able if other.begun_at <= trace.heard_at]
        return made or able

    def _call_of(self, asked: PlacedCall, result: CallEvidence) -> Call | None:
        """Returns the call of this result: same line and second, or same id. None where two calls fit."""
        numbers = {*asked.numbers, *([result.number] if result.number else [])}
        fitting = [
            call for number in sorted(numbers) for call in self._to_number.get(number, ()) if _same(call, result)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _near(self, asked: PlacedCall) -> list[Call]:
        """Returns the calls to our numbers that fit by line, extension and time."""
        calls = {call.call_id: call for number in asked.numbers for call in self._to_number.get(number, ())}
        return [call for call in calls.values() if fits(call, asked)]

    def _rivals(self, call: Call) -> Iterator[PlacedCall]:
        for other in self._by_number[call.number or ""]:
            elsewhere = any(trace.source == "call" for trace in self._proven[other.receipt])
            if other.may_have_rung and not elsewhere and fits(call, other):
                yield other


def _in_order(traces: Iterable[CallEvidence]) -> tuple[CallEvidence, ...]:
    unique = dict.fromkeys(traces)
    return tuple(sorted(unique, key=lambda trace: (trace.heard_at, trace.source, trace.seqs, trace.call_id or "")))


def fits(call: Call, asked: PlacedCall) -> bool:
    """Returns whether the call may belong to this request, by line, extension and time."""
    heard = call.reported_at * MICRO
    if not asked.begun_at - SKEW <= heard <= asked.begun_at + HORIZON:
        return False
    return _agree(call.line, asked.line) and (asked.kind != "out" or _agree(call.peer, asked.peer))


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _same(call: Call, result: CallEvidence) -> bool:
    if call.started_at is None or result.started_at is None:
        return False
    apart = abs(call.started_at - result.started_at)
    # An id of the PBX and an id of a CRM may be equal by chance: equal ids count only for calls of the same time.
    if call.call_id == result.call_id:
        return apart <= _SAME_START_SECONDS
    return apart == 0 and call.line is not None and call.line == result.line


def _of_call(call: Call) -> CallEvidence:
    return CallEvidence(
        "call",
        call.reported_at * MICRO,
        call.call_id,
        call.number,
        call.line,
        call.peer,
        call.direction,
        call.status,
        call.duration,
        call.started_at,
        call.ended_at,
        None,
        call.record,
        (),
        tuple(seq for seq in (call.start_seq, call.end_seq) if seq is not None),
        call.pbx_call_id,
    )


def _read_results(events: Iterable[Event]) -> Iterator[tuple[str, CallEvidence]]:
    for event in events:
        if event.delivery.type != "result" or event.duplicate_of is not None:
            continue
        objects = read_objects(event.value, event.delivery.query)
        for part, fact in enumerate(event.facts):
            if fact.external_id:
                yield fact.external_id, _of_result(event, fact, objects[part] if part < len(objects) else {})


def _of_result(event: Event, fact: Fact, item: Mapping[str, object]) -> CallEvidence:
    return CallEvidence(
        "result",
        event.delivery.received_at,
        fact.call_id,
        fact.number,
        fact.line,
        fact.peer,
        None,
        fact.status,
        fact.duration,
        fact.started_at,
        fact.ended_at,
        fact.answered_at,
        fact.record,
        tuple(_tried(item.get("attempts"))),
        (event.delivery.seq,),
        fact.pbx_call_id,
    )


def _tried(attempts: object) -> Iterator[tuple[str, str]]:
    """Returns the ringings. The document says only "array, object or string"; other values are left out."""
    if isinstance(attempts, str):
        try:
            attempts = json.loads(attempts)
        except (ValueError, RecursionError):
            return
    legs = list(attempts.values()) if isinstance(attempts, Mapping) else attempts
    for leg in legs if isinstance(legs, list) else ():
        if isinstance(leg, Mapping) and isinstance(leg.get("dialstatus"), str):
            yield canonical(str(leg.get("number", ""))), str(leg["dialstatus"])


def _sorted_without(receipts: Iterable[str], asked: PlacedCall) -> tuple[str, ...]:
    return tuple(sorted(set(receipts) - {asked.receipt}))
