"""A PBX that takes hundreds of calls and counts the called numbers; a batch's home, and what a batch prints."""

import json
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from front_door import TOKEN, FrontDoor, Result, fresh_home
from raw_server import Connection, RawServer, Seen
from waiting import wait_until


def slowly(seconds: float) -> Callable[[Connection, Seen], None]:
    """Answers `true` after so many seconds."""

    def answer(connection: Connection, seen: Seen) -> None:
        time.sleep(seconds)
        connection.answer("200 OK", b"true")

    return answer


class HeldAnswers:
    """Answers `true` at once to so many calls. The next wait until they are released, and then are slow.

    For what must happen while a batch runs, however long this machine takes to it.
    """

    def __init__(self, at_once: int) -> None:
        self._left, self._lock = at_once, threading.Lock()
        self._released = threading.Event()

    def __call__(self, connection: Connection, seen: Seen) -> None:
        with self._lock:
            self._left -= 1
            is_held = self._left < 0
        if is_held:
            self._released.wait(60)
            time.sleep(0.05)
        connection.answer("200 OK", b"true")

    def release(self) -> None:
        """Lets those that wait be answered."""
        self._released.set()


class Exchange(RawServer):
    """Answers `true` to each call after `after` seconds; counts the calls by number."""

    def __init__(self, answer: Callable[[Connection, Seen], None] | None = None) -> None:
        self._answer = answer or (lambda connection, seen: connection.answer("200 OK", b"true"))
        super().__init__([self._take])

    def _take(self, connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            self._answer(connection, seen)

    @property
    def calls(self) -> Counter[str]:
        """Returns how often each number was called, by complete requests."""
        return Counter(json.loads(seen.body)["number"] for seen in self.requests if seen.body)

    def wait_for_more_than(self, count: int, running: Collection[subprocess.Popen[bytes]] = ()) -> None:
        """Waits for more requests than so many, or for the end of all that run."""
        wait_until(
            lambda: len(self.requests) > count or (running and all(one.poll() is not None for one in running)),
            "the next request",
            pause=0.002,
        )


def numbers(count: int) -> list[str]:
    """Returns different assigned numbers."""
    return [f"90{1_000_000 + index}" for index in range(count)]


def write_list(home: Path, count: int, name: str = "clients.csv") -> list[str]:
    """Writes a list with a heading, like a CRM's export, and returns its numbers."""
    called = numbers(count)
    rows = [f"{number};Клиент {index}" for index, number in enumerate(called)]
    (home / name).write_text("\n".join(["Телефон;Имя", *rows, ""]), encoding="utf-8")
    return called


def point_at(alovoice: FrontDoor, server: RawServer) -> None:
    """Makes the server this home's PBX."""
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}


FILES_ONLY = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""For a test of faults that only files have: a full disk, a restored copy, damage."""


def lose_journals(alovoice: FrontDoor) -> None:
    """Deletes all journals, as somebody would who wants to make room."""
    if alovoice.server_store:
        with psycopg.connect(alovoice.server_store, autocommit=True) as connection:
            connection.execute("DELETE FROM journal")
    else:
        shutil.rmtree(alovoice.home / "state" / "batches")


def move_journals(alovoice: FrontDoor) -> None:
    """Gives the journals another place, where nobody looks for them."""
    if alovoice.server_store:
        with psycopg.connect(alovoice.server_store, autocommit=True) as connection:
            connection.execute("UPDATE journal SET name = 'elsewhere'")
    else:
        (alovoice.home / "state" / "batches").rename(alovoice.home / "elsewhere")


def another_machine(home: Path, store: str) -> FrontDoor:
    """Returns another machine: its configuration and state are in its own folder, its store is on a shared server."""
    made = fresh_home(home)
    assert made("config", "set", "store", store).code == 0
    made.server_store = store
    return made


def work_with_kills(
    machines: Sequence[FrontDoor], pbx: "Exchange", words: Sequence[str], *, kills: int, chance: random.Random
) -> int:
    """Lets all machines work, and kills one of them so often at some call; returns how many were still at work."""
    running = {home.home: home.start(*words, streams=subprocess.DEVNULL) for home in machines}
    hits = 0
    for _ in range(kills):
        home = chance.choice(machines)
        target = len(pbx.requests) + chance.randrange(0, 4)
        pbx.wait_for_more_than(target, running.values())
        time.sleep(chance.random() * 0.05)
        process = running[home.home]
        hits += process.poll() is None
        process.kill()
        process.wait(60)
        running[home.home] = home.start(*words, streams=subprocess.DEVNULL)
    for process in running.values():
        process.wait(120)
    return hits


def account_of_shared(
    machines: Sequence[FrontDoor], pbx: "Exchange", words: Sequence[str], called: Sequence[str], *, most_unknown: int
) -> int:
    """Lets the last one finish: nobody was rung twice, nobody is forgotten. Returns the number of unknown rows."""
    done = machines[0](*words)
    (batch,) = json.loads(machines[-1]("call", "batches", "list", "--json").out)
    shown = json.loads(machines[-1]("call", "batches", "show", batch["name"], "--json").out)
    states = {row["numbers"][0].removeprefix("998"): row["outcome"] for row in shown}
    unknown = [number for number, state in states.items() if state == "unknown"]
    assert set(states) == set(called)
    assert set(states.values()) <= {"done", "unknown"}, done.err
    assert max(pbx.calls.values()) == 1
    assert not [number for number in called if number not in pbx.calls and number not in unknown]
    assert not [number for number in states if states[number] == "done" and number not in pbx.calls]
    assert len(unknown) <= most_unknown
    assert done.code == (6 if unknown else 0), done.err
    return len(unknown)


OUT = (
    *("call", "out", "--batch", "clients.csv", "--map", "number=Телефон", "--inner-phone", "2424"),
    *("--night-ok", "--yes"),
)


def rows_of(result: Result) -> list[dict[str, Any]]:
    """Returns the rows that a batch printed."""
    return [json.loads(line) for line in result.out.splitlines()]


def outcomes_of(result: Result) -> list[str]:
    """Returns the outcomes of the rows that a batch printed."""
    return [row["outcome"] for row in rows_of(result)]


def unanswered(words: Sequence[str]) -> list[str]:
    """The words for a terminal, where somebody answers."""
    return [word for word in words if word != "--yes"]


def name_of_batch(alovoice: FrontDoor) -> str:
    """Returns the name of the only batch of this home."""
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    return str(batch["name"])


def drops_every(number: str) -> Any:
    """Returns an answer to all calls but those of this number, whose connections it closes."""

    def answer(connection: Connection, seen: Seen) -> None:
        if number not in seen.body.decode():
            connection.answer("200 OK", b"true")

    return answer
