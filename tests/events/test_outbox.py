"""What an answer means for an event and its target: pure, at every moment."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.events.outbox import (
    LONGEST_RETRY_AFTER_SECONDS,
    DeliveryAttempt,
    DeliveryOutcome,
    HealthChange,
    TargetHealth,
    outcome_of,
)
from alovoice_cli.posts import Posted, retry_after_seconds

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
MICRO = 1_000_000
TAKEN = DeliveryOutcome("delivered", status=200)
NOT_FOUND = DeliveryOutcome("retry", "it answered 404", 404)
BROKEN = DeliveryOutcome("retry", "it answered 500", 500)
UNREADABLE = DeliveryOutcome("retry", "it answered 422", 422)
TIMED_OUT = DeliveryOutcome("pause", "it answered 504", 504)
AWAY = DeliveryOutcome("pause", "connection refused")


class Play:
    """A target that is told one event a second, and what it is told of it."""

    def __init__(self) -> None:
        self.health, self.now, self.told = TargetHealth(), MICRO, list[str]()

    def note(
        self, outcome: DeliveryOutcome, *, seq: int = 1, repeated: bool = False, seconds: float = 1, late: float = 0
    ) -> HealthChange:
        """One attempt that ends so, after so many seconds; it began `late` seconds before that."""
        self.now += int(seconds * MICRO)
        attempt = DeliveryAttempt(seq, self.now - int(late * MICRO), repeated)
        change = self.health.note(outcome, attempt, self.now, 0.5)
        self.told += [text for text in (change.trouble, change.recovery) if text]
        return change


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, "delivered") for status in (200, 201, 202, 204, 299)),
        *((status, "pause") for status in (None, 429, 502, 503, 504)),
        *((status, "retry") for status in (301, 302, 307, 400, 401, 403, 404, 405, 408, 413, 422, 500, 501, 599)),
        (410, "gone"),
    ],
)
def test_each_status_says_who_is_in_trouble(status: int | None, kind: str) -> None:
    assert outcome_of(Posted(status, error="connection refused"), NOW).kind == kind


@given(st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(lambda at: format_datetime(at)))
def test_any_retry_after_is_a_span_or_none(text: str) -> None:
    seconds = retry_after_seconds(text, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(min_value=0, max_value=10**6))
def test_retry_after_is_read_in_seconds_and_as_a_date(seconds: int) -> None:
    assert retry_after_seconds(f" {seconds} ", NOW) == seconds
    assert retry_after_seconds(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW) == seconds


def test_a_target_that_refuses_is_told_once_and_its_first_success_pulls_all_forward() -> None:
    play = Play()
    play.note(TAKEN)
    for seq in range(5):
        play.note(NOT_FOUND, seq=seq)
    assert play.health.state == "refusing"
    assert play.note(TAKEN, seq=9).pulls
    assert not play.note(TAKEN, seq=1, repeated=True).pulls
    assert play.told == ["answers 404 to events", "takes events again"]
    assert str(play.health.state) == "taking"


def test_an_earlier_run_s_backlog_is_pulled_forward_by_the_first_success() -> None:
    play = Play()
    assert play.note(TAKEN).pulls
    assert not play.note(TAKEN).pulls


def test_one_event_that_is_never_taken_costs_one_line_and_few_attempts() -> None:
    play = Play()
    pulls = 0
    for _ in range(3600):
        play.note(BROKEN, seq=1, repeated=bool(pulls))
        pulls += play.note(TAKEN, seq=2).pulls
    assert play.told == ["answers 500 to events"]
    assert pulls < 10  # a minute after the first, then two, four, eight …


def test_an_outage_is_pulled_forward_also_beside_an_event_that_is_never_taken() -> None:
    play = Play()
    play.note(BROKEN, seq=1)
    play.note(TAKEN, seq=2)
    play.note(BROKEN, seq=1, repeated=True)
    assert not play.note(TAKEN, seq=3).pulls
    for seq in (4, 5, 6):
        play.note(NOT_FOUND, seq=seq)
    assert play.note(TAKEN, seq=7).pulls
    assert play.told == ["answers 500 to events", "answers 404 to events"]


def test_an_event_that_is_refused_for_its_own_sake_says_nothing_of_the_target() -> None:
    play = Play()
    play.note(TAKEN)
    assert play.note(UNREADABLE, seq=1).refuses_event
    assert play.note(UNREADABLE, seq=1, repeated=True).refuses_event
    assert play.health.state == "taking"
    play.note(UNREADABLE, seq=2)
    assert play.told == ["answers 422 to events"]


def test_a_paused_target_is_left_alone_then_tried_with_one_event() -> None:
    play = Play()
    play.note(AWAY)
    assert play.health.room(play.now, 8) == 0
    assert play.health.room(play.now + 2 * MICRO, 8) == 1
    play.note(TAKEN, late=30)  # was under way before: it says nothing of now
    assert play.health.state == "paused"
    play.note(TAKEN, repeated=True)
    assert play.health.room(play.now, 8) == 8
    assert play.told == ["cannot be reached (connection refused)", "answers again"]


def test_one_event_that_the_target_never_answers_costs_one_line_and_the_others_go_on() -> None:
    play = Play()
    pulls = 0
    for _ in range(3600):
        play.note(TIMED_OUT, seq=1, repeated=bool(pulls))
        pulls += play.note(TAKEN, seq=2, seconds=2).pulls
        assert play.health.room(play.now, 8) == 8
    assert play.told == ["answers 504 to events"]
    assert pulls < 10


@pytest.mark.parametrize(
    ("asked", "seconds", "words"),
    [
        (0, 1, "0 s"),
        (30, 30, "30 s"),
        (86_400, LONGEST_RETRY_AFTER_SECONDS, "86400 s (the next attempt is after 3600 s)"),
    ],
)
def test_retry_after_is_obeyed_up_to_an_hour_and_said(asked: int, seconds: float, words: str) -> None:
    play = Play()
    play.note(outcome_of(Posted(503, retry_after=str(asked)), NOW))
    assert play.health.waits_until == play.now + seconds * MICRO
    assert play.told == [f"answers 503 to events and asks for a pause of {words}"]


def test_many_attempts_that_fail_at_once_are_one_failure() -> None:
    play = Play()
    for _ in range(8):
        play.note(AWAY, seconds=0.01, late=5)
    assert play.health.waits_until <= play.now + 2 * MICRO


def test_a_target_that_is_gone_gets_nothing_until_somebody_orders_it() -> None:
    play = Play()
    assert play.note(outcome_of(Posted(410), NOW)).stops
    play.note(TAKEN)
    assert play.health.room(play.now + 10**12, 8) == 0
    play.health.resume()
    assert play.health.room(play.now, 8) == 8


OUTCOMES = st.sampled_from([TAKEN, NOT_FOUND, BROKEN, UNREADABLE, AWAY, outcome_of(Posted(429, retry_after="5"), NOW)])


@given(st.lists(st.tuples(OUTCOMES, st.integers(0, 3), st.booleans(), st.floats(0, 100)), max_size=60))
def test_whatever_comes_troubles_and_recoveries_take_turns(
    steps: list[tuple[DeliveryOutcome, int, bool, float]],
) -> None:
    play = Play()
    in_trouble = False
    for outcome, seq, repeated, seconds in steps:
        change = play.note(outcome, seq=seq, repeated=repeated, seconds=seconds)
        assert not change.recovery or in_trouble
        assert not (change.trouble and change.recovery)
        in_trouble = (in_trouble or bool(change.trouble)) and not change.recovery
        assert in_trouble == (play.health.state != "taking")
        assert play.health.waits_until <= play.now + LONGEST_RETRY_AFTER_SECONDS * MICRO
