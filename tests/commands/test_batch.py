"""Many calls through the front door: each exactly once, whatever happens in between."""

import csv
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from batch_crash import STEPS
from batch_server import FILES_ONLY, OUT, Exchange, HeldAnswers, point_at, slowly, write_list
from batch_trace import synced_before_each_connection, traced
from front_door import FrontDoor, Result
from machine import needs_strace
from raw_server import Connection, Seen
from waiting import wait_until

pytestmark = pytest.mark.usefixtures("profile_store")

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Exchange]:
    server = Exchange()
    point_at(alovoice, server)
    yield server
    server.stop()


@pytest.fixture
def exchanges(alovoice: FrontDoor) -> Iterator[Any]:
    """Makes PBXs that answer in a way of their own."""
    made: list[Exchange] = []

    def make(answer: Any) -> Exchange:
        made.append(Exchange(answer))
        point_at(alovoice, made[-1])
        return made[-1]

    yield make
    for server in made:
        server.stop()


def _rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.out.splitlines()]


def _outcomes(result: Result) -> list[str]:
    return [row["outcome"] for row in _rows(result)]


def _unanswered(words: Sequence[str]) -> list[str]:
    """The words for a terminal, where somebody answers."""
    return [word for word in words if word != "--yes"]


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
    rows = sorted(_rows(result), key=lambda row: row["row"])
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


def _drops_every(number: str) -> Any:
    def answer(connection: Connection, seen: Seen) -> None:
        if number not in seen.body.decode():
            connection.answer("200 OK", b"true")

    return answer


def test_a_lost_answer_is_told_each_time_and_never_redialled(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 4)
    pbx = exchanges(_drops_every(called[2]))
    first = alovoice(*OUT)
    assert (first.code, sorted(_outcomes(first))) == (6, ["done", "done", "done", "unknown"])
    for more in ((), ("--retry-refused",), ("--yes",)):
        again = alovoice(*OUT, *more)
        assert (again.code, _outcomes(again)) == (6, ["unknown"])
    assert alovoice(*OUT, "--resend-unknown").code == 2
    assert pbx.calls == dict.fromkeys(called, 1)


def test_an_unknown_row_goes_again_only_by_a_risk_taken_for_it(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 3)
    pbx = exchanges(_drops_every(called[1]))
    assert alovoice(*OUT).code == 6
    words = (*OUT, "--resend-unknown", "--accept-risk")
    assert alovoice(*words).code == 2, "nobody is there to answer, and no batch is named"
    without = alovoice(*OUT, "--resend-unknown", "--yes", terminal=True, stdin="y\n3\n")
    assert without.code == 2, "the risk was not accepted"
    named = ("call", "batches", "resume", _name(alovoice), "--night-ok", "--resend-unknown")
    assert alovoice(*named, "--yes").code == 2, "nor by a script that names the batch"
    assert alovoice(*words, "--yes", terminal=True, stdin="n\n").code == 6
    assert len(pbx.requests) == 3
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    agreed = alovoice(*_unanswered(words), terminal=True, stdin="y\n3\n")
    assert agreed.code == 0, agreed.err
    assert pbx.calls == {called[0]: 1, called[1]: 2, called[2]: 1}
    (row,) = [
        row
        for row in json.loads(alovoice("call", "batches", "show", _name(alovoice), "--json").out)
        if row["attempts"] == 2
    ]
    assert (row["outcome"], row["numbers"]) == ("done", ["998" + called[1]])


def _name(alovoice: FrontDoor) -> str:
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    return str(batch["name"])


