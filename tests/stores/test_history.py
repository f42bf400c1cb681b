"""The past of a caller, from the event store."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from event_rows import Rows, held
from postgres_server import Cluster, running_cluster

from alovoice_cli.routing.history import History
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.event_postgres import IDLE
from alovoice_cli.stores.history import CALLS, LAST_PEER, MISSED, StoredPast

NOW = datetime(2026, 11, 25, 7, tzinfo=UTC)
CALLER = "998901234567"


def _ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.fixture
def rows(store_url: str) -> Rows:
    """A store without calls."""
    return Rows(store_url)


@pytest.fixture
def file_rows(tmp_path: Path) -> Rows:
    """A store in a file, without calls."""
    return Rows(tmp_path / "events.db")


def test_the_last_answered_call_tells_the_extension_whoever_called_whom(rows: Rows) -> None:
    rows.call(_ago(days=3), peer=101)
    rows.call(_ago(days=2), peer=102, direction="out")
    rows.call(_ago(days=1), peer=103, status="486")
    rows.call(_ago(hours=2), peer=104, number="907654321")
    rows.call(_ago(minutes=1), peer=105, status=None)
    past: History = StoredPast(rows.url).as_of(NOW)
    assert past.last_peer(CALLER, _ago(days=7)) == "102"
    assert past.last_peer(CALLER, _ago(days=1)) is None
    assert past.last_peer("998935550000", _ago(days=7)) is None


def test_calls_and_missed_calls_are_the_caller_s_own(rows: Rows) -> None:
    rows.call(_ago(hours=5))
    rows.call(_ago(hours=4), status="480")
    rows.call(_ago(hours=3), status="603-S")
    rows.call(_ago(hours=2), direction="out", status="486")
    rows.call(_ago(hours=1), number="907654321", status="486")
    past = StoredPast(rows.url).as_of(NOW)
    assert (past.calls(CALLER, _ago(days=1)), past.missed(CALLER, _ago(days=1))) == (3, 2)
    assert (past.calls(CALLER, _ago(hours=4)), past.missed(CALLER, _ago(minutes=200))) == (2, 1)


def test_a_ring_group_that_somebody_answered_is_not_missed(rows: Rows) -> None:
    rows.call(_ago(hours=2), status="304", peer=101)
    rows.call(_ago(hours=2, seconds=-5), status="200", peer=102)
    rows.call(_ago(hours=2, seconds=-6), status="304", peer=103, line="712037007")
    past = StoredPast(rows.url).as_of(NOW)
    assert (past.missed(CALLER, _ago(days=1)), past.calls(CALLER, _ago(days=1))) == (1, 3)
    rows.call(_ago(hours=1), status="304")
    assert past.missed(CALLER, _ago(minutes=90)) == 1
    rows.call(_ago(hours=1, seconds=-6), status="200")
    rows.call(_ago(hours=1), status="200", direction="out")
    rows.call(_ago(hours=1), status="200", number="907654321")
    assert past.missed(CALLER, _ago(days=1)) == 2
    rows.call(_ago(hours=1), status="200", duration=600)
    assert past.missed(CALLER, _ago(days=1)) == 1
    then = StoredPast(rows.url).as_of(_ago(minutes=55))  # the talk went on
    assert then.missed(CALLER, _ago(days=1)) == 2


def test_the_call_that_asks_is_not_counted_but_one_whose_end_was_never_told_is(rows: Rows) -> None:
    rows.call(_ago(seconds=5), status=None)
    assert StoredPast(rows.url).as_of(NOW).calls(CALLER, _ago(days=1)) == 0
    rows.call(_ago(minutes=10), status=None)
    assert StoredPast(rows.url).as_of(NOW).calls(CALLER, _ago(days=1)) == 1


def test_a_question_of_the_past_is_answered_as_it_would_have_been_then(rows: Rows) -> None:
    rows.call(_ago(hours=3), peer=101, duration=600)
    rows.call(_ago(hours=1), peer=102)
    past = StoredPast(rows.url)
    asked = {span: past.as_of(_ago(minutes=span)).last_peer(CALLER, _ago(days=7)) for span in (0, 120, 175, 200)}
    assert asked == {0: "102", 120: "101", 175: None, 200: None}


@pytest.mark.parametrize("statement", [LAST_PEER, CALLS, MISSED])
def test_a_look_up_is_a_search_in_the_index(file_rows: Rows, statement: str) -> None:
    with sqlite3.connect(file_rows.path) as connection:
        asked = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ["1"] * statement.count("?"))
        steps = [row[3] for row in asked if not row[3].startswith("CORRELATED")]
    connection.close()
    tables = ["call", "beside"] if statement == MISSED else ["call"]
    search = "SEARCH {} USING INDEX call_by_number (number=? AND reported_at>? AND reported_at<?)"
    assert steps == [search.format(table) for table in tables]


def test_each_thread_asks_on_a_connection_of_its_own(rows: Rows) -> None:
    rows.call(_ago(hours=1), peer=101)
    past = StoredPast(rows.url).as_of(NOW)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: past.last_peer(CALLER, _ago(days=1)), range(200)))
    assert set(found) == {"101"}


def test_a_writer_is_not_waited_for(rows: Rows) -> None:
    rows.call(_ago(hours=1), peer=101)
    past = StoredPast(rows.url).as_of(NOW)
    with held(rows.url):
        assert past.last_peer(CALLER, _ago(days=1)) == "101"


def test_trouble_raises_soon_and_is_forgotten_with_its_cause(file_rows: Rows) -> None:
    past = StoredPast(file_rows.url).as_of(NOW)
    with sqlite3.connect(file_rows.path, isolation_level=None) as owner:
        owner.execute("PRAGMA journal_mode = DELETE")
        owner.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            past.calls(CALLER, _ago(days=1))
        owner.execute("ROLLBACK")
    owner.close()
    assert past.calls(CALLER, _ago(days=1)) == 0
    file_rows.path.rename(file_rows.path.with_suffix(".away"))
    with pytest.raises(FileNotFoundError):
        past.calls(CALLER, _ago(days=1))


def test_a_store_that_took_a_damaged_one_s_place_is_asked(file_rows: Rows, tmp_path: Path) -> None:
    file_rows.call(_ago(hours=1), peer=101)
    past = StoredPast(file_rows.url).as_of(NOW)
    assert past.last_peer(CALLER, _ago(days=1)) == "101"
    other = Rows(tmp_path / "other.db")
    other.call(_ago(hours=1), peer=102)
    with sqlite3.connect(other.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        file_rows.path.with_name(file_rows.path.name + suffix).unlink(missing_ok=True)
    other.path.rename(file_rows.path)
    assert past.last_peer(CALLER, _ago(days=1)) == "102"


def test_a_server_that_went_away_raises_and_is_asked_again_when_it_is_back(postgres: Cluster) -> None:
    with running_cluster() as own:
        rows = Rows(own.database())
        rows.call(_ago(hours=1), peer=101)
        past = StoredPast(rows.url).as_of(NOW)
        assert past.last_peer(CALLER, _ago(days=1)) == "101"
        own.stop("immediate")
        for _ in range(2):
            with pytest.raises(troubles()):
                past.last_peer(CALLER, _ago(days=1))
        own.start()
        deadline, found = time.monotonic() + 60, None
        while found is None and time.monotonic() < deadline:  # within a second the server is not asked again
            with suppress(*troubles()):
                found = past.last_peer(CALLER, _ago(days=1))
            time.sleep(0.05)
        assert found == "101"
    IDLE.close()
