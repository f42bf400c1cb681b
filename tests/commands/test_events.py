"""`events list`, `show`, `export` and `prune`, through the front door."""

import csv
import io
import json
import re
import shutil
import subprocess

import pytest
from event_output import events_json, tsv_rows
from event_rows import Rows, ago
from front_door import FrontDoor

IDS = ("event_call_id", "pbx_call_id", "crm_call_id")


def test_a_home_where_nobody_listened_says_so(alovoice: FrontDoor) -> None:
    for verb in (["list"], ["stats"], ["missed"], ["gaps"], ["export"], ["tail"], ["show", "e1"]):
        result = alovoice("events", *verb)
        assert (result.code, result.out) == (2, "")
        assert "alovoice listen" in result.err


def test_a_profiles_events_are_its_own_and_the_flag_names_another_store(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=5))
    other = Rows(alovoice.home / "state" / "events-sandbox.db")
    other.call(ago(minutes=5), "712345678")
    assert {event["event_call_id"] for event in events_json(alovoice, "list")} == {"call-1"}
    assert events_json(alovoice, "list", "-p", "sandbox")[1]["body"]["number"] == "712345678"
    assert events_json(alovoice, "list", "--store", str(other.path)) == events_json(alovoice, "list", "-p", "sandbox")
    assert events_json(alovoice, "list", "--store", other.url) == events_json(alovoice, "list", "-p", "sandbox")
    assert alovoice("events", "list", "--store", "mysql://x/y").code == 2


def test_an_export_takes_the_global_words_for_lists(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=5), "901234567", status="200")
    plain = alovoice("events", "export", "--csv")
    assert alovoice("events", "export", "--csv").out == plain.out
    named = alovoice("events", "export", "--columns", "type,number")
    assert [json.loads(line) for line in named.out.splitlines()] == [
        {"type": "callstart", "number": "998901234567"},
        {"type": "callend", "number": "998901234567"},
    ]
    masked = alovoice("events", "export", "--columns", "number,body", "--csv", "--mask-numbers").out
    assert "901234567" not in masked
    assert alovoice("events", "export", "--columns", "nosuch").code == 2


def test_a_list_is_the_latest_first_and_says_what_it_left_out(alovoice: FrontDoor, rows: Rows) -> None:
    for number in range(3):
        rows.call(ago(minutes=30 - number), f"90123456{number}", status="603-S", duration=5)
    rows.listened((ago(hours=2), ago(seconds=1), False))
    result = alovoice("events", "list", "--limit", "2")
    assert [row["said"] for row in tsv_rows(result.out)] == ["603-S 5s", "inbound"]
    assert [row["number"] for row in tsv_rows(result.out)] == ["998901234562"] * 2
    assert "only the latest 2 are shown; --limit 0 shows all" in result.err
    assert re.fullmatch(r"note: events from .*\d\d:\d\d", result.err.splitlines()[-1])
    assert len(events_json(alovoice, "list", "--limit", "0")) == 6
    assert "latest" not in alovoice("events", "list", "--limit", "6").err


def test_json_is_what_came_with_the_same_keys_for_each_event(alovoice: FrontDoor, rows: Rows) -> None:
    rows.deliver("callend", 1745571727.25, {"call_id": 17, "record": "https://x/?a=1", "later": [1, {"b": None}]})
    rows.deliver("result", 1745571728, b"no \x1b[31m json")
    kept = {"step": {"action_type": "queue", "action_data": "6000"}, "why": "night"}
    rows.deliver("route", 1745571729, {"from_number": "1"}, answer=kept, rule="night")
    route, unread, end = events_json(alovoice, "list", "--since", "all")
    assert list(end) == ["id", "seq", "type", "received_at", "call_id", *IDS, "duplicate_of", "body"]
    assert (end["received_at"], end["event_call_id"]) == ("2025-04-25T09:02:07.250000Z", "17")
    assert end["body"] == {"call_id": 17, "record": "https://x/?a=1", "later": [1, {"b": None}]}
    assert unread["body"] == "no \x1b[31m json"
    assert (route["answer"], route["rule"]) == (kept, "night")
    assert tsv_rows(alovoice("events", "list", "--type", "route").out)[0]["said"] == "queue 6000 by night"
    (step,) = tsv_rows(alovoice("events", "show", "e3").out)
    assert step["detail"] == "from 1, answered: queue 6000, by rule night"
    assert "\x1b" not in alovoice("events", "list", "--columns", "problem,when").out


