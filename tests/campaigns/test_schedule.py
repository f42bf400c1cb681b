"""The campaign's clock: the same wire bytes and the same verdict on whatever machine and at whatever hour."""

import os
import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.schedule import Window, parse_day, parse_minute, today_in, wire_offset
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.moments import parse_zone

TODAY = date(2026, 3, 30)
TASHKENT = parse_zone("Asia/Tashkent")


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tashkent", "Pacific/Kiritimati"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if not hasattr(clock, "tzset"):
        pytest.skip("this platform cannot change its zone within a process")
    monkeypatch.setenv("TZ", request.param)
    clock.tzset()
    yield request.param
    monkeypatch.undo()
    clock.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025.04.25", date(2025, 4, 25)),
        ("2025-04-25", date(2025, 4, 25)),
        ("2028.02.29", date(2028, 2, 29)),
        ("today", date(2026, 3, 30)),
        (" Tomorrow ", date(2026, 3, 31)),
        ("+3d", date(2026, 4, 2)),
        ("+0d", date(2026, 3, 30)),
        ("+366d", date(2027, 3, 31)),
    ],
)
def test_a_day_is_read_in_each_of_its_forms(text: str, expected: date) -> None:
    assert parse_day(text, TODAY) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025.04",
        "2025/04/25",
        "2025.04-25",
        "2025.02.29",
        "2025.13.01",
        "25.04.2025",
        "+367d",
        "-1d",
        "+d",
        "20250425",
        "2025.04.25 18:00",
        "0000.01.01",
        "٢٠٢٥.٠٤.٢٥",
        "+٣d",
        "2025.4.5",
        "2025.04.25\x00",
    ],
)
def test_what_is_no_day_is_a_usage_error_that_quotes_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_day(text, TODAY, "--from")
    assert caught.value.message.startswith("--from: ")
    assert caught.value.hint


def test_a_day_written_day_first_is_offered_in_the_right_order() -> None:
    for text in ("7.4.2026", "07/04/2026", "7-04-2026"):
        with pytest.raises(UsageError) as caught:
            parse_day(text, TODAY)
        assert caught.value.hint == "the year comes first: 2026.04.07"
    with pytest.raises(UsageError) as caught:
        parse_day("31.2.2026", TODAY)
    assert "tomorrow or +3d" in caught.value.hint
    with pytest.raises(UsageError) as other:
        parse_day("the day after", TODAY)
    assert other.value.hint == caught.value.hint


def test_a_day_beyond_the_calendar_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"the day: \+3d is beyond the calendar") as caught:
        parse_day("+3d", date.max)
    assert "tomorrow or +3d" in caught.value.hint


def test_midnight_at_the_end_of_a_day_is_told_with_the_last_minute() -> None:
    with pytest.raises(UsageError, match="the time: 24:00 is the next day") as caught:
        parse_minute("24:00")
    assert caught.value.hint == "the last minute of a day is 23:59; the campaign still calls in it"
    with pytest.raises(UsageError, match="there is no time '24:01'"):
        parse_minute("24:01")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18:10", time(18, 10)),
        ("9:05", time(9, 5)),
        ("00:00", time(0, 0)),
        ("23:59", time(23, 59)),
        (" 8:00 ", time(8, 0)),
    ],
)
def test_a_minute_is_read_on_the_24_hour_clock(text: str, expected: time) -> None:
    assert parse_minute(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("24:00", "23:59"),
        ("18:10:30", "18:10"),
        ("24:01", "23:59"),
        ("18:60", "23:59"),
        ("18.10", "HH:MM"),
        ("6pm", "HH:MM"),
        ("18", "HH:MM"),
        ("", "HH:MM"),
        ("-1:00", "HH:MM"),
        ("١٨:١٠", "HH:MM"),
    ],
)
def test_what_is_no_minute_is_refused_with_a_way_out(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_minute(text, "--totime")
    assert "--totime" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("utc +5", 300),
        ("UTC+5", 300),
        ("UTC +05:00", 300),
        ("+05:00", 300),
        ("+0500", 300),
        ("+5", 300),
        ("GMT+5", 300),
        ("utc -3:30", -210),
        ("utc \N{MINUS SIGN}3:30", -210),
        ("+5:45", 345),
        ("+14", 840),
        ("-12", -720),
        ("Z", 0),
        ("utc", 0),
        ("Asia/Tashkent", 300),
        ("Asia/Kathmandu", 345),
    ],
)
def test_a_zone_is_read_in_each_of_its_forms(text: str, minutes: int) -> None:
    assert parse_zone(text).utcoffset(datetime(2026, 1, 15)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "utc 5",
        "+15",
        "-13",
        "+14:01",
        "+5:60",
        "+05:00:00",
        "America",
        "../../etc/passwd",
        "/etc/localtime",
        "a\x00b",
        "x" * 5000,
        "Asia/Tashkent\n\n",
        "\ud800",
    ],
)
def test_what_is_no_zone_is_a_usage_error(text: str) -> None:
    if text.strip() == "Asia/Tashkent":
        assert parse_zone(text) == TASHKENT
        return
    with pytest.raises(UsageError):
        parse_zone(text)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("Asia/Tashkend", "Asia/Tashkent"),
        ("asia/tashkent", "Asia/Tashkent"),
        ("Tashkent", "Asia/Tashkent"),
        ("new york", "America/New_York"),
        ("Europe/Moskow", "Europe/Moscow"),
    ],
)
def test_a_misspelt_zone_gets_the_nearest_name(text: str, nearest: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_zone(text)
    assert nearest in caught.value.hint


@given(st.text(max_size=12) | st.text(alphabet="0123456789.:-+utcd ZAsi/", max_size=12))
@examples(60)
def test_any_text_is_read_or_refused_never_a_crash(text: str) -> None:
    for parse in (lambda: parse_day(text, TODAY), lambda: parse_minute(text), lambda: parse_zone(text)):
        try:
            value = parse()
        except UsageError:
            pass
        else:
            assert isinstance(value, (date, time, tzinfo))


@given(st.dates(), st.integers(0, 366))
@examples(60)
def test_a_day_survives_its_wire_form(day: date, ahead: int) -> None:
    window = Window(day, day, time(9, 0), time(18, 0), UTC)
    assert parse_day(window.to_wire()["from"], TODAY) == day
    assert parse_day(day.isoformat(), TODAY) == day
    try:
        assert parse_day(f"+{ahead}d", day) - day == timedelta(days=ahead)
    except UsageError:
        assert day > date.max - timedelta(days=366)


@given(st.integers(-720, 840))
@examples(100)
def test_an_offset_survives_its_wire_form(minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    assert parse_zone(wire_offset(offset)).utcoffset(None) == offset


def test_the_wire_form_is_the_vendors_sample() -> None:
    window = Window(date(2025, 4, 25), date(2025, 4, 25), time(18, 0), time(20, 59), parse_zone("+05:00"))
    assert window.to_wire() == {
        "from": "2025.04.25",
        "to": "2025.04.25",
        "fromtime": "18:00",
        "totime": "20:59",
        "timezone": "utc +5",
    }


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(300, "utc +5"), (330, "utc +5:30"), (-210, "utc -3:30"), (0, "utc +0"), (-30, "utc -0:30"), (-1, "utc -0:01")],
)
def test_offsets_on_the_wire(minutes: int, expected: str) -> None:
    assert wire_offset(timedelta(minutes=minutes)) == expected


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
