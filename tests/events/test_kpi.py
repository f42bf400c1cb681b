"""The key figures, equal to the digit: fixtures with expected values."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from event_rows import Rows, event_of

from alovoice_cli.events.duplicates import WINDOW_SECONDS
from alovoice_cli.events.event import Event
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.kpi import KpiSettings
from alovoice_cli.moments import ClockTime, parse_zone, unix_microseconds
from alovoice_cli.stores.events import EventStore

DATA = Path(__file__).parent / "data" / "kpi"
PAIRS = (
    ("kpi_day", "kpi_day"),
    ("kpi_day", "kpi_empty"),
    ("kpi_day", "kpi_none_answered"),
    ("kpi_day", "kpi_few"),
    ("kpi_total", "kpi_total"),
)


def load(rows: Rows, path: Path) -> None:
    """Stores the deliveries of the file as a listener would that received them at their times."""
    first: dict[str, tuple[float, Event]] = {}
    events = []
    for line in path.read_text("utf-8").splitlines():
        told = json.loads(line)
        at, said = datetime.fromisoformat(told["received_at"]).timestamp(), line.partition('"body"')[2]
        before = first.get(said)
        repeats = before[1] if before and at - before[0] <= WINDOW_SECONDS else None
        events.append(event_of(told["type"], at, told["body"], call_id=told.get("answer_id"), repeats=repeats))
        if repeats is None:
            first[said] = (at, events[-1])
    rows.store(events)


@pytest.mark.parametrize(("name", "expected"), PAIRS)
def test_the_figures_of_a_day_are_those_that_were_worked_out_by_hand(tmp_path: Path, name: str, expected: str) -> None:
    rows = Rows(tmp_path / "events.db")
    load(rows, DATA / f"{name}.jsonl")
    wanted: dict[str, Any] = json.loads((DATA / f"{expected}.expected.json").read_text("utf-8"))
    since, until = (datetime.fromisoformat(wanted["period"][name]) for name in ("since", "until"))
    clock = ClockTime(datetime.fromisoformat("2026-11-24T09:00:00+05:00"), parse_zone("utc +5"))
    period = Period(unix_microseconds(since), unix_microseconds(until))
    figures = EventStore(rows.url).kpi(Filter(period), KpiSettings(), clock).as_json()
    assert figures == wanted
