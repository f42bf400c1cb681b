"""The outbox in the open: trouble is told, a backlog goes on, one listener forwards, no program runs twice."""

import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

from front_door import FrontDoor

from .conftest import Handler, Listening

Listen = Callable[..., Listening]
PATIENCE = 40
HOUR = 3_600_000_000


def _until(is_so: Callable[[], object], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


def _outbox(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(alovoice("events", "outbox", "list", "--json", *words).out)
    return listed


def _post(listening: Listening, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        assert listening.post("callend", body) == (200, b"true")


def _told(listening: Listening, text: str) -> int:
    return sum(text in line for line in listening.errors)


def _sql(alovoice: FrontDoor, statement: str) -> None:
    (store,) = (alovoice.home / "state").rglob("events*.db")
    with closing(sqlite3.connect(store, timeout=30)) as connection, connection:
        connection.execute(statement)


def test_a_crm_at_404_is_told_once_and_once_when_it_is_mended_and_gets_all_in_order(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.answer = lambda _: (404, b"")
    listening = listen("--forward", f"{crm.url}?key=s3cret")
    _post(listening, *({"call_id": f"c{number % 2}", "n": number} for number in range(6)))
    assert "answers 404 to events; " in listening.wait_for(f"http://127.0.0.1:{crm.port} ", PATIENCE)
    _until(lambda: sum(row["attempts"] for row in _outbox(alovoice)) >= 2)
    (target,) = json.loads(alovoice("status", "--offline", "--json").out)["outbox"]
    assert (target["waiting"], target["dead"], target["state"]) == (6, 0, "refusing")
    assert target["oldest_seconds"] >= 0
    _sql(alovoice, f"UPDATE outbox SET due_at = due_at + {HOUR} WHERE attempts > 0")
    crm.seen.clear()
    crm.answer = lambda _: (200, b"")
    _post(listening, {"call_id": "new", "n": 6})
    seen = [json.loads(body) for _, body in crm.wait(7, PATIENCE)]
    assert sorted(body["n"] for body in seen) == list(range(7))
    for call in ("c0", "c1"):
        told = [body["n"] for body in seen if body["call_id"] == call]
        assert told == sorted(told)
    listening.wait_for("takes events again: ", PATIENCE)
    _until(lambda: _outbox(alovoice) == [])
    assert (_told(listening, "404"), _told(listening, "again")) == (1, 1)
    assert not any("s3cret" in line for line in listening.errors)


def test_a_crm_that_asks_for_a_pause_gets_it(listen: Listen, crm: Handler, alovoice: FrontDoor) -> None:
    seen: list[float] = []

    def answer(_: bytes) -> tuple[int, bytes]:
        seen.append(time.time())
        crm.headers = {1: {"Retry-After": "3"}, 2: {"Retry-After": formatdate(seen[-1] + 5, usegmt=True)}}.get(
            len(seen), {}
        )
        return (503 if len(seen) < 3 else 200), b""

    crm.answer = answer
    listening = listen("--forward", crm.url)
    _post(listening, *({"call_id": number} for number in range(5)))
    listening.wait_for("answers 503 to events and asks for a pause of 3 s", PATIENCE)
    crm.wait(7, PATIENCE)
    assert seen[1] - seen[0] >= 2.9
    assert seen[2] - seen[1] >= 3.9  # a date has whole seconds
    assert "5 events waited for it" in listening.wait_for("answers again", PATIENCE)
    assert _told(listening, "answers 503") == 1


def test_an_order_ends_a_pause_of_an_hour_and_a_restart_does_not(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.answer, crm.headers = lambda _: (429, b""), {"Retry-After": "7200"}
    listening = listen("--forward", crm.url)
    _post(listening, {"call_id": "a"})
    listening.wait_for("asks for a pause of 7200 s (it is tried after 3600 s)", PATIENCE)
    _until(lambda: json.loads(alovoice("status", "--offline", "--json").out)["outbox"][0]["state"] == "paused")
    listening.stop()
    listening = listen("--forward", crm.url)
    crm.answer, crm.headers = lambda _: (200, b""), {}
    _post(listening, {"call_id": "b"})
    listening.event()
    time.sleep(1.5)
    assert len(crm.seen) == 1
    assert "2 events will be sent again" in alovoice("events", "outbox", "retry", "--all").err
    crm.wait(3, PATIENCE)


def test_410_stops_a_target_until_a_retry(listen: Listen, crm: Handler, alovoice: FrontDoor) -> None:
    crm.answer = lambda body: ((410 if b"first" in body else 200), b"")
    listening = listen("--forward", crm.url)
    _post(listening, {"call_id": "first"})
    line = listening.wait_for("answers 410", PATIENCE)
    _post(listening, {"call_id": "second"}, {"call_id": "third"})
    _until(lambda: [row["state"] for row in _outbox(alovoice)] == ["dead"] * 3, "the dead letters")
    assert len(crm.seen) == 1
    listening.stop()
    listening = listen("--forward", crm.url)
    listening.wait_for("for it answered 410: 3 are dead letters", PATIENCE)
    crm.answer = lambda _: (200, b"")
    words = line.partition("`")[2].partition("`")[0].split()[1:]
    assert alovoice(*words).code == 0
    assert len(crm.wait(4, PATIENCE)) == 4
    _post(listening, {"call_id": "fourth"})
    crm.wait(5, PATIENCE)


def test_one_event_that_is_refused_concerns_nobody_else(listen: Listen, crm: Handler, alovoice: FrontDoor) -> None:
    crm.answer = lambda body: ((422 if b"odd" in body else 200), b"")
    listening = listen("--forward", crm.url)
    _post(listening, {"call_id": "first"}, {"call_id": "odd"})
    odd = [listening.event(), listening.event()][1]["id"]
    assert f"answers 422 to event {odd}" in listening.wait_for("422", PATIENCE)
    _post(listening, *({"call_id": number} for number in range(5)))
    crm.wait(7, PATIENCE)
    _until(lambda: [row["id"] for row in _outbox(alovoice)] == [odd])
    assert _told(listening, "422") == 1


def test_events_of_a_url_that_is_no_longer_given_are_named_and_handed_over(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.stop()
    listening = listen("--forward", "http://127.0.0.1:9/old?key=s3cret")
    _post(listening, *({"call_id": "c", "n": number} for number in range(5)))
    listening.wait_for("is not reached", PATIENCE)
    listening.stop()
    crm.start()
    listening = listen("--forward", crm.url)
    line = listening.wait_for("is no target any more", PATIENCE)
    assert "5 events wait for http://127.0.0.1:9, which" in line
    retry, drop = (part.split() for part in line.split("`")[1::2])
    assert drop[:4] == ["alovoice", "events", "outbox", "drop"]
    words = [crm.url if word == "URL" else word for word in retry[1:]]
    assert alovoice(*words).code == 0
    seen = [json.loads(body)["n"] for _, body in crm.wait(5, PATIENCE)]
    assert seen == list(range(5))
    _until(lambda: _outbox(alovoice) == [])
    assert not any("s3cret" in line for line in listening.errors)


SLOW = """
import json, os, sys, time
event = json.load(sys.stdin)
with open({log!r}, "a") as log:
    log.write(f"begin {{event['id']}}\\n")
time.sleep({seconds})
with open({log!r}, "a") as log:
    log.write(f"end {{event['id']}}\\n")
"""


def _program(home: Path, seconds: float) -> tuple[str, Callable[[], list[list[str]]]]:
    """An `--exec` that takes so long, and a function that reads its log."""
    log, script = home / "log.txt", home / f"slow{seconds}.py"
    script.write_text(SLOW.format(log=str(log), seconds=seconds))
    return f"{sys.executable} {script}", lambda: [
        line.split() for line in (log.read_text() if log.exists() else "").splitlines()
    ]


def test_of_two_listeners_one_forwards_and_the_other_takes_over(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    program, log = _program(alovoice.home, 0.3)

    def slowly(_: bytes) -> tuple[int, bytes]:
        time.sleep(0.3)
        return 200, b""

    crm.answer = slowly
    words = ("--forward", crm.url, "--exec", program)
    first = listen(*words)
    _post(first, {"call_id": "before"})
    _until(lambda: ["end"] in [line[:1] for line in log()])
    second = listen(*words)
    assert f"(process {first.pid}) forwards" in second.wait_for("forwards nothing", PATIENCE)
    for number in range(6):
        _post((first, second)[number % 2], {"call_id": f"c{number}"})
    _until(lambda: len(log()) == 14 and len(crm.seen) == 7)
    first.process.kill()
    _post(second, *({"call_id": f"d{number}"} for number in range(4)))
    _until(lambda: len(log()) == 22 and len(crm.seen) >= 11)
    second.wait_for("forwards from now on", PATIENCE)
    assert max(Counter(line[1] for line in log() if line[0] == "begin").values()) == 1
    assert max(Counter(headers["webhook-id"] for headers, _ in crm.seen).values()) == 1
    assert _told(second, "forwards nothing") == 1


def test_a_stop_ends_programs_that_run_and_they_can_be_started_again(listen: Listen, alovoice: FrontDoor) -> None:
    program, log = _program(alovoice.home, 3)
    listening = listen("--exec", program)
    _post(listening, *({"call_id": number} for number in range(3)))
    _until(lambda: len(log()) == 3)
    assert listening.stop() == 143
    _until(lambda: _told(listening, "when the listener was stopped") == 3, "three lines")
    assert "`alovoice events outbox retry " in listening.wait_for("by SIGTERM")
    assert [row["state"] for row in _outbox(alovoice, "--state", "dead")] == ["dead"] * 3
    assert alovoice("events", "outbox", "retry", "--all").code == 0
    again = listen("--exec", _program(alovoice.home, 0)[0])
    again.stop()
    assert [row["state"] for row in _outbox(alovoice)] == ["due"] * 3, "another program is another target"
    listen("--exec", program)
    _until(lambda: [line[0] for line in log()].count("begin") == 6)


def test_a_program_that_takes_sigterm_in_its_own_way_is_waited_for(listen: Listen, alovoice: FrontDoor) -> None:
    log, script = alovoice.home / "log.txt", alovoice.home / "neat.py"
    script.write_text(
        "import signal, sys, time\n"
        f"log = open({str(log)!r}, 'a')\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), print('neat', file=log, flush=True), sys.exit(0)))\n"
        "print('begun', file=log, flush=True)\n"
        "time.sleep(60)\n"
    )
    listening = listen("--exec", f"{sys.executable} {script}")
    _post(listening, {"call_id": "a"})
    _until(lambda: log.exists() and "begun" in log.read_text())
    assert listening.stop() == 143
    assert log.read_text().split() == ["begun", "neat"]
    assert _outbox(alovoice) == []


def test_a_program_of_a_killed_listener_is_not_started_again_unless_somebody_orders_it(
    listen: Listen, alovoice: FrontDoor
) -> None:
    program, log = _program(alovoice.home, 1.5)
    listening = listen("--exec", program)
    _post(listening, {"call_id": "a"})
    _until(lambda: len(log()) == 1)
    listening.process.kill()
    listening.process.wait()
    again = listen("--exec", program)
    line = again.wait_for("had not ended when the listener died", PATIENCE)
    _post(again, {"call_id": "b"})
    _until(lambda: len(log()) == 4)
    assert [line[0] for line in log()].count("begin") == 2
    assert [row["state"] for row in _outbox(alovoice)] == ["dead"]
    words = line.partition("`")[2].partition("`")[0].split()[1:]
    assert alovoice(*words).code == 0
    _until(lambda: len(log()) == 6)
    (first, second) = Counter(line[1] for line in log() if line[0] == "begin").values()
    assert {first, second} == {1, 2}