def test_filters_and_the_condition_find_what_they_name(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(hours=3), "901234567", status="486", duration=2, line="712037006", peer=101)
    rows.call(ago(minutes=9), "901234568", status="486", duration=60, line="712037007", peer=102)

    def found(*words: str) -> list[int]:
        return sorted(event["seq"] for event in events_json(alovoice, "list", *words))

    assert found("--where", "status = 486 and duration < 5") == [2]
    assert found("--number", "90 123 45 67") == found("--line", "712037006") == found("--peer", "101") == [1, 2]
    assert found("--since", "1h") == [3, 4]
    assert found("--until", "1h") == [1, 2]
    assert found("--status", "486", "--type", "callend") == [2, 4]
    assert found("--where", "not number ~ 4567") == [3, 4]
    wrong = alovoice("events", "list", "--where", "status = 486 an duration < 5")
    assert (wrong.code, wrong.out) == (2, "")
    assert "column 14" in wrong.err
    assert "             ^" in wrong.err


def test_no_condition_becomes_sql(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=9))
    for text in (
        "status = 'x'' or 1=1'",
        'event_call_id = "\'; DROP TABLE call; --"',
        "event_call_id ~ '%'",
        "number = 'a\\' or 1'",
    ):
        result = alovoice("events", "list", "--where", text, "--json")
        assert result.out in ("[]\n", ""), text
    assert len(events_json(alovoice, "list")) == 2


def test_a_list_of_many_begins_before_it_has_been_read(alovoice: FrontDoor, rows: Rows) -> None:
    one = rows.deliver("callend", ago(minutes=9), {"call_id": "x" * 100})
    rows.store([one.__class__(one.delivery.__class__(f"e{n}", "callend", 0, b"{}"), digest="d") for n in range(4000)])
    with alovoice.start("events", "list", "--limit", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"event\t")
        process.stdout.close()
        assert process.wait(60) == 0
        assert b"error" not in process.stderr.read()


def test_show_joins_what_shares_an_id_whichever_is_named(alovoice: FrontDoor, rows: Rows) -> None:
    alovoice.share_store("sandbox")
    assert alovoice("call", "out", "--from", "2424", "--to", "901234567", "-p", "sandbox").code == 0
    (receipt,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    at = ago(seconds=-1)
    call = rows.call(at, direction="out", status="200", duration=7, call_id="01CALL")
    result = {"id": call, "externalid": receipt["our_id"], "dialstatus": "ANSWER", "to_number": "901234567"}
    rows.deliver("result", at + 9, result)
    rows.call(at, "901111111", call_id="another")
    shown = events_json(alovoice, "show", "e1")
    assert [event["type"] for event in shown["events"]] == ["callstart", "callend", "result"]
    assert [one["receipt"] for one in shown["receipts"]] == [receipt["receipt"]]
    assert (shown["call"]["status"], shown["call"]["number"]) == ("200", "998901234567")
    for name in ("01CALL", receipt["our_id"], receipt["receipt"], receipt["receipt"].lower(), shown["events"][1]["id"]):
        assert events_json(alovoice, "show", name) == shown | {"id": name}
    lines = tsv_rows(alovoice("events", "show", "01CALL").out)
    assert [line["what"] for line in lines] == ["request", "callstart", "callend", "result"]
    assert lines[2]["detail"].startswith("200 answered, 7 s")
    for nobody in ("nosuch", "e99", "e99999999999999999999", "\udcff", "a\0b", "R-ZZZZ", ""):
        missing = alovoice("events", "show", nobody)
        assert (missing.code, missing.out) == (2, "")
        assert "error in alovoice" not in missing.err


def test_a_result_is_shown_with_the_call_that_began_as_it_says_and_not_with_one_of_the_same_id(
    alovoice: FrontDoor, rows: Rows
) -> None:
    at = int(ago(minutes=9))
    rows.call(at - 3600, "901111111", call_id="7")
    rows.call(at, "994412860", direction="out", call_id="own")
    result = {"id": 7, "from_number": "2424", "to_number": "994412860", "trunk_number": 712037006, "begin_time": at}
    rows.deliver("result", at + 70, result | {"externalid": 55, "dialstatus": "ANSWER"})
    for name in ("own", "e5", "55"):
        shown = events_json(alovoice, "show", name)
        assert [event["seq"] for event in shown["events"]] == [3, 4, 5]
        assert shown["call"]["event_call_id"] == "own"
    shown = events_json(alovoice, "show", "e1")
    assert [event["seq"] for event in shown["events"]] == [1, 2]
    assert (shown["call"]["result_seq"], shown["call"]["external_id"]) == (None, None)


def test_one_delivery_of_two_results_does_not_make_one_call_of_two(alovoice: FrontDoor, rows: Rows) -> None:
    at = int(ago(minutes=9))
    results = []
    for place, number in enumerate(("901111111", "902222222")):
        rows.call(at, number, direction="out", call_id=f"own-{place}")
        result = {"id": place, "to_number": number, "trunk_number": 712037006, "begin_time": at, "duration": place}
        results.append({**result, "externalid": 50 + place, "dialstatus": "ANSWER"})
    rows.deliver("result", at + 70, results)
    rows.deliver("result", at + 80, {"id": 1, "externalid": 77, "to_number": "903333333"})  # a PBX that began anew
    for name, seqs in (("own-0", [1, 2, 5]), ("50", [1, 2, 5]), ("own-1", [3, 4, 5]), ("51", [3, 4, 5]), ("77", [6])):
        assert [event["seq"] for event in events_json(alovoice, "show", name)["events"]] == seqs
    assert tsv_rows(alovoice("events", "show", "own-1").out)[-1]["detail"] == "ANSWER, 1 s, to 998902222222"


def test_a_text_in_place_of_a_number_is_found_by_option_and_condition_alike(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=5), "anonymous", line="Қўнғироқ", status=None)
    rows.call(ago(minutes=4), "901234567", status=None)
    for words in (("--number", "anonymous"), ("--line", "Қўнғироқ"), ("--number", "anonymous,1")):
        option = events_json(alovoice, "list", *words)
        assert [event["seq"] for event in option] == [1]
    assert events_json(alovoice, "list", "--where", "number = anonymous and line = Қўнғироқ") == option


