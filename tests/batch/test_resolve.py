"""Did it ring? Each answer to one request: by an id, by number and time, or by what a listener could hear."""

import json
from dataclasses import replace

import pytest
from calling_worlds import CLOCK, MICRO, T0

from alovoice_cli.batch.call_evidence import CallEvidence, EvidenceFinder, PlacedCall
from alovoice_cli.batch.resolve import (
    CallVerdict,
    Delays,
    Listened,
    is_answered,
    is_listening,
    learn,
    listened,
    resolve,
)
from alovoice_cli.batch.verdict_text import sentence
from alovoice_cli.events.coverage import ListenerGap, Uptime
from alovoice_cli.events.event import Call, Delivery, Event
from alovoice_cli.events.reading import read

ALWAYS = [Uptime((T0 - 86400) * MICRO, (T0 + 60) * MICRO)]
NOW = (T0 + 60) * MICRO
ASKED = PlacedCall("R-7F3K", "ivr", "170", ("998901234567",), T0 * MICRO, line="998712037006")
CALL = Call(
    "C-1", T0 + 1, "998901234567", "998712037006", "222", "out", T0 + 1, T0 + 30, "486", 0, start_seq=4, end_seq=5
)


def _resolved(
    asked: PlacedCall, *calls: Call, uptimes: list[Uptime] = ALWAYS, others: tuple[PlacedCall, ...] = ()
) -> CallVerdict:
    return resolve(asked, EvidenceFinder([asked, *others], (), calls), uptimes, NOW, Delays(812, 40.2))


def test_silence_is_told_with_the_delays_that_were_learned_and_is_no_proof() -> None:
    verdict = _resolved(ASKED)
    assert (verdict.answer, verdict.exit_code, verdict.resend_safe) == ("no_trace_yet", 6, False)
    assert sentence(verdict, CLOCK) == (
        "no trace yet: the listener has been running without a gap since 11-23 16:00. The slowest event of 812 calls in"
        " the last 30 days came after 41 s. This is not proof."
    )


def test_a_gap_of_the_listener_is_named() -> None:
    down = [Uptime((T0 - 99) * MICRO, (T0 + 7) * MICRO, (T0 + 7) * MICRO), Uptime((T0 + 20) * MICRO, (T0 + 60) * MICRO)]
    verdict = _resolved(ASKED, uptimes=down)
    assert (verdict.answer, verdict.why, verdict.exit_code) == ("cannot_know", "listener_down", 6)
    assert sentence(verdict, CLOCK) == "cannot know: the listener was down 16:00:07–16:00:20."
    still = sentence(_resolved(ASKED, uptimes=down[:1]), CLOCK)
    assert still == "cannot know: the listener was down since 16:00:07."
    never = _resolved(ASKED, uptimes=[])
    assert (never.answer, never.why) == ("cannot_know", "never_listened")


def test_a_listener_that_died_without_a_word_counts_up_to_its_last_sign_of_life() -> None:
    verdict = _resolved(ASKED, uptimes=[Uptime((T0 - 99) * MICRO, (T0 + 40) * MICRO)])
    assert (verdict.answer, verdict.why) == ("cannot_know", "listener_down")


def test_a_call_that_only_fits_by_number_and_time_may_be_another_ones_and_never_proves_that_ours_did_not_ring() -> None:
    rang = _resolved(ASKED, CALL)
    assert (rang.answer, rang.basis, rang.is_over) == ("rang", "number_and_time", True)
    assert sentence(rang, CLOCK) == "it rang: 486 busy (e4, e5). It is matched by number and time: no id connects them"
    failed = _resolved(ASKED, replace(CALL, status="503"))
    assert (failed.answer, failed.exit_code) == ("no_trace_yet", 6)
    assert "A call that may be another one: 998901234567 at 16:00:01, 503" in sentence(failed, CLOCK)


def test_two_candidates_are_both_shown() -> None:
    verdict = _resolved(ASKED, CALL, replace(CALL, call_id="C-2", reported_at=T0 + 9))
    assert (verdict.answer, len(verdict.traces), verdict.exit_code) == ("two_candidates", 2, 6)
    assert sentence(verdict, CLOCK).startswith("2 candidates: 998901234567 at 16:00:01, 486 busy (e4, e5); 99890")


