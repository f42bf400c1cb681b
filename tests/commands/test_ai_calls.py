"""`ai send --since`: which calls of the event store are analysed; which ids are refused; whose talk it was."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from event_rows import Rows
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer
from speech_cases import VENDOR, kept

from alovoice_cli.stores.event_engine import open_event_store, opened, writing

HOUR = 3600


class Pbx:
    """Counts the analyses that were asked for, and answers each with its own id; results are the vendor's."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.read: list[str] = []
        self.status = "200 OK"

    def __call__(self, connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            verb, call_id = seen.target.split("/")[1], seen.target.rsplit("/", 1)[1]
            (self.asked if verb == "callsendai" else self.read).append(call_id)
            answer = {"answer": {"aicallid": f"a-{call_id}"}} if verb == "callsendai" else VENDOR
            connection.answer(self.status, json.dumps(answer).encode())


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Pbx]:
    pbx = Pbx()
    server = RawServer([pbx])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield pbx
    server.stop()


def _call(rows: Rows, own: str, link: str, *, ago: float = HOUR, seconds: int = 60, **more: Any) -> str:
    """A finished call that was answered with the id `own`, with this link to its recording."""
    at = time.time() - ago
    start = {"inner_phone": 101, "number": "+998901234567", "line": "712037006", "type": "inc", "start_time": int(at)}
    headers = more.pop("headers", ())
    rows.deliver("callstart", at, start | more, call_id=own, answer={"id": own}, headers=headers)
    end = {"call_id": own, "finish_time": int(at) + seconds, "duration": seconds, "status_code": 200, "record": link}
    rows.deliver("callend", at + seconds, end, headers=headers)
    return own


def _link(pbx_id: object) -> str:
    return f"https://cld.alovoice.uz/stereo/{pbx_id}"


def _send(alovoice: FrontDoor, *words: str) -> Result:
    return alovoice("ai", "send", "--since", "2d", *words)


def test_finished_calls_are_sent_by_the_pbx_id_in_the_link_to_their_recording(
    alovoice: FrontDoor, pbx: Pbx, rows: Rows
) -> None:
    _call(rows, "4711", _link(533), ago=3 * HOUR)
    _call(rows, "4712", _link(534))
    result = _send(alovoice, "--yes")
    assert result.code == 0, result.err
    assert pbx.asked == ["533", "534"]
    told = [json.loads(line) for line in result.out.splitlines()]
    assert [(row["call_id"], row["outcome"]) for row in told] == [("533", "done"), ("534", "done")]


def test_a_call_is_paid_for_once_however_often_it_is_found(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "a", _link(1))
    assert alovoice("ai", "send", "1").code == 0
    kept(alovoice, "default").keep("2", VENDOR)  # its analysis was started elsewhere
    _call(rows, "b", _link(2))
    _call(rows, "c", _link(3))
    _call(rows, "d", _link(3), inner_phone=102)  # the other part of the same call
    for _ in "ab":
        result = _send(alovoice, "--yes")
        assert result.code == 0, result.err
    assert pbx.asked == ["1", "3"]
    assert "calls with a recording: 4, to analyse: 0; left out: sent or stored before: 3" in result.err
    assert _send(alovoice, "--yes", "--again", "--limit", "1").code == 0
    assert pbx.asked == ["1", "3", "3"]


def test_only_what_is_wanted_is_sent(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "short", _link(1), seconds=19)
    _call(rows, "right", _link(2), seconds=20)
    _call(rows, "other", _link(3), inner_phone=102)
    _call(rows, "older", _link(4), ago=90 * HOUR)
    _call(rows, "line", _link(5), line="712037007")
    words = ("--min-duration", "20s", "--peer", "101", "--line", "71 203-70-06", "--yes")
    assert _send(alovoice, *words).code == 0
    assert pbx.asked == ["2"]
    assert alovoice("ai", "send", "--since", "all", "--until", "2d", "--yes").code == 0
    assert pbx.asked == ["2", "4"]


