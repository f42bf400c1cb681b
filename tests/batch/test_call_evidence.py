"""Which events belong to which request: an id proves; number, line and time suggest."""

import json
from dataclasses import replace
from typing import Any

import pytest

from alovoice_cli.batch.call_evidence import (
    HORIZON,
    MICRO,
    SKEW,
    CallEvidence,
    EvidenceFinder,
    EvidenceFound,
    PlacedCall,
    read_receipt,
)
from alovoice_cli.events.event import Call, Delivery, Event
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.receipts import Receipt

T0 = 1_764_000_000
ANNA, BOB, LINE = "998901234567", "998935550000", "998712037006"
ASKED = PlacedCall("R-1", "ivr", "170", (ANNA,), T0 * MICRO, line=LINE)
OUT = replace(ASKED, kind="out", line=None, peer="101")
CALL = Call("C-1", T0 + 1, ANNA, LINE, "101", "out", T0 + 1, T0 + 30, "503", 0, start_seq=4, end_seq=5)
RESULT = {"externalid": 170, "to_number": ANNA, "trunk_number": LINE, "begin_time": T0 + 1, "dialstatus": "BUSY"}
RECEIPT = Receipt(
    receipt="R-7F3K",
    profile="tashkent",
    command="call ivr",
    method="POST",
    path="/requestcall/{token}",
    numbers=("901234567",),
    our_id="170",
    request={"callto": "901234567", "fromline": 712037006},
    begun_at="2025-11-24T16:00:00.000001Z",
    pid=1,
    outcome="done",
    exit_code=0,
    sent="yes",
    status=200,
    answer="true",
    settled_at="2025-11-24T16:00:01Z",
)


def _event(*bodies: dict[str, Any], at: float = T0 + 31, seq: int = 6, query: str = "") -> Event:
    """One delivery of results: of one, or of a list of several."""
    said = [{"id": 5, **RESULT, **body} for body in bodies]
    body = json.dumps(said if len(said) > 1 else said[0]).encode() if said else b""
    delivery = Delivery(f"E{seq}", "result", round(at * MICRO), body, seq=seq, query=query)
    reading = read_delivery(delivery)
    return Event(delivery, reading.facts, None, reading.value)


def _found(
    asked: PlacedCall, *calls: Call, results: tuple[Event, ...] = (), others: tuple[PlacedCall, ...] = ()
) -> EvidenceFound:
    return EvidenceFinder([asked, *others], results, calls).of(asked)


def _ids(traces: tuple[CallEvidence, ...]) -> list[tuple[str, str | None]]:
    return [(trace.source, trace.call_id) for trace in traces]


def test_a_receipt_of_a_call_says_whom_when_and_by_which_line() -> None:
    asked = PlacedCall(
        "R-7F3K", "ivr", "170", (ANNA,), T0 * MICRO + 1, "done", LINE, None, "tashkent", "call ivr", status=200
    )
    assert read_receipt(RECEIPT) == asked
    party = RECEIPT._replace(request={"callfrom": {"phone": "901234567"}})
    assert read_receipt(party) == replace(asked, kind="conference", line=None)
    out = RECEIPT._replace(path="/outcall/{token}", request={"inner_phone": " 101 ", "number": "901234567"})
    assert read_receipt(out) == replace(asked, kind="out", line=None, peer="101")
    for request in ({"inner_phone": " ", "fromline": ""}, {"fromline": "anonymous"}, "cut off", None):
        assert read_receipt(out._replace(request=request)) == replace(asked, kind="out", line=None)


@pytest.mark.parametrize("path", ["/autorule/{token}", "/callsendai/7", "/getpeers"])
def test_a_receipt_of_another_request_is_no_call(path: str) -> None:
    assert read_receipt(RECEIPT._replace(path=path)) is None