def test_one_call_that_two_requests_may_have_made_is_no_ones() -> None:
    other = replace(ASKED, receipt="R-2", our_id="171", begun_at=(T0 - 300) * MICRO)
    verdict = _resolved(ASKED, CALL, others=(other,))
    assert (verdict.answer, verdict.rivals) == ("two_candidates", ("R-2",))
    unsent = _resolved(ASKED, CALL, others=(replace(other, outcome="unsent"),))
    assert unsent.answer == "rang"


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "inc"},
        {"line": "998551234567"},
        {"number": "998901234568"},
        {"reported_at": T0 - 30},
        {"reported_at": T0 + 3 * 3600},
    ],
)
def test_a_call_that_does_not_fit_is_none_of_ours(change: dict[str, object]) -> None:
    assert _resolved(ASKED, replace(CALL, **change)).answer == "no_trace_yet"  # type: ignore[arg-type]


def test_an_id_of_the_pbx_that_happens_to_be_ours_joins_nothing() -> None:
    stranger = replace(CALL, call_id="170", number="998935550000", status="404")
    assert _resolved(ASKED, stranger).answer == "no_trace_yet"
    assert _resolved(replace(ASKED, kind="out", line=None), stranger).answer == "no_trace_yet"
    own = replace(stranger, number="998901234567")
    assert _resolved(replace(ASKED, kind="out", line=None), own).answer == "did_not_ring"


def _result(extid: str = "170", at: float = T0 + 31, repeats: str | None = None, **more: object) -> Event:
    """A call result; it came at the moment, and fits CALL."""
    said = {"id": 5, "externalid": extid, "to_number": "901234567", "trunk_number": 712037006, "begin_time": T0 + 1}
    body = json.dumps({**said, "dialstatus": "CHANUNAVAIL", **more}).encode()
    delivery = Delivery("E", "result", round(at * MICRO), body, seq=6)
    reading = read("result", body)
    return Event(delivery, reading.facts, repeats, reading.value)


def _proven(
    asked: PlacedCall, *calls: Call, results: tuple[Event, ...] = (), others: tuple[PlacedCall, ...] = ()
) -> CallVerdict:
    return resolve(asked, EvidenceFinder([asked, *others], results, calls), ALWAYS, NOW)


def test_an_end_that_our_id_proves_says_that_it_did_not_ring() -> None:
    failed = replace(CALL, status="503")
    verdict = _proven(ASKED, failed, results=(_result(),))
    assert (verdict.answer, verdict.basis, verdict.exit_code, verdict.resend_safe) == ("did_not_ring", "id", 1, True)
    assert sentence(verdict, CLOCK) == "it did not ring: the call ended with 503 direction not available (e4, e5)"
    both = (failed, replace(failed, call_id="C-2"))  # two calls that began in the same second: which one is ours?
    assert _proven(ASKED, *both, results=(_result(),)).answer == "cannot_know"
    assert _proven(ASKED, replace(failed, line=None), results=(_result(),)).answer == "cannot_know"


def test_what_rang_outweighs_what_did_not() -> None:
    failed = replace(CALL, status="503")
    assert _proven(ASKED, failed, results=(_result(dialstatus="ANSWER"),)).answer == "rang"
    assert _proven(ASKED, failed, results=(_result(duration=3),)).answer == "rang"
    tried = [{"number": "901234567", "dialstatus": "BUSY"}]
    for attempts in (tried, {"1": tried[0]}, json.dumps(tried)):
        assert _proven(ASKED, failed, results=(_result(attempts=attempts),)).answer == "rang"
    assert _proven(ASKED, failed, results=(_result(attempts="[[["),)).answer == "did_not_ring"


@pytest.mark.parametrize("status", ["403", "423", "OTHER", "700"])
def test_a_status_that_does_not_say_whether_it_rang_is_not_taken_for_either(status: str) -> None:
    verdict = _proven(ASKED, replace(CALL, status=status), results=(_result(),))
    assert (verdict.answer, verdict.why, verdict.exit_code, verdict.is_over) == (
        "cannot_know",
        "unclear_status",
        6,
        False,
    )


def test_the_words_of_a_result_alone_are_no_proof_that_it_did_not_ring() -> None:
    for word in ("CHANUNAVAIL", "404", "CONGESTION"):
        assert _proven(ASKED, results=(_result(dialstatus=word),)).answer == "cannot_know"
    begun = replace(CALL, status=None, end_seq=None)
    assert _proven(ASKED, begun, results=(_result(),)).answer == "cannot_know"


def test_our_own_extension_that_rings_first_is_not_who_was_called() -> None:
    out = replace(ASKED, kind="out", line=None, peer="101")
    tried = [{"number": "101", "dialstatus": "ANSWER"}, {"number": "901234567", "dialstatus": "CHANUNAVAIL"}]
    verdict = _proven(out, replace(CALL, status="404", peer="101"), results=(_result(attempts=tried),))
    assert verdict.answer == "did_not_ring"


