"""Which calls are a campaign's attempts, how they ended, and whether silence means anything."""

from collections import Counter
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.attempts import (
    AttemptRules,
    CampaignAttempt,
    CampaignCall,
    CampaignScope,
    RivalCampaign,
    find_attempts,
    what_duration_counts,
)
from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.campaigns.kept_list import CampaignList, keep_numbers
from alovoice_cli.campaigns.report import CATEGORIES, CampaignReport, ListenerCoverage, cover_windows, pace_of
from alovoice_cli.campaigns.report_page import campaign_page
from alovoice_cli.events.coverage import Coverage, Uptime

NUMBER, LINE = "998901110001", "998712037006"
OPENS, CLOSES = 1_800_000_000, 1_800_007_200
SCOPE = CampaignScope("124", ((OPENS, CLOSES), (OPENS + 86_400, CLOSES + 86_400)), frozenset([LINE]), 5, 2)
MICRO = 1_000_000


def result(begin: int = OPENS + 60, *, talk: int | None = None, **more: Any) -> CampaignCall:
    """A result; answered where `talk` is given."""
    told: dict[str, Any] = {"status": "NOANSWER", "duration": 0, "id": f"r{begin}", "answered_at": 0}
    if talk is not None:
        told |= {"status": "ANSWER", "duration": talk, "answered_at": begin + 9, "ended_at": begin + 9 + talk}
    return CampaignCall(True, NUMBER, more.pop("line", LINE), begin, begin + 30, **{**told, **more})


def call(begin: int = OPENS + 60, status: str | None = "480", **more: Any) -> CampaignCall:
    """A call's start, and its end where `status` is given."""
    told: dict[str, Any] = {"direction": "out", "status": status, "duration": 0, "id": f"c{begin}"}
    return CampaignCall(False, NUMBER, more.pop("line", LINE), begin, begin + 1, **{**told, **more})


def attempts(*calls: CampaignCall, **rules: Any) -> list[CampaignAttempt]:
    """What becomes of these calls."""
    return find_attempts(calls, SCOPE, AttemptRules(**rules)).get(NUMBER, [])


def outcomes(*calls: CampaignCall, **rules: Any) -> list[str]:
    """The outcomes of the attempts."""
    return [attempt.outcome for attempt in attempts(*calls, **rules)]


@pytest.mark.parametrize(
    ("begin", "is_there"),
    [
        (OPENS - 121, False),
        (OPENS - 120, True),
        (CLOSES + 119, True),
        (CLOSES + 120, False),
        (OPENS + 86_400 - 120, True),
        (CLOSES + 86_400 + 120, False),
    ],
)
def test_a_call_is_the_campaigns_two_minutes_around_its_daily_hours(begin: int, is_there: bool) -> None:
    assert bool(attempts(result(begin))) is is_there


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (result(talk=5), "reached"),
        (result(talk=4), "short"),
        (result(talk=0), "short"),
        (result(talk=9, answered_at=0), "reached"),
        (result(talk=9, answered_at=OPENS - 60), "reached"),
        (result(talk=9, answered_at=0, duration=None), "unknown"),
        (result(talk=9, answered_at=0, duration=-3), "unknown"),
        (result(status="BUSY"), "busy"),
        (result(status="chanunavail"), "failed"),
        (result(status="ПРИВЕТ"), "unknown"),
        (result(status=None), "unknown"),
        (result(line=None), "lost"),
        (call(status="200", duration=5), "reached"),
        (call(status=None), "unknown"),
        (call(status="603"), "busy"),
        (call(extension="0"), "no_answer"),
    ],
)
def test_an_attempt_has_one_outcome(told: CampaignCall, expected: str) -> None:
    assert outcomes(told) == [expected]


@pytest.mark.parametrize(
    "told",
    [
        call(direction="inc"),
        call(direction="int"),
        call(direction=None),
        call(extension="101"),
        result(line="998712037009"),
        result(external_id="555"),
    ],
)
def test_a_call_of_somebody_else_is_no_attempt(told: CampaignCall) -> None:
    assert outcomes(told, our_ids={"555"}) == []


def test_a_result_and_a_call_within_five_seconds_are_one_attempt() -> None:
    assert outcomes(result(OPENS, status="BUSY"), call(OPENS + 5)) == ["busy"]
    assert outcomes(result(OPENS, status="BUSY"), call(OPENS + 6)) == ["busy", "no_answer"]
    assert outcomes(result(OPENS, status="BUSY"), call(OPENS + 2, line="998712037007")) == ["busy"]
    assert outcomes(result(OPENS, status="?"), call(OPENS + 2)) == ["no_answer"]
    assert outcomes(result(OPENS, talk=9), call(OPENS + 2)) == ["ambiguous"]
    assert outcomes(result(OPENS), call(OPENS + 2, "200", duration=30)) == ["ambiguous"]
    assert outcomes(result(OPENS), call(OPENS + 2, "OTHER")) == ["no_answer"]


