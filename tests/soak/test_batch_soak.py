"""Batches that are killed, interrupted and started at once: nobody is called twice, nobody is forgotten."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from batch_crash import STEPS
from batch_server import OUT, Exchange, point_at, slowly, write_list
from batch_trace import synced_before_each_connection, traced
from front_door import FrontDoor
from machine import needs_strace
from raw_server import Connection, Seen
from strength import rounds

ROWS, JOBS = 500, 4
KILLS, INTERRUPTS = rounds(6), rounds(3)


def _slowly(connection: Connection, seen: Seen) -> None:
    time.sleep(0.005)
    connection.answer("200 OK", b"true")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Any]:
    server = Exchange(_slowly)
    point_at(alovoice, server)
    yield server
    server.stop()


def _words(rows: int = ROWS, jobs: int = JOBS) -> Any:
    return (*OUT, "--jobs", str(jobs), "--confirm", str(rows))


def _start(alovoice: FrontDoor, *words: Any) -> Any:
    """As a process that nobody reads: two hundred unknown rows, told at each start, are more than a pipe holds."""
    return alovoice.start(*words, streams=subprocess.DEVNULL)


def _account(alovoice: FrontDoor, pbx: Exchange, called: Any, kills: Any, jobs: int = JOBS) -> None:
    """Resumes until done; nobody twice, nobody forgotten."""
    done = alovoice(*_words(len(called), jobs))
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    shown = json.loads(alovoice("call", "batches", "show", batch["name"], "--json").out)
    states = {row["numbers"][0].removeprefix("998"): row["outcome"] for row in shown}
    unknown = [number for number, state in states.items() if state == "unknown"]
    assert set(states) == set(called)
    assert set(states.values()) <= {"done", "unknown"}
    assert max(pbx.calls.values()) == 1
    assert not [number for number in called if number not in pbx.calls and number not in unknown]
    assert not [number for number in states if states[number] == "done" and number not in pbx.calls]
    assert len(unknown) <= jobs * kills, [row for row in shown if row["outcome"] == "unknown"]
    assert done.code == (6 if unknown else 0)
    print(f"{kills} kills, {len(called)} rows: {len(unknown)} unknown, none twice, none forgotten")


def test_kills(alovoice: FrontDoor, pbx: Exchange) -> None:
    rows = max(200, 12 * KILLS)  # of fewer, the kills with four in flight would leave none
    called = write_list(alovoice.home, rows)
    chance, kills = random.Random(6), 0
    for _ in range(KILLS):
        before = len(pbx.requests)
        process = _start(alovoice, *_words(rows))
        target = before + chance.randrange(0, 6)
        while len(pbx.requests) <= target and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.05)
        if process.poll() is None:
            kills += 1
        process.kill()
        process.wait(60)
    _account(alovoice, pbx, called, kills)


def test_interrupts_leave_no_row_without_an_end(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, ROWS)
    chance = random.Random(7)
    for _ in range(INTERRUPTS):
        process = _start(alovoice, *_words())
        target = len(pbx.requests) + chance.randrange(0, 8)
        while len(pbx.requests) <= target and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert process.returncode in (0, 130)
    _account(alovoice, pbx, called, 0)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("row", [1, 3, 7, 20][: rounds(1)])
def test_a_process_that_ends_at_any_step(alovoice: FrontDoor, pbx: Exchange, step: Any, row: Any) -> None:
    from pathlib import Path

    called = write_list(alovoice.home, 24)
    crash = Path(__file__).parents[1] / "batch_crash.py"
    words = [sys.executable, str(crash), step, str(row), *_words(24)]
    assert alovoice.run_shell(words).returncode == 9
    _account(alovoice, pbx, called, 1)


def test_twenty_starts_at_once(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 40)
    pbx._answer = slowly(0.3)
    processes = [_start(alovoice, *_words(40)) for _ in range(20)]
    for process in processes:
        process.wait(60)
    assert sorted(process.returncode for process in processes) == [0] + [2] * 19
    assert pbx.calls == dict.fromkeys(called, 1)


@needs_strace
def test_the_journal_is_on_the_disk_before_a_rows_first_byte(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 30)
    trace = alovoice.home / "trace"
    alovoice.run_shell(traced(trace, list(_words(30, 1))))
    assert synced_before_each_connection(trace) == [{"journal", "ledger"}] * len(called)
