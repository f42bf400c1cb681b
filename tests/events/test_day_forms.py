"""A day of any size, and with any text in it, fits its screen, its message and its page."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import html5lib
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events import kpi as values
from alovoice_cli.events.coverage import Coverage, ListenerGap
from alovoice_cli.events.day import Day, DayRow, DaySpan, OwedCaller, read_days
from alovoice_cli.events.day_page import day_page
from alovoice_cli.events.day_text import day_message, day_screen
from alovoice_cli.events.headline_figures import DayTargets, headline_figures
from alovoice_cli.moments import ClockTime, unix_microseconds

DATA = Path(__file__).parent / "data" / "kpi"
TASHKENT = timezone(timedelta(hours=5))
NOON = datetime(2026, 11, 23, 12, tzinfo=TASHKENT)
CLOCK = ClockTime(NOON, TASHKENT)
_CLASSES: dict[str, Any] = {
    "settings": values.KpiSettings,
    "duration_test": values.DurationTest,
    "noticed": values.NoticedCalls,
    "inbound": values.InboundFigures,
    "service_level": values.ServiceLevel,
    "wait": values.WaitFigures,
    "talk": values.TalkFigures,
    "outbound": values.OutboundFigures,
    "callback": values.CallbackFigures,
}


def expected(name: str) -> values.Kpi:
    """The key figures of a file of expected values."""
    told = json.loads((DATA / f"{name}.expected.json").read_text("utf-8"))
    at = {key: told["lines"][key] for key in ("peak_at", "busy_hour", "sliding_hour")}
    moments = {key: value and datetime.fromisoformat(value) for key, value in at.items()}
    period = {key: datetime.fromisoformat(value) for key, value in told["period"].items()}
    return values.Kpi(
        period=values.KpiPeriod(**period),
        lines=values.LineFigures(**{**told["lines"], **moments}),
        repeated=(),
        agents=(),
        hours=(),
        **{key: made(**told[key]) for key, made in _CLASSES.items()},
    )


KPIS = [expected(name) for name in ("kpi_day", "kpi_empty", "kpi_few", "kpi_none_answered", "kpi_total")]
TARGETS = [DayTargets(), DayTargets(99.9, 99.9, 0.5, 5430, 100, 5430)]
_counts = st.integers(0, 99_999)
_owed = st.builds(
    OwedCaller,
    st.from_regex(r"[0-9]{7,15}", fullmatch=True),
    st.integers(int(NOON.timestamp()) - 700_000, int(NOON.timestamp())),
    st.integers(1, 999),
    st.integers(0, 99),
    st.sampled_from(["998712037006", ""]),
    st.text(max_size=120),
)


@st.composite
def days(draw: st.DrawFn) -> Day:
    """A day or a week with up to 25 hours, 90 callers, 30 gaps."""
    kpi, targets, owed = (
        draw(st.sampled_from(KPIS)),
        draw(st.sampled_from(TARGETS)),
        draw(st.lists(_owed, max_size=9)),
    )
    owed *= draw(st.sampled_from([1, 10]))
    span: DaySpan = read_days(draw(st.sampled_from(["today", "yesterday"])), CLOCK, days=draw(st.sampled_from([1, 7])))
    if len(span.days) > 1:
        scores = st.none() | st.floats(0, 100)
        rows = [
            DayRow(
                f"{one.begin:%Y-%m-%d}", draw(_counts), 1, 2, 50.0, 12.5, 4000.5, 99, draw(scores), draw(st.booleans())
            )
            for one in span.days
        ]
    else:
        hours = draw(st.integers(0, 25))
        rows = [DayRow(f"{hour % 24:02}:00", draw(_counts), 0, draw(_counts)) for hour in range(hours)]
    begin = unix_microseconds(span.begin)
    gaps = tuple(ListenerGap(begin + n * 10**9, begin + n * 10**9 + 10**8) for n in range(draw(st.integers(0, 30))))
    return Day(
        profile=draw(st.text(max_size=60)),
        span=span,
        kpi=replace(kpi, noticed=replace(kpi.noticed, ring_group=draw(st.integers(0, 9)))),
        figures=headline_figures(kpi, targets, len(owed)),
        rows=tuple(rows),
        owed=tuple(owed),
        coverage=Coverage(draw(st.sampled_from([None, begin])), unix_microseconds(NOON), gaps),
        trunk_lines=draw(st.sampled_from([None, 999])),
    )


@given(days(), st.booleans(), st.integers(1, 60))
@examples(40)
def test_a_screen_is_never_overrun(day: Day, ascii_only: bool, height: int) -> None:
    for lines in (day_screen(day, ascii_only=ascii_only), day_screen(day, height=height, ascii_only=ascii_only)):
        texts = ["".join(text for text, _ in line) for line in lines]
        assert max(map(len, texts)) <= 79
        assert not ascii_only or all(text.isascii() for text in texts)
    assert len(day_screen(day)) <= 23
    narrow = ["".join(text for text, _ in line) for line in day_screen(day, height=60, width=40)]
    assert max(map(len, narrow)) <= 40
    for figure in day.figures:
        assert any(line.startswith(f"{figure.name:<15}{figure.text:>9}"[:40]) for line in narrow), figure.name
    assert len(day_screen(day, height=height)) <= height


@given(days())
@examples(30)
def test_a_message_is_short_enough_and_counts_who_is_left_out(day: Day) -> None:
    message = day_message(day)
    assert len(message.encode("utf-16-le", "surrogatepass")) // 2 <= 4096
    shown = len(re.findall(r"^\d{7,15} since ", message, re.MULTILINE))
    more = re.search(r"; (\d+) more: alovoice events missed", message)
    assert shown + (int(more[1]) if more else 0) == len(day.owed)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", message)


@given(days())
@examples(25)
def test_a_page_is_valid_and_small(day: Day) -> None:
    page = day_page(day)
    html5lib.HTMLParser(strict=True).parse(page)
    assert len(page.encode("utf-8", "surrogatepass")) < 150_000
    shown = len(re.findall(r"<small>missed ", page))
    more = re.search(r"(\d+) more: alovoice events missed", page)
    assert shown + (int(more[1]) if more else 0) == len(day.owed)
