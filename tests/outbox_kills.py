"""Two listeners on one store, a slow CRM, slow programs; the listener that forwards is killed again and again."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from front_door import FrontDoor
from waiting import wait_until

PATIENCE = 60
# A shell: starting Python for each event would take most of the time.
PROGRAM = """echo "begin $ALOVOICE_EVENT_ID" >> {log}
sleep 0.3
echo "end $ALOVOICE_EVENT_ID" >> {log}
"""
_COMMIT_SECONDS = 5.0
"""The result of an attempt this shortly before a kill may be lost."""


@dataclass
class KillPlay:
    """One test run. `listen` starts a listener, `crm` is a handler: the fixtures of `tests/listening`."""

    alovoice: FrontDoor
    listen: Callable[..., Any]
    crm: Any
    chance: random.Random = field(default_factory=lambda: random.Random(15))
    kills: list[float] = field(default_factory=list)
    posts: list[tuple[dict[str, Any], float, float]] = field(default_factory=list)  # body, from, to
    posted: list[str] = field(default_factory=list)  # ids of events
    listeners: list[Any] = field(default_factory=list)
    numbers: int = 0
    is_shared: bool = False
    """Whether both listeners forward: on a server."""

    def run(self, kills: int) -> str:
        """Kills one who forwards so many times, and waits until nothing is due; returns the account, which is right."""
        self.log, script = self.alovoice.home / "programs.txt", self.alovoice.home / "program.sh"
        self.log.touch()
        script.write_text(PROGRAM.format(log=self.log))
        self.crm.answer = self._slowly
        self.words = ("--forward", self.crm.url, "--exec", f"/bin/sh {script}")
        first = self._start()
        self._holder([first])
        alive = [first, self._start()]
        if not self.is_shared:
            assert f"another listener (process {first.pid}) forwards" in alive[1].wait_for(
                "takes over when the other ends", PATIENCE
            )
        for _ in range(kills):
            self._post(alive)
            time.sleep(self.chance.random() * 1.5)
            self._post(alive)
            holder = self._holder(alive)
            holder.process.kill()
            self.kills.append(time.time())
            holder.process.wait(PATIENCE)
            alive.remove(holder)
            self._post(alive)
            alive.append(self._start())
        ended = self._holder(alive)
        assert ended.stop() == 143  # while programs run
        self.kills.append(time.time())
        self._wait_for_the_end()
        return self._account()

    def _start(self) -> Any:
        self.listeners.append(self.listen(*self.words))
        return self.listeners[-1]

    def _slowly(self, body: bytes) -> tuple[int, bytes]:
        began = time.time()
        time.sleep(random.random() * 0.3)
        self.posts.append((json.loads(body), began, time.time()))
        return 200, b""

    def _post(self, alive: list[Any]) -> None:
        for listening in alive * 2:
            self.numbers += 1
            body = {"call_id": f"c{self.chance.randrange(3)}", "n": self.numbers}
            assert listening.post("callend", body, timeout=PATIENCE) == (200, b"true")
            self.posted.append(str(self.numbers))

    def _holder(self, alive: list[Any]) -> Any:
        """Returns the listener that holds the lock, by the process id beside it; a new one is waited for."""
        if self.is_shared:
            return self.chance.choice(alive)
        return wait_until(lambda: self._owner(alive), "a listener that forwards", pause=0.05)

    def _owner(self, alive: list[Any]) -> Any:
        owners = {path.read_text().strip() for path in (self.alovoice.home / "state").rglob("*.outbox.lock.pid")}
        return next((listening for listening in alive if str(listening.pid) in owners), None)

    def _entries(self, *words: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.alovoice("events", "outbox", "list", "--json", *words).out)
        return listed

    def _wait_for_the_end(self) -> None:
        wait_until(
            lambda: not self._entries("--state", "due"),
            lambda: self._entries("--state", "due")[:3],
            seconds=2 * PATIENCE,
            pause=0.2,
        )

    def _account(self) -> str:
        events = {event["body"]["n"]: event["id"] for event in self._events()}
        assert sorted(map(str, events)) == sorted(self.posted)
        cut = self._account_for_programs(set(events.values()))
        again = self._account_for_forwards(set(events))
        return (
            f"{len(self.kills)} kills, {len(events)} events; programs: none twice, {cut} cut and told;"
            f" forwards: {again} again, each in flight at a kill"
        )

    def _events(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.alovoice("events", "list", "--limit", "0", "--json").out)
        return [event for event in listed if event["type"] == "callend"]

    def _account_for_programs(self, ids: set[str]) -> int:
        lines = [line.split() for line in self.log.read_text().splitlines()]
        begun = Counter(line[1] for line in lines if line[0] == "begin")
        dead = {row["id"] for row in self._entries("--state", "dead")}
        assert max(begun.values()) == 1, "a program ran twice"
        assert set(begun) | dead == ids, "a program was forgotten"
        told = [line for listening in self.listeners for line in listening.errors]
        assert all(any(own_id in line for line in told) for own_id in dead), "a program was given up in silence"
        return len(dead)

    def _account_for_forwards(self, numbers: set[int]) -> int:
        spans: dict[int, list[tuple[float, float]]] = {}
        for body, began, ended in self.posts:
            spans.setdefault(body["n"], []).append((began, ended))
        assert set(spans) == numbers, "an event was forgotten"
        again = {number: sorted(known) for number, known in spans.items() if len(known) > 1}
        for number, known in again.items():
            for began, ended in known[:-1]:
                assert any(began - 1 <= kill <= ended + _COMMIT_SECONDS for kill in self.kills), (number, known)
        calls: dict[str, list[int]] = {}
        for body, _, _ in sorted(self.posts, key=lambda post: post[1]):
            if body["n"] not in calls.setdefault(body["call_id"], []):
                calls[body["call_id"]].append(body["n"])
        for told in calls.values():
            assert told == sorted(told), "events of one call changed places"
        return len(again)
