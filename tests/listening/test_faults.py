"""What was answered is kept: through kills, full disks, locks and damaged files; and what cannot work, ends."""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor
from machine import needs_strace
from strength import rounds

from .conftest import START, Listening, locked

Listen = Callable[..., Listening]
ROUNDS = rounds(2)


def _events(alovoice: FrontDoor) -> list[dict[str, object]]:
    listed = alovoice("events", "list", "--json", "--limit", "0")
    assert listed.code == 0, listed.err
    found: list[dict[str, object]] = json.loads(listed.out)
    return found


def _send_until_it_dies(listening: Listening, sender: str, kept: list[str]) -> None:
    # Half an answer is an HTTPException.
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        for number in range(100_000):
            name = f"{sender}-{number}"
            if listening.post("callend", {"call_id": name})[0] == 200:
                kept.append(name)


def test_a_kill_loses_nothing_that_was_answered(listen: Listen, alovoice: FrontDoor) -> None:
    kept: list[str] = []
    ids: list[bytes] = []
    for round_number in range(ROUNDS):
        listening = listen()
        senders = [
            threading.Thread(target=_send_until_it_dies, args=[listening, f"{round_number}-{sender}", kept])
            for sender in range(8)
        ]
        for sender in senders:
            sender.start()
        ids.append(listening.post("callstart", {**START, "start_time": round_number})[1])
        time.sleep(0.3 + random.random() * 0.3)
        listening.process.kill()
        for sender in senders:
            sender.join()
    listen().stop()
    events = _events(alovoice)
    assert len(kept) > ROUNDS * 8
    assert set(kept) <= {event["event_call_id"] for event in events}
    assert len({event["id"] for event in events}) == len(events)
    numbers = [event["seq"] for event in events]
    assert len(set(numbers)) == len(numbers)
    assert {identity.decode() for identity in ids} <= {event["event_call_id"] for event in events}


@needs_strace
def test_the_disk_has_it_before_the_answer_goes_out(listen: Listen, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,write,sendto,pwrite64"
    listening = listen(wrapper=("strace", "-f", "-y", "-o", str(trace), "-e", calls, "-s", "5000"))
    for number in range(20):
        assert listening.post("callend", {"call_id": f"mark-{number}-"})[0] == 200
    os.kill(listening.pid, signal.SIGTERM)
    listening.process.wait(30)
    written: set[int] = set()
    durable: set[int] = set()
    syncing: dict[str, set[int]] = {}
    answers = 0
    for line in trace.read_text(errors="replace").splitlines():
        thread = line.split()[0]
        if re.search(r"pwrite64\(\d+<[^>]*events\.db-wal", line):
            written |= {int(number) for number in re.findall(r"mark-(\d+)-", line)}
        if re.search(r"fdatasync\(\d+<[^>]*events\.db-wal", line):
            syncing[thread] = set(written)
        if "fdatasync" in line and line.endswith("= 0"):
            durable |= syncing.pop(thread, set())
        if "HTTP/1.1 200" in line and written:  # before that it answered its own probe
            assert answers in durable, "an answer went out before its event was on the disk"
            answers += 1
    assert answers == 20


@pytest.mark.usefixtures("profile_store")
@pytest.mark.both_engines
def test_a_locked_store_delays_nothing_for_long_and_loses_nothing(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen("--fallback", "queue:6000")
    with locked(alovoice):
        for number in range(5):
            assert listening.post("callend", {"call_id": f"locked-{number}"})[0] == 200
        answer = listening.post("callstart", START)[1]
        # The store stays locked until the end of this block: who waited for it would never answer.
        assert json.loads(listening.post("route", {"from_number": "974244100"})[1])["action_data"] == "6000"
        assert _spool(alovoice).stat().st_mode & 0o777 == 0o600
    listening.wait_for("takes events again")
    told = {listening.event()["event_call_id"] for _ in range(7)}
    assert {f"locked-{number}" for number in range(5)} | {answer.decode()} <= told
    assert listening.post("callstart", START)[1] == answer
    listening.stop()
    assert list((alovoice.home / "state").glob("spool-*.jsonl")) == []
    assert len(_events(alovoice)) == 8


def _spool(alovoice: FrontDoor) -> Path:
    (found,) = (alovoice.home / "state").glob("spool-*.jsonl")
    return found


@pytest.mark.usefixtures("profile_store")
def test_what_the_spool_holds_is_taken_up_at_the_next_start(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    with locked(alovoice):
        assert listening.post("callend", {"call_id": "spooled"})[0] == 200
        listening.process.kill()
        listening.process.wait()
    with _spool(alovoice).open("ab") as spool:
        spool.write(b'{"id": "torn')
    listen().stop()
    assert [event["event_call_id"] for event in _events(alovoice)] == ["spooled"]


def _limit_file_size() -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


@pytest.mark.soak
def test_a_full_disk_is_told_to_the_sender_and_ends_the_listener(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen(preexec_fn=_limit_file_size)
    kept: list[Any] = []
    statuses = set()
    deadline = time.monotonic() + 120
    while listening.process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            name = f"call-{len(kept)}"
            status, _ = listening.post("callend", {"call_id": name, "filling": "x" * 20_000})
            statuses.add(status)
            if status == 200:
                kept.append(name)
            else:
                time.sleep(0.05)  # it has ten seconds to find room
    assert statuses == {200, 503}
    assert listening.process.wait(60) not in (0, 130, 143)
    listening.wait_for("neither the event store nor")
    again = listen()
    again.stop()
    assert set(kept) <= {event["event_call_id"] for event in _events(alovoice)}
    with contextlib.closing(sqlite3.connect(alovoice.home / "state" / "events.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_damaged_store_is_moved_aside_and_receiving_goes_on(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    for number in range(40):
        listening.post("callend", {"call_id": f"old-{number}", "filling": "x" * 3000})
    listening.stop()
    path = alovoice.home / "state" / "events.db"
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 4096):
        content[place : place + 1024] = os.urandom(1024)
    path.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    again = listen()
    for number in range(10):
        assert again.post("callend", {"call_id": f"new-{number}"})[0] == 200
    assert "was moved to" in again.wait_for("is damaged")
    again.stop()
    assert {f"new-{number}" for number in range(10)} <= {event["event_call_id"] for event in _events(alovoice)}
    (aside,) = path.parent.glob("events.db.corrupt-*")
    assert b"old-" in aside.read_bytes()


def test_every_file_of_the_state_is_private(listen: Listen, alovoice: FrontDoor) -> None:
    before = os.umask(0)
    try:
        listening = listen()
        listening.post("callend", {"call_id": 1})
        state = alovoice.home / "state"
        assert state.stat().st_mode & 0o777 == 0o700
        assert len(list(state.iterdir())) >= 3
        for path in state.iterdir():
            assert path.stat().st_mode & 0o777 == 0o600, path
    finally:
        os.umask(before)


def test_a_clock_that_is_set_back_parts_nothing(listen: Listen, alovoice: FrontDoor) -> None:
    listening = listen()
    first = listening.post("callstart", START)[1]
    with contextlib.closing(sqlite3.connect(alovoice.home / "state" / "events.db", isolation_level=None)) as store:
        # As if the first had come while the clock was an hour ahead.
        store.execute("UPDATE delivery SET received_at = received_at + 3600000000")
        store.execute("UPDATE fact SET received_at = received_at + 3600000000")
    assert listening.post("callstart", START)[1] == first
    listening.stop()
    assert listen().post("callstart", START)[1] == first
