"""Hours on the wall: over midnight, over changes of the clock, over holidays."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_cases import rules_of
from strength import examples

from alovoice_cli.routing.call import Question
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.hours import (
    DAY,
    DAY_NAMES,
    WEEK,
    CalendarDays,
    Holidays,
    describe,
    make_hours,
    parse_days,
    parse_span,
    parse_windows,
)

ZONES = ("Asia/Tashkent", "America/New_York", "Europe/Berlin")
MINUTES = st.integers(0, DAY - 1)
WINDOWS = st.lists(
    st.tuples(st.integers(0, 6), MINUTES, MINUTES).filter(lambda w: w[1] != w[2]), min_size=1, max_size=3
)
CHANGES = [  # nights on which the clock of some zone is put forward or back
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
]
MOMENTS = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.builds(lambda at, m: at + timedelta(minutes=m), st.sampled_from(CHANGES), st.integers(-300, 300)),
)
HOLIDAY_DATES = st.lists(st.dates(date(2026, 10, 24), date(2026, 11, 3)), max_size=3)


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)


def _open_by_the_wall(windows: list[tuple[int, int, int]], shut: list[date], wall: datetime) -> bool:
    """The page's own words, told otherwise: each window as two moments on the wall, on the day where it opens."""
    for day, opens, shuts in windows:
        for start in (wall.date(), wall.date() - timedelta(days=1)):
            first = datetime.combine(start, _clock(opens))
            last = datetime.combine(start + timedelta(days=shuts < opens), _clock(shuts))
            if start.weekday() == day and start not in shut and first <= wall < last:
                return True
    return False


@examples(100)
@given(WINDOWS, HOLIDAY_DATES, MOMENTS, st.sampled_from(ZONES))
def test_hours_are_what_the_wall_shows(
    windows: list[tuple[int, int, int]], shut: list[date], moment: datetime, zone: str
) -> None:
    lines = [f'"{DAY_NAMES[day]} {_clock(opens):%H:%M}-{_clock(shuts):%H:%M}"' for day, opens, shuts in windows]
    days = ", ".join(f'"{day}"' for day in shut)
    rules = rules_of(
        f'timezone = "{zone}"\nfallback = {{ queue = "1" }}\n[hours]\nopen = [{", ".join(lines)}]\n'
        f'holidays = [{days}]\n[[rule]]\nname = "open"\nwhen = {{ hours = "open" }}\nthen = {{ queue = "2" }}\n'
    )
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    expected = _open_by_the_wall(windows, shut, wall)
    assert (decide(rules, Question("901234567"), moment).rule == "open") is expected


@examples(30)
@given(WINDOWS, st.integers(0, WEEK - 1), st.integers(0, 3))
def test_the_minutes_that_the_checks_reason_about_are_those_of_the_clock(
    windows: list[tuple[int, int, int]], minute: int, state: int
) -> None:
    monday = datetime(2026, 11, 23)
    wall = monday + timedelta(minutes=minute)
    shut = [wall.date()] * (state & 1) + [wall.date() - timedelta(days=1)] * (state >> 1)
    pairs = [(day, (opens, shuts if shuts > opens else shuts + DAY)) for day, opens, shuts in windows]
    hours = make_hours("h", pairs, Holidays(CalendarDays(tuple((day, day) for day in shut))))
    assert bool(hours.bits >> (state * WEEK + minute) & 1) is hours.open_at(wall)


def test_a_night_belongs_to_the_day_on_which_it_opens() -> None:
    windows = parse_windows("Fri 22:00-06:00")
    assert windows is not None
    hours = make_hours("night", windows, Holidays(parse_days("2026-12-11") or CalendarDays()))
    at = [
        datetime(2026, 11, 27, 21, 59),
        datetime(2026, 11, 27, 22),
        datetime(2026, 11, 28, 5, 59),
        datetime(2026, 11, 28, 6),
    ]
    assert [hours.open_at(moment) for moment in at] == [False, True, True, False]
    assert not hours.open_at(datetime(2026, 12, 12, 3))


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("Mon-Fri 09:00-18:00", "Mon-Fri 09:00-18:00"),
        ("sat-mon 10:00-12:00, 13:00-14:30", "Mon 10:00-12:00 13:00-14:30, Sat-Sun 10:00-12:00 13:00-14:30"),
        ("Monday, wed 00:00-24:00", "Mon 00:00-24:00, Wed 00:00-24:00"),
        ("daily 22:00-06:00", "Mon-Sun 00:00-06:00 22:00-24:00"),
        ("Sun 23:00-01:00", "Mon 00:00-01:00, Sun 23:00-24:00"),
    ],
)
def test_hours_are_read_in_the_usual_forms(text: str, described: str) -> None:
    windows = parse_windows(text)
    assert windows is not None
    assert describe(make_hours("h", windows, Holidays()).bits & (1 << WEEK) - 1) == described


@pytest.mark.parametrize(
    "text",
    ["", "Mon", "09:00-18:00", "Mon 9-18", "Mon 09:00-09:00", "Mon 24:00-01:00", "Mon 09:60-10:00", "Пн 09:00-18:00"],
)
def test_what_are_no_hours_is_not_guessed_at(text: str) -> None:
    assert parse_windows(text) is None


def test_the_holidays_of_a_country_are_looked_up_also_far_from_today() -> None:
    holidays = Holidays(countries=["UZ"])
    assert date(2026, 9, 1) in holidays
    assert date(2044, 9, 1) in holidays
    assert date(2026, 9, 2) not in holidays


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2026-12-31", date(2026, 12, 31), date(2027, 12, 31)),
        ("12-31", date(2031, 12, 31), date(2031, 12, 30)),
        ("12-30..01-08", date(2030, 1, 8), date(2030, 1, 9)),
        ("2026-12-30..2027-01-08", date(2027, 1, 1), date(2028, 1, 1)),
        ("02-29", date(2028, 2, 29), date(2028, 2, 28)),
    ],
)
def test_days_are_single_ranges_or_yearly(text: str, inside: date, outside: date) -> None:
    days = parse_days(text)
    assert days is not None
    assert (inside in days, outside in days) == (True, False)


@pytest.mark.parametrize("text", ["2026-02-29", "13-01", "2027-01-08..2026-12-30", "31.12", "12-31..2026-01-01", ""])
def test_a_day_that_the_calendar_lacks_is_none(text: str) -> None:
    assert parse_days(text) is None


def test_spans_have_a_unit_and_an_end() -> None:
    assert parse_span("90m") == timedelta(minutes=90)
    assert [parse_span(text) for text in ("7", "0d", "7 days", "99999w", "-1d")] == [None] * 5
