"""Nights, Sundays, holidays: by the campaign's own clock."""

from datetime import date, time

import pytest

from alovoice_cli.campaigns.schedule import NIGHT_OK, Window, quiet_findings
from alovoice_cli.findings import Severity
from alovoice_cli.moments import DailyHours, parse_zone

TASHKENT = parse_zone("utc +5")
NIGHT = DailyHours(time(21), time(8))


def window(first: date, last: date, opens: time = time(10), closes: time = time(19, 59)) -> Window:
    return Window(first, last, opens, closes, TASHKENT)


def codes(of: Window, quiet: DailyHours | None = NIGHT) -> list[str]:
    return [finding.code for finding in quiet_findings(of, quiet)]


@pytest.mark.parametrize(
    ("opens", "closes", "quiet"),
    [
        (time(8), time(20, 59), False),
        (time(7, 59), time(20, 0), True),
        (time(10), time(21), True),
        (time(22), time(23), True),
        (time(2), time(3), True),
        (time(0), time(23, 59), True),
    ],
)
def test_the_last_quiet_minute_and_the_first_are_quiet(opens: time, closes: time, quiet: bool) -> None:
    day = date(2026, 11, 25)
    assert codes(window(day, day, opens, closes)) == ["quiet_hours"] * quiet


def test_quiet_hours_within_one_day_and_none_at_all() -> None:
    day = date(2026, 11, 25)
    noon = DailyHours.parse("13:00 - 14:00")
    assert codes(window(day, day), noon) == ["quiet_hours"]
    assert codes(window(day, day, time(14), time(19)), noon) == []
    assert DailyHours.parse("none") is None
    assert codes(window(day, day, time(0), time(23)), None) == []


def test_sundays_and_holidays_are_named_and_need_consent() -> None:
    found = list(quiet_findings(window(date(2026, 12, 5), date(2026, 12, 14)), NIGHT))
    assert [finding.code for finding in found] == ["sunday", "holiday"]
    assert all((finding.needs, finding.severity) == (NIGHT_OK, Severity.WARNING) for finding in found)
    assert "2 Sundays: 6 Dec, 13 Dec" in found[0].message
    assert found[0].hint.startswith("remove these days from the campaign")
    assert found[1].hint.startswith("remove this day from the campaign, or add --night-ok; ")
    assert "8 Dec Constitution Day" in found[1].message
    assert "holidays 0." in found[1].message


def test_an_estimated_holiday_says_that_it_is() -> None:
    (found,) = quiet_findings(window(date(2027, 3, 9), date(2027, 3, 9)), NIGHT)
    assert "estimate" in found.message
    assert "days announced up to 2026" in found.message


def test_an_ordinary_day_says_nothing() -> None:
    assert codes(window(date(2026, 11, 25), date(2026, 11, 28))) == []


def test_quiet_hours_are_told_with_both_spans_and_what_to_do() -> None:
    day = date(2026, 11, 25)
    (found,) = quiet_findings(window(day, day, time(7, 30), time(22)), NIGHT)
    assert found.message == "07:30 to 22:00 falls into the quiet hours 21:00-08:00"
    assert found.hint == "narrow --fromtime and --totime, or add --night-ok"
    assert found.needs == NIGHT_OK


def test_of_many_sundays_four_are_named() -> None:
    (found,) = (
        one for one in quiet_findings(window(date(2026, 10, 4), date(2026, 11, 8)), NIGHT) if one.code == "sunday"
    )
    assert found.message == "6 Sundays: 4 Oct, 11 Oct, 18 Oct, 25 Oct and 2 more"
    (found,) = quiet_findings(window(date(2026, 10, 4), date(2026, 10, 31)), NIGHT)
    assert found.message == "4 Sundays: 4 Oct, 11 Oct, 18 Oct, 25 Oct"
    found = next(quiet_findings(window(date(2026, 10, 4), date(2026, 11, 1)), NIGHT))
    assert found.message == "5 Sundays: 4 Oct, 11 Oct, 18 Oct, 25 Oct and 1 more"
    (found,) = quiet_findings(window(date(2026, 10, 11), date(2026, 10, 12)), NIGHT)
    assert found.message == "1 Sunday: 11 Oct"
    assert found.hint == "remove this day from the campaign, or add --night-ok"


def test_the_last_announced_days_are_known_from_every_year() -> None:
    for year in (2025, 2026):
        (found,) = quiet_findings(window(date(year, 9, 1), date(year, 9, 1)), NIGHT)
        assert "with the days announced up to 2026" in found.message
        assert "the government moves days at short notice" in found.hint
