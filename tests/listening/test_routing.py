"""A listener with rules, asked over real sockets: whatever fails, a caller gets a valid step in time."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from front_door import FrontDoor
from hypothesis import HealthCheck, given, settings
from route_cases import BODIES
from strength import examples, rounds

from alovoice_cli.routing.step import RouteStep

from .conftest import START, Listening, locked, sql

pytestmark = pytest.mark.usefixtures("profile_store")

Listen = Callable[..., Listening]
RULES = """fallback = { queue = "6000" }
[lists]
vip = "vip.csv"
[[rule]]
name = "vip"
when = { from = "@vip" }
then = { peer = "2000" }
[[rule]]
name = "back"
when = { spoke_within = "7d" }
then = { peer = "@last_peer" }
"""
VIP, OTHER = {"from_number": "901234567"}, {"from_number": "907654321"}


@pytest.fixture
def rules(alovoice: FrontDoor) -> Path:
    """A rules file with a list beside it, in this test's home."""
    _write(alovoice.home / "vip.csv", "901234567\n")
    path = alovoice.home / "rules.toml"
    _write(path, RULES)
    return path


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def _step(listening: Listening, question: Any) -> str:
    """The step that the listener answers, which must be a valid one."""
    status, body = listening.post("route", question)
    assert status == 200
    return str(RouteStep.from_wire(json.loads(body)))


def test_rules_that_fail_their_check_keep_it_from_starting_before_anything_is_touched(
    listen: Listen, alovoice: FrontDoor, rules: Path
) -> None:
    _write(rules.with_name("bad.toml"), RULES + '[[test]]\ngiven = {}\nexpect = { peer = "1" }\n')
    for words in (("--rules", "bad.toml"), ("--rules", "rules.toml", "--shadow", "bad.toml")):
        listening = listen(*words)
        assert listening.process.wait(60) == 8
        listening.wait_for("bad.toml has 1 error, and is not used")
    for words in (("--rules", "nosuch.toml"), ("--rules", "rules.toml", "--deadline", "5")):
        assert listen(*words).process.wait(60) == 2
    assert not (alovoice.home / "state").exists()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_question_too_large_to_be_read_gets_the_fallback_and_is_kept(
    listen: Listen, alovoice: FrontDoor, chunked: bool
) -> None:
    listening = listen("--fallback", "queue:6000")
    large = b"x" * ((1 << 20) + 1)
    connection = http.client.HTTPConnection(urlsplit(listening.urls["route"]).netloc, timeout=15)
    for kind, status in (("route", 200), ("callend", 413)):
        body = iter([large[:5], large[5:]]) if chunked else large
        connection.request("POST", urlsplit(listening.urls[kind]).path, body, encode_chunked=chunked)
        answered = connection.getresponse()
        assert (answered.status, answered.read() == RouteStep("queue", "6000").to_bytes()) == (status, status == 200)
    connection.close()
    event = listening.event()
    assert (event["type"], event["body"], event["answer"]["step"]["action_data"]) == ("route", "", "6000")
    listed = alovoice("events", "list", "--columns", "type,said,problem", "--no-headers").out
    assert listed == "route\tqueue 6000 (no rules)\tthe body is empty\n"


