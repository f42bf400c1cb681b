"""Several listeners on one store on a server: one history, each delivery made by one of them, nothing lost."""

import json
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor
from outages import OutagePlay
from postgres_server import Cluster, running_cluster
from waiting import wait_until

from alovoice_cli.moments import unix_microseconds
from alovoice_cli.stores.event_postgres import IDLE
from alovoice_cli.stores.events import EventStore

from .conftest import START, Handler, Listening, sql

Listen = Callable[..., Listening]
PATIENCE = 60


@pytest.fixture
def server_url(alovoice: FrontDoor, postgres: Cluster) -> str:
    """The profile's store: an empty database."""
    url = postgres.event_store()
    assert alovoice("config", "set", "store", url).code == 0
    return url


def _until(is_so: Callable[[], object], what: str = "it") -> None:
    wait_until(is_so, what, pause=0.1)  # a look reads the store


def _rows(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    done = alovoice("events", *words, "--json")
    assert done.code == 0, done.err
    rows: list[dict[str, Any]] = json.loads(done.out)
    return rows


def test_a_call_that_starts_at_one_listener_and_ends_at_the_other_is_one_call(
    listen: Listen, alovoice: FrontDoor, server_url: str
) -> None:
    one, other = listen(), listen()
    status, call_id = one.post("callstart", START)
    assert status == 200
    assert other.post("callend", {"call_id": call_id.decode(), "status_code": "200", "duration": 7}) == (200, b"true")
    (call,) = _rows(alovoice, "stats", "--by", "status")
    assert call["calls"] == 1
    assert [event["type"] for event in _rows(alovoice, "list")] == ["callend", "callstart"]
    one.stop()
    other.post("callend", {"call_id": "later"})
    assert _no_listener(alovoice) == []
    other.stop()
    _until(lambda: len(_no_listener(alovoice)) == 1, "the gap")


def _no_listener(alovoice: FrontDoor) -> list[dict[str, Any]]:
    return [row for row in _rows(alovoice, "gaps") if row["what"] == "no listener"]


def test_a_repeated_delivery_to_the_other_listener_gets_the_first_one_s_answer_and_is_passed_on_once(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    one, other = listen("--forward", crm.url), listen("--forward", crm.url)
    first = one.post("callstart", START)
    assert other.post("callstart", START) == first
    assert one.post("callend", {"call_id": first[1].decode(), "status_code": "200"}) == (200, b"true")
    assert other.post("callend", {"call_id": first[1].decode(), "status_code": "200"}) == (200, b"true")
    crm.wait(2)
    _until(lambda: _rows(alovoice, "outbox", "list") == [])
    assert len(crm.seen) == 2
    events = _rows(alovoice, "list")
    assert [event["duplicate_of"] is None for event in events] == [False, True, False, True]


def test_a_repetition_waits_for_what_the_crm_answers_the_other_listener(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    def slowly(_: bytes) -> tuple[int, bytes]:
        time.sleep(0.6)
        return 200, b"4711"

    crm.answer = slowly
    words = ("--forward", f"callstart={crm.url}", "--forward-timeout", "5")
    one, other = listen(*words), listen(*words)
    answers: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(one.post("callstart", START)))
    thread.start()
    crm.wait(1)
    assert other.post("callstart", START) == (200, b"4711")
    thread.join()
    assert answers == [(200, b"4711")]
    assert len(crm.seen) == 1


def test_what_a_killed_forwarder_was_sending_is_sent_by_the_other_at_once(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    hangs = threading.Event()
    crm.answer = lambda _: (200, b"") if hangs.wait(PATIENCE) else (500, b"")
    words = ("--forward", crm.url)
    one = listen(*words)
    assert one.post("callend", {"call_id": "c1", "n": 1}) == (200, b"true")
    crm.wait(1)
    other = listen(*words)
    assert other.post("callend", {"call_id": "c1", "n": 2}) == (200, b"true")
    one.process.kill()
    crm.wait(2)  # again, by the other one
    hangs.set()
    seen = [json.loads(body)["n"] for _, body in crm.wait(3)]
    assert seen == [1, 1, 2]
    _until(lambda: _rows(alovoice, "outbox", "list") == [])


def test_a_program_that_ran_when_its_listener_was_killed_is_given_up_by_the_other(
    listen: Listen, alovoice: FrontDoor, server_url: str
) -> None:
    log = alovoice.home / "log.txt"
    script = alovoice.home / "slow.sh"
    script.write_text(f"echo $$ > {alovoice.home}/pid\necho begun >> {log}\nexec sleep 600\n")
    words = ("--exec", f"/bin/sh {script}")
    one, other = listen(*words), listen(*words)
    _, body = one.post("callend", {"call_id": "c1"})
    assert body == b"true"
    _until(log.exists, "the program")
    # Either of them may run it.
    (row,) = _rows(alovoice, "outbox", "list")
    assert row["state"] == "running"
    runs = next(each for each in (one, other) if _children(each.pid))
    lives = other if runs is one else one
    runs.process.kill()
    assert "it had not ended when the listener died" in lives.wait_for("had not ended")
    _until(lambda: [entry["state"] for entry in _rows(alovoice, "outbox", "list")] == ["dead"])
    assert log.read_text() == "begun\n"
    os.kill(int((alovoice.home / "pid").read_text()), signal.SIGKILL)  # it holds the streams of the dead listener


def _children(pid: int) -> str:
    """The programs that a process has started, by their ids."""
    return "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).strip()


def test_one_listener_tells_of_a_missed_call_and_the_other_takes_over(
    listen: Listen, alovoice: FrontDoor, server_url: str, crm: Handler
) -> None:
    words = ("--notify", crm.url, "--grace", "0s")
    one = listen(*words)
    other = listen(*words)
    other.wait_for("another listener reports missed calls")
    for number, listening in enumerate((one, other)):
        _miss(listening, f"90123456{number}")
        crm.wait(number + 1)
    _until(lambda: sql(alovoice, "SELECT count(*) FROM notice WHERE state = 'told'")[0][0] == 2, "what was told")
    one.process.kill()
    other.wait_for("this listener takes over: it reports missed calls")
    _miss(other, "901234569")
    crm.wait(3)
    time.sleep(3)
    told = [json.loads(body) for _, body in crm.seen]
    assert len(told) == 3, told


def _miss(listening: Listening, number: str) -> None:
    _, call_id = listening.post("callstart", START | {"number": number, "start_time": int(time.time())})
    assert listening.post(
        "callend", {"call_id": call_id.decode(), "status_code": "486", "end_time": int(time.time())}
    ) == (200, b"true")


@pytest.fixture(scope="module")
def durable_cluster() -> Iterator[Cluster]:
    """A cluster of this module's own."""
    with running_cluster(durable=True) as cluster:
        yield cluster


@pytest.fixture
def mortal(alovoice: FrontDoor, durable_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that may be killed, with the profile's store on it."""
    if not durable_cluster.is_started:  # a test that failed has left it so
        durable_cluster.start()
    assert alovoice("config", "set", "store", durable_cluster.event_store()).code == 0
    yield durable_cluster
    IDLE.close()
    durable_cluster.take_back()


@pytest.mark.soak
def test_a_server_that_is_killed_under_load_loses_nothing_that_was_acknowledged(
    listen: Listen, alovoice: FrontDoor, crm: Handler, mortal: Cluster
) -> None:
    listeners = [listen("--forward", crm.url), listen("--forward", crm.url)]

    def away() -> None:
        mortal.stop("immediate")
        assert all(each.wait_for("they go to") for each in listeners)
        mortal.start()

    play = OutagePlay(alovoice, listeners, crm)
    play.run(away)
    assert set(play.answers) == {200}
    assert all(each.wait_for("takes events again") for each in listeners)


def test_a_listener_starts_while_its_server_is_down_and_its_events_come_later(
    listen: Listen, alovoice: FrontDoor, crm: Handler, mortal: Cluster
) -> None:
    mortal.stop("immediate")
    listening = listen("--forward", crm.url)
    assert "cannot be reached" in listening.wait_for("they go to")
    status, call_id = listening.post("callstart", START)
    assert status == 200
    assert listening.post("callstart", START) == (200, call_id)
    listening.process.kill()
    again = listen("--forward", crm.url)  # it takes over the spool of the dead one
    assert again.post("callend", {"call_id": call_id.decode(), "status_code": "200"}) == (200, b"true")
    mortal.start()
    again.wait_for("takes events again")
    _until(lambda: len(crm.seen) == 2, "the forwards")
    events = _rows(alovoice, "list")
    assert [event["type"] for event in events] == ["callend", "callstart", "callstart"]
    assert [event["duplicate_of"] for event in events] == [None, call_id.decode(), None]
    assert [json.loads(body).get("call_id") for _, body in crm.seen] == [None, call_id.decode()]
    dead, alive = EventStore(json.loads(alovoice("config", "get", "store", "--json").out)["value"]).uptimes()
    assert dead.began_at <= unix_microseconds(datetime.fromisoformat(events[-1]["received_at"])) < alive.began_at


def _let_no_file_grow() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))


def test_without_server_and_with_a_full_spool_the_sender_is_told_and_all_else_comes_later(
    listen: Listen, alovoice: FrontDoor, mortal: Cluster
) -> None:
    mortal.stop("immediate")
    alovoice.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # files of modules would be cut short
    listening = listen("--admin", "0", preexec_fn=_let_no_file_grow)
    kept, status = list[str](), 200
    while status == 200:
        name = f"call-{len(kept)}"
        status, _ = listening.post("callend", {"call_id": name, "filling": "x" * 500})
        kept += [name] * (status == 200)
    assert status == 503
    assert len(kept) > 3
    assert listening.request("GET", f"{listening.admin}/ready")[0] == 503
    assert b"alovoice_spooling 1.0" in listening.request("GET", f"{listening.admin}/metrics")[1]
    mortal.start()
    listening.wait_for("takes events again")
    assert listening.post("callend", {"call_id": "after"}) == (200, b"true")
    _until(lambda: [event["event_call_id"] for event in _rows(alovoice, "list")] == ["after", *kept[::-1]])


KNOWN_CALLERS = """fallback = { queue = "1" }
[[rule]]
name = "back to whom they spoke with"
when = { spoke_within = "7d" }
then = { peer = "@last_peer" }
"""


def test_callers_are_sent_on_while_the_server_is_away(listen: Listen, alovoice: FrontDoor, mortal: Cluster) -> None:
    rules = alovoice.home / "rules.toml"
    rules.write_text(KNOWN_CALLERS)
    listening = listen("--rules", str(rules))
    mortal.stop("immediate")
    answers = [json.loads(listening.post("route", {"from_number": "974244100"})[1]) for _ in range(20)]
    assert [answer["action_data"] for answer in answers] == ["1"] * 20
    mortal.start()
    listening.wait_for("takes events again")
    _until(lambda: len(_rows(alovoice, "list", "--type", "route")) == 20)
