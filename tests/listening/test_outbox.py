"""The outbox in the open: trouble is told, a backlog goes on, one listener forwards, no program runs twice."""

import json
import shlex
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any, cast

import pytest
from front_door import FrontDoor
from outbox_kills import KillPlay
from waiting import wait_until

from alovoice_cli.errors import UsageError
from alovoice_cli.listening.dispatch import Dispatcher, OutboxAccess
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.target_warnings import OutboxCommands
from alovoice_cli.listening.targets import parse_forward
from alovoice_cli.stores.outbox import Due, Outbox

from .conftest import Handler, Listening, outbox_entries, sql

pytestmark = pytest.mark.usefixtures("profile_store")

Listen = Callable[..., Listening]
PATIENCE = 60
HOUR = 3_600_000_000


def _until(is_so: Callable[[], object], what: str = "it") -> None:
    wait_until(is_so, what, pause=0.1)  # a look reads the store


def _post(listening: Listening, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        assert listening.post("callend", body) == (200, b"true")


def _told(listening: Listening, text: str) -> int:
    return sum(text in line for line in listening.errors)


def _command(line: str) -> list[str]:
    """The command that a line names, without the program."""
    return line.partition("`")[2].partition("`")[0].split()[1:]


def test_one_event_is_refused_then_all_are_and_the_mended_crm_gets_them_in_order(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.answer = lambda body: ((422 if b"odd" in body else 200), b"")
    listening = listen("--forward", f"{crm.url}?key=s3cret")
    _post(listening, {"call_id": "even"}, {"call_id": "odd"}, {"call_id": "other"})
    odd = [listening.event(), listening.event()][1]["id"]
    assert f"answers 422 to event {odd}" in listening.wait_for("answers 422", PATIENCE)
    _until(lambda: [row["id"] for row in outbox_entries(alovoice)] == [odd])
    assert alovoice("events", "outbox", "drop", odd, "--yes").code == 0
    _never_answers_one_event(listening, crm)
    assert alovoice("events", "outbox", "drop", "--all", "--yes").code == 0
    _post(listening, {"call_id": "more"})
    listening.wait_for("takes events again: ", PATIENCE)
    _until(lambda: outbox_entries(alovoice) == [])
    crm.seen.clear()
    crm.answer = lambda _: (404, b"")
    _post(listening, *({"call_id": f"c{number % 2}", "n": number} for number in range(6)))
    assert f"http://127.0.0.1:{crm.port} answers" in listening.wait_for("answers 404 to events; ", PATIENCE)
    _until(lambda: sum(row["attempts"] for row in outbox_entries(alovoice)) >= 2)
    (target,) = json.loads(alovoice("status", "--offline", "--json").out)["outbox"]
    assert (target["waiting"], target["dead"], target["state"]) == (6, 0, "refusing")
    assert target["oldest_seconds"] >= 0
    sql(alovoice, f"UPDATE outbox SET due_at = due_at + {HOUR} WHERE attempts > 0")
    crm.seen.clear()
    crm.answer = lambda _: (200, b"")
    _post(listening, {"call_id": "new", "n": 6})
    seen = [json.loads(body) for _, body in crm.wait(7, PATIENCE)]
    assert sorted(body["n"] for body in seen) == list(range(7))
    for call in ("c0", "c1"):
        told = [body["n"] for body in seen if body["call_id"] == call]
        assert told == sorted(told)
    _until(lambda: _told(listening, "takes events again: ") == 2)
    _until(lambda: outbox_entries(alovoice) == [])
    assert [_told(listening, f"answers {code} to event") for code in (422, 504, 404)] == [1, 1, 1]
    _asks_for_pauses(listening, crm)
    assert not any("s3cret" in line for line in listening.errors)


def _never_answers_one_event(listening: Listening, crm: Handler) -> None:
    """Of one event the CRM dies, each time: the others go on."""
    crm.seen.clear()
    crm.answer = lambda body: ((504 if b"deadly" in body else 200), b"")
    _post(listening, {"call_id": "deadly"}, *({"call_id": number} for number in range(20)))
    _until(lambda: len({body for _, body in crm.seen}) == 21, "the others")


def _asks_for_pauses(listening: Listening, crm: Handler) -> None:
    """The CRM asks for three seconds, then for a date, and gets what it asks for."""
    came: list[float] = []

    def answer(_: bytes) -> tuple[int, bytes]:
        came.append(time.time())
        asked = ["3", formatdate(came[-1] + 4, usegmt=True)][len(came) - 1 :][:1]
        crm.headers = {"Retry-After": asked[0]} if asked else {}
        return (503 if asked else 200), b""

    crm.seen.clear()
    crm.answer = answer
    _post(listening, {"call_id": "first"})
    listening.wait_for("answers 503 to events and asks for a pause of 3 s", PATIENCE)
    _post(listening, *({"call_id": f"later {number}"} for number in range(4)))
    crm.wait(7, PATIENCE)
    assert came[1] - came[0] >= 2.9
    assert came[2] - came[1] >= 2.9  # a date has whole seconds
    listening.wait_for("takes events again: 5 events were waiting for it", PATIENCE)
    assert _told(listening, "answers 503") == 1


def test_a_pause_of_an_hour_and_a_stop_by_410_outlast_a_restart_and_end_by_order(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.answer, crm.headers = lambda _: (429, b""), {"Retry-After": "7200"}
    listening = listen("--forward", crm.url)
    _post(listening, {"call_id": "first"})
    listening.wait_for("asks for a pause of 7200 s (the next attempt is after 3600 s)", PATIENCE)
    listening.stop()
    listening = listen("--forward", crm.url)
    crm.answer, crm.headers = lambda body: ((410 if b"first" in body else 200), b""), {}
    _post(listening, {"call_id": "second"})
    listening.event()
    time.sleep(1.5)
    assert len(crm.seen) == 1
    assert "2 events will be sent again" in alovoice("events", "outbox", "retry", "--all").err
    line = listening.wait_for("answers 410", PATIENCE)
    _post(listening, {"call_id": "third"})
    _until(lambda: [row["state"] for row in outbox_entries(alovoice)] == ["dead"] * 3, "the dead letters")
    assert len(crm.seen) == 2
    listening.stop()
    listening = listen("--forward", crm.url)
    listening.wait_for("because it answered 410: 3 dead letters", PATIENCE)
    crm.answer = lambda _: (200, b"")
    assert alovoice(*_command(line)).code == 0
    crm.wait(5, PATIENCE)
    _post(listening, {"call_id": "fourth"})
    crm.wait(6, PATIENCE)


def test_events_of_a_url_that_is_no_longer_given_are_named_and_handed_over(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.stop()
    store = ("--store", "the events.db")
    listening = listen(*store, "--forward", "http://127.0.0.1:9/old?key=s3cret")
    _post(listening, *({"call_id": "c", "n": number} for number in range(5)))
    listening.wait_for("cannot be reached", PATIENCE)
    listening.stop()
    crm.start()
    listening = listen(*store, "--forward", crm.url)
    line = listening.wait_for("is no longer a target", PATIENCE)
    assert "5 events wait for http://127.0.0.1:9, which" in line
    retry, drop = (shlex.split(part) for part in line.split("`")[1::2])
    assert drop[:4] == ["alovoice", "events", "outbox", "drop"]
    assert [retry[-2:], drop[-2:]] == [list(store)] * 2
    words = [crm.url if word == "URL" else word for word in retry[1:]]
    assert alovoice(*words).code == 0
    seen = [json.loads(body)["n"] for _, body in crm.wait(5, PATIENCE)]
    assert seen == list(range(5))
    _until(lambda: outbox_entries(alovoice, *store) == [])
    assert not any("s3cret" in line for line in listening.errors)


def _program(home: Path, name: str, *lines: str) -> tuple[str, Callable[[], list[str]]]:
    """An `--exec` that writes to a log as it goes, and a function that reads the log."""
    log, script = home / f"{name}.txt", home / f"{name}.sh"
    script.write_text("\n".join(lines).replace("LOG", f">> {log}"))
    return f"/bin/sh {script}", lambda: (log.read_text() if log.exists() else "").split()


@pytest.mark.both_engines
def test_of_two_listeners_that_share_a_store_one_is_killed_and_when_it_dies_nothing_is_done_twice_or_forgotten(
    listen: Listen, crm: Handler, alovoice: FrontDoor, engine: str
) -> None:
    KillPlay(alovoice, listen, crm, is_shared=engine == "postgres").run(2)


@pytest.mark.both_engines
def test_programs_are_ended_with_the_listener_told_and_started_again_by_order_alone(
    listen: Listen, alovoice: FrontDoor
) -> None:
    slow, log = _program(alovoice.home, "slow", "echo $ALOVOICE_EVENT_ID LOG", "exec sleep 3")
    trap = "trap 'sleep 0.5; echo neat LOG; exit 0' TERM"
    neat, neat_log = _program(alovoice.home, "neat", trap, "echo begin LOG", "while :; do sleep 0.1; done")
    listening = listen("--exec", slow, "--exec", f"result={neat}")
    listening.post("result", {"id": "a"})
    _post(listening, *({"call_id": number} for number in range(2)))
    _until(lambda: len(log()) == 3 and neat_log() == ["begin"])
    assert listening.stop() == 143
    assert neat_log() == ["begin", "neat"]
    _until(lambda: _told(listening, "ended by SIGTERM when the listener was stopped; ") == 3, "three lines")
    dead = [row["id"] for row in outbox_entries(alovoice, "--state", "dead")]
    assert sorted(dead) == sorted(log())
    assert alovoice("events", "outbox", "drop", *dead[1:], "--yes").code == 0

    listening = listen("--exec", slow)
    assert alovoice(*_command(f"`alovoice events outbox retry {dead[0]}`")).code == 0
    _until(lambda: log()[3:] == dead[:1])
    listening.process.kill()
    listening.process.wait()

    listening = listen("--exec", slow)
    line = listening.wait_for(f"event {dead[0]}: it had not ended when the listener died", PATIENCE)
    _post(listening, {"call_id": "new"})
    _until(lambda: len(log()) == 5)
    assert [(row["id"], row["state"]) for row in outbox_entries(alovoice, "--state", "dead")] == [(dead[0], "dead")]
    assert log().count(dead[0]) == 2
    assert alovoice(*_command(line)).code == 0
    _until(lambda: log().count(dead[0]) == 3)


def test_trouble_of_an_earlier_run_ends_with_the_first_event_that_is_taken(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    crm.answer = lambda _: (503, b"")
    listening = listen("--forward", crm.url)
    _post(listening, {"call_id": "first"})
    listening.wait_for("answers 503", PATIENCE)
    _until(lambda: _state(alovoice) == "paused")
    listening.stop()
    crm.answer = lambda _: (200, b"")
    listen("--forward", crm.url)
    _until(lambda: _state(alovoice) == "taking")
    listed = alovoice("events", "outbox", "list")
    assert (listed.code, "has accepted no events" in listed.err) == (0, False)


def _state(alovoice: FrontDoor) -> str:
    (target,) = json.loads(alovoice("status", "--offline", "--json").out)["outbox"]
    return str(target["state"])


class _FailingOutbox(Outbox):
    """An outbox that cannot be read at first."""

    def __init__(self) -> None:
        super().__init__("nowhere.db")
        self.asked = 0

    def due(self, target: str, now_us: int, limit: int) -> list[Due]:
        self.asked += 1
        if self.asked < 3:
            raise UsageError("events.db is in use by another process", hint="")
        return []


def test_an_outbox_that_cannot_be_read_for_a_while_is_told_once_and_read_again() -> None:
    outbox, told = _FailingOutbox(), list[str]()
    target = parse_forward("http://127.0.0.1:9/")
    access = OutboxAccess(outbox, lambda *_: None, told.append, time.monotonic_ns, OutboxCommands(()))
    dispatcher = Dispatcher(target, cast(Forwarder, None), access, None)  # nothing is ever due
    dispatcher.start()

    def asked_again() -> bool:
        dispatcher.wake()
        return outbox.asked > 4

    _until(asked_again)
    dispatcher.stop()
    assert told == ["http://127.0.0.1:9: the outbox cannot be read now (events.db is in use by another process)"]
