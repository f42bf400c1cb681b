"""A PBX that takes calls by the hundred and counts whom it rang; and what a batch's home needs."""

import json
import os
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import psycopg
import pytest
from front_door import TOKEN, FrontDoor
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
    """Answers `true` to each call, `after` which (seconds) may be slow; counts the calls by number."""

    def __init__(self, answer: Callable[[Connection, Seen], None] | None = None) -> None:
        self._answer = answer or (lambda connection, seen: connection.answer("200 OK", b"true"))
        super().__init__([self._take])

    def _take(self, connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            self._answer(connection, seen)

    @property
    def calls(self) -> Counter[str]:
        """How often each number was rung, by requests that came whole."""
        return Counter(json.loads(seen.body)["number"] for seen in self.requests if seen.body)

    def wait_for_more_than(self, count: int, running: Collection[subprocess.Popen[bytes]] = ()) -> None:
        """Waits for more requests than so many, or for the end of all that run."""
        wait_until(
            lambda: len(self.requests) > count or (running and all(one.poll() is not None for one in running)),
            "the next request",
            pause=0.002,
        )


def numbers(count: int) -> list[str]:
    """Different numbers that there are."""
    return [f"90{1_000_000 + index}" for index in range(count)]


def write_list(home: Path, count: int, name: str = "clients.csv") -> list[str]:
    """A list with a heading, as a CRM exports it."""
    called = numbers(count)
    rows = [f"{number};Клиент {index}" for index, number in enumerate(called)]
    (home / name).write_text("\n".join(["Телефон;Имя", *rows, ""]), encoding="utf-8")
    return called


def point_at(alovoice: FrontDoor, server: RawServer) -> None:
    """Makes the server this home's PBX."""
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}


FILES_ONLY = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""For a test of what files alone can suffer: a full disk, a copy put back, damage."""


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
    """A machine of its own: configuration and state in a folder, and the store on a server that others name too."""
    home.mkdir()
    environ = {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", ""),
        "ALOVOICE_CONFIG_DIR": str(home / "config"),
        "ALOVOICE_STATE_DIR": str(home / "state"),
        "COLUMNS": "80",
        "TERM": "xterm-256color",
    }
    made = FrontDoor(home, environ)
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