def test_what_a_result_says_of_a_call_is_true_of_both() -> None:
    assert outcomes(result(OPENS, external_id="555"), call(OPENS + 1), our_ids={"555"}) == []
    assert outcomes(result(OPENS), call(OPENS + 1, extension="101")) == []


def test_a_result_that_is_told_again_replaces_the_first() -> None:
    assert outcomes(result(OPENS), result(OPENS, talk=9)) == ["reached"]


@pytest.mark.parametrize("told", [(True, False), (False, True)], ids=["corrected", "in wrong order"])
def test_who_was_once_told_to_have_answered_is_in_doubt(told: tuple[bool, bool]) -> None:
    (attempt,) = attempts(*(result(talk=20 if is_answered else None) for is_answered in told))
    assert attempt.outcome == ("no_answer" if told[0] else "reached")
    assert attempt.is_doubtful is told[0]


@pytest.mark.parametrize("beside", [{"direction": "inc"}, {"extension": "101", "begin": OPENS + 58}])
def test_a_call_of_somebody_else_hides_no_call_of_the_campaign(beside: dict[str, Any]) -> None:
    begin = beside.pop("begin", OPENS + 59)
    assert outcomes(result(talk=20), call(begin, "200", **beside), call(OPENS + 62, "200")) == ["reached"]


@pytest.mark.parametrize(
    ("begin", "received_at", "expected"),
    [
        (OPENS - 5 * 3600, OPENS + 60, ["lost"]),
        (1, OPENS + 60, ["lost"]),
        (OPENS - 200, OPENS + 60, ["lost"]),
        (OPENS - 130, OPENS - 20, []),
        (OPENS - 5 * 3600, OPENS - 5 * 3600, []),
    ],
)
def test_a_call_of_the_campaigns_hours_with_a_wrong_time_cannot_be_placed(
    begin: int, received_at: int, expected: list[str]
) -> None:
    assert outcomes(result(begin, talk=20)._replace(received_at=received_at)) == expected
    assert outcomes(call(begin, "200")._replace(received_at=received_at)) == expected


def test_a_call_without_a_time_cannot_be_placed() -> None:
    assert outcomes(call(OPENS + 60, "200", has_begin=False)) == ["lost"]
    assert outcomes(call(OPENS - 600, "200", has_begin=False)) == []


def test_a_call_that_fits_two_campaigns_is_ambiguous() -> None:
    other = CampaignScope("125", ((OPENS, OPENS + 600),), frozenset([LINE]), 5, 2)
    assert outcomes(result(), rivals=[RivalCampaign(other, {NUMBER})]) == ["ambiguous"]
    assert outcomes(result(OPENS + 720), rivals=[RivalCampaign(other, {NUMBER})]) == ["no_answer"]
    assert outcomes(result(), rivals=[RivalCampaign(other, {"998901110002"})]) == ["no_answer"]


def test_where_the_duration_counts_the_ringing_only_a_short_one_says_something() -> None:
    told = [call(status="200", duration=4), call(OPENS + 900, "200", duration=40)]
    assert outcomes(*told, duration_counts="total") == ["short", "unknown"]
    assert outcomes(result(talk=30), duration_counts="total") == ["reached"]


@pytest.mark.parametrize(
    ("duration", "calls", "setting", "counts"),
    [
        (20, 10, None, "talk"),
        (30, 10, None, "total"),
        (30, 9, None, "talk"),
        (30, 10, "talk", "talk"),
        (20, 10, "total", "total"),
    ],
)
def test_the_calls_show_what_their_duration_counts(duration: int, calls: int, setting: Any, counts: str) -> None:
    begins = [OPENS + 60 * place for place in range(calls)]
    told = [call(begin, "200", duration=duration, ended_at=begin + 30) for begin in begins]
    assert what_duration_counts(told, setting) == counts


CALLS = st.builds(
    lambda is_result, number, line, begin, status, duration, answered, direction: CampaignCall(
        is_result=is_result,
        number=f"99890111000{number}",
        line=line,
        begin=OPENS + begin,
        received_at=OPENS + begin + 9,
        direction=direction,
        status=status,
        duration=duration,
        answered_at=answered and OPENS + answered,
        ended_at=answered and OPENS + answered + 9,
    ),
    st.booleans(),
    st.integers(1, 6),
    st.sampled_from([LINE, "998712037007", None]),
    st.integers(-200, 8000),
    st.sampled_from(["ANSWER", "BUSY", "NOANSWER", "200", "480", "404", "x", None]),
    st.none() | st.integers(-5, 60),
    st.none() | st.integers(-200, 8000),
    st.sampled_from(["out", "out", "out", "inc", None]),
)


