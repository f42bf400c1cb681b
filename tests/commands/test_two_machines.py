"""Two machines of one profile, with state directories of their own and one store on a server: each person once."""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from batch_server import OUT, Exchange, account_of_shared, another_machine, point_at, work_with_kills, write_list
from front_door import TOKEN, FrontDoor
from postgres_server import Cluster, running_cluster
from raw_server import Connection, RawServer, Seen
from waiting import wait_until

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
SHARED = (*OUT, "--shared")


@pytest.fixture
def machines(tmp_path: Path, postgres: Cluster) -> tuple[FrontDoor, FrontDoor]:
    """Two machines that name the same store."""
    url = postgres.database()
    return another_machine(tmp_path / "a", url), another_machine(tmp_path / "b", url)


@pytest.fixture
def pbx_of(machines: tuple[FrontDoor, FrontDoor]) -> Iterator[Callable[..., Exchange]]:
    """Makes the PBX of both machines."""
    made: list[Exchange] = []

    def make(answer: Any = None) -> Exchange:
        made.append(Exchange(answer))
        for home in machines:
            point_at(home, made[-1])
        return made[-1]

    yield make
    for server in made:
        server.stop()


def _slowly(connection: Connection, seen: Seen) -> None:
    time.sleep(0.02)
    connection.answer("200 OK", b"true")


def _lists(machines: tuple[FrontDoor, FrontDoor], rows: int) -> list[str]:
    for home in machines:
        called = write_list(home.home, rows)
    return called


