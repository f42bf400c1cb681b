"""`listen --notify`: who called in vain is told, each in one message, and told again when somebody talked to them."""

import itertools
import json
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor
from strength import rounds
from telegram import BOT_TOKEN, CHAT, Bot, lost_answer, refusal, served
from waiting import wait_until

from .conftest import Handler, Listening, sql

pytestmark = pytest.mark.usefixtures("profile_store")

Listen = Callable[..., Listening]
TO = ("--notify", f"telegram:{CHAT}", "--grace", "0s")
_COUNT = itertools.count()
NUMBER = re.compile(r"\+998 \d\d \d{3}-\d\d-\d\d")


@pytest.fixture
def bot(alovoice: FrontDoor) -> Iterator[Bot]:
    with served() as bot:
        command = shlex.join([sys.executable, "-c", f"print('{BOT_TOKEN}')"])
        script = alovoice.home / "token.sh"
        script.write_text(f"#!/bin/sh\nexec {command}\n")
        script.chmod(0o700)
        for key, value in (("token_command", str(script)), ("api_url", bot.url)):
            assert alovoice("config", "set", f"notify.telegram.{key}", value).code == 0
        yield bot


def _number(place: int) -> str:
    return f"99890{place:07}"


def _call(listening: Listening, number: str, status: str = "486", **more: Any) -> None:
    start = {"n": next(_COUNT), "inner_phone": 2000, "number": number, "line": 712037006, "type": "inc"}
    start["start_time"] = int(time.time())
    code, answer = listening.post("callstart", start | more)
    assert code == 200
    end = {"call_id": answer.decode(), "status_code": status, "end_time": int(time.time()), "duration": 1}
    assert listening.post("callend", end)[0] == 200


def _told(bot: Bot) -> Counter[str]:
    return Counter(number for text in bot.texts() for number in NUMBER.findall(text))


def _state(alovoice: FrontDoor) -> Counter[str]:
    return Counter(row[0] for row in sql(alovoice, "SELECT state FROM notice"))


LATER = (*TO[:2], "--grace", "1h")


def _end_of_grace(listen: Listen, listening: Listening, alovoice: FrontDoor) -> Listening:
    """A listener for which the grace of all calls is over, at whatever pace they came."""
    assert listening.stop() == 143
    sql(alovoice, "UPDATE notice SET due_at = 0")
    return listen(*LATER)


def test_a_missed_call_is_told_and_the_message_says_later_who_called_back(listen: Listen, bot: Bot) -> None:
    listening = listen(*TO)
    assert f"missed calls are reported to telegram:{CHAT}" in listening.wait_for("are reported")
    _call(listening, "998901234567")
    bot.wait(lambda: bot.messages)
    (text,) = bot.texts()
    assert text.startswith("Missed call: +998 90 123-45-67\n")
    assert ", busy, line 998712037006, extension 2000" in text
    _call(listening, "998901234567", "200", type="out")
    bot.wait(lambda: "called back at" in bot.texts()[0])
    assert [method for method, _ in bot.requests] == ["sendMessage", "editMessageText"]
    assert len(bot.messages) == 1


def test_who_was_talked_to_within_the_grace_is_not_told_of(listen: Listen, bot: Bot, alovoice: FrontDoor) -> None:
    listening = listen(*LATER)
    _call(listening, "998901111111")
    _call(listening, "998901111111", "200")
    _call(listening, "998902222222", "304")
    _end_of_grace(listen, listening, alovoice)
    bot.wait(lambda: bot.messages)
    assert _told(bot) == {"+998 90 222-22-22": 1}
    assert "no answer" in bot.texts()[0]
    bot.wait(lambda: _state(alovoice) == {"settled": 1, "told": 1})


def test_a_ring_group_that_answered_owes_nobody_a_call_and_one_that_did_not_is_one_caller(
    listen: Listen, bot: Bot, alovoice: FrontDoor
) -> None:
    listening, now = listen(*LATER), int(time.time())
    _call(listening, "998903333333", "304", inner_phone=101, start_time=now)
    _call(listening, "998903333333", "200", inner_phone=102, start_time=now)
    _call(listening, "998904444444", "304", inner_phone=101, start_time=now)
    _call(listening, "998904444444", "304", inner_phone=102, start_time=now + 4)
    _end_of_grace(listen, listening, alovoice)
    bot.wait(lambda: bot.messages)
    assert _told(bot) == {"+998 90 444-44-44": 1}
    assert "calls in 24 hours" not in bot.texts()[0]


