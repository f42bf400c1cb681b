"""The outbox in the open: trouble is told, a backlog goes on, one listener forwards, no program runs twice."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

from front_door import FrontDoor
from outbox_kills import KillPlay

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
    _post(listening, {"call_id": "first"})
    listening.wait_for("answers 503 to events and asks for a pause of 3 s", PATIENCE)
    _post(listening, *({"call_id": number} for number in range(4)))
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


def _program(home: Path, *lines: str) -> tuple[str, Callable[[], list[str]]]:
    """An `--exec` that writes to a log as it goes, and a function that reads the log."""
    log, script = home / "log.txt", home / "program.sh"
    script.write_text("\n".join(lines).replace("LOG", f">> {log}"))
    return f"/bin/sh {script}", lambda: (log.read_text() if log.exists() else "").split()


def test_of_two_listeners_one_forwards_and_the_other_takes_over(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    first = listen("--forward", crm.url)
    _post(first, {"call_id": "a"})
    crm.wait(1, PATIENCE)
    second = listen("--forward", crm.url)
    assert f"(process {first.pid}) forwards" in second.wait_for("forwards nothing", PATIENCE)
    _post(second, {"call_id": "b"})
    crm.wait(2, PATIENCE)
    assert first.stop() == 143
    _post(second, {"call_id": "c"})
    second.wait_for("forwards from now on", PATIENCE)
    assert [json.loads(body)["call_id"] for _, body in crm.wait(3, PATIENCE)] == ["a", "b", "c"]
    assert _told(second, "forwards nothing") == 1


def test_whoever_forwards_is_killed_and_nothing_runs_twice_or_is_forgotten(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    KillPlay(alovoice, listen, crm).run(2)


def test_a_stop_ends_programs_that_run_and_they_can_be_started_again(listen: Listen, alovoice: FrontDoor) -> None:
    program, log = _program(alovoice.home, "echo begin LOG", "exec sleep 3")
    listening = listen("--exec", program)
    _post(listening, *({"call_id": number} for number in range(3)))
    _until(lambda: log() == ["begin"] * 3)
    assert listening.stop() == 143
    _until(lambda: _told(listening, "ended by SIGTERM when the listener was stopped; ") == 3, "three lines")
    assert "`alovoice events outbox retry " in listening.wait_for("by SIGTERM")
    assert [row["state"] for row in _outbox(alovoice, "--state", "dead")] == ["dead"] * 3
    listening = listen("--exec", program)
    assert alovoice("events", "outbox", "retry", "--all").code == 0
    _until(lambda: log() == ["begin"] * 6)


def test_a_program_that_takes_sigterm_in_its_own_way_is_waited_for(listen: Listen, alovoice: FrontDoor) -> None:
    program, log = _program(
        alovoice.home,
        "trap 'sleep 1; echo neat LOG; exit 0' TERM",
        "echo begin LOG",
        "while true; do sleep 0.1; done",
    )
    listening = listen("--exec", program)
    _post(listening, {"call_id": "a"})
    _until(lambda: log() == ["begin"])
    assert listening.stop() == 143
    assert log() == ["begin", "neat"]
    assert _outbox(alovoice) == []


def test_a_program_of_a_killed_listener_is_not_started_again_unless_somebody_orders_it(
    listen: Listen, alovoice: FrontDoor
) -> None:
    program, log = _program(alovoice.home, "sleep 1", "echo $ALOVOICE_EVENT_ID LOG")
    listening = listen("--exec", program)
    _post(listening, {"call_id": "a"})
    first = listening.event()["id"]
    _until(lambda: [row["state"] for row in _outbox(alovoice)] == ["running"])
    listening.process.kill()
    listening.process.wait()
    again = listen("--exec", program)
    line = again.wait_for("had not ended when the listener died", PATIENCE)
    _post(again, {"call_id": "b"})
    second = again.event()["id"]
    _until(lambda: second in log())
    assert [(row["id"], row["state"]) for row in _outbox(alovoice)] == [(first, "dead")]
    assert log().count(first) <= 1
    words = line.partition("`")[2].partition("`")[0].split()[1:]
    assert alovoice(*words).code == 0
    _until(lambda: _outbox(alovoice) == [])
    assert log()[-1] == first
