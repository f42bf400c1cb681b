"""`store copy`: a history on a server that says what the file said, once, however often it is copied."""

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from event_rows import MICRO, Rows, end_of
from front_door import FrontDoor
from listening.conftest import Handler, Listening, crm, listen
from postgres_server import Cluster

from alovoice_cli.stores.event_engine import opened
from alovoice_cli.stores.process_lock import hold

__all__ = ["crm", "listen"]  # fixtures
START = int(time.time()) - 50_000
ALL = ("--json", "--since", "all", "--until", f"{datetime.fromtimestamp(START + 49_000, UTC):%Y-%m-%dT%H:%M:%SZ}")
WORDS = (
    ("events", "stats", "--kpi", *ALL),
    ("events", "stats", "--by", "line", *ALL),
    ("events", "list", "--json", "--limit", "0", "--with-trials"),
    ("events", "missed", "--limit", "0", *ALL),
    ("events", "gaps", "--limit", "0", *ALL),
    ("events", "export", "--with-uptime", "--with-trials"),
    ("events", "outbox", "list", "--json"),
)


@pytest.fixture
def file(alovoice: FrontDoor, written: Path) -> Rows:
    """A store of this home with all that `written` has; its clock stands."""
    moment = datetime.now(UTC)
    alovoice.clock = lambda: moment
    path = alovoice.home / "state" / "events.db"
    path.parent.mkdir(exist_ok=True)
    shutil.copy(written, path)
    return Rows(path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with calls of every kind, repetitions, results, trials, unreadable bodies, and gaps."""
    rows = Rows(tmp_path_factory.mktemp("written") / "events.db")
    statuses = ("200", "486", "304", "603-S", None)
    for number in range(400):
        own = f"c{number}"
        at = START + number * 100
        rows.call(
            at, f"9012{number % 50:05}", status=statuses[number % 5], duration=30, call_id=own, peer=100 + number % 7
        )
        if number % 20 == 0:
            rows.deliver("callend", at + 40, b"\xff\xfe not read")
            rows.deliver("route", at + 41, {"number": f"9012{number:05}"}, answer={"queue": "6000"}, rule="Тунги ✓")
    first = rows.deliver("callend", START + 40_100, end_of("c399", START + 40_100, 5, "200"))
    rows.deliver("callend", START + 40_110, end_of("c399", START + 40_100, 5, "200"), repeats=first)
    rows.deliver("callstart", START + 40_200, {"number": "+998001234567"}, call_id="trial", answer={"id": "trial"})
    rows.listened((START - 5, START + 20_000, True), (START + 21_000, START + 41_000, False))
    with closing(sqlite3.connect(rows.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows.path


def _sql(url: str, statement: str, *values: object) -> list[Any]:
    with opened(url) as connection:
        cursor: Any = connection.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def _copy(alovoice: FrontDoor, file: Rows, target: str, *words: str) -> dict[str, Any]:
    result = alovoice("store", "copy", str(file.path), target, "--json", *words)
    assert result.code == 0, result.err
    answer: dict[str, Any] = json.loads(result.out)
    return answer


def _reports(alovoice: FrontDoor, url: str) -> list[tuple[int, str]]:
    results = [alovoice(*words, "--store", url) for words in WORDS]
    return [(result.code, result.out or result.err) for result in results]


def _counts(answer: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(value.values()) for name, value in answer.items() if isinstance(value, dict) and any(value.values())
    }


def test_a_copy_says_what_the_source_says(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _queue(file.url, "due", 7)
    answer = _copy(alovoice, file, target)
    assert _counts(answer) == {
        "events": (763, 0, 0, 0),
        "calls": (401, 0, 0, 0),
        "uptimes": (2, 0, 0, 0),
        "outbox": (1, 0, 0, 0),
    }
    before, after = _reports(alovoice, str(file.path)), _reports(alovoice, target)
    for words, one, other in zip(WORDS, before, after, strict=True):
        assert (words, one) == (words, other)
        assert (words, one[0]) == (words, 0)
    assert len(json.loads(before[2][1])) == 763


def test_a_second_run_copies_what_is_new(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _copy(alovoice, file, target)
    again = _copy(alovoice, file, target)
    assert _counts(again) == {"events": (0, 0, 763, 0), "calls": (0, 0, 401, 0), "uptimes": (0, 0, 2, 0)}
    file.call(START + 45_000, "905555555", call_id="new")
    file.deliver("callend", START + 45_100, end_of("c4", START + 430, 30, "200"))  # c4 had no end
    _sql(file.url, "UPDATE uptime SET seen_at = ? WHERE ended_at IS NULL RETURNING id", (START + 46_000) * MICRO)
    third = _copy(alovoice, file, target)
    assert _counts(third) == {"events": (3, 0, 763, 0), "calls": (1, 1, 400, 0), "uptimes": (0, 1, 1, 0)}
    assert _reports(alovoice, target) == _reports(alovoice, str(file.path))


def test_numbers_that_were_pruned_stay_free(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    assert alovoice("events", "prune", "--older-than", "6h", "--yes").code == 0
    target = postgres.database()
    _copy(alovoice, file, target)
    assert _reports(alovoice, target) == _reports(alovoice, str(file.path))


def test_a_target_with_events_of_its_own_keeps_them(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    rows = Rows(postgres.database())
    rows.call(time.time() - 60, "907777777", call_id="own")
    rows.deliver("callend", time.time() - 30, end_of("c4", int(time.time()) - 30, 77, "200"))  # began before the move
    answer = _copy(alovoice, file, rows.url)
    assert _counts(answer)["calls"] == (400, 1, 0, 0)
    ((number, duration),) = _sql(rows.url, "SELECT number, duration FROM call WHERE call_id = 'c4'")
    assert (number, duration) == ("998901200004", 77)
    assert _sql(rows.url, "SELECT count(*) FROM delivery") == [(763 + 3,)]
    ((own,),) = _sql(
        rows.url, "SELECT count(*) FROM call JOIN delivery ON delivery.seq = call.start_seq WHERE call_id = 'own'"
    )
    assert own == 1
    assert _counts(_copy(alovoice, file, rows.url))["calls"] == (0, 0, 401, 0)
    joined = (
        "SELECT count(*) FROM fact JOIN delivery ON delivery.seq = fact.seq AND delivery.received_at = fact.received_at"
    )
    assert _sql(rows.url, joined) == [(766,)]
    starts = "SELECT count(*) FROM call JOIN fact ON fact.seq = call.start_seq AND fact.call_id = call.call_id"
    assert _sql(rows.url, starts) == _sql(rows.url, "SELECT count(*) FROM call WHERE start_seq IS NOT NULL")


def _queue(url: str, state: str, *numbers: int, target: str = "forward:http://crm/") -> None:
    for seq in numbers:
        _sql(
            url,
            "INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble, message)"
            " VALUES (?, ?, ?, ?, 0, 5, 5, '', '') RETURNING seq",
            *(target, seq, f"call {seq}", state),
        )


def test_what_waits_waits_in_the_target(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _queue(file.url, "due", 1, 3)
    _queue(file.url, "running", 5)
    _queue(file.url, "done", 7)
    _sql(
        file.url,
        "INSERT INTO outbox_target VALUES ('forward:http://crm/', 'the CRM', 'refusing', 1, '', 0, 0) RETURNING 1",
    )
    result = alovoice("store", "copy", str(file.path), target)
    assert "2 deliveries now wait in both stores" in result.err
    states = _sql(target, "SELECT seq, state FROM outbox ORDER BY seq")
    assert states == [(1, "due"), (3, "due"), (5, "dead"), (7, "done")], "a program that ran was interrupted"
    assert _sql(target, "SELECT label, state FROM outbox_target") == [("the CRM", "refusing")]
    # The source's listener forwards one after all; in the target another one went through.
    _sql(file.url, "UPDATE outbox SET state = 'done' WHERE seq = 1 RETURNING 1")
    _sql(target, "UPDATE outbox SET state = 'done' WHERE seq = 3 RETURNING 1")
    assert _counts(_copy(alovoice, file, target))["outbox"] == (0, 1, 3, 0)
    assert _sql(target, "SELECT count(*) FROM outbox WHERE state = 'due'") == [(0,)]


def test_what_a_listener_forwards_is_left_to_it(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _queue(file.url, "due", 1)
    _queue(file.url, "done", 3)
    with hold(file.path.with_name("events.db.outbox.lock"), "a listener"):
        answer = _copy(alovoice, file, target)
        assert (answer["at_rest"], answer["outbox"]) == (False, {"copied": 1, "updated": 0, "known": 0, "left": 1})
        assert "stop the listener and run this again" in alovoice("store", "copy", str(file.path), target).err
    assert _copy(alovoice, file, target)["outbox"] == {"copied": 1, "updated": 0, "known": 1, "left": 0}


def test_an_event_whose_answer_is_not_known_yet_is_left(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    file.deliver("callstart", time.time(), {"number": "901111111"}, call_id="fresh", is_read=False)
    answer = _copy(alovoice, file, target)
    assert answer["events"] == {"copied": 763, "updated": 0, "known": 0, "left": 1}
    assert answer["calls"]["copied"] == 401


def test_notices_keep_their_messages(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    insert = "INSERT INTO notice_message VALUES ('telegram:1', ?, 'sent', ?, 'text', ?, 0, 0) RETURNING 1"
    notice = "INSERT INTO notice VALUES ('telegram:1', ?, ?, 0, 5, ?) RETURNING 1"
    Rows(target)
    _sql(target, insert, 1, "remote-own", 999)
    _sql(file.url, insert, 1, "remote-1", 100)
    _sql(file.url, insert, 2, "remote-2", 200)
    _sql(file.url, notice, 1, "told", 1)
    _sql(file.url, notice, 3, "waiting", 0)
    _copy(alovoice, file, target)
    _copy(alovoice, file, target)
    joined = """SELECT notice.seq, notice.state, remote_id FROM notice
        LEFT JOIN notice_message ON notice_message.id = notice.message ORDER BY seq"""
    assert _sql(target, joined) == [(1, "told", "remote-1"), (3, "waiting", None)]
    assert _sql(target, "SELECT count(*) FROM notice_message") == [(3,)]


def test_a_text_with_a_nul_is_stored_without_it(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _queue(file.url, "dead", 1)
    _sql(file.url, "UPDATE outbox SET trouble = ? RETURNING 1", "a\0b")
    assert _copy(alovoice, file, target)["outbox"]["copied"] == 1
    assert _copy(alovoice, file, target)["outbox"] == {"copied": 0, "updated": 0, "known": 1, "left": 0}
    assert _sql(target, "SELECT trouble FROM outbox") == [("a�b",)]


def test_dry_run_counts_and_makes_nothing(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    assert _copy(alovoice, file, target, "--dry-run")["events"] == {"copied": 763, "updated": 0, "known": 0, "left": 0}
    assert alovoice("store", "check", "--store", target).code == 2
    _copy(alovoice, file, target)
    assert _copy(alovoice, file, target, "--dry-run")["events"]["known"] == 763


def test_only_a_file_is_copied_and_only_to_a_server(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    server, path = postgres.database(), str(file.path)
    for words, told in (
        ((server, path), "not from a server"),
        ((server, server), "not from a server"),
        ((path, f"sqlite:///{path}"), "the same store"),
        ((path, "other.db"), "not to a file"),
        (("missing.db", server), "there is no event store"),
        ((path, "mysql://x/y"), "supported"),
    ):
        result = alovoice("store", "copy", *words)
        assert (result.code, told in result.err) == (2, True), (words, result.err)
    assert not (alovoice.home / "missing.db").exists()


def test_a_target_of_a_newer_version_is_refused(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = Rows(postgres.database()).url
    _sql(target, "UPDATE schema_version SET version = 99 RETURNING 1")
    result = alovoice("store", "copy", str(file.path), target)
    assert (result.code, "newer version" in result.err) == (2, True)
    assert alovoice("store", "check", "--store", target).code == 8


def test_a_server_that_is_not_reached_ends_with_2_and_shows_no_password(alovoice: FrontDoor, file: Rows) -> None:
    result = alovoice("store", "copy", str(file.path), "postgresql://me:hunter2hunter2@127.0.0.1:1/db")
    assert (result.code, "cannot be reached" in result.err) == (2, True)
    assert "hunter2" not in result.err + result.out


def test_a_copy_that_was_interrupted_is_completed(
    alovoice: FrontDoor, file: Rows, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alovoice_cli.stores.store_copy import EventCopy

    target, insert, calls = postgres.database(), EventCopy._insert, iter(range(100))

    def interrupted(*words: Any) -> None:
        if next(calls) == 3:  # the facts of the second batch: its deliveries must go with them
            raise KeyboardInterrupt
        insert(*words)

    monkeypatch.setattr(EventCopy, "_insert", interrupted)
    assert alovoice("store", "copy", str(file.path), target).code == 130
    monkeypatch.undo()
    assert _sql(target, "SELECT count(*) FROM delivery") == [(500,)]
    assert _copy(alovoice, file, target)["events"] == {"copied": 263, "updated": 0, "known": 500, "left": 0}
    assert _reports(alovoice, target) == _reports(alovoice, str(file.path))


def test_a_server_is_checked_as_a_file_is(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    target = postgres.database()
    _copy(alovoice, file, target)
    told = [json.loads(alovoice("store", "check", "--json", "--store", url).out) for url in (str(file.path), target)]
    same = ("version", "events", "calls", "oldest_event", "newest_event", "outbox_waiting", "targets")
    assert [{name: one[name] for name in same} for one in told] == [{name: told[0][name] for name in same}] * 2
    assert told[1]["bytes"] > 0
    assert {finding["code"] for finding in told[1]["findings"]} == {"unsafe-setting"}, "the tests' server has no fsync"
    _sql(target, "DELETE FROM delivery WHERE seq = 5 RETURNING 1")
    result = alovoice("store", "check", "--store", target)
    assert (result.code, "1 row of call data has no event" in result.out) == (8, True)


def test_the_source_is_not_changed(alovoice: FrontDoor, file: Rows, postgres: Cluster) -> None:
    def dumped() -> list[str]:
        with closing(sqlite3.connect(Path(file.path))) as connection:
            return list(connection.iterdump())

    before = dumped()
    _copy(alovoice, file, postgres.database())
    assert dumped() == before


def test_a_history_is_copied_while_a_listener_writes(
    alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, postgres: Cluster
) -> None:
    target, own = postgres.database(), str(alovoice.home / "state" / "events.db")
    listening, ending, ids = listen("--forward", crm.url), threading.Event(), list[str]()

    def send() -> None:
        while not ending.is_set() or len(ids) < 50:
            start = {"number": f"9012{len(ids):05}", "line": 712037006, "type": "inc", "start_time": START + len(ids)}
            status, call_id = listening.post("callstart", start)
            assert status == 200
            ids.append(call_id.decode())
            end = {"call_id": ids[-1], "status_code": "486", "finish_time": START + 5, "duration": 5}
            assert listening.post("callend", end) == (200, b"true")

    sender = threading.Thread(target=send)
    sender.start()
    copies = [alovoice("store", "copy", own, target, "--json") for _ in range(3)]
    ending.set()
    sender.join()
    assert [copy.code for copy in copies] == [0, 0, 0], copies
    assert listening.stop() == 143
    last = json.loads(alovoice("store", "copy", own, target, "--json").out)
    assert (last["at_rest"], sum(table["left"] for table in last.values() if isinstance(table, dict))) == (True, 0)
    assert _reports(alovoice, target) == _reports(alovoice, own)
    assert _sql(target, "SELECT count(*) FROM call WHERE start_seq IS NOT NULL AND end_seq IS NOT NULL") == [
        (len(ids),)
    ]
    states = "SELECT seq, state FROM outbox ORDER BY seq"
    assert _sql(target, states) == _sql(own, states)