def test_the_evidence_has_everything_that_the_events_say() -> None:
    call = replace(CALL, duration=7, record="https://x/rec/533", pbx_call_id="533")
    evidence = CallEvidence(
        "call",
        (T0 + 1) * MICRO,
        "C-1",
        ANNA,
        LINE,
        "101",
        "out",
        "503",
        7,
        T0 + 1,
        T0 + 30,
        record="https://x/rec/533",
        seqs=(4, 5),
        pbx_call_id="533",
    )
    assert _found(OUT, call) == EvidenceFound(loose=(evidence,))
    ended = {"from_number": "101", "duration": 7, "answer_time": T0 + 9, "end_time": T0 + 30, "record": "/rec/533.mp3"}
    result = CallEvidence(
        "result",
        (T0 + 31) * MICRO,
        "5",
        ANNA,
        LINE,
        "101",
        None,
        "BUSY",
        7,
        T0 + 1,
        T0 + 30,
        T0 + 9,
        "/rec/533.mp3",
        ((ANNA, "CANCEL"),),
        (6,),
        "533",
    )
    tried = [{"number": "901234567", "dialstatus": "CANCEL"}]
    assert _found(ASKED, results=(_event({**ended, "attempts": tried}),)) == EvidenceFound(certain=(result,))


@pytest.mark.parametrize(
    ("attempts", "tried"),
    [
        ([{"dialstatus": "BUSY"}], (("", "BUSY"),)),
        (["BUSY", None, {"number": "901234567"}, {"dialstatus": 7}, {"dialstatus": "BUSY"}], (("", "BUSY"),)),
        ("none", ()),
        (7, ()),
    ],
)
def test_of_the_attempts_those_with_a_word_are_read(attempts: object, tried: object) -> None:
    (trace,) = _found(ASKED, results=(_event({"attempts": attempts}),)).certain
    assert trace.tried == tried


def test_each_result_of_a_list_has_its_own_attempts() -> None:
    busy, silent = ([{"number": ANNA, "dialstatus": word}] for word in ("BUSY", "NOANSWER"))
    event = _event({"externalid": 171, "attempts": busy}, {"attempts": silent}, {"externalid": None})
    (trace,) = _found(ASKED, results=(event,)).certain
    assert trace.tried == ((ANNA, "NOANSWER"),)


def test_attempts_in_the_query_of_a_url_count_as_those_of_a_body() -> None:
    attempts = f'[{{"number":"{ANNA}","dialstatus":"BUSY"}}]'
    for event in (_event(query=f"externalid=170&attempts={attempts}"), _event({}, query=f"attempts={attempts}")):
        (trace,) = _found(ASKED, results=(event,)).certain
        assert trace.tried == ((ANNA, "BUSY"),)


def test_a_result_whose_body_cannot_be_read_any_more_counts_by_its_stored_facts() -> None:
    (trace,) = _found(ASKED, results=(replace(_event({"attempts": "[]"}), value=None),)).certain
    assert (trace.status, trace.tried) == ("BUSY", ())


def test_a_repeated_result_does_not_hide_those_after_it() -> None:
    repeated = replace(_event({}), duplicate_of="E0")
    assert len(_found(ASKED, results=(repeated, _event({}, seq=7))).certain) == 1


def test_the_line_of_a_result_and_its_second_find_its_call_also_by_a_number_that_the_result_alone_names() -> None:
    call = replace(CALL, number=BOB)
    assert _ids(_found(ASKED, call, results=(_event({"to_number": BOB}),)).certain) == [
        ("call", "C-1"),
        ("result", "5"),
    ]
    assert _ids(_found(ASKED, CALL, results=(_event({"to_number": None}),)).certain) == [
        ("call", "C-1"),
        ("result", "5"),
    ]


@pytest.mark.parametrize(("seconds", "is_joined"), [(60, True), (61, False), (-60, True), (-61, False)])
def test_a_result_and_a_call_of_one_id_are_joined_if_they_began_within_a_minute(seconds: int, is_joined: bool) -> None:
    call = replace(CALL, call_id="5", started_at=T0 + 1 + seconds)
    assert (("call", "5") in _ids(_found(ASKED, call, results=(_event({}),)).certain)) is is_joined