def test_a_start_anew_asks_and_keeps_the_old_journal(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    assert alovoice(*OUT).code == 0
    assert alovoice(*OUT, "--restart").code == 2
    assert alovoice(*_unanswered(OUT), "--restart", terminal=True, stdin="n\n").code == 2
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
    unknown = sum(outcome == "unknown" for outcome in _outcomes(done))
    counts = pbx.calls
    assert max(counts.values()) == 1, "somebody was called twice"
    shown = json.loads(alovoice("call", "batches", "show", _name(alovoice), "--json").out)
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
    outcomes = _outcomes(again)
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
    unknown = _outcomes(again).count("unknown")
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
    states = [row["outcome"] for row in json.loads(alovoice("call", "batches", "show", _name(alovoice), "--json").out)]
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
    states = [row["outcome"] for row in json.loads(alovoice("call", "batches", "show", _name(alovoice), "--json").out)]
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


# --- what stops it before the first ----------------------------------------------------------------------------------


def test_every_row_is_checked_before_the_first_is_sent(alovoice: FrontDoor, pbx: Exchange) -> None:
    rows = "Имя;Телефон\nАли;901234567\nВали;12\nҒани;901234569\nҚодир;9О123456\n"
    (alovoice.home / "clients.csv").write_text(rows, "utf-8")
    result = alovoice(*OUT)
    assert (result.code, result.out, pbx.connections) == (8, "", 0)
    assert "clients.csv, row 3, column 2 (Телефон)" in result.err
    assert "row 5" in result.err


def test_a_number_that_excel_has_rounded_is_a_bad_file(alovoice: FrontDoor, pbx: Exchange) -> None:
    (alovoice.home / "clients.csv").write_text("Телефон\n901234567\n9.98901E+11\n", "utf-8")
    result = alovoice(*OUT)
    assert (result.code, pbx.connections) == (8, 0)
    assert "row 3" in result.err


def test_a_column_that_is_not_there_is_named(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 1)
    result = alovoice("call", "out", "--batch", "clients.csv", "--inner-phone", "2424")
    assert (result.code, pbx.connections) == (8, 0)
    assert "Телефон · Имя" in result.err
    assert "--map number=COLUMN" in result.err


def test_json_lines_on_stdin_are_rows_too(alovoice: FrontDoor, pbx: Exchange) -> None:
    lines = '{"number": 901234567, "call_id": "a1"}\n\n{"number": "+998 90 123 45 68", "inner_phone": "7"}\n'
    words = ("call", "out", "--batch", "-", "--inner-phone", "2424", "--night-ok", "--yes")
    result = alovoice(*words, stdin=lines)
    assert result.code == 0, result.err
    assert json.loads(pbx.requests[0].body) == {
        "call_id": "a1",
        "inner_phone": 2424,
        "number": "901234567",
    }
    assert json.loads(pbx.requests[1].body)["number"] == "+998901234568"
    assert [row["row"] for row in _rows(result)] == [1, 3]
    bad = alovoice(*words, stdin='{"number": 901234567}\n{"number": 1.5}\n')
    assert (bad.code, len(pbx.requests)) == (8, 2)
    assert "row 2" in bad.err


def test_a_dry_run_prints_what_would_go_and_leaves_no_trace(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    result = alovoice(*OUT, "--dry-run", "--json")
    assert (result.code, pbx.connections) == (0, 0)
    assert [row["body"]["number"] for row in _rows(result)] == ["901000000", "901000001", "901000002"]
    assert not (alovoice.home / "state" / "batches").exists()


def test_a_report_that_could_not_be_written_is_said_before_the_first_row(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    for place in ("clients.csv", "nosuch/report.csv", "."):
        assert alovoice(*OUT, "--report", place).code == 2
    assert pbx.connections == 0
    assert "Телефон" in (alovoice.home / "clients.csv").read_text("utf-8")


def test_a_profile_that_must_be_named_is_asked_for_before_the_first_row(alovoice: FrontDoor, pbx: Exchange) -> None:
    alovoice("config", "set", "require_profile", "true")
    write_list(alovoice.home, 2)
    result = alovoice(*OUT)
    assert (result.code, result.out, pbx.connections) == (2, "", 0)
    assert alovoice(*OUT, "-p", "default").code == 0


def test_a_list_of_that_name_whose_rows_still_wait_is_not_forgotten(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 4)
    pbx = exchanges(lambda connection, seen: connection.answer("200 OK", b"false"))
    assert alovoice(*OUT, "--stop-after-failures", "1").code == 1
    (alovoice.home / "clients.csv").write_text("Телефон\n935550000\n", "utf-8")
    refused = alovoice(*OUT)
    assert (refused.code, len(pbx.requests)) == (2, 1)
    assert alovoice(*OUT, "--journal", "tomorrow").code == 1
    assert [json.loads(seen.body)["number"] for seen in pbx.requests[1:]] == ["935550000"]


# --- agreeing --------------------------------------------------------------------------------------------------------


def test_a_list_that_has_grown_by_one_opens_no_socket(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 6)
    result = alovoice(*OUT, "--confirm", "5", "--yes")
    assert (result.code, pbx.connections) == (8, 0)
    assert "6 people" in result.err
    assert alovoice(*OUT, "--confirm", "6").code == 0
    assert alovoice(*OUT, "--confirm", "6").code == 0, "the same line again: the number is of the list, not of the rest"


def test_on_a_terminal_the_number_itself_is_asked_for(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    for wrong in ("", "y\n", "4\n"):
        assert alovoice(*_unanswered(OUT), terminal=True, stdin=wrong).code == 2
    assert pbx.connections == 0
    alovoice("call", "out", "--inner-phone", "2424", "--number", "901000001")
    right = alovoice(*_unanswered(OUT), terminal=True, stdin="3\n")
    assert right.code == 0
    assert "3 people on PBX default; called in the last 7 days: 1" in right.err
    assert len(pbx.requests) == 4


def test_yes_is_not_enough_for_many(alovoice: FrontDoor, pbx: Exchange) -> None:
    alovoice("config", "set", "confirm_above", "4")
    write_list(alovoice.home, 5)
    for words in (_unanswered(OUT), OUT):
        result = alovoice(*words)
        assert (result.code, pbx.connections) == (8, 0)
        assert "--confirm 5" in result.err
    assert alovoice(*OUT, "--yes", terminal=True, stdin="5\n").code == 0


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "value"), [("max_calls_per_run", "2"), ("max_calls_per_day", "2"), ("allowed_prefixes", "99891")]
)
def test_what_is_beyond_a_limit_stops_before_the_first(
    alovoice: FrontDoor, pbx: Exchange, limit: str, value: str
) -> None:
    alovoice("config", "set", limit, value)
    write_list(alovoice.home, 3)
    result = alovoice(*OUT)
    assert (result.code, pbx.connections) == (8, 0)
    assert limit in result.err or "prefixes 99891" in result.err
    assert alovoice(*OUT, "--override-limit", limit).code == 0
    assert len(pbx.requests) == 3


def test_the_day_is_counted_over_all_commands(alovoice: FrontDoor, pbx: Exchange) -> None:
    alovoice("config", "set", "max_calls_per_day", "3")
    one = ("call", "out", "--inner-phone", "2424", "--number", "901234567")
    assert alovoice(*one).code == 0
    write_list(alovoice.home, 2)
    assert alovoice(*OUT).code == 0
    refused = alovoice(*one)
    assert (refused.code, len(pbx.requests)) == (8, 3)
    assert "max_calls_per_day" in refused.err
    alovoice.later(hours=25)
    assert alovoice(*one).code == 0


def test_readonly_refuses_whatever_has_an_effect(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    (alovoice.home / "calls.csv").write_text("call_id\n1\n", "utf-8")
    alovoice.environ["ALOVOICE_READONLY"] = "1"
    for words in (OUT, ("call", "out", "--from", "1", "--to", "901234567"), ("ai", "send", "1")):
        result = alovoice(*words)
        assert (result.code, pbx.connections) == (2, 0)
        assert "ALOVOICE_READONLY" in result.err
    assert alovoice("ai", "send", "--batch", "calls.csv").code == 2
    assert alovoice(*OUT, "--dry-run").code == 0
    assert pbx.connections == 0


def test_the_quiet_hours_want_a_word(alovoice: FrontDoor, pbx: Exchange) -> None:
    alovoice("config", "set", "quiet_hours", "00:00-23:59")
    write_list(alovoice.home, 1)
    words = [word for word in OUT if word != "--night-ok"]
    if time.gmtime().tm_min != 59:
        result = alovoice(*words)
        assert (result.code, pbx.connections) == (8, 0)
        assert "--night-ok" in result.err
    assert alovoice(*OUT).code == 0


# --- failures --------------------------------------------------------------------------------------------------------


def test_so_many_failures_stop_it_and_refused_rows_go_again_only_when_asked(
    alovoice: FrontDoor, exchanges: Any
) -> None:
    write_list(alovoice.home, 6)
    pbx = exchanges(lambda connection, seen: connection.answer("200 OK", b"false"))
    result = alovoice(*OUT, "--stop-after-failures", "2")
    assert (result.code, _outcomes(result)) == (1, ["refused", "refused"])
    assert "4 rows were not sent" in result.err
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    assert alovoice(*OUT).code == 1
    assert len(pbx.requests) == 6
    assert alovoice(*OUT, "--retry-refused").code == 0
    assert len(pbx.requests) == 8


def test_a_refused_token_stops_it_and_a_new_one_goes_on(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 3)
    pbx = exchanges(lambda connection, seen: connection.answer("401 Unauthorized"))
    result = alovoice(*OUT)
    assert (result.code, len(pbx.requests)) == (3, 1)
    pbx.requests.clear()
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def test_a_pbx_that_is_not_reached_stops_it_and_all_of_it_goes_later(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 9)
    result = alovoice(*OUT, "--timeout", "0.4", "--base-url", "http://127.0.0.1:9")
    assert (result.code, _outcomes(result)) == (5, ["unsent"] * 3)
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def test_too_many_requests_pause_the_batch_as_long_as_the_pbx_asks(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 3)
    moments: list[float] = []

    def answer(connection: Connection, seen: Seen) -> None:
        moments.append(time.monotonic())
        if len(moments) == 1:
            connection.answer("429 Too Many Requests", b"", "Retry-After: 1")
        else:
            connection.answer("200 OK", b"true")

    exchanges(answer)
    result = alovoice(*OUT)
    assert (result.code, _outcomes(result)) == (7, ["refused", "done", "done"])
    assert moments[1] - moments[0] >= 1
    assert alovoice(*OUT, "--retry-refused").code == 0


# --- what is left behind ---------------------------------------------------------------------------------------------


def test_the_report_keeps_the_operators_columns(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 3)
    exchanges(
        lambda connection, seen: connection.answer("200 OK", b"false" if called[1] in seen.body.decode() else b"true")
    )
    assert alovoice(*OUT, "--report", "report.csv").code == 1
    with (alovoice.home / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Телефон"], row["Имя"], row["outcome"]) for row in rows] == [
        (called[0], "Клиент 0", "done"),
        (called[1], "Клиент 1", "refused"),
        (called[2], "Клиент 2", "done"),
    ]
    assert (alovoice.home / "report.csv").stat().st_mode & 0o777 == 0o600


def test_a_batch_resumes_by_its_name_without_its_list(alovoice: FrontDoor, exchanges: Any) -> None:
    called = write_list(alovoice.home, 5)
    pbx = exchanges(lambda connection, seen: connection.answer("200 OK", b"false"))
    assert alovoice(*OUT, "--stop-after-failures", "1").code == 1
    (alovoice.home / "clients.csv").unlink()
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    name = _name(alovoice)
    assert alovoice("call", "batches", "resume", name, "--night-ok", "--retry-refused", "--confirm", "5").code == 0
    assert {json.loads(seen.body)["inner_phone"] for seen in pbx.requests} == {2424}
    assert set(pbx.calls) == set(called)
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    assert (batch["rows"], batch["done"], batch["source"]) == (5, 5, str(alovoice.home / "clients.csv"))


def test_a_batch_resumes_on_the_pbx_of_its_beginning(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 3)
    theirs = exchanges(lambda connection, seen: connection.answer("200 OK", b"false"))
    for variable in ("ALOVOICE_BASE_URL", "ALOVOICE_TOKEN"):
        alovoice.environ.pop(variable)
    alovoice("config", "set", "base_url", theirs.url, "-p", "tashkent")
    alovoice("login", "--with-token", "--no-check", "-p", "tashkent", stdin="token-1234\n")
    if alovoice.server_store:
        alovoice("config", "set", "store", alovoice.server_store, "-p", "tashkent")
    assert alovoice(*OUT, "-p", "tashkent", "--stop-after-failures", "1").code == 1
    resumed = alovoice("call", "batches", "resume", _name(alovoice), "--night-ok", "--yes")
    assert (resumed.code, len(theirs.requests)) == (1, 3), resumed.err


def test_a_batch_that_is_not_over_is_forgotten_only_at_a_risk(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 2)
    exchanges(_drops_every("9"))
    assert alovoice(*OUT, "--timeout", "2").code == 6
    name = _name(alovoice)
    assert alovoice("call", "batches", "forget", name).code == 2
    assert alovoice("call", "batches", "forget", name, "--accept-risk").code == 0
    assert json.loads(alovoice("call", "batches", "list", "--json").out) == []


@FILES_ONLY
def test_the_journal_is_private_and_holds_no_token(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    os.umask(0)
    try:
        assert alovoice(*OUT).code == 0
    finally:
        os.umask(0o022)
    kept = [path for path in (alovoice.home / "state").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert not any(alovoice.environ["ALOVOICE_TOKEN"].encode() in path.read_bytes() for path in kept)


@FILES_ONLY
def test_a_damaged_journal_refuses_rather_than_call_again(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 30)
    assert alovoice(*OUT).code == 0
    (path,) = (alovoice.home / "state" / "batches").glob("*.db")
    whole = path.read_bytes()
    chance = random.Random(6)
    for _ in range(20):
        place = chance.randrange(len(whole))
        damage = bytes(chance.randrange(256) for _ in range(chance.choice((1, 64, 1024))))
        path.write_bytes((whole[:place] + damage + whole[place + len(damage) :])[: len(whole)])
        for rest in ("-wal", "-shm"):
            Path(f"{path}{rest}").unlink(missing_ok=True)
        result = alovoice(*OUT)
        assert len(pbx.requests) == 30, f"called again after damage at {place}"
        assert result.code in (0, 2), result.err


@FILES_ONLY
def test_a_journal_that_was_emptied_is_no_new_one(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    assert alovoice(*OUT).code == 0
    (path,) = (alovoice.home / "state" / "batches").glob("*.db")
    path.write_bytes(b"")
    result = alovoice(*OUT)
    assert (result.code, len(pbx.requests)) == (2, 3)
    assert "damaged" in result.err


@FILES_ONLY
def test_a_journal_put_back_from_a_copy_is_caught_by_the_ledger(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 4)
    pbx = exchanges(lambda connection, seen: connection.answer("200 OK", b"false"))
    assert alovoice(*OUT, "--stop-after-failures", "1").code == 1
    (path,) = (alovoice.home / "state" / "batches").glob("*.db")
    copy = path.read_bytes()
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    assert alovoice(*OUT).code == 1
    path.write_bytes(copy)
    result = alovoice(*OUT)
    assert (result.code, len(pbx.requests)) == (2, 4)
    assert "has lost records" in result.err


@FILES_ONLY
def test_another_batchs_journal_in_the_place_of_one_calls_nobody_twice(alovoice: FrontDoor, exchanges: Any) -> None:
    pbx = exchanges(
        lambda connection, seen: connection.answer("200 OK", b"false" if b"934567890" in seen.body else b"true")
    )
    lists = {"first": (901234567, 901234568), "second": (934567890, 901234569)}
    for name, numbers in lists.items():
        (alovoice.home / f"{name}.csv").write_text("\n".join(["number", *map(str, numbers)]), "utf-8")

    def send(name: str) -> Result:
        words = ("--inner-phone", "2424", "--stop-after-failures", "1", "--night-ok", "--yes")
        return alovoice("call", "out", "--batch", f"{name}.csv", *words)

    assert [send(name).code for name in lists] == [0, 1]
    first, second = sorted((alovoice.home / "state" / "batches").glob("*.db"))
    first.write_bytes(second.read_bytes())
    # Whoever resumes the first sends what the second had left; the ledger knows it when the second is resumed.
    told = [alovoice("call", "batches", "resume", path.stem, "--night-ok", "--yes") for path in (first, second)]
    assert "has lost records" in told[1].err
    assert [send(name).code for name in lists] == [told[1].code] * 2 == [2, 2]
    sent = [number for number in sum(lists.values(), ()) for seen in pbx.requests if str(number).encode() in seen.body]
    assert sorted(sent) == sorted(sum(lists.values(), ()))


# --- the other verbs -------------------------------------------------------------------------------------------------


def test_voice_menus_and_conferences_are_sent_as_their_single_commands_send_them(
    alovoice: FrontDoor, pbx: Exchange
) -> None:
    (alovoice.home / "menus.csv").write_text("Кому;Язык;extid\n901234567;uz;77\n+998901234568;;\n", "utf-8")
    words = ("call", "ivr", "--batch", "menus.csv", "--map", "to=Кому", "--map", "lang=Язык", "--ivrid", "222")
    assert alovoice(*words, "--fromline", "712037006", "--night-ok", "--yes").code == 0
    first, second = (json.loads(seen.body) for seen in pbx.requests)
    line = {"ivrid": 222, "fromline": 712037006}
    assert first == {"callto": "901234567", "lang": "uz", "extid": "77", **line}
    assert second == {"callto": "+998901234568", "extid": second["extid"], **line}
    assert second["extid"].isdigit()
    pbx.requests.clear()
    lines = '{"to": ["994412860:ru", "977076909:uz"], "extid": "5"}\n{"queue": 6000, "extid": "6"}\n'
    from_line = ("call", "conference", "--batch", "-", "--from", "712037006:ru", "--night-ok", "--yes")
    assert alovoice(*from_line, stdin=lines).code == 0
    first, second = (json.loads(seen.body) for seen in pbx.requests)
    assert first["callto"] == [{"phone": "994412860", "lang": "ru"}, {"phone": "977076909", "lang": "uz"}]
    assert first["callfrom"] == second["callfrom"] == {"phone": "712037006", "lang": "ru"}
    assert second["callto"] == [{"queue": "6000"}]


@pytest.fixture
def analyst(exchanges: Any) -> Exchange:
    def answer(connection: Connection, seen: Seen) -> None:
        call_id = seen.target.rpartition("/")[2]
        ready: dict[str, object] = {} if call_id == "3" else {"stalk": []}
        body = json.dumps({"answer": {"aicallid": f"a{call_id}", **ready}}).encode()
        connection.answer("200 OK", body, "Content-Type: application/json")

    made: Exchange = exchanges(answer)
    return made


def test_analyses_are_asked_for_once_whichever_way_they_were_asked_for(alovoice: FrontDoor, analyst: Exchange) -> None:
    (alovoice.home / "calls.csv").write_text("Id\n1\n2\n3\n2\n", "utf-8")
    assert alovoice("ai", "send", "2").code == 0
    words = ("ai", "send", "--batch", "calls.csv", "--map", "call_id=Id", "--jobs", "2")
    result = alovoice(*words)
    assert result.code == 0, result.err
    assert sorted((row["row"], row["outcome"]) for row in _rows(result)) == [(2, "done"), (3, "done"), (4, "done")]
    assert sorted(seen.target.rpartition("/")[2] for seen in analyst.requests) == ["1", "2", "3"]
    assert alovoice(*words).code == 0
    assert alovoice("ai", "send", "1", "3").code == 0
    assert len(analyst.requests) == 3


def test_the_days_budget_of_analyses_is_kept(alovoice: FrontDoor, analyst: Exchange) -> None:
    (alovoice.home / "calls.csv").write_text("call_id\n1\n2\n3\n", "utf-8")
    alovoice("config", "set", "ai_budget_per_day", "2")
    refused = alovoice("ai", "send", "--batch", "calls.csv")
    assert (refused.code, analyst.connections) == (8, 0)
    assert "ai_budget_per_day" in refused.err
    assert alovoice("ai", "send", "1", "2").code == 0
    assert alovoice("ai", "send", "3").code == 8
    assert len(analyst.requests) == 2


def test_results_are_fetched_by_the_list_and_those_not_ready_are_9(alovoice: FrontDoor, analyst: Exchange) -> None:
    (alovoice.home / "calls.csv").write_text("call_id\n1\n2\n3\n", "utf-8")
    words = ("ai", "result", "--batch", "calls.csv", "--jobs", "2")
    for asked in (3, 6):
        result = alovoice(*words)
        assert result.code == 9, result.err
        told = {
            row["row"]: (row["outcome"], (row["answer"] or {}).get("answer", {}).get("aicallid"))
            for row in _rows(result)
        }
        assert told == {2: ("done", "a1"), 3: ("done", "a2"), 4: ("refused", None)}
        assert len(analyst.requests) == asked, "reading again repeats nothing"
    assert not (alovoice.home / "state" / "batches").exists()
    assert [row["call_id"] for row in json.loads(alovoice("ai", "list", "--json").out)] != []


def test_a_single_call_takes_no_words_of_a_batch(alovoice: FrontDoor, pbx: Exchange) -> None:
    one = ("call", "out", "--from", "2424", "--to", "901234567")
    for words in (("--rate", "10/m"), ("--changed-ok",), ("--confirm", "1"), ("--journal", "x")):
        result = alovoice(*one, *words)
        assert (result.code, pbx.connections) == (2, 0)
        assert "needs --batch" in result.err
    assert alovoice("call", "out", "--from", "2424").code == 2
    assert alovoice("ai", "send", "1", "--batch", "x.csv").code == 2
    assert "--report" in alovoice("ai", "send", "--batch", "x.csv", "--csv").err


def test_a_campaign_of_another_size_than_confirmed_is_not_created(alovoice: FrontDoor, pbx: Exchange) -> None:
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    (alovoice.home / "people.csv").write_text("901234567\n901234568\n", "utf-8")
    words = (
        *("autorule", "create", "--record", "a.mp3", "--recipients", "people.csv", "--name", "n", "--from", "tomorrow"),
        *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", "--night-ok"),
    )
    result = alovoice(*words, "--confirm", "3", "--yes")
    assert (result.code, pbx.connections) == (8, 0), result.err
    assert "reaches 2 people, and --confirm says 3" in result.err
    assert alovoice("-p", "sandbox", *words[:-2], "all", "--night-ok", "--confirm", "2").code == 0


def test_a_limit_that_there_is_not_is_named_before_the_first(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 1)
    result = alovoice(*OUT, "--override-limit", "max_cals_per_run")
    assert (result.code, pbx.connections) == (2, 0)
    assert "max_cals_per_run" in result.err
    assert "max_calls_per_run" in result.err
