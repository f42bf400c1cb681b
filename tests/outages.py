"""Listeners on one server that goes away under load: compares the acknowledged events with the stored ones."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from front_door import FrontDoor
from waiting import wait_until

PATIENCE = 180


@dataclass
class OutagePlay:
    """One test run: random calls to either listener, while `away` takes the store away and gives it back.

    `listeners` are running with `--forward` to `crm`: the fixtures of `tests/listening`.
    """

    alovoice: FrontDoor
    listeners: list[Any]
    crm: Any
    senders: int = 4
    pause: float = 0.02
    is_ordered: bool = True
    """Whether the forwards of a call must be in order: not if only one listener is cut off for a while."""
    acknowledged: dict[str, bool] = field(default_factory=dict)  # call ids: whether the end was acknowledged too
    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    numbers: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ending: threading.Event = field(default_factory=threading.Event)

    def run(self, away: Callable[[], None], *, around: int = 60) -> str:
        """Sends calls, takes the store away, continues sending for a while; checks and returns the account.

        So many calls are acknowledged before the store goes away, and as many after it is back.
        """
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(self.senders)]
        for thread in threads:
            thread.start()
        self._wait_for_calls(around)
        away()
        self._wait_for_calls(around)
        self._ending.set()
        for thread in threads:
            thread.join(PATIENCE)
        return self._account()

    def _wait_for_calls(self, count: int) -> None:
        enough = len(self.acknowledged) + count
        _wait(lambda: len(self.acknowledged) >= enough, "calls are not acknowledged")

    def _send(self) -> None:
        chance = random.Random(threading.get_ident())
        while not self._ending.is_set():
            with self._lock:
                self.numbers += 1
                number = self.numbers
            start = {"number": f"99890{number:07}", "line": 712037006, "type": "inc", "start_time": 1716209468 + number}
            call_id = self._post(chance.choice(self.listeners), "callstart", start)
            if call_id is not None:
                with self._lock:
                    self.acknowledged[call_id.decode()] = False
                time.sleep(self.pause * chance.random())
                end = {"call_id": call_id.decode(), "status_code": "200", "end_time": 1716209500 + number}
                if self._post(chance.choice(self.listeners), "callend", end) is not None:
                    with self._lock:
                        self.acknowledged[call_id.decode()] = True
            time.sleep(self.pause * chance.random())

    def _post(self, listening: Any, kind: str, body: dict[str, Any]) -> bytes | None:
        began = time.monotonic()
        status, answer = 0, b""
        with suppress(OSError):
            status, answer = listening.post(kind, body, timeout=PATIENCE)
        with self._lock:
            self.answers[status] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        return answer if status == 200 else None

    def _account(self) -> str:
        _wait(lambda: not self._json("outbox", "list"), "the outbox was never empty")
        _wait(lambda: len(self._events()) >= sum(1 + end for end in self.acknowledged.values()), "events are missing")
        events = self._events()
        seen = Counter((event["type"], event["call_id"]) for event in events)
        for call_id, has_end in self.acknowledged.items():
            assert seen["callstart", call_id] == 1, (
                f"the start of {call_id} is there {seen['callstart', call_id]} times"
            )
            assert seen["callend", call_id] >= has_end, f"the end of {call_id} is lost"
        calls = self._rows("SELECT call_id, start_seq, end_seq FROM call")
        assert len(calls) == len({call[0] for call in calls}) >= len(self.acknowledged)
        whole = {call[0] for call in calls if call[1] and call[2]}
        assert {call_id for call_id, has_end in self.acknowledged.items() if has_end} <= whole
        again = self._account_for_forwards(events)
        return (
            f"{len(self.acknowledged)} calls, {len(events)} events, answers {dict(self.answers)}, the slowest after"
            f" {self.slowest:.1f} s; forwards: {again}"
        )

    def _account_for_forwards(self, events: list[dict[str, Any]]) -> str:
        told: dict[str, list[str]] = {}
        seen: Counter[str] = Counter(headers["webhook-id"] for headers, _ in self.crm.seen)
        assert set(seen) == {event["id"] for event in events}, "an event was not forwarded"
        kinds = {event["id"]: (event["call_id"], event["type"]) for event in events}
        for headers, _ in self.crm.seen:
            call_id, kind = kinds[headers["webhook-id"]]
            if kind not in told.setdefault(call_id, []):
                told[call_id].append(kind)
        wrong = [call_id for call_id, order in told.items() if order == ["callend", "callstart"]]
        assert not (wrong and self.is_ordered), (
            f"of {len(wrong)} calls the end was forwarded before the start, such as {wrong[:3]}"
        )
        return f"{sum(count - 1 for count in seen.values())} again, {len(wrong)} calls out of order"

    def _events(self) -> list[dict[str, Any]]:
        return self._json("list", "--limit", "0", "--with-trials")

    def _json(self, *words: str) -> list[dict[str, Any]]:
        done = self.alovoice("events", *words, "--json")
        listed: list[dict[str, Any]] = json.loads(done.out) if done.code == 0 else [{}]
        return listed

    def _rows(self, question: str) -> list[Any]:
        from alovoice_cli.stores.event_engine import opened

        url = json.loads(self.alovoice("config", "get", "store", "--json").out)
        with opened(url if isinstance(url, str) else url["value"]) as connection:
            return connection.execute(question).fetchall()


def _wait(is_so: Callable[[], object], trouble: str) -> None:
    wait_until(is_so, lambda: trouble, seconds=PATIENCE, pause=0.3)
