"""Two listeners on one server behind a real nginx, killed again and again under load; accounts for every event."""

import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from front_door import FrontDoor
from ports import free_port
from waiting import wait_until

from alovoice_cli.events.deployment import nginx_shared_location, nginx_upstream
from alovoice_cli.stores.event_engine import opened

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
PATIENCE = 300
SECRET = "0123456789abcdef0123456789abcdef"
_COMMIT_SECONDS = 5.0
"""The result of an answer this shortly before a kill may be lost: the machine may be very busy."""
_MOST_UNDER_WAY = 16
"""Eight deliveries in flight in a listener, and eight whose end waits for the next commit."""
_CONFIGURATION = """daemon off; pid nginx.pid; {user}worker_processes 1;
events {{ worker_connections 1024; }}
http {{
access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u;
scgi_temp_path s;
{upstream}
server {{
listen 127.0.0.1:{port};
{location}
}}
}}
"""


@contextlib.contextmanager
def nginx_before(ports: list[int], folder: Path) -> Iterator[int]:
    """Runs an nginx that asks the listeners at these ports at random; yields its port."""
    port = free_port()
    upstream = nginx_upstream([("127.0.0.1", own) for own in ports]).replace("{\n", "{\n    random;\n", 1)
    user = "user root; " if os.geteuid() == 0 else ""
    told = _CONFIGURATION.format(user=user, port=port, upstream=upstream, location=nginx_shared_location())
    (folder / "nginx.conf").write_text(told, "utf-8")
    words = [str(NGINX), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port), "nginx", seconds=PATIENCE, pause=0.2)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@dataclass
