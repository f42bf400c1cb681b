"""The forecast: the sandbox's own dialler, many times at once, and what is told of it."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.dialer_simulation import DialPlan, People, dial, finishes_at
from alovoice_cli.campaigns.forecast import Forecast, assume, forecast
from alovoice_cli.sandbox.opening import open_sandbox
from alovoice_cli.stores.pbx import PbxStore

FIRST = date(2026, 11, 24)


def _plan(*, days: int = 3, opens: str = "10:00", closes: str = "20:59", lines: int = 3, tries: int = 2) -> DialPlan:
    return DialPlan(
        FIRST,
        FIRST + timedelta(days=days - 1),
        time.fromisoformat(opens),
        time.fromisoformat(closes),
        lines=lines,
        tries=tries,
    )


def _numbers(count: int) -> list[str]:
    return [f"9989{number:08}" for number in range(count)]


def _made(count: int, plan: DialPlan, people: People | None = None, **more: object) -> Forecast:
    made = forecast(count, plan, people or People(), **more)  # type: ignore[arg-type] # the caller's own names
    assert made is not None
    return made


def _elapsed(plan: DialPlan, moment: datetime | None) -> float:
    """Seconds from the first opening, nights included; for ever where it does not finish."""
    assert moment is not None
    return (moment - next(plan.windows())[0]).total_seconds()


ALWAYS = (
    People(answer_rate=1, busy_rate=0, unreachable_rate=0, ring_seconds=(7, 7), talk_seconds=(31, 31)),
    People(answer_rate=0, busy_rate=0, unreachable_rate=0),
    People(answer_rate=1, busy_rate=0, unreachable_rate=0, ring_seconds=(5, 5), talk_seconds=(1, 1)),
)
"""People without luck: everybody answers, nobody does, everybody hangs up before it counts."""


@pytest.mark.parametrize("people", ALWAYS)
@given(
    count=st.integers(1, 400),
    days=st.integers(1, 4),
    closes=st.sampled_from(["10:05", "10:20", "11:00", "20:59"]),
    lines=st.integers(1, 9),
    tries=st.integers(1, 4),
    pause=st.sampled_from([2, 40, 600, 4000]),
)
@examples(8)
def test_without_luck_a_simulated_run_is_the_dialler_to_the_second(
    people: People, count: int, days: int, closes: str, lines: int, tries: int, pause: int
) -> None:
    plan = _plan(days=days, closes=closes, lines=lines, tries=tries)
    behaviour = People(
        answer_rate=people.answer_rate,
        busy_rate=0,
        unreachable_rate=0,
        ring_seconds=people.ring_seconds,
        talk_seconds=people.talk_seconds,
        pause_between_tries_seconds=pause,
    )
    numbers = _numbers(count)
    made = _made(count, plan, behaviour, runs=2)
    calls = list(dial(numbers, plan, seed=1, people=behaviour))
    assert made.calls == len(calls)
    assert made.called == len({call.recipient for call in calls}) / count
    assert made.reached == sum(call.successful for call in calls) / count
    assert made.line_minutes * 60 == pytest.approx(
        sum((call.ended_at - call.started_at).total_seconds() for call in calls)
    )
    ends = finishes_at(numbers, plan, seed=1, people=behaviour)
    assert ends == (made.finish[1] or made.closes)


@pytest.mark.parametrize(
    ("count", "plan"),
    [
        (60, _plan(lines=2)),
        (1000, _plan(days=4, lines=1)),
        (1200, _plan(days=4, closes="14:59", lines=2, tries=5)),
        (1000, _plan(days=2, lines=16)),
    ],
)
def test_half_of_the_runs_end_where_the_sandboxs_dialler_ends(count: int, plan: DialPlan) -> None:
    numbers = _numbers(count)
    ends = sorted(_elapsed(plan, finishes_at(numbers, plan, seed=seed)) for seed in range(900, 905))
    middle = _elapsed(plan, _made(count, plan, seed=5, runs=40).finish[1])
    assert middle == pytest.approx(ends[len(ends) // 2], rel=0.05)


def test_half_of_the_runs_end_where_the_sandbox_says_that_the_campaign_ends(tmp_path: Path) -> None:
    from alovoice_cli.sandbox.autorules import CampaignOrder
    from alovoice_cli.sandbox.pbx import Pbx
    from alovoice_cli.sandbox.scenario import shipped

    noon = datetime(2026, 11, 23, 7, tzinfo=UTC)
    open_sandbox(tmp_path / "sandbox.db", now=lambda: noon)
    store = PbxStore(tmp_path / "sandbox.db")
    pbx = Pbx(store, shipped(), seed=77, speed=60, now=lambda: noon)
    plan = _plan(days=4, lines=2)
    answer = pbx.add_campaign(CampaignOrder("Куз", plan, False, "0" * 32, tuple(_numbers(1200))))
    row = store.campaign(int(str(answer["id"])))
    assert row is not None
    assert row.ends is not None
    made = _made(1200, plan, runs=20)
    middle = _elapsed(plan, made.finish[1])
    assert middle == pytest.approx(_elapsed(plan, datetime.fromtimestamp(row.ends, UTC)), rel=0.05)


CASES = json.loads((Path(__file__).parent / "data" / "forecast_cases.json").read_text())
"""Ten campaigns and what 200 runs of an earlier, independent simulation came to."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['count']} people")
def test_the_band_of_nine_runs_in_ten_lies_within_two_points(case: dict[str, Any]) -> None:
    plan = _plan(
        days=case["days"], opens=case["opens"], closes=case["closes"], lines=case["lines"], tries=case["tries"]
    )
    people = assume(case.get("answer_rate"), case.get("seconds_a_call"))
    made = _made(case["count"], plan, people, seed=case["seed"], runs=40 if case["count"] > 500 else 120)
    assert [end is None for end in made.finish] == [end is None for end in case["finish"]]
    if case["finish"][1] is not None:
        ends = [_elapsed(plan, end) for end in made.finish]
        assert ends == pytest.approx(case["finish"], abs=0.02 * case["finish"][1])
    assert made.reached == pytest.approx(case["reached"], abs=0.02)
    assert made.lines_needed == case["lines_needed"]
    points = [(f"{point.moment:%m-%d %H:%M}", point.low, point.middle, point.high) for point in made.curve]
    for (moment, *shares), (golden_moment, *golden) in zip(points, case["curve"], strict=True):
        assert moment == golden_moment
        assert shares == pytest.approx(golden, abs=0.02)


