"""What stops a batch: before its first row, at a limit, or by failures."""

import json
import time
from typing import Any

import pytest
from batch_server import (
    OUT,
    Exchange,
    outcomes_of,
    rows_of,
    unanswered,
    write_list,
)
from front_door import FrontDoor
from raw_server import Connection, Seen

pytestmark = pytest.mark.usefixtures("profile_store")


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
    assert [row["row"] for row in rows_of(result)] == [1, 3]
    bad = alovoice(*words, stdin='{"number": 901234567}\n{"number": 1.5}\n')
    assert (bad.code, len(pbx.requests)) == (8, 2)
    assert "row 2" in bad.err


def test_a_dry_run_prints_what_would_go_and_leaves_no_trace(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 3)
    result = alovoice(*OUT, "--dry-run", "--json")
    assert (result.code, pbx.connections) == (0, 0)
    assert [row["body"]["number"] for row in rows_of(result)] == ["901000000", "901000001", "901000002"]
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
        assert alovoice(*unanswered(OUT), terminal=True, stdin=wrong).code == 2
    assert pbx.connections == 0
    alovoice("call", "out", "--inner-phone", "2424", "--number", "901000001")
    right = alovoice(*unanswered(OUT), terminal=True, stdin="3\n")
    assert right.code == 0
    assert "3 people on PBX default; called in the last 7 days: 1" in right.err
    assert len(pbx.requests) == 4


def test_yes_is_not_enough_for_many(alovoice: FrontDoor, pbx: Exchange) -> None:
    alovoice("config", "set", "confirm_above", "4")
    write_list(alovoice.home, 5)
    for words in (unanswered(OUT), OUT):
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
    assert (result.code, outcomes_of(result)) == (1, ["refused", "refused"])
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
    assert (result.code, outcomes_of(result)) == (5, ["unsent"] * 3)
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
    assert (result.code, outcomes_of(result)) == (7, ["refused", "done", "done"])
    assert moments[1] - moments[0] >= 1
    assert alovoice(*OUT, "--retry-refused").code == 0