def test_hidden_callers_are_counted_and_a_made_up_call_is_marked(listen: Listen, bot: Bot, alovoice: FrontDoor) -> None:
    listening = listen(*LATER)
    _call(listening, "anonymous")
    _call(listening, "anonymous")
    _call(listening, "998001234567", "603-S")
    _end_of_grace(listen, listening, alovoice)
    bot.wait(lambda: len(bot.messages) == 2)
    hidden, made_up = bot.texts()
    assert "hidden number" in hidden
    assert "2 such calls, " in hidden
    assert "cannot be called back" in hidden
    assert "cancelled by the caller" in made_up
    assert "test call" in made_up


def test_a_burst_is_a_few_digests_with_each_number_in_one_of_them(listen: Listen, bot: Bot) -> None:
    listening = listen(*TO)
    count = min(500, rounds(60))
    for place in range(count):
        _call(listening, _number(place))
    for place in (0, count - 1):  # they call again at once
        _call(listening, _number(place), start_time=int(time.time()) + 60)
    bot.wait(lambda: len(_told(bot)) == count, "the last number")
    bot.wait(
        lambda: sum("2 calls in 24 hours" in line for text in bot.texts() for line in text.splitlines()) == 2,
        "the tries",
    )
    assert set(_told(bot).values()) == {1}
    assert all(sum(0 <= at - other < 60 for at in bot.accepted_at) <= 20 for other in bot.accepted_at)
    assert len(bot.messages) <= 20
    _call(listening, _number(7), "200", type="out")
    bot.wait(lambda: any("000-00-07" in text and "called back at" in text for text in bot.texts()))


def test_a_429_and_a_moved_chat_are_obeyed_and_the_new_chat_is_kept(listen: Listen, bot: Bot) -> None:
    bot.faults = [refusal(429, "Too Many Requests: retry after 1", retry_after=1)]
    listening = listen(*TO)
    _call(listening, _number(1))
    listening.wait_for("asks for a pause of 1 s")
    listening.wait_for("accepts messages again")
    bot.moved_to = -100999
    bot.faults = [refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100999)]
    _call(listening, _number(2))
    bot.wait(lambda: len(bot.messages) == 2)
    assert "--notify" in listening.wait_for("telegram:-100999")
    assert listening.stop() == 143
    again = listen(*TO)
    _call(again, _number(3))
    bot.wait(lambda: len(bot.messages) == 3)
    assert bot.requests[-1][1]["chat_id"] == -100999
    assert set(_told(bot).values()) == {1}


def test_a_chat_that_moves_in_circles_is_a_failure(listen: Listen, bot: Bot) -> None:
    bot.always = lambda body: refusal(400, "upgraded", migrate_to_chat_id=-5 if body["chat_id"] == -6 else -6)(body)
    listening = listen(*TO)
    _call(listening, _number(1))
    listening.wait_for("does not accept messages")
    assert [body["chat_id"] for _, body in bot.requests][:3] == [CHAT, -6, -5]
    bot.always, bot.moved_to = None, -5
    bot.wait(lambda: _told(bot) == {"+998 90 000-00-01": 1})


def test_a_chat_that_refuses_is_said_once_and_status_and_metrics_show_what_waits(
    listen: Listen, bot: Bot, alovoice: FrontDoor
) -> None:
    bot.always = refusal(403, f"Forbidden: bot was kicked {BOT_TOKEN}")
    listening = listen(*TO, "--admin", "127.0.0.1:0")
    _call(listening, _number(1))
    _call(listening, _number(2))
    said = listening.wait_for("does not accept messages")
    assert "it answered 403: Forbidden: bot was kicked" in said
    assert BOT_TOKEN not in said
    bot.wait(lambda: len(bot.requests) >= 2)
    (standing,) = json.loads(alovoice("status", "--offline", "--json").out)["outbox"]
    assert (standing["target"], standing["state"], standing["waiting"]) == (f"telegram:{CHAT}", "refusing", 2)
    note = alovoice("events", "outbox", "list").err
    assert f"telegram:{CHAT} has not accepted messages since" in note
    assert note.endswith("2 missed calls wait\n")
    metrics = listening.request("GET", f"{listening.admin}/metrics")[1].decode()
    assert re.search(rf'alovoice_notices{{id="[0-9a-f]*",state="waiting",target="telegram:{CHAT}"}} 1.0', metrics)
    assert re.search(rf'alovoice_target_taking{{id="[0-9a-f]*",target="telegram:{CHAT}"}} 0.0', metrics)
    assert sum("does not accept messages" in line for line in listening.errors) == 1
    retried = alovoice("events", "outbox", "retry", "--target", standing["target_id"], "--dry-run", "--json")
    assert json.loads(retried.out)["chosen"] == 2
    moved = alovoice("events", "outbox", "retry", "--all", "--to", "http://127.0.0.1:1/", "--dry-run", "--json")
    assert json.loads(moved.out)["chosen"] == 0
    bot.always = None
    assert alovoice("events", "outbox", "retry", "--target", standing["target_id"]).code == 0
    bot.wait(lambda: len(_told(bot)) == 2)
    listening.wait_for("accepts messages again")


