"""`--since` and `--until`, by a clock in Tashkent at half past two on Friday, 25 April 2025."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import CALL_FIELDS, EVENT_FIELDS, Compare, holds
from alovoice_cli.events.filters import FilterWords, read_filter, read_period
from alovoice_cli.moments import ClockTime, parse_moment, parse_span, short_text, span_text, unix_microseconds

CLOCK = ClockTime(datetime(2025, 4, 25, 9, 30, tzinfo=UTC), timezone(timedelta(hours=5)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2025-04-25T09:30:00"),
        ("90s", "2025-04-25T09:28:30"),
        ("2h", "2025-04-25T07:30:00"),
        ("7d", "2025-04-18T09:30:00"),
        ("2w", "2025-04-11T09:30:00"),
        ("today", "2025-04-24T19:00:00"),
        ("Yesterday", "2025-04-23T19:00:00"),
        ("14:02", "2025-04-25T09:02:00"),
        ("9:02:07", "2025-04-25T04:02:07"),
        ("2025-04-01", "2025-03-31T19:00:00"),
        ("2025.04.01", "2025-03-31T19:00:00"),
        ("2025-04-01 08:15", "2025-04-01T03:15:00"),
        ("2025-04-01T08:15:30.25", "2025-04-01T03:15:30.250000"),
        ("2025-04-01T08:15Z", "2025-04-01T08:15:00"),
        ("2025-04-01 08:15 +03:00", "2025-04-01T05:15:00"),
    ],
)
def test_a_moment_is_read_in_the_profiles_zone(text: str, moment: str) -> None:
    assert parse_moment(text, CLOCK, "--since").at == datetime.fromisoformat(moment + "+00:00")


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2", "2 fortnights", "25:00", "2025-13-01", "2025-02-30", "1969-01-01", "2025-04-01x", "14", "²h"],
)
def test_what_is_no_moment_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_moment(text, CLOCK, "--since")
    assert "2025-04-25" in caught.value.hint


def test_a_day_is_meant_whole_also_where_it_has_23_hours() -> None:
    period = read_period(FilterWords(since="yesterday", until="yesterday"), CLOCK)
    assert (period.since, period.until) == (1745434800 * 10**6, 1745521200 * 10**6)
    clock = ClockTime(CLOCK.now, ZoneInfo("Europe/Berlin"))
    period = read_period(FilterWords(since="2025-03-30", until="2025-03-30"), clock)
    assert period.since is not None
    assert period.until is not None
    assert period.until - period.since == 23 * 3600 * 10**6


def test_a_period_upside_down_is_refused() -> None:
    with pytest.raises(UsageError, match="not before"):
        read_period(FilterWords(since="today", until="yesterday"), CLOCK)
    assert read_period(FilterWords(since="all"), CLOCK).since is None


def test_options_and_the_condition_hold_together() -> None:
    words = FilterWords(number="90 123-45-67", status="486,603-S", where="duration < 5")
    wanted = read_filter(words, CALL_FIELDS, CLOCK).condition
    call: dict[str, str | int | None] = {"number": "998901234567", "status": "603-S", "duration": 3}
    assert holds(wanted, call)
    others: list[dict[str, str | int | None]] = [{"duration": 5}, {"status": "200"}, {"number": "998"}]
    assert not any(holds(wanted, call | other) for other in others)


def test_our_own_probes_are_hidden_unless_they_are_asked_for() -> None:
    assert not holds(read_filter(FilterWords(), EVENT_FIELDS, CLOCK).condition, {"type": "probe"})
    for words in (FilterWords(type="probe"), FilterWords(type="callend,probe"), FilterWords(where="type = probe")):
        assert holds(read_filter(words, EVENT_FIELDS, CLOCK).condition, {"type": "probe"})
    assert read_filter(FilterWords(where="status = 1"), CALL_FIELDS, CLOCK).condition == Compare("status", "=", "1")


@pytest.mark.parametrize(
    "words", [FilterWords(type="callstar"), FilterWords(where=" "), FilterWords(line=" , "), FilterWords(peer="\x1b")]
)
def test_values_that_make_no_sense_are_refused(words: FilterWords) -> None:
    with pytest.raises(UsageError):
        read_filter(words, EVENT_FIELDS, CLOCK)


def test_times_are_short_where_they_can_be() -> None:
    at = datetime(2025, 4, 25, 9, 2, 7, tzinfo=UTC)
    assert short_text(at, CLOCK) == "14:02:07"
    assert short_text(at - timedelta(days=30), CLOCK) == "03-26 14:02"
    assert short_text(at - timedelta(days=300), CLOCK) == "2024-06-29"
    assert [span_text(n) for n in (7, 200, 7500, 273600)] == ["7 s", "3 min 20 s", "2 h 05 min", "3 d 4 h"]
    assert parse_span("12w", "--older-than") == timedelta(weeks=12)
    assert unix_microseconds(at) == 1745571727 * 10**6
