"""The same people and the same rows again: a person is called once by a batch, and the same rows once in 24 hours."""

import json
import shutil
import signal
from datetime import datetime, timedelta, timezone

import pytest
from batch_server import (
    FILES_ONLY,
    OUT,
    Exchange,
    HeldAnswers,
    lose_journals,
    move_journals,
    point_at,
    rows_of,
    slowly,
    write_list,
)
from front_door import FrontDoor, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_server import Connection, Seen
from strength import examples

from alovoice_cli.phones import canonical

pytestmark = pytest.mark.usefixtures("profile_store")

PEOPLE = ("901234567", "931112233", "977076909")
SPELLINGS = (
    *("{0}", "998{0}", "+998{0}", "00998{0}", "8{0}", "p:+998{0}", "тел. {0}", "{0} (Али)", "{0}.0", "tel:+998{0}"),
    *("+998 {1} {2}-{3}-{4}", "8 ({1}) {2} {3} {4}", "'{1} {2}{3}{4}", "Anvar <{1}-{2}-{3}{4}>"),
)
THREE_SPELLINGS = "Телефон;Имя\n901234567;Али\n+998 90 123-45-67;Вали\n8 90 123 45 67;Ғани\n931112233;Қодир\n"


def _states(result: Result) -> list[str]:
    return [row["outcome"] for row in sorted(rows_of(result), key=lambda row: row["row"])]


def _write(alovoice: FrontDoor, text: str, name: str = "clients.csv") -> None:
    (alovoice.home / name).write_text(text, "utf-8")


def _other(name: str) -> tuple[str, ...]:
    return tuple(name if word == "clients.csv" else word for word in OUT)


# --- one person once -------------------------------------------------------------------------------------------------


def test_a_person_in_three_spellings_is_rung_once_and_the_other_rows_are_told(
    alovoice: FrontDoor, pbx: Exchange
) -> None:
    _write(alovoice, THREE_SPELLINGS)
    result = alovoice(*OUT, "--report", "report.csv", "--confirm", "2")
    assert result.code == 0, result.err
    assert pbx.calls == {"901234567": 1, "931112233": 1}
    assert _states(result) == ["done", "duplicate", "duplicate", "done"]
    assert {row["problem"] for row in rows_of(result) if row["outcome"] == "duplicate"} == {
        "calls the same person as row 2"
    }
    assert "2 rows are duplicate and not sent, rows 3 and 4" in result.err
    assert "4 rows: 2 done, 2 duplicate" in result.err
    assert (alovoice.home / "report.csv").read_text("utf-8").count("duplicate") == 2
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    assert (batch["duplicate"], batch["left_out"], batch["rows"]) == (2, 2, 4)
    shown = json.loads(alovoice("call", "batches", "show", batch["name"], "--state", "duplicate", "--json").out)
    assert [row["row"] for row in shown] == [3, 4]


def _spelled(form: str, number: str) -> str:
    return form.format(number, number[:2], number[2:5], number[5:7], number[7:])


@FILES_ONLY
@settings(examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SPELLINGS)), min_size=1, max_size=9))
def test_however_few_people_are_spelled_each_is_rung_once_and_every_row_is_accounted_for(
    alovoice: FrontDoor, pbx: Exchange, rows: list[tuple[str, str]]
) -> None:
    shutil.rmtree(alovoice.home / "state", ignore_errors=True)
    pbx.requests.clear()
    _write(alovoice, "\n".join(["Телефон;Имя", *(_spelled(form, number) + ";Али" for number, form in rows), ""]))
    people = {number for number, _ in rows}
    result = alovoice(*OUT, "--jobs", "3", "--confirm", str(len(people)))
    assert result.code == 0, result.err
    assert {canonical(number): times for number, times in pbx.calls.items()} == {f"998{who}": 1 for who in people}
    firsts = [number not in [other for other, _ in rows[:at]] for at, (number, _) in enumerate(rows)]
    assert _states(result) == ["done" if is_first else "duplicate" for is_first in firsts]


def test_the_same_line_and_a_resumption_leave_duplicates_where_they_are(alovoice: FrontDoor, pbx: Exchange) -> None:
    _write(alovoice, THREE_SPELLINGS)
    assert alovoice(*OUT).code == 0
    assert _states(alovoice(*OUT)) == ["duplicate", "duplicate"]
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    assert alovoice("call", "batches", "resume", batch["name"], "--night-ok").code == 0
    assert len(pbx.requests) == 2


