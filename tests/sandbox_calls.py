"""Calls placed on the sandbox through the front door, with its faults, and the verdicts from its events.

The sandbox's own file is the truth. Its messages reach the event store up to an hour late, or not at all.
"""

import contextlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from event_rows import Rows
from front_door import TOKEN, FrontDoor
from waiting import wait_until

from alovoice_cli.api.inprocess import InProcess
from alovoice_cli.events.answers import new_id
from alovoice_cli.posts import Posted
from alovoice_cli.sandbox.callback.messages import parse_handlers
from alovoice_cli.sandbox.callback.switchboard import Callbacks, Switchboard
from alovoice_cli.sandbox.opening import EMBEDDED_URL, open_sandbox
from alovoice_cli.stores.pbx_traffic import Traffic

FAULTS = ("", "*:lost", "*:reset", "*:cut", "*:garbage", "*:503", "*:401", "*:402", "*:lost@50%", "refused")
WORDS = {
    "out": ("call", "out", "--from", "2424", "--to"),
    "ivr": ("call", "ivr", "--ivr", "222", "--line", "712037006", "--to"),
    "conference": ("call", "conference", "--from", "712037006", "--to"),
}
_DEAD_END = "http://127.0.0.1:9"


@dataclass
class Mailbox:
    """Receives the PBX's messages like a listener, and stores them on order."""

    taken: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        kind = url.rpartition("/")[2]
        own_id = new_id(time.time_ns() // 1_000_000) if kind == "callstart" else None
        with self.lock:
            self.taken.append((kind, body, own_id))
        return Posted(200, own_id.encode() if own_id else b"true")


@dataclass(frozen=True)
class Judged:
    """One call: whether it really rang, and the verdicts before and after the events arrived."""

    kind: str
    outcome: str
    rang: bool
    before: dict[str, Any]
    after: dict[str, Any]
    codes: tuple[int, int]
    all_heard: bool


def fault_of(seed: int) -> str:
    """Returns the fault of the case with this seed."""
    return random.Random(seed).choice(FAULTS)


def judge_case(seed: int, folder: Path, environ: Mapping[str, str]) -> list[Judged]:
    """Places up to three calls with a fault of this seed, and asks twice what became of each."""
    chance = random.Random(seed)
    fault = chance.choice(FAULTS)
    home = FrontDoor(folder, {**environ, "ALOVOICE_BASE_URL": EMBEDDED_URL, "ALOVOICE_TOKEN": TOKEN})
    sandbox = open_sandbox(
        folder / "pbx.db",
        token=TOKEN,
        speed=1_000_000,
        seed=seed,
        faults="" if fault == "refused" else fault,
        now=lambda: datetime.now(UTC),
    )
    mailbox, home.transport = Mailbox(), InProcess(sandbox.app)
    if fault == "refused":
        home.transport, home.environ["ALOVOICE_BASE_URL"] = None, _DEAD_END
    board = Switchboard(
        sandbox.pbx, Callbacks(parse_handlers(["http://127.0.0.1:9/h"])), mailbox, complain=lambda _: None
    )
    board.start()
    kinds = [chance.choice(list(WORDS)) for _ in range(chance.randint(1, 3))]
    for kind in kinds:
        number = chance.choice(("901234567", "+998901234568", "998901234569", f"90{chance.randrange(10**7):07}"))
        home(*WORDS[kind], number, "--no-check", "--timeout", "60")
    truth = _wait_for_all(folder / "pbx.db", mailbox)
    board.stop()
    rows, began = Rows(folder / "state" / "events.db"), time.time()
    gap = chance.random() < 0.25
    rows.listened(
        *(
            [(began - 999, began + 60, True), (began + 1800, began + 9999, True)]
            if gap
            else [(began - 999, began + 9999, True)]
        )
    )
    entries = list(reversed(json.loads(home("call", "receipts", "list", "--json").out)))
    early = [home("call", "resolve", entry["receipt"], "--json") for entry in entries]
    lost = _deliver(rows, mailbox, chance, began, gap=gap)
    home.later(minutes=70)
    late = [home("call", "resolve", entry["receipt"], "--json") for entry in entries]
    return [
        Judged(
            kind,
            entry["outcome"],
            _rang(truth.get(entry["our_id"], []), kind),
            json.loads(before.out),
            json.loads(after.out),
            (before.code, after.code),
            not lost,
        )
        for kind, entry, before, after in zip(kinds, entries, early, late, strict=True)
    ]


def _wait_for_all(path: Path, mailbox: Mailbox) -> dict[str, list[Any]]:
    """Waits until the PBX has sent the messages of all calls, and returns the ringings of each call by our id."""

    def is_told() -> bool:
        with contextlib.closing(sqlite3.connect(path)) as pbx, Traffic(path) as traffic:
            (placed,) = pbx.execute("SELECT count(*) FROM call").fetchone()
            accounts = traffic.accounts()
        if len(accounts) < placed:  # the switchboard has not begun with all of them
            return False
        return all(not account.imbalance for account in accounts) and len(mailbox.taken) >= 3 * len(accounts)

    wait_until(is_told, "the PBX's word of all calls")
    results = [json.loads(body) for kind, body, _ in mailbox.taken if kind == "result"]
    objects = [item[0] if isinstance(item, list) else item for item in results]
    return {str(item.get("externalid")): _legs(item) for item in objects}


def _legs(item: Mapping[str, Any]) -> list[Any]:
    attempts = item["attempts"]
    attempts = json.loads(attempts) if isinstance(attempts, str) else attempts
    return list(attempts.values()) if isinstance(attempts, dict) else attempts


def _rang(legs: list[Any], kind: str) -> bool:
    """Returns whether somebody was called; in a call out the number, not our own extension."""
    return any(leg["dialstatus"] != "CHANUNAVAIL" for leg in (legs[1:] if kind == "out" else legs))


def _deliver(rows: Rows, mailbox: Mailbox, chance: random.Random, began: float, *, gap: bool) -> bool:
    """Stores what the PBX sent, out of order and up to an hour late; whether the gap of the listener swallowed any."""
    named: dict[bytes, str] = {}
    lost = False
    messages = list(mailbox.taken)
    chance.shuffle(messages)
    late = chance.choice((1, 60, 3600))
    for kind, body, own_id in messages:
        at = began + chance.uniform(0, late)
        if gap and 60 < at - began < 1800:
            lost = True
            continue
        if own_id is not None:
            named[body] = own_id
        rows.deliver(kind, at, body, call_id=own_id)  # type: ignore[arg-type] # the mailbox is asked for no other
    return lost


def check(call: Judged) -> None:
    """Checks the verdicts of a call. The sandbox answers a refused request before it acts."""
    for said, code in zip((call.before, call.after), call.codes, strict=True):
        assert (said["answer"] == "did_not_ring") is said["resend_safe"] is (code == 1)
        assert code in (0, 1, 6)
        assert not (said["answer"] == "did_not_ring" and call.rang)
    if call.outcome in ("unsent", "refused"):
        assert call.before["answer"] == call.after["answer"] == "did_not_ring"
    else:
        assert call.before["answer"] in ("no_trace_yet", "cannot_know")
    if call.rang and call.all_heard:
        assert call.after["answer"] == "rang"
    if call.after["answer"] == "no_trace_yet":
        assert "This is not proof." in call.after["said"]