def test_trials_imports_open_calls_and_links_without_an_id_are_left_out_with_the_reason(
    alovoice: FrontDoor, pbx: Pbx, rows: Rows
) -> None:
    _call(rows, "trial", _link(1), headers=(("x-alovoice-trial", "1"),))
    _call(rows, "hash", "https://cld.alovoice.uz/play/123458fba81bfa19c254df73b07123123")
    _call(rows, "phone", "https://cld.alovoice.uz/rec/901234567")
    _call(rows, "moved", _link(2))
    now = time.time()
    rows.deliver("callend", now, {"call_id": "orphan", "status_code": 200, "duration": 60, "record": _link(3)})
    with opened(rows.url) as connection, writing(connection):
        moved = "(SELECT start_seq FROM call WHERE call_id = 'moved')"
        connection.execute(f"UPDATE delivery SET imported = 1 WHERE seq = {moved}")
    result = _send(alovoice, "--yes")
    assert (result.code, pbx.asked) == (0, []), result.err
    for reason in (
        "the recording: 2",
        "includes them): 1",
        "without a start or an end: 1",
        "calls with a recording: 4",
    ):
        assert reason in result.err
    assert _send(alovoice, "--yes", "--with-imported").code == 0
    assert pbx.asked == ["2"]


def test_the_latest_calls_fit_a_limit_and_a_budget_stops_all(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    for number in range(1, 5):
        _call(rows, f"c{number}", _link(number), ago=(9 - number) * HOUR)
    result = _send(alovoice, "--yes", "--limit", "2")
    assert pbx.asked == ["3", "4"]
    assert "earlier than the latest 2 (--limit): 2" in result.err
    assert _send(alovoice, "--yes", "--budget", "3").code == 8
    alovoice("config", "set", "ai_budget_per_day", "3")
    assert _send(alovoice, "--yes").code == 8
    assert pbx.asked == ["3", "4"]
    assert _send(alovoice, "--yes", "--limit", "1").code == 0
    assert pbx.asked == ["3", "4", "2"]


def test_it_asks_with_the_number_before_it_costs(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "a", _link(1))
    _call(rows, "b", _link(2))
    nobody = _send(alovoice)
    assert (nobody.code, pbx.asked) == (2, [])
    assert "--yes" in nobody.err
    assert _send(alovoice, "--confirm", "3").code == 8
    assert _send(alovoice, "--dry-run").code == 0
    assert pbx.asked == []
    assert _send(alovoice, "--confirm", "2").code == 0
    assert pbx.asked == ["1", "2"]


def test_after_a_stop_the_same_line_and_the_batch_go_on(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    for number in range(1, 5):
        _call(rows, f"c{number}", _link(number), ago=(9 - number) * HOUR)
    pbx.status = "400 Bad Request"
    stopped = _send(alovoice, "--yes", "--stop-after-failures", "1")
    assert (stopped.code, pbx.asked) == (1, ["1"]), stopped.err
    pbx.status = "200 OK"
    assert _send(alovoice, "--yes", "--limit", "2").code == 0
    (name, *_) = [
        one["name"] for one in json.loads(alovoice("call", "batches", "list", "--json").out) if one["pending"]
    ]
    assert alovoice("call", "batches", "resume", name).code in (0, 1)
    assert pbx.asked == ["1", "3", "4", "2"]


def test_a_later_selection_sends_nothing_twice(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    for number in range(1, 4):
        _call(rows, f"c{number}", _link(number), ago=(9 - number) * HOUR)
    assert _send(alovoice, "--yes", "--limit", "1").code == 0
    _call(rows, "c4", _link(4), ago=60)
    assert _send(alovoice, "--yes", "--report", "sent.csv").code == 0
    assert sorted(pbx.asked) == ["1", "2", "3", "4"]
    report = (alovoice.home / "sent.csv").read_text("utf-8").splitlines()
    assert report[0].startswith("call_id,event_call_id,began,number,line,peer,direction,duration,outcome")
    assert [line.split(",")[:2] for line in report[1:]] == [["1", "c1"], ["2", "c2"], ["4", "c4"]]


def test_options_that_choose_calls_need_since_and_no_ids(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    for words in (("--peer", "101"), ("1", "--limit", "3"), ("--since", "1d", "1"), ("--since", "1d", "--batch", "x")):
        assert alovoice("ai", "send", *words).code == 2
    for words in (("--min-duration", "yo'q"), ("--until", "9d"), ("--peer", "")):
        assert _send(alovoice, *words, "--yes").code == 2
    assert pbx.asked == []


def test_without_a_listener_there_is_no_call_to_find(alovoice: FrontDoor, pbx: Pbx) -> None:
    result = _send(alovoice, "--yes")
    assert (result.code, pbx.asked) == (2, [])
    assert "alovoice listen" in result.err


# --- ids that are not the PBX's


def test_an_id_that_is_not_the_pbx_s_is_refused_with_the_right_one(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "4711", _link(533))
    _call(rows, "Ғ-1", "")
    for words in (("4711",), ("1", "4711"), ("e-none", "Ғ-1"), ("4711", "--again"), ("4711", "--dry-run")):
        result = alovoice("ai", "send", *words)
        assert (result.code, result.out, pbx.asked) == (2, "", []), words
    assert "the PBX's id is 533" in alovoice("ai", "send", "4711").err
    assert "events show" in alovoice("ai", "send", "Ғ-1").err
    (alovoice.home / "calls.csv").write_text("call_id\n1\n4711\n", "utf-8")
    assert alovoice("ai", "send", "--batch", "calls.csv", "--yes").code == 8
    assert pbx.asked == []


def test_the_ids_of_a_list_too_are_checked_by_the_store_that_is_named(
    alovoice: FrontDoor, pbx: Pbx, rows: Rows
) -> None:
    _call(rows, "4711", _link(533))
    assert alovoice("config", "set", "store", f"sqlite:///{alovoice.home / 'other.db'}").code == 0
    (alovoice.home / "calls.csv").write_text("call_id\n4711\n", "utf-8")
    for words, code in ((("4711",), 2), (("--batch", "calls.csv", "--yes"), 8)):
        refused = alovoice("ai", "send", *words, "--store", rows.url)
        assert (refused.code, pbx.asked) == (code, [])
        assert "the PBX's id is 533" in refused.err


def test_the_id_of_an_event_and_an_extid_of_ours_are_refused_too(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "4711", _link(533))
    end = json.loads(alovoice("events", "list", "--type", "callend", "--json").out)[0]["id"]
    rows.deliver("result", time.time() - 60, {"id": 81, "externalid": "900", "to_number": "901234567"})
    assert "the PBX's id is 533" in alovoice("ai", "send", end).err
    assert "the PBX's id is 81" in alovoice("ai", "send", "900").err
    assert pbx.asked == []


def test_an_id_that_the_pbx_gave_to_another_call_is_the_pbx_s(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "17", _link(533))  # a CRM that counts its own calls
    _call(rows, "18", _link(17))
    rows.deliver("result", time.time() - 60, {"id": 18, "to_number": "901234567"})
    assert alovoice("ai", "send", "17", "18", "999").code == 0
    assert pbx.asked == ["17", "18", "999"]


def test_reading_names_the_right_id_and_asks_for_others_anyway(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "4711", _link(533))
    _call(rows, "4712", "")
    result = alovoice("ai", "result", "4711")
    assert (result.code, pbx.read) == (2, [])
    assert "533" in result.err
    assert alovoice("ai", "result", "4712").code == 0
    assert pbx.read == ["4712"]


# --- whose talk it was


def test_the_operator_is_the_call_s_and_not_who_is_typed(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "533", _link(17), inner_phone=102)  # its own id is the PBX's id of the next one
    _call(rows, "4711", _link(533), inner_phone=103)
    assert alovoice("ai", "result", "533", "--peer", "999").code == 0
    assert alovoice("ai", "result", "7", "--peer", "999").code == 0
    listed = {row["call_id"]: row for row in json.loads(alovoice("ai", "list", "--json").out)}
    assert (listed["533"]["peer"], listed["7"]["peer"]) == ("103", "999")
    call = {name: listed["533"][name] for name in ("number", "direction", "duration", "event_call_id")}
    assert call == {"number": "998901234567", "direction": "inc", "duration": 60, "event_call_id": "4711"}
    assert listed["7"]["number"] is None
    started = json.loads(alovoice("events", "show", "4711", "--json").out)["call"]["started_at"]
    assert listed["533"]["begun_at"] == started


def test_a_call_that_becomes_known_later_gives_its_operator_to_every_figure(
    alovoice: FrontDoor, pbx: Pbx, rows: Rows
) -> None:
    assert alovoice("ai", "result", "533").code == 0
    assert json.loads(alovoice("ai", "list", "--json").out)[0]["peer"] is None
    _call(rows, "4711", _link(533), inner_phone=103)
    groups = json.loads(alovoice("ai", "report", "--by", "operator", "--json").out)["groups"]
    assert [group["group"] for group in groups] == ["103"]
    listed = alovoice("ai", "list", "--peer", "103", "--since", "2h", "--json")  # the call's time, too
    assert [row["call_id"] for row in json.loads(listed.out)] == ["533"]
    assert {row["peer"] for row in json.loads(alovoice("ai", "grep", "assalomu", "--json").out)} == {"103"}


def test_extensions_bear_their_names_where_these_are_known(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    (alovoice.home / "names.csv").write_text("extension,name\n103,Anvar Қодиров\n", "utf-8")
    alovoice("config", "set", "peer_names", str(alovoice.home / "names.csv"))
    _call(rows, "4711", _link(533), inner_phone=103)
    assert alovoice("ai", "result", "533").code == 0
    for words in (("list",), ("grep", "assalomu", "--columns", "peer"), ("report", "--by", "operator")):
        assert "103 Anvar Қодиров" in alovoice("ai", *words).out, words
    (row,) = json.loads(alovoice("ai", "list", "--json").out)
    assert (row["peer"], row["peer_name"]) == ("103", "Anvar Қодиров")


def test_a_call_is_shown_by_the_pbx_id_too_and_every_list_names_each_id(
    alovoice: FrontDoor, pbx: Pbx, rows: Rows
) -> None:
    _call(rows, "4711", _link(533))
    shown = json.loads(alovoice("events", "show", "533", "--json").out)["call"]
    assert [shown[name] for name in ("event_call_id", "pbx_call_id", "crm_call_id")] == ["4711", "533", "4711"]
    out = alovoice("events", "list", "--columns", "type,event_call_id,pbx_call_id,crm_call_id").out
    assert out.splitlines()[1:] == ["callend\t4711\t533\t4711", "callstart\t4711\t533\t4711"]
    for where in ("pbx_call_id = 533", "event_call_id = 4711"):
        assert len(json.loads(alovoice("events", "list", "--where", where, "--json").out)) == 2
    refused = alovoice("events", "list", "--where", "call_id = 533")
    assert (refused.code, "event_call_id" in refused.err, "pbx_call_id" in refused.err) == (2, True, True)


def test_a_store_of_an_older_version_gets_the_pbx_ids_of_its_calls(alovoice: FrontDoor, pbx: Pbx, rows: Rows) -> None:
    _call(rows, "4711", _link(533))
    _call(rows, "4712", "https://cld.alovoice.uz/play/123458fba81bfa19c254df73b07123123")
    rows.deliver("result", time.time() - 60, {"id": 81, "to_number": "901234567"})
    with opened(rows.url) as connection, writing(connection):
        connection.execute("DROP INDEX call_by_pbx_id")
        for table in ("fact", "call"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN pbx_call_id")
        connection.execute("UPDATE schema_version SET version = 3")
    open_event_store(rows.url).close()  # as a listener does; a reader may change a file alone
    out = alovoice("events", "list", "--columns", "type,pbx_call_id").out.splitlines()[1:]
    assert sorted(out) == ["callend\t", "callend\t533", "callstart\t", "callstart\t533", "result\t81"]
    assert _send(alovoice, "--yes").code == 0
    assert pbx.asked == ["533"]