def test_an_export_is_every_event_the_oldest_first(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=9), "+998901234567")
    rows.deliver("probe", ago(minutes=8), {"nonce": "n"})
    rows.deliver("result", ago(minutes=7), [{"id": 1, "dialstatus": "=1+1"}, {"id": 2, "dialstatus": "BUSY"}])
    lines = alovoice("events", "export").out.splitlines()
    assert [json.loads(line) for line in lines] == events_json(alovoice, "list")[::-1]
    assert [json.loads(line)["seq"] for line in alovoice("events", "export", "--limit", "2").out.splitlines()] == [2, 4]
    table = list(csv.DictReader(io.StringIO(alovoice("events", "export", "--csv").out)))
    assert [row["seq"] for row in table] == ["1", "2", "4", "4"]
    assert [row["status"] for row in table[2:]] == ["'=1+1", "BUSY"]
    assert json.loads(table[0]["body"])["number"] == "+998901234567"
    assert table[1]["number"] == "998901234567"


def test_plus_numbers_survive_a_round_trip_through_csv(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=9), call_id="+998901234567")
    rows.call(ago(minutes=8), call_id="+cmd|' /C calc'!A0")
    table = list(csv.DictReader(io.StringIO(alovoice("events", "export", "--csv").out)))
    assert {row["event_call_id"] for row in table} == {"+998901234567", "'+cmd|' /C calc'!A0"}


@pytest.mark.parametrize("form", [(), ("--csv",)])
def test_an_export_can_go_without_peoples_numbers(alovoice: FrontDoor, rows: Rows, form: tuple[str, ...]) -> None:
    rows.call(ago(minutes=9), "+998901234567", line="712037006")
    rows.call(ago(minutes=8), "901234567")
    rows.deliver("callend", ago(minutes=7), b"number=901234567&call_id=\xff")
    out = alovoice("events", "export", "--mask-numbers", *form).out
    assert "1234567" not in out
    assert "712037006" in out
    assert len(set(re.findall(r"99890•{5}67~[0-9a-f]{6}", out))) == 1


def test_export_names_the_options_that_took_the_place_of_format(alovoice: FrontDoor) -> None:
    refused = alovoice("events", "export", "--format", "csv")
    assert (refused.code, "--csv" in refused.err) == (2, True)


def test_prune_deletes_what_is_older_and_says_how_much(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(days=100))
    rows.call(ago(days=1), call_id="young")
    seen = events_json(alovoice, "prune", "--older-than", "90d", "--dry-run")
    assert (seen["events"], seen["calls"], seen["deleted"]) == (2, 1, False)
    assert len(events_json(alovoice, "list")) == 4
    asked = alovoice("events", "prune", "--older-than", "90d", stdin="n\n", terminal=True)
    assert (asked.code, len(events_json(alovoice, "list"))) == (2, 4)
    silent = alovoice("events", "prune", "--older-than", "90d")
    assert (silent.code, "--yes" in silent.err, len(events_json(alovoice, "list"))) == (2, True, 4)
    done = events_json(alovoice, "prune", "--older-than", "90d", "--yes")
    assert (done["events"], done["calls"], done["deleted"]) == (2, 1, True)
    assert {event["event_call_id"] for event in events_json(alovoice, "list")} == {"young"}
    for span in ("90", "5m", "soon", "999999w"):
        assert alovoice("events", "prune", "--older-than", span).code == 2


