"""Dates, numbers and lengths of time in English, and in a language with forms of its own."""

from datetime import date, datetime
from pathlib import Path

import pytest
from small_catalogue import Messages, use_messages

from alovoice_cli.language import in_english, use_language
from alovoice_cli.localization import (
    day_text,
    days_text,
    decimal_text,
    moment_text,
    percent_text,
    weekday_name,
    weekday_text,
)
from alovoice_cli.moments import span_text

SATURDAY, MONDAY = date(2026, 11, 28), date(2026, 11, 30)


@pytest.fixture
def russian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Russian, as far as these few messages go."""
    messages: Messages = {
        "Saturday": "суббота",
        "weekday|Sat": "сб",
        "weekday|Mon": "пн",
        "month|Nov": "нояб.",
        "date|{weekday} {day} {month} {year}": "{weekday} {day} {month} {year}",
        "{hours} h {minutes} min": "{hours} ч {minutes} мин",
        "{number} %": "{number} %",
    }
    use_messages(tmp_path, monkeypatch, "ru", messages)
    use_language("ru")


def test_english_dates_say_month_and_year_where_they_differ() -> None:
    use_language("en")
    assert weekday_name(SATURDAY) == "Saturday"
    assert day_text(SATURDAY) == "28 Nov"
    assert weekday_text(SATURDAY, year=True) == "Sat 28 Nov 2026"
    assert days_text(SATURDAY, SATURDAY) == "Sat 28 Nov"
    assert days_text(SATURDAY, MONDAY) == "Sat 28 – Mon 30 Nov"
    assert days_text(SATURDAY, date(2026, 12, 1), year=True) == "Sat 28 Nov – Tue 1 Dec 2026"
    assert days_text(SATURDAY, date(2027, 1, 4)) == "Sat 28 Nov 2026 – Mon 4 Jan 2027"
    assert moment_text(datetime(2026, 11, 26, 10, 0), "utc +5") == "Thu 26 Nov 10:00 (utc +5)"
    assert [decimal_text(85.25), percent_text(85.25, 1), percent_text(85.25)] == ["85.2", "85.2 %", "85 %"]


@pytest.mark.usefixtures("russian")
def test_another_language_has_its_names_and_a_decimal_comma_and_remembers_the_english() -> None:
    made = [weekday_name(SATURDAY), days_text(SATURDAY, MONDAY, year=True), percent_text(85.25, 1), span_text(10920)]
    assert made == ["суббота", "сб 28 – пн 30 нояб. 2026", "85,2 %", "3 ч 02 мин"]
    assert list(map(in_english, made)) == ["Saturday", "Sat 28 – Mon 30 Nov 2026", "85.2 %", "3 h 02 min"]
