"""What a batch leaves behind and is resumed by; and batches of the other commands."""

import csv
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from batch_server import (
    FILES_ONLY,
    OUT,
    Exchange,
    drops_every,
    name_of_batch,
    rows_of,
    write_list,
)
from front_door import FrontDoor, Result
from raw_server import Connection, Seen

pytestmark = pytest.mark.usefixtures("profile_store")

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"


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
    name = name_of_batch(alovoice)
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
    resumed = alovoice("call", "batches", "resume", name_of_batch(alovoice), "--night-ok", "--yes")
    assert (resumed.code, len(theirs.requests)) == (1, 3), resumed.err


def test_a_batch_that_is_not_over_is_forgotten_only_at_a_risk(alovoice: FrontDoor, exchanges: Any) -> None:
    write_list(alovoice.home, 2)
    exchanges(drops_every("9"))
    assert alovoice(*OUT, "--timeout", "2").code == 6
    name = name_of_batch(alovoice)
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
    assert sorted((row["row"], row["outcome"]) for row in rows_of(result)) == [(2, "done"), (3, "done"), (4, "done")]
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
            for row in rows_of(result)
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