def test_the_shares_and_the_calls_agree_with_the_dialler() -> None:
    plan = _plan(days=1, lines=4, tries=3)
    made = _made(6000, plan, runs=20)
    calls = list(dial(_numbers(6000), plan, seed=31))
    assert made.finish == (None, None, None)
    assert made.finishing == 0
    assert made.calls == pytest.approx(len(calls), rel=0.03)
    assert made.called == pytest.approx(len({call.recipient for call in calls}) / 6000, rel=0.03)
    assert made.reached == pytest.approx(sum(call.successful for call in calls) / 6000, rel=0.03)
    assert made.calls_an_hour == pytest.approx(len(calls) / 11, rel=0.03)
    talk = sum((call.ended_at - call.answered_at).total_seconds() for call in calls if call.answered_at)
    assert made.talk_minutes * 60 == pytest.approx(talk, rel=0.03)
    assert made.cost(95.0) == made.talk_minutes * 95


def test_the_same_seed_gives_the_same_forecast_and_another_one_does_not() -> None:
    one, same, other = (_made(500, _plan(), seed=seed, runs=10) for seed in (3, 3, 4))
    assert one == same
    assert one.finish != other.finish


def test_ten_fifty_and_ninety_percent_are_in_order() -> None:
    low, middle, high = _made(700, _plan(), runs=60).finish
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low < middle < high
    assert low.utcoffset() == timedelta(hours=5)


def _finishing(count: int, plan: DialPlan, lines: int, seeds: Sequence[int]) -> float:
    other = DialPlan(plan.first, plan.last, plan.opens, plan.closes, lines=lines, tries=plan.tries)
    closes = max(closes for _, closes in plan.windows())
    ends = [finishes_at(_numbers(count), other, seed=seed) for seed in seeds]
    return sum(end is not None and end < closes for end in ends) / len(ends)


def test_the_lines_that_are_needed_finish_and_fewer_do_not() -> None:
    plan = _plan(days=1, lines=2)
    made = _made(2000, plan, runs=40)
    assert not made.finishes
    assert made.lines_needed is not None
    assert _finishing(2000, plan, made.lines_needed, range(5)) >= 0.8
    assert _finishing(2000, plan, made.lines_needed - 1, range(5)) < 0.9


def test_lines_to_spare_are_told_too() -> None:
    made = _made(1000, _plan(days=1, lines=30), runs=40)
    assert made.finishing == 1
    assert made.lines_needed is not None
    assert 1 <= made.lines_needed < 5


def test_where_no_number_of_lines_helps_none_is_named() -> None:
    # The pause between two tries is longer than the window.
    made = _made(50, _plan(days=1, closes="10:04", lines=5), People(answer_rate=0.1))
    assert made.finish == (None, None, None)
    assert made.lines_needed is None


def test_what_has_passed_of_the_window_is_not_dialled_in() -> None:
    plan = _plan(days=1, lines=2)
    begins = datetime(2026, 11, 24, 17, 59, 30, tzinfo=_zone(plan))
    made = _made(3000, plan, begins=begins, runs=20)
    assert made.begins == begins
    assert made.called < _made(3000, plan, runs=20).called
    assert made.curve[0].moment == datetime(2026, 11, 24, 18, tzinfo=_zone(plan))
    assert forecast(3000, plan, begins=begins + timedelta(days=1)) is None
    assert forecast(0, plan) is None


def _zone(plan: DialPlan) -> tzinfo | None:
    return next(plan.windows())[0].tzinfo


def test_a_list_counts_by_its_length() -> None:
    assert forecast(_numbers(50), _plan(), runs=20) == forecast(50, _plan(), runs=20)


def test_the_curve_rises_to_the_whole_list_and_stops_there() -> None:
    for made in (_made(4812, _plan(), runs=4), _made(900, _plan(), runs=20), _made(12, _plan(), runs=40)):
        middles = [point.middle for point in made.curve]
        assert middles == sorted(middles)
        assert all(point.low <= point.middle <= point.high for point in made.curve)
        assert [point.low == 1 for point in made.curve].index(True) == len(made.curve) - 1
    assert [point.moment.hour for point in _made(4812, _plan(), runs=4).curve] == [21, 21, 21]
    assert [point.moment.hour for point in _made(900, _plan(), runs=10).curve][:2] == [11, 12]


def test_an_answer_rate_leaves_the_others_their_proportion() -> None:
    people = assume(answer_rate=0.24, seconds_a_call=90)
    assert people.answer_rate == 0.24
    assert people.busy_rate / people.unreachable_rate == pytest.approx(2)
    assert people.answer_rate + people.busy_rate + people.unreachable_rate < 1
    assert sum(people.talk_seconds) / 2 == 90
    assert assume() == People()
    assert math.isclose(assume(answer_rate=1).busy_rate, 0)