def test_each_row_says_that_every_row_is_meant_also_afterwards(alovoice: FrontDoor, pbx: Exchange) -> None:
    _write(alovoice, THREE_SPELLINGS)
    assert alovoice(*OUT).code == 0
    assert alovoice(*OUT, "--each-row").code == 0
    assert sum(pbx.calls.values()) == 4
    (row,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    assert (row["done"], row["duplicate"]) == (4, 0)


def test_a_changed_list_rings_nobody_again_whom_the_batch_has_rung(alovoice: FrontDoor, pbx: Exchange) -> None:
    _write(alovoice, "number,user_id\n901234567,1\n977076909,1\n")
    words = ("call", "out", "--batch", "clients.csv", "--inner-phone", "2424", "--night-ok", "--yes")
    assert alovoice(*words).code == 0
    _write(alovoice, "number,user_id\n901234567,2\n931112233,2\n977076909,1\n")
    changed = alovoice(*words, "--changed-ok")
    assert (changed.code, _states(changed)) == (0, ["duplicate", "done"]), changed.err
    assert set(pbx.calls.values()) == {1}


def test_whoever_waits_alone_is_not_a_duplicate_of_a_row_that_is_gone(alovoice: FrontDoor) -> None:
    pbx = Exchange(lambda connection, seen: connection.answer("200 OK", b"false"))
    point_at(alovoice, pbx)
    words = ("call", "out", "--batch", "clients.csv", "--inner-phone", "2424", "--night-ok", "--yes")
    _write(alovoice, "number,user_id\n931112233,1\n901234567,1\n901234567,2\n")
    assert alovoice(*words, "--stop-after-failures", "1").code == 1
    _write(alovoice, "number,user_id\n931112233,1\n901234567,2\n")
    alovoice(*words, "--changed-ok")
    pbx.stop()
    assert pbx.calls == {"931112233": 1, "901234567": 1}


def test_conferences_of_the_same_people_are_duplicates_whoever_is_rung_first(alovoice: FrontDoor) -> None:
    rows = [
        {"callfrom": "901234567", "callto": ["931112233:ru", "977076909"]},
        {"callfrom": "93 111 22 33", "callto": ["+998977076909", "901234567"]},
        {"callfrom": "901234567", "callto": ["931112233"]},
    ]
    words = ("-p", "sandbox", "call", "conference", "--batch", "-", "--night-ok", "--yes")
    result = alovoice(*words, stdin="\n".join(map(json.dumps, rows)))
    assert [row["outcome"] for row in rows_of(result)].count("duplicate") == 1
    assert "row 2" in result.err


# --- the same rows within 24 hours -----------------------------------------------------------------------------------


def test_a_copy_of_the_list_is_refused_and_names_the_earlier_batch(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 3)
    assert alovoice(*OUT).code == 0
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    head, *rows = (alovoice.home / "clients.csv").read_text("utf-8").splitlines()
    _write(alovoice, "\n".join([head, *reversed(rows), ""]), "copy.csv")
    for words in (_other("copy.csv"), (*OUT, "--journal", "tomorrow"), (*_other("copy.csv"), "--dry-run")):
        refused = alovoice(*words)
        assert (refused.code, refused.out) == (8, "")
        assert batch["name"] in refused.err
        begun = datetime.fromisoformat(batch["created_at"]).astimezone(timezone(timedelta(hours=5)))
        assert f"{begun:%Y-%m-%d %H:%M} (utc +5)" in refused.err
    assert pbx.calls == dict.fromkeys(called, 1)
    assert len(json.loads(alovoice("call", "batches", "list", "--json").out)) == 1
    assert alovoice(*_other("copy.csv"), "--allow-duplicate").code == 0
    assert pbx.calls == dict.fromkeys(called, 2)


def test_a_day_later_the_same_rows_may_go_again(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 2)
    write_list(alovoice.home, 2, "copy.csv")
    assert alovoice(*OUT).code == 0
    alovoice.later(hours=23)
    assert alovoice(*_other("copy.csv")).code == 8
    alovoice.later(hours=2)
    assert alovoice(*_other("copy.csv")).code == 0
    assert pbx.calls == dict.fromkeys(called, 2)


def test_of_two_copies_that_start_at_once_one_goes(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 5)
    write_list(alovoice.home, 5, "copy.csv")
    processes = [alovoice.start(*words) for words in (OUT, _other("copy.csv"))]
    for process in processes:
        process.communicate(timeout=60)
    assert sorted(process.returncode for process in processes) == [0, 8]
    assert pbx.calls == dict.fromkeys(called, 1)


def test_a_batch_of_which_nothing_went_stands_in_nobodys_way(alovoice: FrontDoor) -> None:
    pbx = Exchange(lambda connection, seen: connection.answer("401 Unauthorized", b""))
    point_at(alovoice, pbx)
    called = write_list(alovoice.home, 2)
    write_list(alovoice.home, 2, "copy.csv")
    assert alovoice(*OUT).code == 3
    pbx._answer = lambda connection, seen: connection.answer("200 OK", b"true")
    done = alovoice(*_other("copy.csv"))
    pbx.stop()
    assert done.code == 0, done.err
    assert set(pbx.calls) == set(called)


def test_of_a_list_that_is_mostly_the_same_only_the_new_rows_go(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 9)
    called = write_list(alovoice.home, 10, "grown.csv")
    assert alovoice(*OUT).code == 0
    grown = alovoice(*_other("grown.csv"))
    assert (grown.code, _states(grown)) == (0, ["sent_before"] * 9 + ["done"]), grown.err
    assert "9 rows are not sent again" in grown.err
    assert pbx.calls == dict.fromkeys(called, 1)
    again = alovoice(*_other("grown.csv"), "--accept-risk")
    assert (again.code, pbx.calls[called[0]], pbx.calls[called[9]]) == (0, 2, 1), again.err


# --- the journal is lost ---------------------------------------------------------------------------------------------


def test_a_journal_deleted_between_two_runs_calls_nobody_again(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 4)
    assert alovoice(*OUT).code == 0
    lose_journals(alovoice)
    again = alovoice(*OUT)
    assert (again.code, again.out) == (8, "")
    assert "all 4 rows of this list were sent within 24 hours" in again.err
    assert pbx.calls == dict.fromkeys(called, 1)
    assert alovoice(*OUT, "--accept-risk").code == 0
    assert pbx.calls == dict.fromkeys(called, 2)


def test_a_lost_row_stays_unknown_when_its_journal_is_lost(alovoice: FrontDoor) -> None:
    called = write_list(alovoice.home, 3)

    def answer(connection: Connection, seen: Seen) -> None:
        if called[1] not in seen.body.decode():
            connection.answer("200 OK", b"true")

    pbx = Exchange(answer)
    point_at(alovoice, pbx)
    assert alovoice(*OUT).code == 6
    lose_journals(alovoice)
    for _ in range(2):
        again = alovoice(*OUT)
        assert (again.code, _states(again)) == (6, ["sent_before"] * 3), again.err
    pbx.stop()
    assert pbx.calls == dict.fromkeys(called, 1)


@pytest.mark.parametrize("way", ["deleted", "moved"])
def test_a_batch_whose_journal_loses_its_name_stops_and_the_next_calls_the_others(
    alovoice: FrontDoor, way: str
) -> None:
    called = write_list(alovoice.home, 40)
    held = HeldAnswers(4)
    pbx = Exchange(held)
    point_at(alovoice, pbx)
    process = alovoice.start(*OUT, "--jobs", "2", "--report", "report.csv")
    pbx.wait_for_more_than(4)
    if way == "deleted":
        lose_journals(alovoice)
    else:
        move_journals(alovoice)
    held.release()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, len(pbx.requests) < 40) == (7, True), err
    pbx._answer = slowly(0)
    assert b"was deleted or moved while the batch runs" in err
    assert len((alovoice.home / "report.csv").read_text("utf-8").splitlines()) == 41
    assert alovoice(*OUT, "--jobs", "2").code == 0
    pbx.stop()
    assert pbx.calls == dict.fromkeys(called, 1)