def test_a_retry_of_one_event_also_lets_the_chat_be_tried_that_waits_with_its_call(
    listen: Listen, bot: Bot, alovoice: FrontDoor
) -> None:
    bot.always = refusal(403, "Forbidden: bot was kicked")
    listening = listen(*TO, "--forward", "callstart=http://127.0.0.1:1/")
    _call(listening, _number(1))
    listening.wait_for("does not accept messages")
    assert listening.stop() == 143
    (waiting,) = json.loads(alovoice("events", "outbox", "list", "--json").out)
    assert alovoice("events", "outbox", "retry", waiting["id"]).code == 0
    asked = "SELECT count(*) FROM outbox_target WHERE resumed_at > 0 AND waits_until = 0"
    assert sql(alovoice, asked)[0][0] == 2


def test_calls_for_a_chat_that_is_no_target_any_more_are_named_and_dropped(
    listen: Listen, bot: Bot, alovoice: FrontDoor
) -> None:
    bot.always = refusal(403, "Forbidden: bot was kicked")
    listening = listen(*TO)
    _call(listening, _number(1))
    listening.wait_for("does not accept messages")
    _call(listening, _number(2))
    assert listening.stop() == 143
    said = listen("--fallback", "hangup").wait_for("which is no longer a target")
    assert f"2 missed calls wait for telegram:{CHAT}" in said
    words = shlex.split(said.partition("`")[2].partition("`")[0])[1:]
    assert json.loads(alovoice(*words, "--yes", "--json").out)["dropped"] == 2
    assert alovoice("events", "outbox", "list").err.endswith("nothing waits\n")
    bot.always = None
    again = listen(*TO)
    _call(again, _number(3))
    bot.wait(lambda: bot.messages)
    assert _told(bot) == {"+998 90 000-00-03": 1}


def test_a_lost_answer_and_a_500_lose_nothing(listen: Listen, bot: Bot) -> None:
    bot.faults = [lost_answer, refusal(500, "Internal Server Error")]
    listening = listen(*TO)
    _call(listening, _number(1))
    bot.wait(lambda: len(bot.messages) == 2)
    assert _told(bot) == {"+998 90 000-00-01": 2}  # taken, lost, and so sent once more
    _call(listening, _number(2))
    bot.wait(lambda: len(_told(bot)) == 2)


def test_what_became_old_is_one_digest_that_says_how_old(listen: Listen, bot: Bot, alovoice: FrontDoor) -> None:
    listening = listen(*LATER)
    for place in range(40):
        _call(listening, _number(place))
    assert listening.stop() == 143
    past = 5 * 3600
    sql(alovoice, f"UPDATE call SET reported_at = reported_at - {past}, started_at = started_at - {past}")
    sql(alovoice, f"UPDATE notice SET due_at = due_at - {past * 1000000}, born_at = born_at - {past * 1000000}")
    sql(alovoice, "UPDATE notice SET born_at = born_at - 300000000000 WHERE seq < 3")
    again = listen(*LATER)
    again.wait_for("older than 72 hours and will not be reported")
    bot.wait(lambda: bot.messages)
    (text,) = bot.texts()
    assert text.startswith("Missed calls: 39; callers: 39")
    assert re.search(r"\(5 h 0\d min ago\)", text)


