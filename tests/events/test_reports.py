"""Coverage, missed calls and counts, as pure functions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events.coverage import Uptime, cover, describe
from alovoice_cli.events.event import Call
from alovoice_cli.events.filters import Period
from alovoice_cli.events.missed import MissedCall, count_reasons, judge, not_returned
from alovoice_cli.events.statistics import QUARTER_SECONDS, CallCount, tally, total
from alovoice_cli.moments import ClockTime

ZONE = timezone(timedelta(hours=5))
NOW = datetime(2025, 4, 25, 10, 20, tzinfo=UTC)  # 15:20 in Tashkent
CLOCK = ClockTime(NOW, ZONE)
MICRO = 1_000_000


def _at(clock: str, day: int = 25) -> int:
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2025, 4, day, hour, minute, tzinfo=ZONE).timestamp()) * MICRO


def _told(*uptimes: Uptime, since: int | None = None, until: int | None = None) -> str:
    return describe(cover(uptimes, Period(since, until), _at("15:20")), CLOCK)


def test_coverage_is_told_in_one_line() -> None:
    first, second = Uptime(_at("14:02"), _at("15:10"), _at("15:10")), Uptime(_at("15:12"), _at("15:20"))
    assert _told(first, second) == "events from 14:02, gap 15:10–15:12"
    assert _told(second, first) == "events from 14:02, gap 15:10–15:12"


def test_a_time_to_come_is_not_said_to_be_covered() -> None:
    told = _told(Uptime(_at("14:02"), _at("15:20")), since=_at("00:00", day=26))
    assert told == "no events yet: the period begins at 2025-04-26 00:00"


def test_a_listener_whose_signs_of_life_ceased_is_gone() -> None:
    assert _told(Uptime(_at("14:02"), _at("15:10"))) == "events from 14:02, no listener since 15:10"
    assert "nobody" not in _told(Uptime(_at("14:02"), _at("15:20") - 20 * MICRO))


def test_two_listeners_at_once_leave_no_gap_where_one_is_there() -> None:
    told = _told(
        Uptime(_at("10:00"), _at("12:00"), _at("12:00")),
        Uptime(_at("11:00"), _at("13:00"), _at("13:00")),
        Uptime(_at("13:00"), _at("15:20")),
    )
    assert told == "events from 10:00"


def test_a_period_has_the_gaps_within_it_alone() -> None:
    uptimes = Uptime(_at("10:00", 24), _at("11:00", 24), _at("11:00", 24)), Uptime(_at("09:00"), _at("15:20"))
    assert _told(*uptimes, since=_at("10:00")) == "events from 10:00"
    assert _told(*uptimes, since=_at("08:00")) == "events from 08:00, gap 08:00–09:00"
    assert _told(*uptimes, until=_at("12:00", 24)).endswith("to 2025-04-24 12:00, gap 2025-04-24 11:00–12:00")
    assert _told(*uptimes, until=_at("09:00", 24)).startswith("the listener was not running then")
    assert _told().startswith("the listener was not running then")


def test_many_gaps_are_counted_and_the_latest_told() -> None:
    uptimes = [Uptime(_at(f"{hour}:00"), _at(f"{hour}:30"), _at(f"{hour}:30")) for hour in range(8, 15)]
    told = _told(*uptimes, Uptime(_at("15:00"), _at("15:20")))
    assert "gap 14:30–15:00" in told
    assert "4 more gaps (3 h 30 min in all; see `alovoice events gaps`)" in told


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6), st.integers(0, 50), st.integers(0, 50))
@examples(100)
def test_each_moment_is_covered_or_in_a_gap(pairs: list[tuple[int, int]], since: int, until: int) -> None:
    ups = [(min(pair), max(pair)) for pair in pairs]
    covered = cover([Uptime(a, b, b) for a, b in ups], Period(since, until), 60)
    for moment in range(since, min(until, 60)):
        is_up = any(a <= moment < b for a, b in ups)
        is_gap = any(gap.begin <= moment < gap.end for gap in covered.gaps)
        is_before = covered.begin is None or moment < covered.begin
        assert is_up + is_gap + is_before == 1


def _call(at: int, status: str | None, *, number: str | None = "1", direction: str = "inc", line: str = "7") -> Call:
    name = f"{at}-{number}"
    return Call(name, at, number=number, direction=direction, status=status, line=line)


def _judged(*calls: Call) -> list[tuple[str | None, int, int]]:
    missed = [call for call in calls if call.is_missed and call.direction == "inc"]
    return [(one.returned, one.again, one.back) for one in judge(missed, calls)]


def test_a_caller_who_got_through_later_is_not_waiting() -> None:
    assert _judged(_call(1, "486"), _call(2, "200", line="8")) == [("called again", 1, 0)]
    assert _judged(_call(1, "304"), _call(2, "200", direction="out", line="8")) == [("called back", 0, 1)]


def test_tries_in_vain_leave_the_caller_waiting_and_are_counted() -> None:
    calls = (_call(1, "304"), _call(2, "486", direction="out"), _call(3, "603-S"), _call(4, None, direction="out"))
    assert _judged(*calls) == [(None, 1, 2), (None, 0, 1)]


def test_an_answer_before_or_by_another_number_settles_nothing() -> None:
    assert _judged(_call(1, "200"), _call(2, "480"), _call(3, "200", number="2")) == [(None, 0, 0)]


@pytest.mark.parametrize("number", [None, "anonymous"])
def test_hidden_numbers_wait_each_for_itself(number: str | None) -> None:
    calls = [_call(at, status, number=number) for at, status in ((1, "304"), (2, "304"), (3, "200"))]
    judged = judge(calls[:2], calls)
    assert [(one.returned, one.is_hidden, one.is_owed) for one in judged] == [(None, True, False)] * 2
    assert list(not_returned(judged)) == []


def test_who_called_five_times_in_vain_is_one_to_call_back() -> None:
    calls = [_call(at, "304") for at in range(5)]
    (one,) = not_returned(judge(calls, calls))
    assert (one.call.reported_at, one.again) == (4, 0)
    assert list(not_returned(judge(calls, [*calls, _call(9, "200")]))) == []


def _group(*calls: tuple[int, str, str]) -> list[MissedCall]:
    rung = [_call(at, status, line=line) for at, status, line in calls]
    return list(judge([call for call in rung if call.is_missed], sorted(rung, key=lambda call: call.reported_at)))


@pytest.mark.parametrize("answered_at", [95, 100, 105])
def test_a_ring_group_that_somebody_answered_owes_nobody_a_call(answered_at: int) -> None:
    judged = _group((100, "304", "7"), (answered_at, "200", "7"))
    assert [one.answered_beside is not None for one in judged] == [True]
    assert list(not_returned(judged)) == []


@pytest.mark.parametrize(
    "other", [(94, "200", "7"), (94, "486", "7"), (96, "200", "8"), (100, "304", "7")], ids=lambda one: str(one)
)
def test_what_is_not_of_the_same_ring_group_leaves_the_caller_waiting(other: tuple[int, str, str]) -> None:
    assert len(list(not_returned(_group((100, "304", "7"), other)))) == 1


def test_a_caller_waits_from_the_end_of_the_first_missed_call_until_somebody_talks_to_them() -> None:
    calls = [_call(100, "304"), _call(160, "486"), _call(460, "200", direction="out"), _call(700, "304")]
    first, second, third = judge([calls[0], calls[1], calls[3]], calls)
    assert [(one.waited, one.waiting(1000)) for one in (first, second, third)] == [
        (360, None),
        (300, None),
        (None, 300),
    ]
    again = judge(calls[:2], calls[:2])
    assert [one.waiting(1000) for one in again] == [900, 900]


def test_reasons_are_never_one_bucket() -> None:
    calls = [_call(at, status) for at, status in enumerate(("304", "480", "486", "603", "603-S", "603-S"))]
    assert count_reasons(judge(calls, [])) == {"304": 1, "480": 1, "486": 1, "603": 1, "603-S": 2}


def _quarter(clock: str, day: int = 25) -> int:
    return _at(clock, day) // MICRO // QUARTER_SECONDS


def test_hours_and_days_are_those_of_the_profile() -> None:
    counts = [
        CallCount(_quarter("00:00"), "inc", "200", 2, 120),
        CallCount(_quarter("00:45"), "inc", "486", 1, 0),
        CallCount(_quarter("23:45", 24), "inc", "603-S", 1, 0),
        CallCount(_quarter("23:45", 24), "out", "486", 1, 9),
        CallCount(_quarter("23:45", 24), "int", None, 1, 0),
    ]
    days = tally(counts, "day", ZONE)
    assert [(one.group, one.calls, one.answered, one.missed, one.other, one.open) for one in days] == [
        ("2025-04-24", 3, 0, {"603-S": 1}, 1, 1),
        ("2025-04-25", 3, 2, {"486": 1}, 0, 0),
    ]
    assert [one.group for one in tally(counts, "hour", ZONE)] == ["2025-04-24 23:00", "2025-04-25 00:00"]
    whole = total(days)
    assert (whole.calls, whole.talk_seconds, whole.all_missed) == (6, 120, 2)


def test_lines_with_the_most_calls_come_first() -> None:
    counts = [
        CallCount("b", "inc", "200", 1, 0),
        CallCount(None, "inc", "200", 1, 0),
        CallCount("a", "inc", "200", 5, 0),
    ]
    assert [one.group for one in tally(counts, "line", ZONE)] == ["a", "b", "none"]