class TwoListeners:
    """One test run. `listen` starts a listener and `crm` is a handler: the fixtures of `tests/listening`.

    `pairs` of a callstart and its callend are sent by `senders` threads; meanwhile listeners are killed `kills` times.
    """

    alovoice: FrontDoor
    listen: Callable[..., Any]
    crm: Any
    store: str
    pairs: int
    kills: int
    senders: int = 8
    chance: random.Random = field(default_factory=lambda: random.Random(17))
    listeners: list[Any] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    acknowledged: dict[int, str] = field(default_factory=dict)  # the number of a delivery: its answer
    killed_at: list[float] = field(default_factory=list)
    forwards: list[tuple[int, float]] = field(default_factory=list)  # the number of a delivery, and the time
    begun: int = 0
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> str:
        """Plays it, and returns the account, which is right."""
        ports = [free_port(), free_port()]
        self.crm.answer = self._answer
        self.listeners = [self._start(port) for port in ports]
        began = time.monotonic()
        with nginx_before(ports, self.alovoice.home) as self.port:
            threads = [threading.Thread(target=self._send, daemon=True) for _ in range(self.senders)]
            for thread in threads:
                thread.start()
            self._kill_on_the_way(ports)
            for thread in threads:
                thread.join(PATIENCE)
        seconds = time.monotonic() - began
        wait_until(lambda: self._told("outbox", "list") == [], "the forwards", seconds=2 * PATIENCE, pause=0.2)
        return f"{self._account()}; {2 * self.pairs / seconds:.0f} events a second"

    def _start(self, port: int) -> Any:
        return self.listen("--port", str(port), "--secret", SECRET, "--forward", self.crm.url)

    # --- the PBX's messages

    def _send(self) -> None:
        while True:
            with self._lock:
                if self.begun >= self.pairs:
                    return
                self.begun += 1
                number = self.begun
            start = {"number": f"9989{number:08}", "line": 712037006, "type": "inc", "start_time": 1716209468}
            call_id = self._post("callstart", start | {"n": number}, number)
            if call_id is not None:
                time.sleep(random.random() * 0.05)
                self._post("callend", {"call_id": call_id, "status_code": 200, "n": -number}, -number)
            with self._lock:
                self.done += 1

    def _post(self, kind: str, body: dict[str, Any], number: int) -> str | None:
        """Sends it once, like the PBX; returns the answer if it was acknowledged."""
        status, answer = 0, b""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("POST", f"/h/{SECRET}/{kind}", json.dumps(body), {"Content-Type": "application/json"})
            got = connection.getresponse()
            status, answer = got.status, got.read()
            connection.close()
        with self._lock:
            self.answers[status] += 1
            if status == 200:
                self.acknowledged[number] = answer.decode()
        return answer.decode() if status == 200 else None

    def _kill_on_the_way(self, ports: list[int]) -> None:
        """Kills one of the two, evenly over the pairs; the other works meanwhile."""
        for number in range(self.kills):
            wait_until(lambda: self.done >= self.pairs * number // self.kills, "so many pairs")  # noqa: B023 - at once
            place = self.chance.randrange(2)
            self.listeners[place].process.kill()
            self.killed_at.append(time.time())
            self.listeners[place].process.wait(PATIENCE)
            self.listeners[place] = self._start(ports[place])

    def _answer(self, body: bytes) -> tuple[int, bytes]:
        with contextlib.suppress(ValueError):  # a forwarder was killed while it sent
            self.forwards.append((json.loads(body)["n"], time.time()))
        return 200, b""

    # --- the account

    def _account(self) -> str:
        assert self.acknowledged, f"nothing was acknowledged: {self.answers}"
        events = self._told("list", "--limit", "0", "--with-trials")
        first = {event["id"]: event for event in events if event["duplicate_of"] is None}
        stored = Counter(event["body"]["n"] for event in first.values())
        lost = [number for number in self.acknowledged if number not in stored]
        assert not lost, f"{len(lost)} acknowledged deliveries are lost, such as {lost[:5]}"
        assert max(stored.values()) == 1, "a delivery counts twice"
        self._account_for_calls({number: answer for number, answer in self.acknowledged.items() if number > 0})
        again = self._account_for_forwards(stored)
        repeated = len(events) - len(first)
        return (
            f"{len(self.killed_at)} kills, {self.pairs} pairs, {len(self.acknowledged)} acknowledged: none lost;"
            f" answers {dict(self.answers)}; {repeated} deliveries came twice and count once;"
            f" forwards: {again} again, each in flight at a kill, in order per call"
        )

    def _account_for_calls(self, starts: dict[int, str]) -> None:
        with opened(self.store) as connection:
            rows = connection.execute("SELECT call_id, start_seq, end_seq FROM call").fetchall()
        assert len(rows) == len({row[0] for row in rows})
        assert len(set(starts.values())) == len(starts), "two calls got one id"
        parts = {row[0]: (row[1] is not None, row[2] is not None) for row in rows}
        for number, call_id in starts.items():
            assert parts[call_id] == (True, -number in self.acknowledged or parts[call_id][1]), call_id
        begun = sum(has_start for has_start, _ in parts.values())
        assert begun == len(parts), "an end has no call"

    def _account_for_forwards(self, stored: Collection[int]) -> int:
        times: dict[int, list[float]] = {}
        for number, at in self.forwards:
            times.setdefault(number, []).append(at)
        assert set(times) == set(stored), "an event was not forwarded"
        again: Counter[float] = Counter()
        for number, known in times.items():
            for at in known[:-1]:
                near = [kill for kill in self.killed_at if at - 1 <= kill <= at + _COMMIT_SECONDS]
                assert near, f"{number} was forwarded again without a kill"
                again[near[0]] += 1
        assert max(again.values(), default=0) <= _MOST_UNDER_WAY, f"forwarded again at one kill: {max(again.values())}"
        wrong = [number for number in times if number > 0 and times.get(-number, [float("inf")])[0] < times[number][0]]
        assert not wrong, f"of {len(wrong)} calls the end was forwarded first, such as {wrong[:3]}"
        return len(self.forwards) - len(times)

    def _told(self, *words: str) -> Any:
        done = self.alovoice("events", *words, "--json", "--store", self.store)
        return json.loads(done.out) if done.code == 0 else None