@examples(150)
@given(st.lists(CALLS, max_size=30), st.booleans(), st.booleans())
def test_whatever_was_told_each_row_has_one_category_and_the_counts_are_those_of_the_rows(
    calls: list[CampaignCall], is_complete: bool, is_over: bool
) -> None:
    people = CampaignList(keep_numbers([f"99890111000{number}" for number in range(1, 10)]))
    gaps = () if is_complete else cover_windows(SCOPE, [], CLOSES).listened.gaps
    coverage = ListenerCoverage(Coverage(OPENS, CLOSES, gaps), is_over)
    report = CampaignReport(SCOPE, people, find_attempts(calls, SCOPE, AttemptRules()), coverage)
    rows, counts = list(report.rows()), report.counts()
    assert Counter(row.category for row in rows) == {name: counts[name] for name in CATEGORIES if counts[name]}
    assert sum(counts[name] for name in CATEGORIES) == counts["rows"] == 9
    assert sum(len(row.attempts) for row in rows) == counts["attempts"]
    assert is_complete or not counts["not_tried"]
    for by in ("hour", "line", "status", "attempt"):
        groups = report.groups(by, None)  # type: ignore[arg-type] # the machine's zone: the names do not matter
        assert sum(group.attempts for group in groups) == counts["attempts"]
    for row in rows:
        if row.is_to_call_again():
            assert not {"reached", "short", "unknown", "ambiguous"} & {one.outcome for one in row.attempts}


def test_the_page_says_how_many_hours_it_leaves_out() -> None:
    closes = OPENS + 103 * 3600
    scope = CampaignScope("124", ((OPENS, closes),), frozenset([LINE]), 5, 200)
    calls = [result(OPENS + 60 + hour * 3600) for hour in range(103)]
    coverage = ListenerCoverage(Coverage(OPENS, closes, ()), True)
    people = CampaignList(keep_numbers([NUMBER]))
    report = CampaignReport(scope, people, find_attempts(calls, scope, AttemptRules()), coverage)
    nothing: Any = None
    created = CreatedCampaign(
        *("r", "default", "d", {}, nothing, nothing, 1, "2027-01-15T08:00:00Z", 1, "done", 0),
        *("2027-01-15T08:00:01Z", "124", nothing, nothing),
    )
    shown = campaign_page(created, report, report.counts(), notes=(), coverage="events", zone=UTC)
    assert "and 3 more" in shown
    assert "of 1 row<" in shown


def up(*stretches: tuple[float, float]) -> list[Uptime]:
    """Listeners of these times, in unix seconds."""
    return [Uptime(int(begin * MICRO), int(end * MICRO), int(end * MICRO)) for begin, end in stretches]


@pytest.mark.parametrize(
    ("uptimes", "now", "is_complete"),
    [
        (up((OPENS, CLOSES)), CLOSES, True),
        (up((OPENS + 9.9, CLOSES)), CLOSES, True),
        (up((OPENS + 10, CLOSES)), CLOSES, False),
        (up((OPENS - 9, OPENS + 60), (OPENS + 69.9, CLOSES)), CLOSES, True),
        (up((OPENS - 9, OPENS + 60), (OPENS + 70, CLOSES)), CLOSES, False),
        (up((OPENS - 9, OPENS + 60)), OPENS + 69, True),
        (up((OPENS - 9, OPENS + 60)), OPENS + 70, False),
        (up((OPENS - 99, OPENS - 50)), OPENS + 70, False),
        (up((OPENS, CLOSES)), OPENS + 86_400, True),
        (up((OPENS, CLOSES)), OPENS + 86_410, False),
        ([], OPENS - 9, True),
        ([], OPENS + 9, True),
        ([], OPENS + 10, False),
    ],
)
def test_ten_seconds_without_a_listener_in_an_hour_of_the_campaign_are_a_gap(
    uptimes: list[Uptime], now: float, is_complete: bool
) -> None:
    assert cover_windows(SCOPE, uptimes, now).is_complete is is_complete


def test_a_simulated_pbx_has_a_faster_clock() -> None:
    created = OPENS - 7200
    told = [result(OPENS + 3600)._replace(received_at=created + 3)]
    pace = pace_of(told, created)
    assert pace == 3600
    assert pace_of([result()], created) == 1
    assert pace_of([], created) == 1
    # The first window is the third and fourth second after the creation, the second one follows 24 seconds later.
    first = CampaignScope("124", SCOPE.windows[:1], SCOPE.trunks, 5, 2)
    assert cover_windows(first, up((created, created + 4)), created + 9, created_at=created, pace=pace).is_complete
    half = up((created, created + 3))
    assert not cover_windows(first, half, created + 9, created_at=created, pace=pace).is_complete
    assert cover_windows(first, half, created + 9, created_at=created, pace=pace).is_over
