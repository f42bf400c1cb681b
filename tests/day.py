"""A virtual day of the sandbox, played into a real listener over real sockets, and the records of both."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from front_door import FrontDoor
from warm_start import start_alovoice

from alovoice_cli.events.event import Call, Event
from alovoice_cli.phones import canonical
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.pbx_traffic import CallAccount, PbxPost, Traffic

DATE = "2026-03-02"


@dataclass(frozen=True)
class Heard:
    """A running listener: the common part of its URLs, and the file of the events that it printed."""

    base: str
    printed: Path

    def lines(self, count: int) -> list[dict[str, Any]]:
        """Returns the first printed events, when there are this many: printing follows the answer."""
        deadline = time.monotonic() + 30
        while len(found := self.printed.read_bytes().splitlines()) <= count and time.monotonic() < deadline:
            time.sleep(0.02)
        return [json.loads(line) for line in found[1:]]


@contextmanager
def listening(alovoice: FrontDoor, *words: str) -> Iterator[Heard]:
    """Yields a listener process in this home that is ready; it ends in order."""
    ready, printed = alovoice.home / "ready", alovoice.home / "printed.jsonl"
    command = ["listen", "--json", "--port", "0", "--ready-file", str(ready)]
    with printed.open("wb") as out:
        process = start_alovoice(*command, *words, stdout=out, env=alovoice.environ, cwd=alovoice.home)
    try:
        while not ready.exists():
            assert process.poll() is None, "the listener ended before it was ready"
            time.sleep(0.02)
        yield Heard(json.loads(ready.read_text())["urls"]["callstart"].removesuffix("/callstart"), printed)
        process.terminate()
        assert process.wait(30) == 143
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def calling(alovoice: FrontDoor, base: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yields a sandbox process that calls back to this base; its first line, with URL and token, is still unread."""
    process = alovoice.start("sandbox", "serve", "--json", "--state", "pbx.db", "--events-to", base, *words)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@dataclass
class Books:
    """The calls and messages in the PBX's own record, and the events in the listener's store."""

    accounts: list[CallAccount]
    events: list[Event]
    calls: dict[str, Call]

    @classmethod
    def of(cls, alovoice: FrontDoor) -> "Books":
        with Traffic(alovoice.home / "pbx.db") as traffic:
            accounts = traffic.accounts()
        store = EventStore(alovoice.store_url)
        events = [event for event in store.events() if event.delivery.type != "probe"]
        return cls(accounts, events, {call.call_id: call for call in store.calls()})

    @property
    def sent(self) -> list[PbxPost]:
        """Returns all messages of the PBX, in the order of sending."""
        return sorted((one for account in self.accounts for one in account.deliveries), key=lambda one: one.id)

    @cached_property
    def firsts(self) -> list[Event]:
        """Returns the events without repetitions."""
        return [event for event in self.events if event.duplicate_of is None]

    def told(self, kind: str) -> list[Event]:
        """Returns the events of this type without repetitions."""
        return [event for event in self.firsts if event.delivery.type == kind]


def play(alovoice: FrontDoor, heard: Heard, *words: str) -> Books:
    """Plays a day to its end, and reads both books once everything is printed."""
    with calling(alovoice, heard.base, "--day", DATE, *words) as pbx:
        assert pbx.stdout is not None
        pbx.stdout.readline()
        told = json.loads(pbx.stdout.readline())
    assert (told["failed"], told["unbalanced"]) == (0, 0)
    lines = heard.lines(sum(told["sent"].values()) + told["repeated"])
    books = Books.of(alovoice)
    # A caller does not wait for the store: a question may be printed after later events.
    assert sorted(line["seq"] for line in lines) == [event.delivery.seq for event in books.events]
    return books


def talk_seconds(account: CallAccount) -> int:
    """Returns the seconds of talk in the PBX's record."""
    course = account.course
    return course.ended_at - course.answered_at if course.ended_at and course.answered_at else 0


def phone(number: str) -> str | None:
    """Returns a number in the store's form."""
    return canonical(number) or number or None
