"""What the journal makes of its rows, over tables in memory that other machines may share."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from alovoice_cli.batch_rows import BatchRow, RowProgress, RowResult
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Journal, JournalHead, StoredRow, with_receipt

HEAD = JournalHead("p", "call out", "/list.csv", "d", "2026-11-25T07:00:00.000000Z")
DONE, UNKNOWN = RowResult("done", 0, "yes", 200, True, receipt="R-1"), RowResult("unknown", 6, "maybe")
NOW = "2026-11-25T07:00:00.000000Z"


class Tables:
    """Tables in memory."""

    label = "out"

    def __init__(self, *, is_shared: bool = False) -> None:
        self.is_shared = is_shared
        self.head: tuple[str, str] | None = None
        self.rows: dict[str, StoredRow] = {}
        self.alive: set[str] = set()
        self.held_back: list[float] = []
        self.is_closed = False

    def read_head(self) -> tuple[str, str] | None:
        return self.head

    def read_rows(self) -> Sequence[StoredRow]:
        return sorted(self.rows.values(), key=lambda row: row.line)

    def replace(self, head: str, seal: str, rows: Sequence[StoredRow]) -> None:
        self.head, self.rows = (head, seal), {row.key: row for row in rows}

    def move(self, row: StoredRow, before: str) -> bool:
        if row.key not in self.rows or self.rows[row.key].seal != before:
            return False
        self.rows[row.key] = row
        return True

    claim = move

    def seal_of(self, key: str) -> str | None:
        return self.rows[key].seal if key in self.rows else None

    def seconds_to_wait(self) -> float:
        return 3.0

    def hold_back(self, seconds: float) -> None:
        self.held_back.append(seconds)

    @contextmanager
    def owners_alive(self) -> Iterator[Callable[[str], bool]]:
        yield self.alive.__contains__

    def close(self) -> None:
        self.is_closed = True


def _rows(count: int) -> list[BatchRow]:
    return [BatchRow(f"key{n}", n + 2, {"number": f"90{n}"}, (f"99890{n}",), f"id{n}") for n in range(count)]


def _open(tables: Tables) -> Journal:
    return Journal(tables, lambda: datetime(2026, 11, 25, 7, tzinfo=UTC))


def _begun(count: int = 3, *, is_shared: bool = False) -> tuple[Journal, Tables]:
    tables = Tables(is_shared=is_shared)
    journal = _open(tables)
    journal.begin(HEAD, _rows(count))
    return journal, tables


def _states(journal: Journal) -> dict[str, str]:
    return {row.key: course.state for row, course in journal.listed()}


def test_a_journal_that_was_never_begun_lists_nothing() -> None:
    journal = _open(Tables())
    assert (journal.head, journal.rows, list(journal.listed()), journal.course("key0")) == (None, [], [], None)


def test_each_list_is_one_generation_more_and_the_next_process_lists_the_latest_only() -> None:
    journal, tables = _begun(3)
    assert journal.head is not None
    assert (journal.head.generation, journal.head.rows) == (1, 3)
    journal.begin(HEAD, _rows(4)[2:])
    for each in (journal, _open(tables)):
        assert each.head is not None
        assert (each.head.generation, each.head.rows) == (2, 4)
        assert list(_states(each)) == ["key2", "key3"]
        assert [row.key for row in each.rows] == ["key0", "key1", "key2", "key3"]


def test_a_known_row_keeps_its_id_in_a_changed_list_and_a_new_row_brings_its_own() -> None:
    journal, tables = _begun(1)
    journal.begin(HEAD, [BatchRow("key0", 9, {"number": "900"}, (), "new0"), BatchRow("key1", 8, {}, (), "new1")])
    for each in (journal, _open(tables)):
        assert [(row.key, row.line, row.our_id) for row in each.rows] == [("key1", 8, "new1"), ("key0", 9, "id0")]


def test_a_row_is_left_out_by_its_own_key() -> None:
    tables = Tables()
    journal = _open(tables)
    journal.begin(HEAD, _rows(2), {"key1": RowProgress("duplicate")})
    assert _states(journal) == _states(_open(tables)) == {"key0": "pending", "key1": "duplicate"}


def test_attempts_are_counted_and_each_has_its_times() -> None:
    journal, _ = _begun()
    first = journal.intend("key0")
    assert first is not None
    assert (first.attempts, first.began_at) == (1, NOW)
    assert journal.settle("key0", RowResult("unsent", 5, "no")).ended_at == NOW
    again = journal.intend("key0")
    assert again is not None
    assert (again.attempts, again.risks) == (2, 0)


def test_rows_in_flight_are_orphans_once_their_owner_works_no_more() -> None:
    journal, tables = _begun(4, is_shared=True)
    for key in ("key0", "key1", "key2"):
        journal.intend(key)
    journal.settle("key2", DONE)
    tables.alive = {"key1"}
    assert [(row.key, course.state) for row, course in journal.orphans()] == [("key0", "intent")]


def test_orphans_are_sought_among_the_rows_as_other_machines_left_them() -> None:
    journal, tables = _begun(2, is_shared=True)
    other = _open(tables)
    other.intend("key1")
    assert [row.key for row, _ in journal.orphans()] == ["key1"]


def test_a_row_that_another_machine_took_is_not_due_and_is_not_taken() -> None:
    journal, tables = _begun(2, is_shared=True)
    other = _open(tables)
    assert journal.is_due("key0")
    other.intend("key0")
    assert (journal.is_due("key0"), journal.is_due("key1")) == (False, True)
    assert journal.intend("key0") is None
    assert journal.course("key0") == RowProgress()


def test_in_a_journal_of_one_machine_every_row_is_due_without_a_look() -> None:
    journal, tables = _begun(1)
    tables.rows.clear()
    assert journal.is_due("key0")


def test_a_journal_that_is_deleted_while_machines_share_it_stops_them() -> None:
    journal, tables = _begun(1, is_shared=True)
    tables.rows.clear()
    with pytest.raises(UsageError, match="out was deleted"):
        journal.is_due("key0")


@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.parametrize("word", ["intend", "settle", "change"])
def test_a_row_that_is_not_where_it_was_stops_one_machine(word: str, is_gone: bool) -> None:
    journal, tables = _begun(1)
    if word == "settle":
        journal.intend("key0")
    if is_gone:
        tables.rows.clear()
    else:
        tables.rows["key0"] = tables.rows["key0"]._replace(seal="another's")
    words: dict[str, Callable[[], object]] = {
        "intend": lambda: journal.intend("key0"),
        "settle": lambda: journal.settle("key0", DONE),
        "change": lambda: journal.change("key0", RowProgress("excluded")),
    }
    with pytest.raises(UsageError, match="out was deleted" if is_gone else "out is damaged") as caught:
        words[word]()
    assert is_gone or caught.value.detail == "a row is not where it was"


def test_a_row_is_left_out_and_taken_in_again() -> None:
    journal, tables = _begun(2)
    assert journal.change("key1", RowProgress("duplicate")).state == "duplicate"
    assert _states(_open(tables)) == {"key0": "pending", "key1": "duplicate"}
    assert journal.change("key1", RowProgress()).state == "pending"


def test_a_row_that_is_left_out_and_was_taken_by_another_machine_stays_as_that_machine_has_it() -> None:
    journal, tables = _begun(1, is_shared=True)
    _open(tables).intend("key0")
    assert journal.change("key0", RowProgress("excluded")) == RowProgress()
    assert _states(_open(tables)) == {"key0": "intent"}


def test_an_orphan_is_settled_once_and_what_another_machine_found_out_stays() -> None:
    journal, tables = _begun(2, is_shared=True)
    for key in ("key0", "key1"):
        journal.intend(key)
    other = _open(tables)
    journal.settle_orphan("key0", UNKNOWN)
    course = journal.course("key0")
    assert course is not None
    assert (course.state, course.attempts, course.ended_at) == ("unknown", 1, NOW)
    other.settle_orphan("key1", DONE)
    journal.settle_orphan("key1", UNKNOWN)
    assert _states(journal) == _states(_open(tables)) == {"key0": "unknown", "key1": "done"}


def test_the_common_pace_is_that_of_the_tables() -> None:
    journal, tables = _begun(1, is_shared=True)
    journal.hold_back(7.0)
    assert (tables.held_back, journal.seconds_to_wait()) == ([7.0], 3.0)


@pytest.mark.parametrize(
    ("damage", "detail"),
    [
        ("head", "the head's seal is broken"),
        ("row", "the seal of line 3 is broken"),
        ("missing", "rows are missing"),
    ],
)
def test_a_damaged_journal_is_closed_and_says_where(damage: str, detail: str) -> None:
    _, tables = _begun(3)
    assert tables.head is not None
    if damage == "head":
        tables.head = (tables.head[0].replace("call out", "call ivr"), tables.head[1])
    elif damage == "row":
        tables.rows["key1"] = tables.rows["key1"]._replace(state="done")
    else:
        del tables.rows["key2"]
    with pytest.raises(UsageError, match="out is damaged") as caught:
        _open(tables)
    assert (caught.value.detail, tables.is_closed) == (detail, True)


def test_a_row_with_a_new_receipt_code_reads_back_and_one_without_stays() -> None:
    journal, tables = _begun(2)
    for key in ("key0", "key1"):
        journal.intend(key)
        journal.settle(key, DONE if key == "key0" else UNKNOWN)
    before = dict(tables.rows)
    tables.rows = {key: with_receipt(row, {"R-1": "R-99", "R-2": "R-98"}) for key, row in before.items()}
    assert tables.rows["key1"] == before["key1"]
    found = _open(tables).course("key0")
    assert found is not None
    assert (found.receipt, found.state, found.status) == ("R-99", "done", 200)
    assert json.loads(tables.rows["key0"].course).keys() == json.loads(before["key0"].course).keys()


def test_the_checksum_of_a_row_is_the_one_that_earlier_versions_wrote() -> None:
    _, tables = _begun(1)
    assert tables.rows["key0"].seal == "e553e15a4bfb537913fa31f95aa0dbaf"