def test_decisions_follow_the_files_and_the_last_good_rules_stay(listen: Listen, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")
    assert (_step(listening, VIP), _step(listening, OTHER)) == ("peer:2000", "queue:6000")
    event = listening.event()
    assert (event["rule"], event["answer"]["step"]) == ("vip", {"action_type": "peer", "action_data": "2000"})
    assert event["answer"]["trail"][0]["why"] == 'from = "@vip": the caller is 998901234567'
    assert listening.event()["answer"]["why"] == "no rule matches"
    rules.with_name("vip.csv").unlink()
    listening.wait_for("the changed rules are not used, the last good rules remain in force")
    assert _step(listening, VIP) == "peer:2000"
    assert listening.event()["answer"]["outdated"] is True
    _write(rules.with_name("vip.csv"), "907654321\n")
    listening.wait_for("was read again")
    assert (_step(listening, VIP), _step(listening, OTHER)) == ("queue:6000", "peer:2000")
    time.sleep(1.2)
    assert sum("are not used" in line for line in listening.errors) == 1


def test_whom_a_caller_spoke_with_is_known_from_the_calls_that_were_told(listen: Listen, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")
    caller = {"from_number": "935550000", "direction": "inc"}
    assert _step(listening, caller) == "queue:6000"
    call_id = listening.post("callstart", {**START, "number": "+998935550000", "inner_phone": 2424})[1].decode()
    end = {"call_id": call_id, "finish_time": int(time.time()), "duration": 5, "status_code": 200}
    listening.post("callend", end)
    while listening.event()["type"] != "callend":
        pass
    assert _step(listening, caller) == "peer:2424"
    assert listening.event()["rule"] == "back"


def test_an_override_is_obeyed_at_once_and_outlives_a_restart(listen: Listen, alovoice: FrontDoor, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")
    begun = alovoice("route", "override", "queue:7000", "--for", "30m")
    assert (begun.code, "every caller of profile default gets queue:7000 from now on" in begun.err) == (0, True)
    assert _step(listening, VIP) == "queue:7000"
    assert alovoice("route", "override").code == 0
    event = listening.event()
    assert (event["rule"], event["answer"]["why"][:14]) == (None, "override until")
    listening.wait_for("override: every caller gets queue:7000 until")
    listening.stop()
    assert alovoice("route", "override").code == 9
    again = listen("--rules", "rules.toml")
    assert _step(again, VIP) == "queue:7000"
    alovoice("route", "override", "--off")
    assert _step(again, VIP) == "peer:2000"
    again.wait_for("the override has ended")


def test_a_store_that_is_locked_delays_no_caller_and_loses_no_question(
    listen: Listen, alovoice: FrontDoor, rules: Path
) -> None:
    listening = listen("--rules", "rules.toml")
    with locked(alovoice):
        asked = rounds(50)
        assert [_step(listening, OTHER) for _ in range(asked)] == ["queue:6000"] * asked
    assert [listening.event()["answer"]["why"] for _ in range(asked)] == ["no rule matches"] * asked
    listening.stop()
    assert len(json.loads(alovoice("events", "list", "--type", "route", "--limit", "0", "--json").out)) == asked


def test_a_look_up_that_fails_gets_the_fallback(listen: Listen, alovoice: FrontDoor, rules: Path) -> None:
    listening = listen("--rules", "rules.toml", "--fallback", "queue:1")
    sql(alovoice, "ALTER TABLE call RENAME TO gone")
    assert (_step(listening, VIP), _step(listening, OTHER)) == ("peer:2000", "queue:1")
    first, second = [listening.event()["answer"].get("why") for _ in range(2)]
    assert first is None
    assert second.startswith(
        ("OperationalError: no such table: call", 'UndefinedTable: relation "call" does not exist')
    )


def test_callers_are_answered_beside_two_hundred_half_open_sockets(listen: Listen, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")
    parts = urlsplit(listening.urls["route"])
    half = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(200)]
    try:
        for number, connection in enumerate(half):
            head = f"POST {parts.path} HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\n{{".encode()
            connection.sendall(head[: number % len(head)])
        assert [_step(listening, VIP) for _ in range(5)] == ["peer:2000"] * 5
    finally:
        for connection in half:
            connection.close()


def test_a_shadow_is_kept_with_the_question_and_never_answers(listen: Listen, rules: Path) -> None:
    _write(rules.with_name("new.toml"), RULES.replace("2000", "2999"))
    listening = listen("--rules", "rules.toml", "--shadow", "new.toml")
    assert _step(listening, VIP) == "peer:2000"
    assert listening.event()["answer"]["shadow"] == {
        "step": {"action_type": "peer", "action_data": "2999"},
        "rule": "vip",
        "moved": True,
    }


def test_whatever_is_asked_over_http_gets_a_valid_step(listen: Listen, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")

    @settings(examples(40), suppress_health_check=list(HealthCheck))
    @given(BODIES)
    def ask(body: bytes) -> None:
        _step(listening, body[: 1 << 20])

    ask()


def test_events_tell_step_and_rule(listen: Listen, alovoice: FrontDoor, rules: Path) -> None:
    listening = listen("--rules", "rules.toml")
    for question in (VIP, VIP, OTHER):
        _step(listening, question)
        listening.event()
    listed = alovoice("events", "list", "--type", "route", "--columns", "said,rule", "--no-headers").out
    assert listed.splitlines() == [
        "queue 6000 (no rule matches)\t",
        "peer 2000 by vip\tvip",
        "peer 2000 by vip\tvip",
    ]
    counted = json.loads(alovoice("events", "stats", "--by", "rule", "--json").out)
    assert [(row["group"], row["calls"]) for row in counted] == [("vip", 2), ("no rule", 1)]
