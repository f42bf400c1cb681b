"""The calls that go on, as the event store tells a batch."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from event_rows import MICRO, Rows

from alovoice_cli.batch.limits import hear_calls
from alovoice_cli.batch.pacing import HeardCalls
from alovoice_cli.stores.line_calls import GOING, LineCalls, calls_to

NOW = 1_764_000_000
LINE = "998712037006"


@pytest.fixture
def rows(store_url: str) -> Rows:
    """A store with a listener that is there."""
    made = Rows(store_url)
    made.listened((NOW - 90_000, NOW - 5, False))
    return made


def _heard(rows: Rows, numbers: Sequence[str] = (), now: int = NOW) -> HeardCalls | None:
    calls = LineCalls(rows.url)
    try:
        return hear_calls(calls, numbers, now * MICRO)
    finally:
        calls.close()


def test_calls_go_on_until_their_end_is_told_in_every_direction(rows: Rows) -> None:
    for direction in ("inc", "out", "int"):
        rows.call(NOW - 60, status=None, direction=direction)
    rows.call(NOW - 60, status=None, line="")
    rows.call(NOW - 60, status=None, line="", direction="int")
    rows.call(NOW - 60, status="200")
    rows.call(NOW - 3 * 3600 - 1, status=None)
    heard = _heard(rows)
    assert heard is not None
    assert (dict(heard.going), heard.ours) == ({LINE: 3, None: 1}, [])


def test_calls_to_our_numbers_are_told_with_their_end(rows: Rows) -> None:
    rows.call(NOW - 60, "901234567", status=None, direction="out", call_id="a")
    rows.call(NOW - 50, "901234568", status="486", direction="out", call_id="b")
    rows.call(NOW - 600, "901234567", status=None, direction="out", call_id="before")
    heard = _heard(
        rows, [f"99890{number}" for number in range(1_000_000, 1_001_000)] + ["998901234567", "998901234568"]
    )
    assert heard is not None
    assert [(call.call_id, call.end_seq is None) for call in heard.ours] == [("a", True), ("b", False)]


def test_where_nobody_listens_nothing_is_known(rows: Rows, tmp_path: Path) -> None:
    rows.call(NOW - 60, status=None)
    assert _heard(rows, now=NOW + 60) is None
    assert hear_calls(LineCalls(f"sqlite:///{tmp_path / 'none.db'}"), [], NOW * MICRO) is None
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(("statement", "index"), [(GOING, "call_by_time"), (calls_to("12"), "call_by_number")])
def test_a_look_is_a_search_in_the_index(tmp_path: Path, statement: str, index: str) -> None:
    with sqlite3.connect(Rows(tmp_path / "events.db").path) as connection:
        asked = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ["1"] * statement.count("?"))
        steps = [row[3] for row in asked]
    connection.close()
    assert steps[0].startswith(f"SEARCH call USING INDEX {index} (")