def test_of_a_conference_the_initiator_may_have_rung_before_the_others_could_not() -> None:
    conference = replace(ASKED, kind="conference", line=None, numbers=("998901234567", "998935550000"))
    failed = replace(CALL, status="404")
    verdict = _proven(conference, failed, results=(_result(),))
    assert (verdict.answer, verdict.exit_code) == ("cannot_know", 6)
    assert sentence(verdict, CLOCK).endswith("The initiator may have rung before that.")
    alone = [{"number": "+998 90 123 45 67", "dialstatus": "CHANUNAVAIL"}]
    assert _proven(conference, failed, results=(_result(attempts=alone),)).answer == "did_not_ring"
    both = [*alone, {"number": "935550000", "dialstatus": "CHANUNAVAIL"}]
    assert _proven(conference, failed, results=(_result(attempts=both),)).answer == "cannot_know"


def test_an_id_that_was_used_before_is_told_apart_by_time_or_not_at_all() -> None:
    before = replace(ASKED, receipt="R-1", begun_at=(T0 - 60) * MICRO)
    result = _result(dialstatus="BUSY")
    shared = _proven(ASKED, results=(result,), others=(before,))
    assert (shared.answer, shared.basis, shared.rivals) == ("two_candidates", "id", ("R-1",))
    early = _result(dialstatus="BUSY", at=T0 - 30)
    assert _proven(ASKED, results=(early,), others=(before,)).answer == "no_trace_yet"
    assert _proven(before, results=(early,), others=(ASKED,)).answer == "rang"
    assert _proven(ASKED, results=(_result(dialstatus="BUSY", at=T0 - 4000),)).answer == "no_trace_yet"
    assert _proven(ASKED, results=(early,)).answer == "rang"  # the clock was set back: nobody else bears the id


def test_a_call_that_is_proven_to_be_anothers_is_no_candidate() -> None:
    other = replace(ASKED, receipt="R-2", our_id="171")
    second = replace(CALL, call_id="C-2", started_at=T0 + 9, reported_at=T0 + 9)
    verdict = _proven(ASKED, CALL, second, results=(_result("171"),), others=(other,))
    assert (verdict.answer, [trace.call_id for trace in verdict.traces]) == ("rang", ["C-2"])


def test_an_extid_is_no_id_of_a_call_and_a_repeated_result_counts_once() -> None:
    assert _proven(ASKED, replace(CALL, call_id="170", status="404")).answer == "no_trace_yet"
    assert len(_proven(ASKED, results=(_result(), _result(at=T0 + 40, repeats="E0"))).traces) == 1


def test_two_results_are_shown_in_one_order() -> None:
    first, second = _result(dialstatus="BUSY"), _result(dialstatus="ANSWER", at=T0 + 40)
    assert _proven(ASKED, results=(first, second)) == _proven(ASKED, results=(second, first))


def test_calls_of_one_id_are_one_in_the_store_and_prove_nothing_of_either() -> None:
    out = replace(ASKED, kind="out", line=None)
    other = replace(out, receipt="R-2", numbers=("998935550000",))
    verdict = _proven(out, replace(CALL, call_id="170", status="402"), others=(other,))
    assert (verdict.answer, verdict.rivals) == ("two_candidates", ("R-2",))


def test_another_extension_called_by_itself() -> None:
    out = replace(ASKED, kind="out", line=None, peer="101")
    assert _resolved(out, replace(CALL, peer="102")).answer == "no_trace_yet"
    assert _resolved(out, replace(CALL, peer="101")).answer == "rang"


def test_a_gap_long_after_no_call_can_begin_any_more_takes_nothing_back() -> None:
    begun = Uptime((T0 - 99) * MICRO, (T0 + 3 * 3600) * MICRO, (T0 + 3 * 3600) * MICRO)
    later = (T0 + 86400) * MICRO
    assert resolve(ASKED, EvidenceFinder([ASKED]), [begun], later).answer == "no_trace_yet"
    short = begun._replace(ended_at=(T0 + 3600) * MICRO)
    assert resolve(ASKED, EvidenceFinder([ASKED]), [short], later).answer == "cannot_know"