@pytest.mark.both_engines
def test_a_killed_listener_repeats_one_message_at_most_and_loses_none(
    listen: Listen, bot: Bot, alovoice: FrontDoor
) -> None:
    count, kills = 0, 3
    for kill in range(kills):
        listening = listen(*TO)
        before = len(bot.requests)
        for _ in range(4):
            count += 1
            _call(listening, _number(count))
        bot.wait(lambda before=before: len(bot.requests) > before)  # type: ignore[misc] # bound now
        time.sleep(0.005 * kill)
        listening.process.kill()
        listening.process.wait(60)
    last = listen(*TO)
    bot.wait(lambda: len(_told(bot)) == count, "the last number")
    bot.wait(lambda: _state(alovoice) == {"told": count})
    assert last.stop() == 143
    whole = Counter(bot.first_texts.values())
    repeated = sum(times - 1 for times in whole.values())
    assert repeated <= kills
    assert len(bot.messages) <= 20
    # One message may be the one that is under way at several kills.
    assert sum(_told(bot).values()) - count <= sum(len(NUMBER.findall(text)) * (n - 1) for text, n in whole.items())


def test_programs_and_handlers_get_json_and_again_when_somebody_called_back(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    log, script = alovoice.home / "told.jsonl", alovoice.home / "tell.sh"
    script.write_text(f"cat >> {log}\n")
    url = f"{crm.url}?key=s3cret"
    listening = listen(
        "--notify", f"exec:/bin/sh {script}", "--notify", url, "--grace", "0s", "--sign-secret", "whsec_MDEy"
    )
    said = listening.wait_for("are reported")
    assert "exec:/bin/sh" in said
    assert f"http://127.0.0.1:{crm.port} " in said
    assert "s3cret" not in said
    _call(listening, "998901234567")
    (headers, body), *_ = crm.wait(1)
    told = json.loads(body)
    assert (told["type"], told["state"], told["edit"]) == ("notice", "missed", False)
    assert told["calls"][0]["number"] == "998901234567"
    assert told["calls"][0]["reason"] == "busy"
    assert headers["x-alovoice-type"] == "notice"
    assert headers["webhook-signature"].startswith("v1,")
    # The program too must know of the missed call, or there would be nothing to take back.
    wait_until(lambda: log.exists() and log.read_text().count("\n") == 1, "what the program was told")
    _call(listening, "998901234567", "200", type="out")
    _, (later, body) = crm.wait(2)
    again = json.loads(body)
    assert (again["id"], again["state"], again["edit"]) == (told["id"], "done", True)
    assert later["webhook-id"] != headers["webhook-id"]
    wait_until(lambda: log.read_text().count("\n") == 2, "what the program was told again")
    assert [json.loads(line)["state"] for line in log.read_text().splitlines()] == ["missed", "done"]
    assert listening.stop() == 143


@pytest.mark.both_engines
def test_one_listener_of_a_store_tells_and_the_other_takes_over(listen: Listen, bot: Bot, alovoice: FrontDoor) -> None:
    first = listen(*TO)
    _call(first, _number(1))
    bot.wait(lambda: bot.messages)
    second = listen(*TO)
    second.wait_for("another listener")
    _call(second, _number(2))
    bot.wait(lambda: _state(alovoice) == {"told": 2})
    first.process.kill()
    first.process.wait(60)
    second.wait_for("takes over")
    _call(second, _number(3))
    bot.wait(lambda: len(_told(bot)) == 3)
    assert set(_told(bot).values()) == {1}


def test_the_token_shows_nowhere(listen: Listen, bot: Bot, alovoice: FrontDoor) -> None:
    bot.faults = [refusal(401, f"Unauthorized: {BOT_TOKEN}"), lost_answer, refusal(500, BOT_TOKEN)]
    listening = listen(*TO, "-v", "--admin", "127.0.0.1:0", wrapper=("env",))  # with arguments of its own
    _call(listening, _number(1))
    listening.wait_for("accepts messages again")
    metrics = listening.request("GET", f"{listening.admin}/metrics")[1].decode()
    arguments = Path(f"/proc/{listening.pid}/cmdline").read_bytes().decode()
    assert listening.stop() == 143
    said = [*listening.errors, metrics, arguments]
    for words in (
        ("notify", "test", "--to", f"telegram:{CHAT}", "-v", "--json"),
        ("status", "--offline", "--json"),
        ("config", "get", "notify.telegram.token_command"),
        ("listen", *TO, "--print-systemd"),
    ):
        result = alovoice(*words)
        said += [result.out, result.err]
    assert any("sendMessage" in line for line in listening.errors)
    hidden = (BOT_TOKEN, BOT_TOKEN.replace(":", "%3A"), BOT_TOKEN.partition(":")[2])
    assert not [line for line in said if any(word in line for word in hidden)]
    for path in alovoice.home.rglob("*"):
        if path.is_file() and path.name != "token.sh":
            assert not any(word.encode() in path.read_bytes() for word in hidden), path
