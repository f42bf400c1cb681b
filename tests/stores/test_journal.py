"""The journal of a batch: forward only, together on the disk, and never believed when it is damaged."""

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alovoice_cli.batch_rows import BatchRow, RowResult
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Journal, JournalHead
from alovoice_cli.stores.journal_files import JournalFile, JournalFolder
from alovoice_cli.stores.journal_places import JournalPlace
from alovoice_cli.stores.server_journals import ServerJournals

HEAD = JournalHead("p", "call out", "/list.csv", "d", "2026-11-25T07:00:00.000000Z")
DONE, UNKNOWN = RowResult("done", 0, "yes", 200, True, receipt="R-1"), RowResult("unknown", 6, "maybe")


def _now() -> datetime:
    return datetime(2026, 11, 25, 7, tzinfo=UTC)


def _steps(count: int) -> list[BatchRow]:
    return [
        BatchRow(f"key{n}", n + 2, {"number": f"90{n}"}, (f"99890{n}",), str(n), {"Имя": "\ud800"})
        for n in range(count)
    ]


@pytest.fixture
def place(store_place: Callable[[str], Path | str]) -> JournalPlace:
    """Where a journal called `out` lies: in a file, or on a server."""
    where = store_place("")
    journals = ServerJournals(where, _now) if isinstance(where, str) else JournalFolder(where, _now)
    (where / "batches").mkdir(parents=True) if isinstance(where, Path) else None
    return journals.named("out")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal, for what files alone can suffer."""
    return tmp_path / "batches" / "out.db"


@pytest.fixture
def journal(place: JournalPlace) -> Iterator[Journal]:
    with place.locked():
        found = place.begin(HEAD, _steps(5), {})
        yield found
        found.close()


def test_what_was_written_is_there_for_the_next_process(journal: Journal, place: JournalPlace) -> None:
    journal.intend("key1")
    journal.settle("key1", DONE)
    journal.intend("key2")
    copy = place.open()  # while the first still has it open
    assert [course.state for _, course in copy.listed()] == ["pending", "done", "intent", "pending", "pending"]
    assert copy.course("key1") == journal.course("key1")
    assert copy.rows == journal.rows
    copy.close()


@pytest.mark.parametrize(
    ("words", "step_back"),
    [
        (["settle"], "settle"),
        (["intend", "settle"], "intend"),
        (["intend", "settle"], "settle"),
        (["intend"], "intend"),
        (["intend", "unknown"], "intend"),
    ],
)
def test_a_state_goes_forward_only(journal: Journal, words: list[str], step_back: str) -> None:
    deeds: dict[str, Callable[[], object]] = {
        "intend": lambda: journal.intend("key0"),
        "settle": lambda: journal.settle("key0", DONE),
        "unknown": lambda: journal.settle("key0", UNKNOWN),
    }
    for word in words if words != ["settle"] else []:
        deeds[word]()
    before = journal.course("key0")
    with pytest.raises(UsageError):
        deeds[step_back]()
    assert journal.course("key0") == before


def test_an_unknown_row_goes_again_only_with_a_risk_and_may_be_found_out_later(journal: Journal) -> None:
    for key in ("key0", "key1"):
        journal.intend(key)
        journal.settle(key, UNKNOWN)
    again = journal.intend("key0", risk=True)
    assert again is not None
    assert again.risks == 1
    assert journal.settle("key1", DONE).state == "done"


def test_another_process_that_was_faster_is_not_overwritten(journal: Journal, place: JournalPlace) -> None:
    other = place.open()
    other.intend("key0")
    with pytest.raises(UsageError, match="damaged"):
        journal.intend("key0")
    other.close()


def test_threads_that_write_at_once_all_get_through(place: JournalPlace) -> None:
    with place.locked():
        journal = place.begin(HEAD, _steps(200), {})

        def work(keys: list[str]) -> None:
            for key in keys:
                journal.intend(key)
                journal.settle(key, DONE)

        keys = [step.key for step in journal.rows]
        threads = [threading.Thread(target=work, args=(keys[n::8],)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        journal.close()
    again = place.open()
    assert {course.state for _, course in again.listed()} == {"done"}
    again.close()


def test_one_write_that_fails_spoils_no_other(path: Path) -> None:
    journal = Journal(JournalFile(path), _now)
    journal.begin(HEAD, _steps(40))
    outside = sqlite3.connect(path)
    outside.execute("DELETE FROM step WHERE key = 'key7'")
    outside.commit()
    outside.close()
    failed = []

    def work(keys: list[str]) -> None:
        for key in keys:
            try:
                journal.intend(key)
            except UsageError:
                failed.append(key)

    keys = [step.key for step in journal.rows]
    threads = [threading.Thread(target=work, args=(keys[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == ["key7"]
    journal.close()


def test_a_changed_list_keeps_what_is_known_and_leaves_out_what_is_gone(journal: Journal) -> None:
    journal.intend("key1")
    journal.settle("key1", DONE)
    steps = _steps(7)
    journal.begin(HEAD, [steps[6], steps[1], steps[2]])
    assert sorted((step.key, course.state) for step, course in journal.listed()) == [
        ("key1", "done"),
        ("key2", "pending"),
        ("key6", "pending"),
    ]
    assert journal.course("key0") is not None, "a row that is gone is not forgotten"


def test_no_damage_anywhere_makes_a_call_that_was_made_look_unmade(path: Path) -> None:
    journal = Journal(JournalFile(path), _now)
    journal.begin(HEAD, _steps(50))
    for step in journal.rows:
        journal.intend(step.key)
        journal.settle(step.key, DONE)
    journal.close()
    whole, chance, refused = path.read_bytes(), random.Random(6), 0
    for _ in range(80):
        at, size = chance.randrange(len(whole)), chance.choice((1, 16, 1024))
        damaged = bytearray(whole)
        damaged[at : at + size] = bytes(chance.randrange(256) for _ in damaged[at : at + size])
        path.write_bytes(damaged)
        for rest in ("-wal", "-shm"):
            Path(f"{path}{rest}").unlink(missing_ok=True)
        try:
            found = Journal(JournalFile(path), _now)
        except UsageError:
            refused += 1
            continue
        assert [course.state for _, course in found.listed()] == ["done"] * 50
        found.close()
    assert refused > 20
