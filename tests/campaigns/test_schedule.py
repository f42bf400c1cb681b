"""The campaign's clock: the same wire bytes and the same verdict on whatever machine and at whatever hour."""

import os
import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from campaign_clock import TASHKENT, TODAY
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.schedule import Window, parse_day, parse_minute, today_in
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.moments import parse_zone


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tashkent", "Pacific/Kiritimati"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if not hasattr(clock, "tzset"):
        pytest.skip("this platform cannot change its zone within a process")
    monkeypatch.setenv("TZ", request.param)
    clock.tzset()
    yield request.param
    monkeypatch.undo()
    clock.tzset()


def test_the_wire_form_is_the_vendors_sample() -> None:
    window = Window(date(2025, 4, 25), date(2025, 4, 25), time(18, 0), time(20, 59), parse_zone("+05:00"))
    assert window.to_wire() == {
        "from": "2025.04.25",
        "to": "2025.04.25",
        "fromtime": "18:00",
        "totime": "20:59",
        "timezone": "utc +5",
    }


# 23:30 and 00:30 in Tashkent, and the two nights on which New York changes its clock (1:30 and 3:30 there).
MOMENTS = [
    datetime(2026, 3, 30, 18, 30, tzinfo=UTC),
    datetime(2026, 3, 30, 19, 30, tzinfo=UTC),
    datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
    datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
]
CAMPAIGN_DAYS = ["2026.03.30", "2026.03.31", "2026.03.08", "2026.03.08", "2026.11.01", "2026.11.01"]


def test_today_is_another_day_where_it_is_past_midnight() -> None:
    late = datetime(2026, 3, 30, 20, tzinfo=UTC)
    zones = ("Asia/Tashkent", "utc +0", "Pacific/Kiritimati", "America/New_York")
    assert [today_in(parse_zone(zone), late).day for zone in zones] == [31, 30, 31, 30]


@pytest.mark.parametrize(("now", "day"), list(zip(MOMENTS, CAMPAIGN_DAYS, strict=True)))
def test_today_is_the_campaigns_day_whatever_the_machines_zone(machine_zone: str, now: datetime, day: str) -> None:
    local = now.astimezone()  # as the machine's own clock would show this moment
    today = today_in(TASHKENT, local)
    first, last = parse_day("today", today), parse_day("tomorrow", today)
    window = Window(first, last, parse_minute("18:00"), parse_minute("20:59"), TASHKENT)
    window.check(local)
    wire = window.to_wire()
    assert (wire["from"], wire["timezone"]) == (day, "utc +5")
    assert wire["to"] == (parse_day(day, today) + timedelta(days=1)).isoformat().replace("-", ".")


@pytest.mark.parametrize(
    ("now", "past"),
    [
        (datetime(2026, 3, 30, 15, 58, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 30, 15, 59, 59, 999999, tzinfo=UTC), False),
        (datetime(2026, 3, 30, 16, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 31, 2, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 1, 2, 0, 0, tzinfo=UTC), False),
    ],
)
def test_a_window_is_past_once_its_last_minute_has_run_out(machine_zone: str, now: datetime, past: bool) -> None:
    window = Window(date(2026, 3, 29), date(2026, 3, 30), time(18, 0), time(20, 59), TASHKENT)
    if not past:
        window.check(now.astimezone())
        return
    with pytest.raises(CheckFailedError, match=r"ended on 2026\.03\.30 at 20:59") as caught:
        window.check(now.astimezone())
    assert "give a later day with --to" in caught.value.hint


def window_of(first: str, last: str, opens: str, closes: str, zone: str = "utc +5") -> Window:
    return Window(
        parse_day(first, TODAY), parse_day(last, TODAY), parse_minute(opens), parse_minute(closes), parse_zone(zone)
    )


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "message", "hint"),
    [
        (
            window_of("2026.04.02", "2026.04.01", "09:00", "18:00"),
            "--from 2026.04.02 is after --to 2026.04.01",
            "same day",
        ),
        (window_of("2026.04.01", "2026.04.01", "18:00", "18:00"), "not before", "--totime must be later"),
        (window_of("2026.04.01", "2026.04.01", "22:00", "06:00"), "--fromtime 22:00 is not before", "two campaigns"),
        (window_of("2026.04.01", "2026.04.01", "18:00", "09:00"), "--fromtime 18:00 is not before", "swap"),
    ],
)
def test_a_window_upside_down_or_over_midnight_is_refused(window: Window, message: str, hint: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        window.check(NOW)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("first", "last", "opens", "closes", "day"),
    [
        ("2026.03.07", "2026.03.08", "09:00", "18:00", "2026.03.08"),
        ("2026.03.01", "2026.12.31", "09:00", "18:00", "2026.03.08"),
        ("2026.10.20", "2026.11.05", "09:00", "18:00", "2026.11.01"),
        ("2026.03.08", "2026.03.08", "01:00", "04:00", "2026.03.08"),
        ("2026.11.01", "2999.11.02", "00:30", "18:00", "2026.11.01"),
        ("2025.11.02", "2026.03.08", "09:00", "18:00", "2026.03.08"),
    ],
)
def test_a_zone_that_changes_within_the_campaign_is_refused_by_its_day(
    first: str, last: str, opens: str, closes: str, day: str
) -> None:
    with pytest.raises(CheckFailedError, match=rf"America/New_York changes on {day}") as caught:
        window_of(first, last, opens, closes, "America/New_York").check(NOW)
    assert "create a second one" in caught.value.hint


