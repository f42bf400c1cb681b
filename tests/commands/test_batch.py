"""Many calls through the front door: each exactly once, whatever happens in between."""

import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from batch_crash import STEPS
from batch_server import (
    FILES_ONLY,
    OUT,
    Exchange,
    HeldAnswers,
    drops_every,
    name_of_batch,
    outcomes_of,
    rows_of,
    slowly,
    unanswered,
    write_list,
)
from batch_trace import synced_before_each_connection, traced
from front_door import FrontDoor
from machine import needs_strace
from raw_server import Connection, Seen
from waiting import wait_until

pytestmark = pytest.mark.usefixtures("profile_store")


def _settles(process: Any) -> None:
    process.wait(60)
    process.stdout.close()
    process.stderr.close()


# --- each exactly once -----------------------------------------------------------------------------------------------


def test_the_encoding_that_the_command_line_gives_is_that_of_each_row(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    assert alovoice(*OUT, "--encoding", "form").code == 0
    assert sorted(seen.body.partition(b"=")[0] for seen in pbx.requests) == [b"call_id"] * 3


def test_each_row_is_called_once_and_told_once(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 7)
    result = alovoice(*OUT, "--jobs", "3")
    assert result.code == 0, result.err
    assert pbx.calls == dict.fromkeys(called, 1)
    rows = sorted(rows_of(result), key=lambda row: row["row"])
    assert [row["row"] for row in rows] == list(range(2, 9))
    assert {(row["outcome"], row["sent"], row["status"], row["answer"], row["attempts"]) for row in rows} == {
        ("done", "yes", 200, True, 1)
    }
    assert len({row["extid"] for row in rows} | {row["receipt"] for row in rows}) == 14
    sent = {json.loads(seen.body)["number"]: json.loads(seen.body)["call_id"] for seen in pbx.requests}
    assert {row["extid"] for row in rows} == set(sent.values())


def test_the_same_line_again_sends_nothing(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    assert alovoice(*OUT).code == 0
    again = alovoice(*OUT)
    assert (again.code, again.out, len(pbx.requests)) == (0, "", 3)
    assert "are sent; --restart sends them again" in again.err


def test_a_moved_and_resorted_list_is_the_same_list(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 4)
    assert alovoice(*OUT).code == 0
    file = alovoice.home / "clients.csv"
    head, *rows = file.read_text("utf-8").splitlines()
    spelled = [row.replace("90", "+99890", 1) for row in reversed(rows)]
    file.write_text("\n".join([head, "", *spelled]), encoding="utf-8")
    again = alovoice(*OUT)
    assert (again.code, len(pbx.requests)) == (0, 4), again.err


def test_a_changed_list_is_refused_and_then_gives_its_new_rows_alone(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 4)
    assert alovoice(*OUT).code == 0
    called = write_list(alovoice.home, 6)
    refused = alovoice(*OUT)
    assert (refused.code, len(pbx.requests)) == (2, 4)
    assert "--changed-ok" in refused.err
    assert alovoice(*OUT, "--changed-ok").code == 0
    assert pbx.calls == dict.fromkeys(called, 1)
    assert alovoice(*OUT, "--changed-ok").code == 0
    assert len(pbx.requests) == 6


# --- unknown ---------------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_told_each_time_and_never_redialled(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 4)
    pbx = exchanges(drops_every(called[2]))
    first = alovoice(*OUT)
    assert (first.code, sorted(outcomes_of(first))) == (6, ["done", "done", "done", "unknown"])
    for more in ((), ("--retry-refused",), ("--yes",)):
        again = alovoice(*OUT, *more)
        assert (again.code, outcomes_of(again)) == (6, ["unknown"])
    assert alovoice(*OUT, "--resend-unknown").code == 2
    assert pbx.calls == dict.fromkeys(called, 1)


def test_an_unknown_row_goes_again_only_by_a_risk_taken_for_it(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 3)
    pbx = exchanges(drops_every(called[1]))
    assert alovoice(*OUT).code == 6
    words = (*OUT, "--resend-unknown", "--accept-risk")
    assert alovoice(*words).code == 2, "nobody is there to answer, and no batch is named"
    without = alovoice(*OUT, "--resend-unknown", "--yes", terminal=True, stdin="y\n3\n")
    assert without.code == 2, "the risk was not accepted"
    named = ("call", "batches", "resume", name_of_batch(alovoice), "--night-ok", "--resend-unknown")
    assert alovoice(*named, "--yes").code == 2, "nor by a script that names the batch"
    assert alovoice(*words, "--yes", terminal=True, stdin="n\n").code == 6
    assert len(pbx.requests) == 3
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    agreed = alovoice(*unanswered(words), terminal=True, stdin="y\n3\n")
    assert agreed.code == 0, agreed.err
    assert pbx.calls == {called[0]: 1, called[1]: 2, called[2]: 1}
    (row,) = [
        row
        for row in json.loads(alovoice("call", "batches", "show", name_of_batch(alovoice), "--json").out)
        if row["attempts"] == 2
    ]
    assert (row["outcome"], row["numbers"]) == ("done", ["998" + called[1]])


def test_a_start_anew_asks_and_keeps_the_old_journal(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    assert alovoice(*OUT).code == 0
    assert alovoice(*OUT, "--restart").code == 2
    assert alovoice(*unanswered(OUT), "--restart", terminal=True, stdin="n\n").code == 2
    assert len(pbx.requests) == 2
    assert alovoice(*OUT, "--restart", "--confirm", "2").code == 0
    assert len(pbx.requests) == 4
    if not alovoice.server_store:
        assert len(list((alovoice.home / "state" / "batches" / "earlier").glob("*.db"))) == 1


# --- killed, interrupted ---------------------------------------------------------------------------------------------


def _slowly(connection: Connection, seen: Seen) -> None:
    time.sleep(0.01)
    connection.answer("200 OK", b"true")


def test_a_killed_batch_calls_nobody_twice_and_forgets_nobody(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 60)
    pbx = exchanges(_slowly)
    chance = random.Random(6)
    jobs, kills, unknown = 4, 0, 0
    for _ in range(5):
        before = len(pbx.requests)
        process = alovoice.start(*OUT, "--jobs", str(jobs))
        target = before + chance.randrange(0, 9)
        pbx.wait_for_more_than(target, [process])
        process.kill()
        kills += 1
        _settles(process)
    done = alovoice(*OUT, "--jobs", str(jobs))
    unknown = sum(outcome == "unknown" for outcome in outcomes_of(done))
    counts = pbx.calls
    assert max(counts.values()) == 1, "somebody was called twice"
    shown = json.loads(alovoice("call", "batches", "show", name_of_batch(alovoice), "--json").out)
    by_number = {row["numbers"][0].removeprefix("998"): row["outcome"] for row in shown}
    assert set(by_number.values()) <= {"done", "unknown"}
    assert all(number in counts or by_number[number] == "unknown" for number in called), "somebody was forgotten"
    assert unknown <= jobs * kills
    assert done.code == (6 if unknown else 0)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_ends_at_any_step_leaves_its_row_in_order(
    alovoice: FrontDoor, exchanges: Any, step: str
) -> None:
    called = write_list(alovoice.home, 4)
    pbx = exchanges(None)
    crash = Path(__file__).parents[1] / "batch_crash.py"
    died = alovoice.run_shell([sys.executable, str(crash), step, "2", *OUT])
    assert died.returncode == 9, died.stderr
    again = alovoice(*OUT)
    outcomes = outcomes_of(again)
    # What the ledger knows for certain is believed; where it knows nothing, the row is unknown.
    is_unknown = step in ("after the intent", "after the ledger's intent", "as it leaves", "after the answer")
    assert (again.code, outcomes.count("unknown")) == ((6, 1) if is_unknown else (0, 0)), again.err
    assert max(pbx.calls.values()) == 1
    assert len(pbx.calls) >= 4 - is_unknown
    assert set(pbx.calls) <= set(called)


@FILES_ONLY
@needs_strace
def test_journal_and_ledger_are_on_the_disk_before_a_rows_connection_is_opened(
    alovoice: FrontDoor, pbx: Exchange
) -> None:
    called = write_list(alovoice.home, 5)
    trace = alovoice.home / "trace"
    done = alovoice.run_shell(traced(trace, [*OUT]))
    assert done.returncode == 0, done.stderr
    assert synced_before_each_connection(trace) == [{"journal", "ledger"}] * len(called)


@FILES_ONLY
def test_a_disk_that_fills_up_in_mid_batch_stops_it_and_calls_nobody_twice(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 60)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000));"
    code = f"import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); {limit}"
    code += "from alovoice_cli.__main__ import main; sys.argv = ['alovoice', *sys.argv[1:]]; main()"
    full = alovoice.run_shell([sys.executable, "-c", code, *OUT, "--jobs", "2"])
    assert full.returncode in (6, 7), full.stderr
    assert 0 < len(pbx.requests) < 60
    again = alovoice(*OUT)
    unknown = outcomes_of(again).count("unknown")
    assert unknown <= 2
    assert max(pbx.calls.values()) == 1
    assert len(pbx.calls) >= 60 - unknown
    assert set(pbx.calls) <= set(called)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_the_rows_in_flight_finish(
    alovoice: FrontDoor, exchanges: Any, number: int, code: int
) -> None:
    called = write_list(alovoice.home, 40)
    held = HeldAnswers(4)
    pbx = exchanges(held)
    process = alovoice.start(*OUT, "--jobs", "2")
    pbx.wait_for_more_than(4)
    process.send_signal(number)
    held.release()
    _settles(process)
    assert process.returncode == code
    states = [
        row["outcome"] for row in json.loads(alovoice("call", "batches", "show", name_of_batch(alovoice), "--json").out)
    ]
    assert set(states) == {"done", "pending"}
    assert states.count("done") == len(pbx.requests) < 40
    pbx._answer = slowly(0)
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def test_the_second_signal_ends_it_at_once_and_rows_in_flight_are_unknown(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 9)
    pbx = exchanges(lambda connection, seen: connection.hang())
    process = alovoice.start(*OUT, "--jobs", "3")
    wait_until(lambda: len(pbx.requests) == 3, "three requests")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _settles(process)
    assert process.returncode == 6
    states = [
        row["outcome"] for row in json.loads(alovoice("call", "batches", "show", name_of_batch(alovoice), "--json").out)
    ]
    assert (states.count("unknown"), states.count("pending")) == (3, 6)


def test_of_several_starts_at_once_one_runs(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 12)
    pbx = exchanges(slowly(0.1))
    processes = [alovoice.start(*OUT) for _ in range(4)]
    outs = [process.communicate(timeout=60) for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes == [0, 2, 2, 2], outs
    assert all(b"by process" in err for process, (_, err) in zip(processes, outs, strict=True) if process.returncode)
    assert pbx.calls == dict.fromkeys(called, 1)


def test_a_reader_that_leaves_stops_the_batch_in_order(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 60)
    pbx = exchanges(_slowly)
    line = '("$0" -m alovoice_cli "$@" -q; echo "code $?" >&2) | head -1'
    done = alovoice.run_shell(["sh", "-c", line, sys.executable, *OUT])
    assert done.stderr == b"code 141\n"
    assert json.loads(done.stdout)["outcome"] == "done"
    assert len(pbx.requests) < 60
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def test_a_full_disk_under_the_output_stops_the_batch_and_is_no_2(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 5)
    done = alovoice.run_shell(["sh", "-c", '"$0" -m alovoice_cli "$@" >/dev/full', sys.executable, *OUT])
    assert done.returncode == 7, done.stderr
    assert b"No space left" in done.stderr
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)
