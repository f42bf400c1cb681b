"""A batch's pace, by clocks that the tests turn."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from alovoice_cli.batch.pacing import Gate, parse_rate, parse_window
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.errors import UsageError
from alovoice_cli.moments import DailyHours

ROW = BatchRow("key", 2, {})
TASHKENT = timezone(timedelta(hours=5))


class World:
    """A monotonic clock and a wall clock that only move while somebody waits; `jump` moves the wall alone."""

    def __init__(self, begin: datetime) -> None:
        self.seconds, self.wall = 0.0, begin
        self.said: list[str] = []
        self.stopped = False

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)
        return self.stopped

    def gate(self, **more: Any) -> Gate:
        return Gate(clock=lambda: self.seconds, now=lambda: self.wall, wait=self.wait, told=self.said.append, **more)


def _noon() -> World:
    return World(datetime(2026, 11, 25, 7, 0, tzinfo=UTC))


@pytest.mark.parametrize(("text", "spacing"), [("10/m", 6.0), ("2/s", 0.5), ("100/h", 36.0), (" 1 / min ", 60.0)])
def test_a_rate_is_so_many_a_unit(text: str, spacing: float) -> None:
    assert parse_rate(text) == spacing


@pytest.mark.parametrize("text", ["", "10", "0/m", "-1/m", "10/d", "x/m"])
def test_what_is_no_rate_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rate(text)


def test_rows_are_apart_by_the_rate_and_none_is_saved_up() -> None:
    world = _noon()
    gate = world.gate(spacing=6.0)
    at = []
    for row in range(5):
        world.seconds += 20 if row == 3 else 0
        assert gate.enter(ROW)
        at.append(world.seconds)
    assert at == [0, 6, 12, 32, 38]


def test_a_clock_that_is_set_back_changes_no_pace() -> None:
    world = _noon()
    gate = world.gate(spacing=1.0)
    for jump in (0, -86_400, 86_400, -3600):
        world.wall += timedelta(seconds=jump)
        gate.enter(ROW)
    assert world.seconds == 3


def test_outside_the_window_it_sleeps_until_it_opens_and_says_so_once() -> None:
    world = World(datetime(2026, 11, 25, 14, 30, tzinfo=UTC))  # 19:30 in Tashkent
    gate = world.gate(window=parse_window("10:00-19:00"), zone=TASHKENT)
    assert gate.enter(ROW)
    assert world.wall == datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
    assert len(world.said) == 1
    assert "10:00" in world.said[0]


def test_the_quiet_hours_are_slept_through_also_over_midnight() -> None:
    world = World(datetime(2026, 11, 25, 16, 0, tzinfo=UTC))  # 21:00 in Tashkent
    assert world.gate(quiet=DailyHours.parse("21:00-08:00"), zone=TASHKENT).enter(ROW)
    assert world.wall == datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


def test_a_pause_holds_all_back() -> None:
    world = _noon()
    gate = world.gate()
    gate.pause(90)
    gate.pause(5)
    assert gate.enter(ROW)
    assert world.seconds == 90


def test_a_stop_ends_the_wait() -> None:
    world = _noon()
    world.stopped = True
    gate = world.gate(spacing=60.0)
    assert gate.enter(ROW)
    assert not gate.enter(ROW)


@pytest.mark.parametrize("text", ["", "10-19", "10:00-10:00", "25:00-26:00", "10:00"])
def test_what_is_no_window_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        parse_window(text)


def test_a_pause_is_told_with_its_end_in_the_zone_of_the_batch_and_without_a_part_of_a_second() -> None:
    world = _noon()
    gate = world.gate(zone=TASHKENT)
    gate.pause(10)
    assert gate.enter(ROW)
    assert world.said == [
        "too many requests: the PBX asks to wait (429); waiting until 12:00:10 (UTC+05:00)",
    ]
    assert world.seconds == 10


@pytest.mark.parametrize("seconds", [0.25, 1.0])
def test_a_pause_of_less_than_a_second_is_kept_too(seconds: float) -> None:
    world = _noon()
    gate = world.gate()
    gate.pause(seconds)
    assert gate.enter(ROW)
    assert world.seconds == seconds


def test_two_rows_a_second_are_half_a_second_apart_and_each_takes_its_line_once() -> None:
    world, took = _noon(), []
    gate = world.gate(spacing=0.5, has_line=lambda row: took.append(row) or True)  # type: ignore[func-returns-value]
    at = []
    for _ in range(3):
        assert gate.enter(ROW)
        at.append(world.seconds)
    assert at == [0, 0.5, 1]
    assert world.said == []
    assert took == [ROW] * 3


def test_a_row_waits_until_it_has_a_line_and_nothing_is_told_by_the_gate() -> None:
    world, asked = _noon(), []

    def has_line(row: BatchRow) -> bool:
        asked.append(row)
        return len(asked) == 3

    assert world.gate(has_line=has_line).enter(ROW)
    assert asked == [ROW] * 3
    assert world.seconds > 0
    assert world.said == []


@pytest.mark.parametrize(
    ("begin", "hours", "seconds"),
    [
        (datetime(2026, 11, 25, 8, 59, 50, tzinfo=UTC), "09:00-18:00", 10),
        (datetime(2026, 11, 25, 23, 59, 57, tzinfo=UTC), "00:00-01:00", 3),
    ],
)
def test_a_window_is_waited_for_to_the_second(begin: datetime, hours: str, seconds: int) -> None:
    world = World(begin)
    assert world.gate(window=parse_window(hours)).enter(ROW)
    assert world.seconds == seconds


def test_quiet_hours_are_told_with_their_end() -> None:
    world = World(datetime(2026, 11, 25, 6, 59, 58, tzinfo=UTC))
    assert world.gate(quiet=parse_window("21:00-07:00")).enter(ROW)
    assert world.said == ["in the quiet hours 21:00-07:00: waiting until 07:00"]
    assert world.seconds == 2