def test_delays_are_learned_from_calls_that_are_known() -> None:
    second = replace(ASKED, receipt="R-2", our_id="171", numbers=("998935550000",))
    slow = replace(CALL, call_id="C-2", number="998935550000", reported_at=T0 + 41)
    old = replace(ASKED, receipt="R-3", our_id="172", begun_at=(T0 - 31 * 86400) * MICRO)
    ancient = replace(CALL, call_id="C-3", number="998900000000", reported_at=T0 - 31 * 86400 + 99)
    old = replace(old, numbers=("998900000000",))
    assert learn(EvidenceFinder([ASKED, second, old], (), [CALL, slow, ancient]), NOW) == Delays(2, 41.0)
    assert learn(EvidenceFinder([], (), []), NOW) == Delays(0, None)


@pytest.mark.parametrize("call_id", ["C-1", "5"])
def test_a_call_or_a_result_without_its_beginning_is_not_joined_to_the_other(call_id: str) -> None:
    failed = replace(CALL, call_id=call_id, status="503")
    assert _proven(ASKED, failed, results=(_result(),)).answer == "did_not_ring"
    untimed = replace(failed, started_at=None)
    for call, result in ((untimed, _result()), (failed, _result(begin_time=None)), (untimed, _result(begin_time=None))):
        verdict = _proven(ASKED, call, results=(result,))
        assert (verdict.answer, verdict.exit_code, verdict.resend_safe) == ("cannot_know", 6, False)


def _told(verdict: CallVerdict) -> tuple[object, ...]:
    shown = (verdict.answer, verdict.why, verdict.basis, verdict.is_over, len(verdict.traces))
    return (*shown, verdict.listened.since == ALWAYS[0].began_at)


def test_an_answer_from_an_id_or_a_receipt_says_so_and_whether_the_call_is_over() -> None:
    failed, out = replace(CALL, status="503"), replace(ASKED, kind="out", line=None)
    busy = (_result(dialstatus="BUSY"),)
    assert _told(_proven(ASKED, results=busy)) == ("rang", "status", "id", True, 1, False)
    assert _told(_proven(out, replace(CALL, call_id="170", status=None))) == ("rang", "begun", "id", False, 1, False)
    assert _told(_proven(ASKED, failed, results=(_result(),))) == ("did_not_ring", "status", "id", True, 2, False)
    unclear = ("cannot_know", "unclear_status", "id", False, 1, False)
    assert _told(_proven(ASKED, results=(_result(dialstatus=None),))) == unclear
    other = replace(ASKED, receipt="R-1", begun_at=(T0 - 60) * MICRO)
    shared = ("two_candidates", "ambiguous", "id", False, 1, False)
    assert _told(_proven(ASKED, results=busy, others=(other,))) == shared
    for outcome, why in (("refused", "refused"), ("unsent", "never_left")):
        refused = _proven(replace(ASKED, outcome=outcome), CALL)
        assert _told(refused) == ("did_not_ring", why, "receipt", True, 0, False)


def test_an_answer_without_an_id_says_so_and_since_when_a_listener_ran() -> None:
    second, failed = replace(CALL, call_id="C-2"), replace(CALL, status="503")
    by_chance = ("number_and_time", False, 1, True)
    both = ("two_candidates", "ambiguous", "number_and_time", False, 2, True)
    assert _told(_resolved(ASKED, CALL, second)) == both
    assert _told(_resolved(ASKED, CALL)) == ("rang", "status", "number_and_time", True, 1, True)
    assert _told(_resolved(ASKED, replace(CALL, status=None))) == ("rang", "begun", *by_chance)
    assert _told(_resolved(ASKED, failed)) == ("no_trace_yet", "silence", *by_chance)
    assert _told(_resolved(ASKED)) == ("no_trace_yet", "silence", None, False, 0, True)
    down = ("cannot_know", "listener_down", "number_and_time", False, 1, False)
    assert _told(_resolved(ASKED, failed, uptimes=[Uptime(T0 * MICRO, T0 * MICRO + 2, T0 * MICRO + 2)])) == down


def test_a_request_with_neither_an_id_nor_a_number_cannot_be_found() -> None:
    nameless = replace(ASKED, our_id="", numbers=())
    verdict = _resolved(nameless)
    assert (verdict.asked, *_told(verdict)) == (nameless, "cannot_know", "nothing_to_join", None, False, 0, True)
    for known in (replace(ASKED, our_id=""), replace(ASKED, numbers=())):
        assert _resolved(known).answer == "no_trace_yet"


def test_only_rang_and_did_not_ring_settle_the_question() -> None:
    settled = [_resolved(ASKED, CALL), _resolved(replace(ASKED, outcome="unsent"))]
    open_still = [_resolved(ASKED), _resolved(ASKED, uptimes=[]), _resolved(ASKED, CALL, replace(CALL, call_id="C-2"))]
    assert [verdict.is_settled for verdict in (*settled, *open_still)] == [True, True, False, False, False]


