"""`store check`: what it says of a store that is whole, damaged, old, new, or in which something waits."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from event_rows import MICRO, Rows
from front_door import FrontDoor

from alovoice_cli.events.event import Delivery
from alovoice_cli.stores.spool import Spool

START = time.time() - 5000


@pytest.fixture
def store(alovoice: FrontDoor) -> Path:
    """A store with 60 calls, whose listener runs."""
    path = alovoice.home / "state" / "events.db"
    rows = Rows(path)
    for number in range(60):
        rows.call(START + number * 60, number=f"9012345{number:02}")
    rows.listened((START - 60, time.time(), False))
    return path


def _changed(store: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        for statement in statements:
            connection.execute(statement, values)


def _checked(alovoice: FrontDoor, *words: str, code: int = 0) -> dict[str, Any]:
    result = alovoice("store", "check", "--json", *words)
    assert (result.code, result.err) == (code, result.err)
    answer: dict[str, Any] = json.loads(result.out)
    return answer


def _codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["severity"], finding["code"]) for finding in answer["findings"]]


def test_a_whole_store_is_described_and_left_as_it_is(alovoice: FrontDoor, store: Path) -> None:
    before, began = store.read_bytes(), time.time()
    answer = _checked(alovoice)
    assert store.read_bytes() == before
    told = {name: answer[name] for name in ("ok", "engine", "version", "events", "calls", "listener_is_up", "findings")}
    assert told == {
        "ok": True,
        "engine": "sqlite",
        "version": answer["known_version"],
        "events": 120,
        "calls": 60,
        "listener_is_up": True,
        "findings": [],
    }
    assert answer["bytes"] >= store.stat().st_size
    assert int(began) - 60 <= START + 3600 + answer["newest_age_seconds"] <= time.time()


def test_people_and_pipes_read_a_record(alovoice: FrontDoor, store: Path) -> None:
    told = alovoice("store", "check")
    fields = dict(line.split("\t") for line in told.out.splitlines())
    assert (fields["store"], fields["events"], fields["listener"]) == (str(store), "120", "running")
    assert fields["newest_event"].endswith("ago)")
    assert "0 errors, 0 warnings" in told.err
    drawn = alovoice("store", "check", terminal=True, environ={"NO_COLOR": "1"})
    assert (drawn.code, "newest_event" in drawn.out) == (0, True)
    assert max(map(len, drawn.out.splitlines())) <= 80


def test_a_store_that_is_not_there_is_not_made(alovoice: FrontDoor) -> None:
    missing = alovoice.home / "no.db"
    result = alovoice("store", "check", "--store", str(missing))
    assert (result.code, missing.exists()) == (2, False)
    assert f"there is no event store {missing}" in result.err


def test_a_damaged_page_is_an_error(alovoice: FrontDoor, store: Path) -> None:
    _changed(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(store)) as connection:
        asked = "SELECT rootpage FROM sqlite_master WHERE name = 'fact_by_number'"
        page, size = connection.execute(asked).fetchone()[0], connection.execute("PRAGMA page_size").fetchone()[0]
    with store.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    answer = _checked(alovoice, code=8)
    assert answer["ok"] is False
    assert ("error", "damaged") in _codes(answer)


def test_a_file_that_is_no_database_is_an_error(alovoice: FrontDoor, store: Path) -> None:
    store.write_bytes(b"not a database" * 100)
    for companion in ("-wal", "-shm"):
        store.with_name(store.name + companion).unlink(missing_ok=True)
    assert _codes(_checked(alovoice, code=8)) == [("error", "damaged")]


def test_a_store_of_a_newer_version_is_an_error_and_of_an_older_one_a_note(alovoice: FrontDoor, store: Path) -> None:
    _changed(store, "UPDATE schema_version SET version = 99")
    assert _codes(_checked(alovoice, code=8)) == [("error", "newer-version")]
    _changed(store, "UPDATE schema_version SET version = 2")
    answer = _checked(alovoice)
    assert (answer["version"], _codes(answer)) == (2, [("note", "older-version")])
    assert _checked(alovoice)["version"] == 2, "the check brings nothing up to date"


_QUEUE = """INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble)
    VALUES ('forward:x', {}, 'q', '{}', 1, 0, ?, '')"""


@pytest.mark.parametrize(
    ("statement", "found", "code"),
    [
        (_QUEUE.format(999_999, "done"), ("error", "queued-without-event"), 8),
        ("DELETE FROM delivery WHERE seq = 5 AND ? > 0", ("error", "facts-without-event"), 8),
        ("DELETE FROM fact WHERE seq = 5 AND ? > 0", ("warning", "underived"), 0),
        (_QUEUE.format(7, "dead"), ("warning", "dead-letters"), 0),
        (_QUEUE.format(7, "due"), ("warning", "outbox-waits"), 0),
        (
            "INSERT INTO outbox_target VALUES ('forward:x', 'the CRM', 'stopped', ?, '410', 0, 0)",
            ("warning", "target-does-not-take"),
            0,
        ),
        ("INSERT INTO notice VALUES ('telegram:1', 7, 'waiting', 0, ?, 0)", ("warning", "notices-wait"), 0),
        ("UPDATE delivery SET received_at = 9e15 WHERE seq = 120 AND ? > 0", ("warning", "from-the-future"), 0),
    ],
)
def test_what_is_wrong_is_found(
    alovoice: FrontDoor, store: Path, statement: str, found: tuple[str, str], code: int
) -> None:
    _changed(store, statement, values=(int((time.time() - 7200) * MICRO),))
    assert _codes(_checked(alovoice, code=code)) == [found]


def test_what_waits_is_counted_by_target(alovoice: FrontDoor, store: Path) -> None:
    now = int(time.time() * MICRO)
    _changed(store, _QUEUE.format(1, "due"), _QUEUE.format(2, "running"), _QUEUE.format(3, "done"), values=(now,))
    answer = _checked(alovoice)
    assert (answer["outbox_waiting"], answer["outbox_dead"], answer["findings"]) == (2, 0, [])
    (target,) = answer["targets"]
    assert (target["target"], target["waiting"], target["state"]) == ("forward:x", 2, "taking")


def test_a_spool_and_a_damaged_store_beside_it_are_found(alovoice: FrontDoor, store: Path) -> None:
    Spool.beside(store).append([Delivery(f"x{number}", "callend", 1, b"{}") for number in range(3)])
    store.with_name(f"{store.name}.corrupt-123").write_bytes(b"old")
    spool = Spool(store.with_name("spool-events.jsonl.corrupt-123"))
    spool.append([Delivery("y", "callend", 1, b"{}")])
    answer = _checked(alovoice)
    assert answer["spooled"] == 3
    assert _codes(answer) == [("warning", "spooled"), ("warning", "set-aside"), ("warning", "spool-set-aside")]


def test_a_finding_is_a_row_of_the_list(alovoice: FrontDoor, store: Path) -> None:
    _changed(store, _QUEUE.format(7, "dead"), values=(1,))
    told = alovoice("store", "check", "--csv", "--columns", "code,severity")
    assert told.out.splitlines() == ["code,severity", "dead-letters,warning"]
    assert "forward:x: 1 dead letter (see `alovoice events outbox list`)" in alovoice("store", "check").out


def test_a_store_that_is_written_to_is_checked_too(alovoice: FrontDoor, store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM uptime")
        assert _checked(alovoice)["listener_is_up"] is True
        writer.execute("COMMIT")
        assert _checked(alovoice)["listener_is_up"] is False
