"""The simulated dialler: seeded, bounded by its lines and windows, fair to its recipients."""

import time as clock
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.dialer_simulation import (
    DialAttempt,
    DialPlan,
    DialStatus,
    People,
    dial,
    finishes_at,
    lot,
    ring,
)

NUMBERS = [f"99890{number:07}" for number in range(300)]
PLAN = DialPlan(date(2026, 3, 2), date(2026, 3, 4), time(18), time(20, 59), lines=3, tries=3, trunks=("253", "254"))

plans = st.builds(
    DialPlan,
    first=st.just(date(2026, 3, 2)),
    last=st.sampled_from([date(2026, 3, 2), date(2026, 3, 5)]),
    opens=st.sampled_from([time(9), time(12, 30)]),
    closes=st.sampled_from([time(12, 31), time(20, 59)]),
    utc_offset=st.sampled_from([timedelta(hours=5), timedelta(hours=-9, minutes=-30)]),
    lines=st.integers(1, 7),
    tries=st.integers(1, 4),
    goodtime=st.sampled_from([timedelta(0), timedelta(seconds=30)]),
    trunks=st.sampled_from([(), ("253",), ("253", "254")]),
)


def test_the_same_seed_gives_the_same_day_and_another_one_another() -> None:
    assert list(dial(NUMBERS, PLAN, seed=1)) == list(dial(NUMBERS, PLAN, seed=1))
    assert list(dial(NUMBERS, PLAN, seed=1)) != list(dial(NUMBERS, PLAN, seed=2))


def test_a_known_seed_gives_a_known_first_call_on_every_machine() -> None:
    assert lot(998, "a", 1) == 15041447666526161016
    first = next(dial(["998901234567"], PLAN, seed=998))
    assert (first.started_at.isoformat(), first.dialstatus, first.ended_at.isoformat()) == (
        "2026-03-02T18:00:00+05:00",
        DialStatus.ANSWER,
        "2026-03-02T18:01:04+05:00",
    )


@examples(60)
@given(plans, st.integers(0, 2**32), st.integers(0, 60))
def test_no_plan_is_overstepped(plan: DialPlan, seed: int, count: int) -> None:
    attempts = list(dial(NUMBERS[:count], plan, seed=seed))
    assert all(earlier.started_at <= later.started_at for earlier, later in pairwise(attempts))
    windows = list(plan.windows())
    for attempt in attempts:
        assert any(opens <= attempt.started_at < closes for opens, closes in windows)
        assert attempt.trunk == (plan.trunks[attempt.line % len(plan.trunks)] if plan.trunks else "")
    assert busiest(attempts) <= plan.lines
    for recipient in range(count):
        assert_fair([attempt for attempt in attempts if attempt.recipient == recipient], plan)


def busiest(attempts: list[DialAttempt]) -> int:
    edges = sorted([(a.started_at, 1) for a in attempts] + [(a.ended_at, -1) for a in attempts], key=lambda e: e)
    level = most = 0
    for _, step in edges:
        level += step
        most = max(most, level)
    return most


def assert_fair(tries: list[DialAttempt], plan: DialPlan) -> None:
    assert [attempt.ordinal for attempt in tries] == list(range(1, len(tries) + 1))
    assert len(tries) <= plan.tries
    assert not any(attempt.successful for attempt in tries[:-1]), "rung again after a success"
    for earlier, later in pairwise(tries):
        assert (later.started_at - earlier.ended_at).total_seconds() >= People().pause_between_tries_seconds


def test_a_talk_shorter_than_goodtime_is_no_success_and_is_tried_again() -> None:
    patient = DialPlan(date(2026, 3, 2), date(2026, 3, 2), time(9), time(20), tries=2, goodtime=timedelta(seconds=30))
    attempts = list(dial(NUMBERS, patient, seed=5))
    short = [a for a in attempts if a.answered_at and (a.ended_at - a.answered_at).total_seconds() < 30]
    assert short
    assert not any(attempt.successful for attempt in short)
    again = {attempt.recipient for attempt in attempts if attempt.ordinal == 2}
    assert {attempt.recipient for attempt in short if attempt.ordinal == 1} <= again


def test_more_lines_meet_the_same_people() -> None:
    def behaviour(lines: int) -> set[tuple[int, int, str]]:
        plan = DialPlan(date(2026, 3, 2), date(2026, 3, 6), time(9), time(20), lines=lines, tries=2)
        return {(a.recipient, a.ordinal, a.dialstatus) for a in dial(NUMBERS, plan, seed=3)}

    assert behaviour(2) == behaviour(20)


def test_people_answer_about_as_often_as_they_should() -> None:
    statuses = Counter(ring(People(), 7, number).dialstatus for number in range(20_000))
    assert abs(statuses[DialStatus.ANSWER] / 20_000 - People().answer_rate) < 0.02
    assert abs(statuses[DialStatus.BUSY] / 20_000 - People().busy_rate) < 0.02
    assert set(statuses) == set(DialStatus)


def test_a_campaign_ends_with_its_last_call_or_with_its_last_window() -> None:
    last = max(attempt.ended_at for attempt in dial(NUMBERS, PLAN, seed=1))
    assert finishes_at(NUMBERS, PLAN, seed=1) == last
    one_line = DialPlan(date(2026, 3, 2), date(2026, 3, 2), time(18), time(18, 9))
    assert finishes_at(NUMBERS, one_line, seed=1) == datetime(2026, 3, 2, 13, 10, tzinfo=UTC)


def test_nothing_is_dialled_before_the_campaign_is_made_nor_in_a_window_of_the_past() -> None:
    made = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    attempts = list(dial(NUMBERS, PLAN, seed=1, begins=made))
    assert attempts[0].started_at == made
    assert finishes_at(NUMBERS, PLAN, seed=1, begins=datetime(2027, 1, 1, tzinfo=UTC)) is None
    assert list(dial(NUMBERS, PLAN, seed=1, begins=datetime(2027, 1, 1, tzinfo=UTC))) == []


def test_a_number_of_a_large_campaign_costs_about_what_one_of_a_small_campaign_does() -> None:
    plan = DialPlan(date(2026, 3, 2), date(2026, 3, 31), time(9), time(20), lines=200, tries=3)

    def cost(count: int) -> float:
        numbers = [str(998_900_000_000 + number) for number in range(count)]
        began = clock.process_time()
        assert finishes_at(numbers, plan, seed=1) is not None
        return (clock.process_time() - began) / count

    assert min(cost(10_000) for _ in range(2)) < 5 * min(cost(500) for _ in range(3))