def test_a_talk_shows_by_its_status_its_answer_or_its_length() -> None:
    silent = CallEvidence("result", 0, status="BUSY", duration=0)
    talks = (replace(silent, status="200"), replace(silent, answered_at=T0), replace(silent, duration=1))
    assert [is_answered(trace) for trace in (silent, *talks)] == [False, True, True, True]


def _uptime(began: float, ended: float | None = None) -> Uptime:
    """A listener's time in seconds from the request on; without an end it is still there."""
    end = None if ended is None else round((T0 + ended) * MICRO)
    return Uptime(round((T0 + began) * MICRO), NOW if end is None else end, end)


def _gap(begin: float, end: float) -> ListenerGap:
    return ListenerGap(round((T0 + begin) * MICRO), round((T0 + end) * MICRO))


@pytest.mark.parametrize(
    ("uptimes", "heard"),
    [
        ([], Listened(ever=False)),
        ([_uptime(0)], Listened(T0 * MICRO)),
        ([_uptime(-99, -50), _uptime(0)], Listened(T0 * MICRO)),
        ([_uptime(-99, -50), _uptime(-9)], Listened((T0 - 9) * MICRO)),
        ([_uptime(20, 30), _uptime(40)], Listened(None, (_gap(0, 20), _gap(30, 40)))),
        ([_uptime(-9, 30), _uptime(40)], Listened(None, (_gap(30, 40),))),
    ],
)
def test_a_listener_counts_from_the_moment_of_the_request_on(uptimes: list[Uptime], heard: Listened) -> None:
    assert listened(ASKED, uptimes, NOW) == heard


def test_at_the_very_moment_of_the_request_a_listener_ran_or_was_gone() -> None:
    begun = ASKED.begun_at
    assert listened(ASKED, [Uptime(begun, begun)], begun) == Listened(begun)
    gone = Uptime(begun - 9, begun - 5, begun - 5)
    assert listened(ASKED, [gone], begun) == Listened(None, (ListenerGap(begun - 5, begun + 1, is_open=True),))


def test_a_listener_without_a_sign_of_life_for_15_seconds_is_there_and_then_it_is_not() -> None:
    last = NOW - 15 * MICRO
    assert listened(ASKED, [Uptime(T0 * MICRO, last)], NOW) == Listened(T0 * MICRO)
    silent = listened(ASKED, [Uptime(T0 * MICRO, last - 1)], NOW)
    assert silent == Listened(None, (ListenerGap(last - 1, NOW, is_open=True),))
    assert is_listening([Uptime(T0, last - 1), Uptime(T0, last)], NOW)
    assert is_listening([Uptime(T0, NOW, NOW)], NOW)
    assert not is_listening([Uptime(T0, last - 1), Uptime(T0, NOW - 1, NOW - 1)], NOW)
    assert not is_listening([], NOW)


def _delays(*days_ago: float) -> Delays:
    """What is learned from calls that appeared after 1, 2, 3 … seconds."""
    asked = [
        replace(
            ASKED,
            receipt=f"R-{place}",
            our_id=f"{place}",
            numbers=(f"99890123450{place}",),
            begun_at=NOW - round(days * 86400 * MICRO),
        )
        for place, days in enumerate(days_ago)
    ]
    calls = [
        replace(CALL, call_id=f"C-{place}", number=each.numbers[0], reported_at=each.begun_at // MICRO + place + 1)
        for place, each in enumerate(asked)
    ]
    return learn(EvidenceFinder(asked, (), calls), NOW)


def test_delays_are_learned_from_30_days() -> None:
    assert _delays(29.9) == Delays(1, 1.0)
    assert _delays(30) == Delays(1, 1.0)
    assert _delays(30 + 1 / 86400, 1) == Delays(1, 2.0)


def test_delays_are_learned_from_calls_of_which_nobody_doubts_whose_they_are() -> None:
    rival, second = replace(ASKED, receipt="R-2", our_id="171"), replace(CALL, call_id="C-2")
    assert learn(EvidenceFinder([ASKED, rival], (), [CALL]), NOW) == Delays()
    assert learn(EvidenceFinder([ASKED], (), [CALL, second]), NOW) == Delays()
    early = replace(CALL, reported_at=T0 - 3)
    assert learn(EvidenceFinder([ASKED], (), [early]), NOW) == Delays(1, 0.0)
