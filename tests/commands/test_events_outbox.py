"""`events outbox` without a listener: what waits is listed, sent again, handed over, dropped."""

import json
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor

from alovoice_cli.events.outbox import queue_of
from alovoice_cli.listening.targets import Target, parse_exec, parse_forward
from alovoice_cli.stores import outbox_orders
from alovoice_cli.stores.event_engine import opened, writing
from alovoice_cli.stores.event_rows import QueuedDelivery, insert_events
from alovoice_cli.stores.outbox import Outbox, claimed, noted_state, probed, put_off, settled
from alovoice_cli.stores.process_lock import hold

AT = 1_745_571_727
OLD = parse_forward("https://old.example.com/hook/s3cret-key?token=t0ken")
NEW = parse_forward("https://new.example.com/hook")
CALLENDS = parse_forward("callend=https://new.example.com/hook")
PROGRAM = parse_exec("./звонок.sh --key s3cret-key")


@pytest.fixture
def rows(profile_store: str) -> Rows:
    return _filled(profile_store)


@pytest.fixture
def file_rows(alovoice: FrontDoor) -> Rows:
    """The same in a file, whose one holder has a lock beside it."""
    return _filled(alovoice.store_url)


def _filled(url: str) -> Rows:
    """The profile's store: e1 to e4, of which e1 and e2 wait for OLD, e3 is a dead letter, and all wait for PROGRAM."""
    rows = Rows(url)
    Outbox(rows.url).given([(one.name, one.label) for one in (OLD, PROGRAM)], 0)
    for number in range(4):
        event = rows.deliver("callend", AT + number, {"call_id": f"c{number}"}, is_read=False)
        told = [OLD, PROGRAM] if number < 3 else [PROGRAM]
        with opened(rows.url) as connection, writing(connection):
            queued = {event.delivery.id: [QueuedDelivery(one.name, queue_of(event)) for one in told]}
            insert_events(connection, [event], queued)
            if number == 2:
                settled(OLD.name, event.delivery.seq, "dead", "it answered 500")(connection)
    return rows


def _list(alovoice: FrontDoor, *words: str) -> list[tuple[Any, ...]]:
    listed = json.loads(alovoice("events", "outbox", "list", "--json", *words).out)
    return [(row["seq"], row["target"], row["state"]) for row in listed]


def test_what_waits_is_listed_by_target_and_state_without_secrets(alovoice: FrontDoor, rows: Rows) -> None:
    waiting = [(seq, OLD.label, "due") for seq in (1, 2)]
    dead = [(3, OLD.label, "dead")]
    for word in (OLD.url, "https://old.example.com", OLD.name):
        assert sorted(_list(alovoice, "--target", word)) == waiting + dead
    assert _list(alovoice, "--target", "./звонок.sh") == [(seq, "./звонок.sh", "due") for seq in (1, 2, 3, 4)]
    assert _list(alovoice, "--state", "dead") == dead
    assert [seq for seq, *_ in _list(alovoice)] == [1, 1, 2, 2, 3, 3, 4]
    for words in ([], ["--json"], ["--csv", "--columns", "id,target,due_at,trouble"]):
        for terminal in (False, True):
            shown = alovoice("events", "outbox", "list", *words, terminal=terminal)
            assert shown.code == 0
            assert "s3cret" not in shown.out + shown.err
            assert "t0ken" not in shown.out + shown.err


def test_a_program_that_ran_when_its_listener_died_is_a_dead_letter(alovoice: FrontDoor, file_rows: Rows) -> None:
    with opened(file_rows.url) as connection, writing(connection):
        claimed(PROGRAM.name, 2, lambda _: None)(connection)
    assert _list(alovoice, "--state", "dead", "--target", PROGRAM.name) == [(2, PROGRAM.label, "dead")]
    with hold(file_rows.path.with_name("events.db.outbox.lock"), "a listener"):
        assert _list(alovoice, "--state", "dead", "--target", PROGRAM.name) == []
        assert (2, PROGRAM.label, "running") in _list(alovoice, "--state", "due")
        kept = alovoice("events", "outbox", "retry", "e2", "--target", PROGRAM.name)
        assert "1 event is skipped: its program is running" in kept.err
    assert alovoice("events", "outbox", "retry", "e2", "--target", PROGRAM.name).code == 0
    assert (2, PROGRAM.label, "due") in _list(alovoice)


