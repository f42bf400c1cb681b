"""Machines that share a journal: a row is one machine's, the pace is that of all, a dead machine's rows are told."""

from contextlib import ExitStack
from datetime import UTC, datetime

import psycopg
import pytest
from postgres_server import Cluster
from waiting import wait_until

from alovoice_cli.batch_rows import BatchRow, RowResult
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Journal, JournalHead
from alovoice_cli.stores.journal_places import JournalTakenError
from alovoice_cli.stores.server_journals import ServerJournalPlace, ServerJournals

HEAD = JournalHead("p", "call out", "/list.csv", "d", "2026-11-25T07:00:00.000000Z")
DONE, UNKNOWN = RowResult("done", 0, "yes", 200, True, receipt="R-1"), RowResult("unknown", 6, "maybe")
ROWS = [BatchRow(f"key{n}", n + 2, {"number": f"90{n}"}, (f"99890{n}",), str(n)) for n in range(4)]


def _now() -> datetime:
    return datetime(2026, 11, 25, 7, tzinfo=UTC)


class Machine:
    """One of several that run the same batch."""

    def __init__(self, url: str, spacing: float = 0.0, *, begins: bool = False) -> None:
        self.place = ServerJournals(url, _now).named("out")
        self._held = ExitStack()
        self._held.enter_context(self.place.locked(shared=True, spacing=spacing))
        self.journal = self.place.begin(HEAD, ROWS, {}) if begins else self.place.open()

    def die(self) -> None:
        """Ends as a killed process does: its connection is gone."""
        self._held.close()


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.database()


def _states(journal: Journal) -> list[str]:
    journal.refresh()
    return [course.state for _, course in journal.listed()]


def test_a_row_that_one_machine_has_taken_is_not_due_for_the_other(url: str) -> None:
    one, two = Machine(url, begins=True), Machine(url)
    assert one.journal.intend("key0") is not None
    assert (two.journal.is_due("key0"), two.journal.intend("key0")) == (False, None)
    one.journal.settle("key0", DONE)
    assert two.journal.intend("key0") is None
    assert two.journal.intend("key1") is not None
    assert _states(one.journal) == ["done", "intent", "pending", "pending"]
    one.die()
    two.die()


def test_a_risk_that_one_machine_took_is_not_taken_again_by_the_other(url: str) -> None:
    one = Machine(url, begins=True)
    one.journal.intend("key0")
    one.journal.settle("key0", UNKNOWN)
    two = Machine(url)
    assert one.journal.intend("key0", risk=True) is not None
    one.journal.settle("key0", UNKNOWN)
    assert two.journal.intend("key0", risk=True) is None, "both saw it unknown; only one may send it again"
    one.die()
    two.die()


def test_the_pace_is_that_of_all_machines(url: str) -> None:
    one, two = Machine(url, spacing=3600, begins=True), Machine(url, spacing=3600)
    assert one.journal.intend("key0") is not None
    assert two.journal.seconds_to_wait() > 3000
    assert two.journal.is_due("key1")
    assert two.journal.intend("key1") is None, "it looked before the other sent"
    assert _states(two.journal) == ["intent", "pending", "pending", "pending"]
    one.die()
    two.die()


def test_a_row_that_is_not_taken_leaves_the_pace_to_others(url: str) -> None:
    one, two = Machine(url, begins=True), Machine(url, spacing=3600)
    one.journal.intend("key0")
    assert two.journal.intend("key0") is None
    assert one.journal.seconds_to_wait() == 0
    one.die()
    two.die()


def test_what_the_pbx_asks_one_machine_holds_back_all(url: str) -> None:
    one, two = Machine(url, begins=True), Machine(url)
    one.journal.hold_back(3600)
    one.journal.hold_back(1)
    assert two.journal.seconds_to_wait() > 3000
    one.die()
    two.die()


def test_rows_in_flight_are_orphans_when_their_machine_is_dead_and_not_before(url: str) -> None:
    one, two, three = Machine(url, begins=True), Machine(url), Machine(url)
    one.journal.intend("key0")
    three.journal.intend("key1")
    assert two.journal.orphans() == []
    one.die()
    wait_until(two.journal.orphans, "the word of a machine that is gone")
    for machine in (two, three):  # at the same time
        assert [row.key for row, _ in machine.journal.orphans()] == ["key0"]
    two.journal.settle_orphan("key0", UNKNOWN)
    three.journal.settle_orphan("key0", UNKNOWN)
    assert _states(three.journal) == ["unknown", "intent", "pending", "pending"]
    two.die()
    three.die()


def test_whoever_has_lost_the_server_can_write_no_intent(url: str) -> None:
    one, two = Machine(url, begins=True), Machine(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'alovoice %'"
            " AND datname = current_database()"
        )
    for machine in (one, two):
        with pytest.raises(UsageError, match="cannot be reached"):
            machine.journal.intend("key0")
    again = Machine(url)
    assert _states(again.journal) == ["pending"] * 4
    for machine in (one, two, again):
        machine.die()


def test_of_two_that_begin_the_same_journal_one_is_told(url: str) -> None:
    one = Machine(url, begins=True)
    with pytest.raises(JournalTakenError):
        Machine(url, begins=True)
    one.die()


def test_alone_and_shared_exclude_each_other_by_name(url: str) -> None:
    one = Machine(url, begins=True)
    for shared, hint in ((False, "give --shared"), (True, None)):
        place = ServerJournalPlace(url, "out", _now)
        if hint is None:
            with place.locked(shared=shared):
                continue
        with pytest.raises(UsageError, match="runs already, by process") as caught, place.locked(shared=shared):
            pass
        assert hint in caught.value.hint
    one.die()


def test_a_journal_of_a_newer_version_is_refused(url: str) -> None:
    Machine(url, begins=True).die()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE store_version SET version = 99 WHERE store = 'journals'")
    with pytest.raises(UsageError, match="newer version"):
        Machine(url)
