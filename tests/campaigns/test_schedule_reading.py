"""A day, a minute and a zone of a campaign are read in each of their forms, and survive their wire form."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import pytest
from campaign_clock import TASHKENT, TODAY
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.schedule import Window, parse_day, parse_minute, wire_offset
from alovoice_cli.errors import UsageError
from alovoice_cli.moments import parse_zone


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


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(300, "utc +5"), (330, "utc +5:30"), (-210, "utc -3:30"), (0, "utc +0"), (-30, "utc -0:30"), (-1, "utc -0:01")],
)
def test_offsets_on_the_wire(minutes: int, expected: str) -> None:
    assert wire_offset(timedelta(minutes=minutes)) == expected