@pytest.mark.parametrize("words", [("retry",), ("drop", "--yes"), ("retry", "--to", NEW.url)])
def test_a_program_that_starts_while_an_order_is_made_is_left_alone(
    alovoice: FrontDoor, file_rows: Rows, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    batches = outbox_orders._batches

    def meanwhile(*chosen: Any) -> Iterator[Any]:
        for batch in list(batches(*chosen)):
            with opened(file_rows.url) as connection, writing(connection):
                claimed(PROGRAM.name, 2, lambda _: None)(connection)
            yield batch

    with hold(file_rows.path.with_name("events.db.outbox.lock"), "a listener"):
        monkeypatch.setattr(outbox_orders, "_batches", meanwhile)
        assert alovoice("events", "outbox", *words, "e2", "--target", PROGRAM.name).code == 0
        monkeypatch.undo()
        assert (2, PROGRAM.label, "running") in _list(alovoice)


def test_status_counts_what_waits_and_what_is_dead(alovoice: FrontDoor, rows: Rows) -> None:
    told = {one["target"]: one for one in json.loads(alovoice("status", "--offline", "--json").out)["outbox"]}
    assert (told[OLD.label]["waiting"], told[OLD.label]["dead"]) == (2, 1)
    assert (told["./звонок.sh"]["waiting"], told["./звонок.sh"]["dead"]) == (4, 0)
    assert told[OLD.label]["oldest_seconds"] > 86_400
    assert "2 events wait, 1 dead letter (the oldest for " in alovoice("status", "--offline").out
    shown = " ".join(alovoice("status", "--offline", "--color", "never", terminal=True).out.split())
    assert "Token none; ./звонок.sh: 4 events wait" in shown
    assert "https://old.example.com: 2 events wait, 1 dead letter (the oldest for " in shown


def test_a_retry_makes_a_dead_letter_due_and_new(alovoice: FrontDoor, rows: Rows) -> None:
    done = alovoice("events", "outbox", "retry", "e3", "--target", OLD.url)
    assert (done.code, "1 event will be sent again" in done.err, "no listener is running" in done.err) == (
        0,
        True,
        True,
    )
    listed = json.loads(alovoice("events", "outbox", "list", "--target", OLD.url, "--json").out)
    assert [(row["seq"], row["state"], row["attempts"], row["trouble"]) for row in listed] == [
        (1, "due", 0, None),
        (2, "due", 0, None),
        (3, "due", 0, None),
    ]
    assert listed[2]["waits_since"] > listed[1]["waits_since"]


def test_events_are_handed_to_a_target_that_a_listener_knows_or_to_a_new_one(alovoice: FrontDoor, rows: Rows) -> None:
    assert alovoice("events", "outbox", "retry", "--target", OLD.url, "--to", NEW.url, "--state", "due").code == 0
    assert sorted(_list(alovoice, "--target", NEW.name)) == [(1, NEW.label, "due"), (2, NEW.label, "due")]
    Outbox(rows.url).given([(CALLENDS.name, CALLENDS.label)], 0)
    _hands_all_over(alovoice, CALLENDS, "callend=https://new.example.com/hook", [1, 2, 3])
    refused = alovoice("events", "outbox", "retry", "--all", "--to", "https://new.example.com/hook/")
    assert refused.code == 0  # another URL: with its slash
    assert alovoice("events", "outbox", "retry", "--all", "--to", "nowhere").code == 2


def _hands_all_over(alovoice: FrontDoor, target: Target, word: str, seqs: list[int]) -> None:
    words = ("events", "outbox", "retry", "--to", word)
    assert alovoice(*words, "--target", NEW.name).code == 0
    assert alovoice(*words, "--target", OLD.name).code == 0
    assert alovoice(*words, "--target", target.name).code == 0  # to itself: nothing is lost
    assert sorted(_list(alovoice, "--target", target.name)) == [(seq, target.label, "due") for seq in seqs]


def test_what_the_new_target_has_already_is_not_doubled(alovoice: FrontDoor, rows: Rows) -> None:
    with opened(rows.url) as connection, writing(connection):
        connection.execute(
            "INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble)"
            " VALUES (?, 1, 'call c0', 'done', 1, 0, 0, ''), (?, 3, 'call c2', 'dead', 9, 0, 0, 'it answered 500')",
            (NEW.name, NEW.name),
        )
    assert alovoice("events", "outbox", "retry", "--target", OLD.url, "--to", NEW.url).code == 0
    assert _list(alovoice, "--target", NEW.url) == [(2, NEW.label, "due"), (3, NEW.label, "due")]


def test_a_drop_asks_and_needs_an_answer(alovoice: FrontDoor, rows: Rows) -> None:
    drop = ("events", "outbox", "drop", "--target", OLD.url)
    refused = alovoice(*drop)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert alovoice(*drop, "--dry-run").code == 0
    assert len(_list(alovoice, "--target", OLD.url)) == 3
    assert json.loads(alovoice(*drop, "--yes", "--json").out) == {"dropped": 3, "chosen": 3}
    assert _list(alovoice, "--target", OLD.url) == []
    assert len(json.loads(alovoice("events", "list", "--json").out)) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("retry",),
        ("drop", "--yes"),
        ("retry", "--all", "e1"),
        ("retry", "e99"),
        ("retry", "e1", "ҒАЙБ"),
        ("drop", "e99999999999999999999", "--yes"),
        ("list", "--target", "https://unknown.example.com"),
        ("list", "--target", ""),
        ("list", "--state", "gone"),
        ("retry", "--all", "--to", "https://user:pass@new.example.com"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(alovoice: FrontDoor, rows: Rows, words: tuple[str, ...]) -> None:
    before = _list(alovoice)
    assert alovoice("events", "outbox", *words).code == 2
    assert _list(alovoice) == before


def test_a_listener_that_begins_tries_the_oldest_event_that_failed(rows: Rows) -> None:
    outbox = Outbox(rows.url)
    with opened(rows.url) as connection, writing(connection):
        for seq in (1, 2):
            put_off(OLD.name, seq, (2 * AT + 3600) * 10**6, "it answered \ud800")(connection)
    assert outbox.due(OLD.name, 2 * AT * 10**6, 9) == []
    with opened(rows.url) as connection, writing(connection):
        probed(OLD.name, 2 * AT * 10**6)(connection)
    assert [row.delivery.seq for row in outbox.due(OLD.name, 2 * AT * 10**6, 9)] == [1]


def test_a_long_backlog_is_ordered_bit_by_bit(alovoice: FrontDoor, rows: Rows) -> None:
    with opened(rows.url) as connection, writing(connection):
        connection.executemany(
            "INSERT INTO delivery (seq, id, type, received_at, peer, content_type, headers, body)"
            " VALUES (?, ?, 'callend', 1, '', '', '[]', '')",
            [(seq, f"id{seq}") for seq in range(10, 1510)],
        )
        connection.execute(
            "INSERT INTO outbox (target, seq, queue, state, attempts, due_at, born_at, trouble)"
            " SELECT ?, seq, id, 'dead', 9, 0, 0, 'x' FROM delivery WHERE seq >= 10",
            (OLD.name,),
        )
    assert (
        "1 503 events will be sent to"
        in alovoice("events", "outbox", "retry", "--target", OLD.url, "--to", NEW.url).err
    )
    listed = _list(alovoice, "--target", NEW.url)
    assert [seq for seq, *_ in listed] == [1, 2, 3, *range(10, 1510)]


@pytest.mark.parametrize("words", [("list",), ("retry", "--all"), ("drop", "--all", "--yes")])
def test_a_store_that_is_missing_is_named_and_nothing_is_made_in_its_place(
    alovoice: FrontDoor, words: tuple[str, ...]
) -> None:
    place = alovoice.home / "elsewhere"
    refused = alovoice("events", "outbox", *words, "--store", str(place / "events.db"))
    assert (refused.code, place.exists()) == (2, False)
    assert f"there is no event store {place / 'events.db'}" in refused.err


def test_status_does_not_take_a_store_that_fails_for_one_in_which_nothing_waits(
    alovoice: FrontDoor, file_rows: Rows
) -> None:
    file_rows.path.write_bytes(b"no database " * 1000)
    told = alovoice("status", "--offline", terminal=True).out
    assert "it is not known what waits to be forwarded" in " ".join(told.split())
    shown = alovoice("status", "--offline", "--json")
    assert json.loads(shown.out)["outbox"] is None
    assert "is damaged, or is not a SQLite file" in shown.err


def test_the_end_of_a_pause_that_a_target_asked_for_is_shown(alovoice: FrontDoor, rows: Rows) -> None:
    until = int(time.time() + 3000) * 1_000_000
    with opened(rows.url) as connection, writing(connection):
        noted_state(OLD.name, OLD.label, "paused", "it answered 503", until, 0)(connection)
    listed = alovoice("events", "outbox", "list", "--target", OLD.url, "--state", "due", "--columns", "next")
    assert "now" not in listed.out
    end = listed.out.split()[-1]
    assert re.search(rf"it answered 503; it asked for a pause until ({end}|\d\d-\d\d {end[:5]});", listed.err)
    (old,) = [one for one in json.loads(alovoice("status", "--offline", "--json").out)["outbox"] if one["waits_until"]]
    assert old["waits_until"].endswith("Z")


@pytest.mark.parametrize("word", ["https://x.example.com/s3cret-key?k=t0ken", "x.example.com?k=t0ken", "./x --k t0ken"])
def test_a_target_that_is_not_known_is_named_without_its_keys(alovoice: FrontDoor, rows: Rows, word: str) -> None:
    refused = alovoice("events", "outbox", "list", "--target", word)
    assert refused.code == 2
    assert "s3cret" not in refused.err
    assert "t0ken" not in refused.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes files for another user")
def test_what_root_makes_beside_another_user_s_store_belongs_to_that_user(alovoice: FrontDoor, file_rows: Rows) -> None:
    state = file_rows.path.parent
    for path in (state, *state.iterdir()):
        os.chown(path, 65534, 65534)
    assert alovoice("events", "outbox", "list").code == 0
    assert alovoice("route", "override", "queue:6000", "--for", "1m").code == 9
    owners = {path.name: path.stat().st_uid for path in state.iterdir()}
    assert {"events.db.outbox.lock", "override.json"} <= owners.keys()
    assert set(owners.values()) == {65534}


def test_status_says_that_a_server_cannot_be_reached(alovoice: FrontDoor) -> None:
    assert alovoice("config", "set", "store", "postgresql://me@127.0.0.1:1/db").code == 0
    shown = alovoice("status", "--offline", "--json")
    assert json.loads(shown.out)["outbox"] is None
    assert "the store postgresql://me@127.0.0.1:1/db cannot be reached" in shown.err
