"""A handler is tried with all that the PBX may send; each way of being wrong is found by its cases, and by no other."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from crm import Asked, Crm, served

from alovoice_cli.api.poster import Poster
from alovoice_cli.errors import UnreachableError, UsageError
from alovoice_cli.events.certify.plays import PLAYS
from alovoice_cli.events.certify.runner import CaseOutcome, CertifyReport, all_cases, chosen, run
from alovoice_cli.events.certify.trial import Bench
from alovoice_cli.events.handler import Handlers
from alovoice_cli.posts import Posted

NO_PAUSE: Callable[[float], object] = lambda seconds: None  # noqa: E731 - a stand-in for time.sleep
HEADER = {"start-no-json-header", "end-no-json-header", "result-no-json-header", "route-no-json-header"}


class _Timeless(Poster):
    """Posts in no time: how busy this machine is must not grade a handler."""

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        return replace(super().post(url, body, headers=headers, timeout=timeout), seconds=0.0)


def _tried(
    url: str,
    *names: str,
    sleep: Callable[[float], object] = NO_PAUSE,
    slow: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> list[CaseOutcome]:
    with _Timeless() as poster:
        bench = Bench(poster, Handlers.from_words([url], "certify"), now, 20.0, slow, sleep, monotonic)
        return list(run(chosen(names), bench))


def _with_grade(outcomes: list[CaseOutcome], grade: str) -> set[str]:
    return {outcome.case.name for outcome in outcomes if outcome.grade == grade}


def _graded(handle: Callable[[Crm, Asked], tuple[int, bytes]]) -> tuple[set[str], set[str]]:
    """What fails, and what is warned of, with this handler."""
    good = Crm()
    with served(lambda asked: handle(good, asked)) as crm:
        outcomes = _tried(crm.url)
    return _with_grade(outcomes, "fail"), _with_grade(outcomes, "warn")


def test_a_good_handler_passes_every_case() -> None:
    with served() as crm:
        outcomes = _tried(crm.url)
    assert [outcome for outcome in outcomes if outcome.grade != "pass"] == []
    assert len(outcomes) == len(all_cases()) >= 50
    assert sum(outcome.sent for outcome in outcomes) == len(crm.asked)


def test_a_handler_that_believes_the_content_type_fails_where_json_has_another() -> None:
    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        return good(asked) if asked.headers.get("content-type") == "application/json" else (415, b"")

    failed, warned = _graded(handle)
    assert failed == HEADER | {"result-form"}
    assert warned == {"start-form", "end-form"}


def test_a_handler_that_knows_calls_by_their_numbers_gives_one_id_twice() -> None:
    ids: dict[str, int] = {}

    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        if asked.kind != "callstart":
            return good(asked)
        return 200, str(ids.setdefault(asked.value()["number"], len(ids) + 1)).encode()

    failed, warned = _graded(handle)
    assert failed == {"call-overlapping", "call-same-moment", "call-end-never"}
    assert warned == set()


def test_a_handler_that_takes_each_status_for_a_number_fails_with_the_statuses() -> None:
    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        if asked.kind == "callend":
            int(asked.value()["status_code"])
        return good(asked)

    assert _graded(handle) == ({"end-statuses", "end-unknown-statuses"}, set())


def test_a_handler_that_refuses_unknown_calls_fails_where_the_end_names_none_of_its_own() -> None:
    known: set[str] = set()

    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        if asked.kind == "callstart":
            status, own = good(asked)
            known.add(own.decode())
            return status, own
        if asked.kind == "callend" and str(asked.value()["call_id"]) not in known:
            return 404, b"false"
        return good(asked)

    failed, warned = _graded(handle)
    assert failed == {"end-id-letters", "end-no-id", "end-long", "call-end-first"}
    assert warned == {"end-empty-id"}


def test_a_handler_that_counts_an_end_once_and_then_refuses_it_fails_with_the_repetition() -> None:
    ended: set[bytes] = set()

    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        if asked.kind in ("callend", "result") and asked.body in ended:
            return 409, b"already"
        ended.add(asked.body)
        return good(asked)

    assert _graded(handle) == ({"call-end-twice", "result-twice"}, set())


def test_a_handler_that_reads_only_plain_result_objects_fails_with_the_other_forms() -> None:
    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        if asked.kind == "result":
            body = json.loads(asked.body)
            assert isinstance(body["id"], int)
            assert isinstance(body["attempts"], list)
        return good(asked)

    failed, warned = _graded(handle)
    assert failed == {"result-brackets", "result-list", "result-form", "result-text-numbers", "result-attempts"}
    assert warned == set()


def test_a_route_answered_with_a_number_cuts_every_caller_off() -> None:
    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        return (200, b'{"action_type": "queue", "action_data": 6000}') if asked.kind == "route" else good(asked)

    failed, warned = _graded(handle)
    assert failed == {case.name for case in all_cases() if case.kind == "route" and case.need == "required"}
    assert warned == {"route-unknown-field"}


def test_a_repeated_callstart_that_gets_a_new_id_is_a_recommendation_alone() -> None:
    ids = iter(range(1, 1000))

    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        return (200, str(next(ids)).encode()) if asked.kind == "callstart" else good(asked)

    assert _graded(handle) == (set(), {"start-repeated"})


def test_a_handler_that_gives_no_ids_is_within_the_document() -> None:
    def handle(good: Crm, asked: Asked) -> tuple[int, bytes]:
        return (200, b"") if asked.kind == "callstart" else good(asked)

    assert _graded(handle) == (set(), set())


def test_the_word_ok_is_no_answer_to_anything() -> None:
    with served(lambda asked: (200, b"OK")) as crm:
        outcomes = _tried(crm.url)
    assert _with_grade(outcomes, "pass") == set()
    assert _with_grade(outcomes, "fail") == {case.name for case in all_cases() if case.need == "required"}


def test_each_failure_is_one_sentence_that_says_what_to_do() -> None:
    with served(lambda asked: (500, b"")) as crm:
        first, *rest = _tried(crm.url, "start")
    assert first.finding == (
        "It answered 500; it should answer only with the id of the call, in plain text, or with nothing."
    )
    assert {outcome.finding for outcome in rest} == {"The same as in start-documented."}


def test_the_burst_is_of_fifty_a_second() -> None:
    pauses: list[float] = []
    with served() as crm:
        (burst,) = _tried(crm.url, "call-burst", sleep=pauses.append, monotonic=lambda: sum(pauses))
    assert (burst.grade, burst.sent) == ("pass", 50)
    assert sum(pauses) == pytest.approx(49 / 50)  # the last one is due so long after the first


@pytest.mark.parametrize(("slow", "waited", "talk"), [(False, [], 30), (True, [30], 60)])
def test_late_events_are_waited_for_only_when_asked(slow: bool, waited: list[float], talk: int) -> None:
    pauses: list[float] = []
    began = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with served() as crm:
        now = lambda: began + timedelta(seconds=sum(pauses))  # noqa: E731 - shorter than a function
        _tried(crm.url, "call-end-late", sleep=pauses.append, slow=slow, now=now)
    assert pauses == waited
    start, end = (asked.value() for asked in crm.asked)
    assert end["finish_time"] - start["start_time"] == talk
    # The end goes out 30 seconds after it happened, waited for or not.
    assert end["finish_time"] + 30 == began.timestamp() + sum(waited)
    assert end["call_id"] == 1


def test_a_handler_without_url_is_skipped_and_says_so() -> None:
    with served() as crm, _Timeless() as poster:
        handlers = Handlers.from_words([f"route={crm.url}/route"], "certify")
        outcomes = list(run(chosen(()), Bench(poster, handlers, lambda: datetime.now(UTC), sleep=NO_PAUSE)))
    skipped = [outcome for outcome in outcomes if outcome.grade == "skip"]
    assert {outcome.case.kind for outcome in skipped} == {"callstart", "callend", "result"}
    assert "there is no URL for" in skipped[0].finding
    assert {asked.kind for asked in crm.asked} == {"route"}


def test_a_handler_that_nobody_reaches_is_no_failed_handler() -> None:
    with pytest.raises(UnreachableError, match="connection refused"):
        _tried("http://127.0.0.1:1/hooks")


def test_a_handler_that_never_answers_is_given_up_after_three_cases() -> None:
    with served(lambda asked: (0, b"")) as crm:
        with pytest.raises(UnreachableError, match="closed without an answer"):
            _tried(crm.url, "start")
        assert len(crm.asked) == 4  # the second case has two events


def test_a_finding_that_no_xml_can_hold_is_written_all_the_same() -> None:
    (case,) = chosen(["route-out"])
    outcome = CaseOutcome(case, "fail", "It answered `\0\ud800\x1b]</a>`.", 1, 0.5)
    report = CertifyReport("http://h/\x08", datetime(2026, 3, 1, tzinfo=UTC), 1.0, (outcome,))
    (suite,) = ElementTree.fromstring(report.as_junit())
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "It answered `\ufffd\ufffd\ufffd]</a>`."
    assert suite.get("timestamp") == "2026-03-01T00:00:00"


def test_a_handler_that_drops_odd_requests_is_graded_and_not_unreached() -> None:
    good = Crm()
    with served(lambda asked: good(asked) if "json" in asked.headers.get("content-type", "") else (0, b"")) as crm:
        outcomes = _tried(crm.url, "start")
    assert _with_grade(outcomes, "fail") == {"start-no-json-header"}
    (dropped,) = (outcome for outcome in outcomes if outcome.grade == "fail")
    assert dropped.finding.startswith("It gave no answer (the connection was closed without an answer)")


def test_cases_are_chosen_by_their_names_or_beginnings() -> None:
    assert [case.name for case in chosen(["call-burst", "route-out"])] == ["call-burst", "route-out"]
    assert {case.kind for case in chosen(["route"])} == {"route"}
    with pytest.raises(UsageError, match="no case 'route-oat'") as caught:
        chosen(["route-oat"])
    assert "did you mean route-out?" in caught.value.hint


def test_no_two_cases_have_one_name_and_each_says_what_it_wants() -> None:
    assert len({case.name for case in all_cases()}) == len(all_cases())
    for case in all_cases():
        assert case.name.partition("-")[0] in {"start", "end", "call", "result", "route"}
        assert len(case.sends) <= 45, case.name
        assert not case.should.endswith("."), case.name


def test_every_case_of_the_table_can_be_played_and_every_play_has_its_case() -> None:
    assert [case.name for case in all_cases()] == list(PLAYS)