@pytest.mark.parametrize(
    ("first", "last", "offset"),
    [
        ("2026.03.08", "2026.03.08", "utc -4"),
        ("2026.03.07", "2026.03.07", "utc -5"),
        ("2026.03.09", "2026.10.31", "utc -4"),
        ("2026.11.01", "2026.11.30", "utc -5"),
    ],
)
def test_a_zone_steady_within_the_campaign_gives_that_seasons_offset(first: str, last: str, offset: str) -> None:
    window = window_of(first, last, "09:00", "18:00", "America/New_York")
    window.check(NOW)
    assert window.to_wire()["timezone"] == offset


@given(
    st.dates(),
    st.dates(),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.sampled_from(["utc +5", "utc -12", "+14", "+5:45", "Asia/Tashkent", "America/New_York", "Africa/Casablanca"]),
    st.integers(-720, 840),
)
@examples(150)
def test_the_verdict_hangs_on_the_moment_and_not_on_the_zone_it_is_told_in(
    first: date, last: date, opens: time, closes: time, zone: str, minutes: int
) -> None:
    window = Window(first, last, opens, closes, parse_zone(zone))
    now = datetime(2026, 3, 30, 18, 45, 12, tzinfo=UTC)
    verdicts = []
    for told in (now, now.astimezone(timezone(timedelta(minutes=minutes)))):
        try:
            window.check(told)
        except CheckFailedError as refused:
            verdicts.append(refused.message)
        else:
            verdicts.append("")
            assert first <= last
            assert opens < closes
            assert last >= date(2026, 3, 29)
    assert verdicts[0] == verdicts[1]


def test_the_machines_zone_is_really_changed_by_the_fixture(machine_zone: str) -> None:
    expected = {"UTC": 0, "America/New_York": -300, "Asia/Tashkent": 300, "Pacific/Kiritimati": 840}[os.environ["TZ"]]
    assert datetime(2026, 1, 15, tzinfo=UTC).astimezone().utcoffset() == timedelta(minutes=expected)


@pytest.mark.parametrize(
    ("last", "closes", "length"),
    [
        (30, time(20, 59), ", 11 h"),
        (30, time(10, 29), ", 0.5 h"),
        (30, time(10), ", 0 h"),
        (31, time(20, 59), ", 2 days × 11 h"),
        (31, time(9, 59), ""),
        (31, time(8), ""),
        (29, time(20, 59), ""),
    ],
)
def test_a_window_is_told_with_its_length_where_it_has_one(last: int, closes: time, length: str) -> None:
    window = Window(TODAY, TODAY.replace(day=last), time(10), closes, TASHKENT)
    assert window.describe().partition("Tashkent")[2] == length


def test_the_length_counts_from_any_minute_to_the_end_of_any_other() -> None:
    window = Window(TODAY, TODAY, time(9, 30), time(17, 59), TASHKENT)
    assert window.describe() == "Mon 30 Mar, 09:30–17:59 Tashkent, 8.5 h"
    assert Window(TODAY, TODAY, time(0), time(23, 59), TASHKENT).describe().endswith(", 24 h")


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("utc +5", "Tashkent"),
        ("utc +4", "utc +4"),
        ("utc +6", "utc +6"),
        ("utc +0", "utc +0"),
        ("Asia/Dubai", "Dubai"),
        ("America/New_York", "New York"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires"),
    ],
)
def test_a_zone_is_told_by_its_city_or_its_offset(zone: str, place: str) -> None:
    assert window_of("2026.04.01", "2026.04.01", "09:00", "18:00", zone).place == place


def test_the_span_is_from_the_first_minute_to_the_last() -> None:
    first, last = window_of("2026.04.01", "2026.04.03", "09:00", "18:30", "utc +5").span
    assert (first, last) == (datetime(2026, 4, 1, 4, tzinfo=UTC), datetime(2026, 4, 3, 13, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("window", "codes"),
    [
        (window_of("2026.04.02", "2026.04.01", "18:00", "09:00"), ["days_reversed"]),
        (window_of("2025.04.01", "2025.04.02", "18:00", "09:00"), ["hours_reversed", "past"]),
        (window_of("2026.10.20", "2026.11.05", "09:00", "18:00", "America/New_York"), ["clock_change"]),
        (window_of("2026.04.01", "2026.04.02", "09:00", "18:00"), []),
    ],
)
def test_all_that_is_wrong_with_a_window_is_told_but_of_reversed_days_only_that(
    window: Window, codes: list[str]
) -> None:
    assert [code for code, _ in window.problems(NOW)] == codes