def test_the_id_of_a_result_claims_no_call_that_has_the_same_id_by_chance() -> None:
    other = replace(ASKED, receipt="R-2", our_id="171", numbers=(BOB,))
    call = replace(CALL, call_id="5", number=BOB)
    assert _ids(_found(other, call, results=(_event({}),), others=(ASKED,)).loose) == [("call", "5")]


def test_a_call_with_the_id_of_call_out_is_ours_unless_it_came_in() -> None:
    own = replace(CALL, call_id="170")
    assert _ids(_found(OUT, own).certain) == [("call", "170")]
    assert _ids(_found(OUT, replace(own, number=None)).certain) == [("call", "170")]
    assert _found(OUT, replace(own, direction="inc")) == EvidenceFound()


def test_a_call_with_our_id_brings_no_other_call_of_its_second() -> None:
    assert _ids(_found(OUT, replace(CALL, call_id="170", number=None), CALL).certain) == [("call", "170")]


def test_only_a_call_out_may_find_its_id_as_that_of_a_call() -> None:
    """An `extid` never returns as the id of a call, also where requests of `call out` have the same id."""
    own, bob = replace(CALL, call_id="170"), replace(OUT, numbers=(BOB,))
    others = (replace(bob, receipt="R-2"), replace(bob, receipt="R-3"))
    found = _found(ASKED, own, others=others)
    assert (found.shared, _ids(found.loose)) == ((), [("call", "170")])
    assert _ids(_found(OUT, own, others=(replace(ASKED, receipt="R-2"),)).certain) == [("call", "170")]


def test_a_refused_request_keeps_what_its_id_proves_and_takes_nothing_from_others() -> None:
    refused = replace(ASKED, outcome="refused")
    assert _ids(_found(refused, results=(_event({}),)).certain) == [("result", "5")]
    assert _ids(_found(ASKED, results=(_event({}),), others=(replace(refused, receipt="R-2"),)).certain) == [
        ("result", "5")
    ]


@pytest.mark.parametrize(("early", "has"), [(3600, 1), (3600.000001, 0)])
def test_an_event_with_our_id_may_be_an_hour_earlier_where_a_clock_was_set_back(early: float, has: int) -> None:
    assert len(_found(ASKED, results=(_event({}, at=T0 - early),)).certain) == has


def test_of_two_requests_with_one_id_the_later_owns_events_from_its_own_moment_on() -> None:
    before = replace(ASKED, receipt="R-0", begun_at=(T0 - 60) * MICRO)
    found = _found(ASKED, results=(_event({}, at=T0),), others=(before,))
    assert (_ids(found.shared), found.rivals) == ([("result", "5")], ("R-0",))
    assert _found(ASKED, results=(_event({}, at=T0 - 0.000001),), others=(before,)) == EvidenceFound()


@pytest.mark.parametrize(
    ("after", "fits"),
    [(-SKEW // MICRO, True), (-SKEW // MICRO - 1, False), (HORIZON // MICRO, True), (HORIZON // MICRO + 1, False)],
)
def test_a_call_fits_by_time_from_five_seconds_before_to_two_hours_after(after: int, fits: bool) -> None:
    assert bool(_found(ASKED, replace(CALL, reported_at=T0 + after)).loose) is fits


def test_a_request_is_a_rival_for_a_call_until_its_own_call_is_known() -> None:
    other = replace(ASKED, receipt="R-2", our_id="171")
    result = _event({"externalid": 171, "begin_time": None})
    assert _found(ASKED, CALL, results=(result,), others=(other,)).rivals == ("R-2",)
    out = replace(OUT, receipt="R-2", our_id="171")
    assert _found(ASKED, CALL, replace(CALL, call_id="171", reported_at=T0 + 9), others=(out,)).rivals == ()


def test_calls_of_one_moment_are_shown_in_the_order_of_their_ids_whichever_came_first() -> None:
    calls = [replace(CALL, call_id=f"C-{place}", start_seq=None, end_seq=None) for place in range(3)]
    assert _ids(_found(ASKED, *calls[::-1]).loose) == _ids(_found(ASKED, *calls).loose)