# --- a closed terminal -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_batch_that_is_hung_up_time_and_again_leaves_no_row_unknown(alovoice: FrontDoor) -> None:
    called = write_list(alovoice.home, 60)
    pbx = Exchange()
    point_at(alovoice, pbx)
    for _ in range(3):
        before = len(pbx.requests)
        pbx._answer = held = HeldAnswers(2)
        process = alovoice.start(*OUT, "--jobs", "2")
        pbx.wait_for_more_than(before + 2)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)  # as the shell and the system both do
        held.release()
        process.communicate(timeout=60)
        assert process.returncode == 143
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    assert (batch["unknown"], batch["unsent"], batch["done"]) == (0, 0, len(pbx.requests))
    pbx.stop()
    assert set(pbx.calls) <= set(called)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_nohup_lets_a_batch_go_on_when_the_terminal_closes(alovoice: FrontDoor) -> None:
    called = write_list(alovoice.home, 12)
    pbx = Exchange(slowly(0.02))
    point_at(alovoice, pbx)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which a child inherits: that is all that nohup does
    try:
        process = alovoice.start(*OUT)
    finally:
        signal.signal(signal.SIGHUP, before)
    pbx.wait_for_more_than(2)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    pbx.stop()
    assert (process.returncode, pbx.calls) == (0, dict.fromkeys(called, 1))