def test_machines_that_are_killed_call_nobody_twice_and_forget_nobody(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    pbx, called = pbx_of(_slowly), _lists(machines, 60)
    kills = work_with_kills(machines, pbx, (*SHARED, "--jobs", "2"), kills=10, chance=random.Random(17))
    account_of_shared(machines, pbx, (*SHARED, "--jobs", "2"), called, most_unknown=2 * kills)


def test_two_machines_share_the_rows_of_one_list(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    both = threading.Barrier(2)

    def together(connection: Connection, seen: Seen) -> None:
        both.wait(60)  # each call waits for one of the other machine
        connection.answer("200 OK", b"true")

    pbx, called = pbx_of(together), _lists(machines, 8)
    processes = [home.start(*SHARED) for home in machines]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert pbx.calls == dict.fromkeys(called, 1)
    assert [len(out.splitlines()) for out, _ in ends] == [4, 4]
    for home in machines:
        (batch,) = json.loads(home("call", "batches", "list", "--json").out)
        assert (batch["rows"], batch["done"]) == (8, 8)
        assert len(json.loads(home("call", "receipts", "list", "--json").out)) == 8


def test_starts_at_the_same_moment_all_work_on_one_journal(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    pbx, called = pbx_of(_slowly), _lists(machines, 24)
    processes = [home.start(*SHARED, "--jobs", "2") for home in (*machines, *machines)]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ends
    assert pbx.calls == dict.fromkeys(called, 1)
    assert sum(len(out.splitlines()) for out, _ in ends) == 24


def test_without_shared_a_second_machine_is_refused_while_the_first_runs(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    may_answer = threading.Event()
    pbx = pbx_of(lambda connection, seen: (may_answer.wait(60), connection.answer("200 OK", b"true")))
    called = _lists(machines, 3)
    first = machines[0].start(*OUT)
    wait_until(lambda: len(pbx.requests) == 1, "a request")
    for words in (OUT, SHARED):
        refused = machines[1](*words)
        assert (refused.code, len(pbx.requests)) == (2, 1)
        assert "runs already, by process" in refused.err
        assert f":{first.pid}" in refused.err
    first.send_signal(signal.SIGKILL)
    first.communicate()
    may_answer.set()
    later = machines[1](*OUT)
    assert (later.code, pbx.calls) == (6, dict.fromkeys(called, 1)), "the row in flight is unknown, and not due again"


def test_a_machine_that_loses_the_server_sends_nothing_more_and_the_other_goes_on(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    in_flight, may_answer = threading.Event(), threading.Event()

    def answer(connection: Connection, seen: Seen) -> None:
        in_flight.set()
        may_answer.wait(60)
        connection.answer("200 OK", b"true")

    pbx, called = pbx_of(answer), _lists(machines, 10)
    process = machines[0].start(*SHARED)
    assert in_flight.wait(60)
    with psycopg.connect(machines[0].server_store, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'alovoice %' AND datname = current_database()"
        )
    may_answer.set()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, len(pbx.requests)) == (7, 1), err
    assert b"cannot be reached" in err
    other = machines[1](*SHARED)
    assert pbx.calls == dict.fromkeys(called, 1)
    assert other.code in (0, 6), "what the ledger heard of the row in flight"


def test_a_server_that_dies_in_mid_batch_leaves_nobody_called_twice(tmp_path: Path) -> None:
    with running_cluster(durable=True) as cluster:
        home = another_machine(tmp_path / "a", cluster.database())
        in_flight, may_answer = threading.Event(), threading.Event()

        def answer(connection: Connection, seen: Seen) -> None:
            if len(pbx.requests) > 3:
                in_flight.set()
                may_answer.wait(60)
            connection.answer("200 OK", b"true")

        pbx = Exchange(answer)
        point_at(home, pbx)
        called = write_list(home.home, 12)
        process = home.start(*OUT, "--jobs", "2")
        assert in_flight.wait(60)
        cluster.stop("immediate")
        may_answer.set()
        _, err = process.communicate(timeout=120)
        left = len(pbx.requests)
        assert (process.returncode, left < 12) == (7, True), err
        refused = home(*OUT)
        assert (refused.code, "cannot be reached" in refused.err, len(pbx.requests)) == (2, True, left)
        single = home("call", "out", "--inner-phone", "2424", "--number", "909999999", "--yes", "--night-ok")
        assert (single.code, len(pbx.requests)) == (2, left)
        cluster.start()
        unknown = account_of_shared([home], pbx, (*OUT, "--jobs", "2"), called, most_unknown=2)
        pbx.stop()
        assert unknown, "nothing is known of the rows in flight"


def test_what_changes_the_rows_of_others_does_not_go_with_shared(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    pbx = pbx_of()
    _lists(machines, 2)
    for more in ("--restart", "--changed-ok"):
        refused = machines[0](*SHARED, more)
        assert (refused.code, more in refused.err, len(pbx.requests)) == (2, True, 0)


def test_shared_without_a_server_is_refused(alovoice: FrontDoor) -> None:
    write_list(alovoice.home, 2)
    refused = alovoice(*SHARED)
    assert (refused.code, "postgresql://" in refused.err) == (2, True)


def test_the_days_limit_and_the_same_rows_count_over_machines(
    machines: tuple[FrontDoor, FrontDoor], pbx_of: Callable[..., Exchange]
) -> None:
    pbx = pbx_of()
    _lists(machines, 3)
    for home in machines:
        home("config", "set", "max_calls_per_day", "4")
    assert machines[0](*OUT).code == 0
    write_list(machines[1].home, 3, "copy.csv")
    copied = machines[1](*("copy.csv" if word == "clients.csv" else word for word in OUT))
    assert (copied.code, "the same 3 rows" in copied.err) == (8, True)
    assert machines[1]("call", "out", "--inner-phone", "2424", "--number", "909999999", "--yes", "--night-ok").code == 0
    beyond = machines[1]("call", "out", "--inner-phone", "2424", "--number", "909999998", "--yes", "--night-ok")
    assert (beyond.code, "max_calls_per_day" in beyond.err, len(pbx.requests)) == (8, True, 4)


def test_of_four_identical_creates_from_two_machines_one_uploads(machines: tuple[FrontDoor, FrontDoor]) -> None:
    may_answer, is_read, all_have_begun = threading.Event(), threading.Event(), threading.Barrier(4)

    def serve(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            if seen.target.endswith("getMyTrunks"):
                all_have_begun.wait(60)  # what is checked before the upload is checked by all at once
                connection.answer("200 OK", b'["712037006"]')
                continue
            is_read.set()
            may_answer.wait(60)
            connection.answer("200 OK", b'{"id": 124, "status": "new"}')

    server = RawServer([serve])
    create = (
        *("autorule", "create", "--name", "Куз oʻ", "--record", "promo.mp3", "--recipients", "clients.csv"),
        *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
        *("--night-ok", "--yes"),
    )
    for home in machines:
        home.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
        (home.home / "promo.mp3").write_bytes(MP3.read_bytes())
        (home.home / "clients.csv").write_text("998901234567\n998912345678\n", "utf-8")
    started = [home.start(*create) for home in (*machines, *machines)]
    with ThreadPoolExecutor(4) as pool:
        ends = [pool.submit(process.communicate, timeout=120) for process in started]
        assert is_read.wait(60)
        wait_until(lambda: sum(end.done() for end in ends) == 3, "the end of three")  # those who lose wait for nobody
        may_answer.set()
        told = [end.result() for end in ends]
    server.stop()
    assert sorted(process.returncode for process in started) == [0, 8, 8, 8], told
    assert len(server.effects) == 1
    assert [[row["id"] for row in json.loads(home("autorule", "list", "--json").out)] for home in machines] == [
        ["124"],
        ["124"],
    ]