def test_a_damaged_store_is_named(alovoice: FrontDoor) -> None:
    path = Rows(alovoice.store_url).path
    path.with_name("events.db-wal").unlink(missing_ok=True)
    path.write_bytes(b"no database at all" * 1000)
    result = alovoice("events", "list")
    assert result.code == 2
    assert "damaged" in result.err


def test_a_list_that_is_wide_for_the_terminal_stands_closer_and_breaks_no_number(
    alovoice: FrontDoor, rows: Rows
) -> None:
    rows.call(ago(days=3), status="603-S", duration=125)
    text = alovoice("events", "list", "--color", "never", terminal=True).out
    start, end = text.splitlines()[-1], text.splitlines()[-2]
    assert start.split()[0] == "e1"
    assert end.split()[3:] == ["callend", "998901234567", "998712037006", "101", "hung", "up", "125s"]
    assert max(map(len, text.splitlines())) <= 80


TWO_RESULTS = [
    {"id": 81, "to_number": "998901234567", "dialstatus": "BUSY"},
    {"id": 82, "to_number": "998931112233", "dialstatus": "NO ANSWER"},
]


def test_of_several_results_in_a_delivery_the_one_that_matched_is_shown(alovoice: FrontDoor, rows: Rows) -> None:
    rows.deliver("result", ago(minutes=5), TWO_RESULTS)
    for words, number, call_id in (
        (("--number", "93 111-22-33"), "998931112233", "82"),
        (("--where", "status = BUSY"), "998901234567", "81"),
        (("--where", "pbx_call_id = 82"), "998931112233", "82"),
    ):
        (row,) = tsv_rows(alovoice("events", "list", *words).out)
        assert row["number"] == number
        (event,) = events_json(alovoice, "list", *words)
        assert (event["pbx_call_id"], event["event_call_id"], event["body"]) == (call_id, None, TWO_RESULTS)
        assert json.loads(alovoice("events", "tail", *words).out)["pbx_call_id"] == call_id
        (line,) = csv.DictReader(io.StringIO(alovoice("events", "export", "--csv", *words).out))
        assert line["number"] == number
    assert len(list(csv.DictReader(io.StringIO(alovoice("events", "export", "--csv").out)))) == 2


def test_half_a_surrogate_pair_breaks_no_reader_of_json(alovoice: FrontDoor, rows: Rows) -> None:
    half = '{"inner_phone":2000,"number":"+998901130004\\ud83d","k\\ude00":"a","type":"inc","start_time":1}'
    event = rows.deliver("callstart", ago(minutes=5), half.encode())
    rows.deliver("callend", ago(minutes=4), '{"call_id": "\\udfff", "record": "ok 😀"}'.encode())
    rows.deliver("callend", ago(minutes=3), b'{"broken \xed\xa0\xbd')
    for words in (["list"], ["show", event.delivery.id], ["tail"], ["export"], ["export", "--mask-numbers"]):
        for encoding in ("utf-8", "ascii"):
            result = alovoice("events", *words, "--json", encoding=encoding)
            assert result.code == 0, result.err
            texts = result.out.splitlines() if words[0] in ("tail", "export") else [result.out]
            values = json.dumps([json.loads(text) for text in texts], ensure_ascii=False)
            assert "\ufffd" in values
            values.encode("utf-8")  # raises for a half
            if shutil.which("jq"):
                subprocess.run(["jq", "."], input=result.out.encode(), capture_output=True, check=True)
    table = alovoice("events", "export", "--csv").out
    assert "\ufffd" in table
    table.encode()
    assert json.loads(half)["number"].startswith("+998901130004")
    assert events_json(alovoice, "list", "--number", "901130004")[0]["body"]["number"] == "+998901130004\ufffd"


def test_what_could_not_be_read_says_why_and_is_counted(alovoice: FrontDoor, rows: Rows) -> None:
    assert json.loads(alovoice("status", "--offline", "--json").out)["unreadable_events"] == 0
    rows.call(ago(minutes=9))
    rows.deliver("callend", ago(minutes=5), b"what is this")
    rows.deliver("callend", ago(minutes=4), b"\xff\xfe\xfd")
    listed = events_json(alovoice, "list")
    assert [event.get("problem") for event in listed[:2]] == ["no UTF-8 text", "neither JSON nor form fields"]
    assert not any("problem" in event for event in listed[2:])
    assert json.loads(alovoice("status", "--offline", "--json").out)["unreadable_events"] == 2
