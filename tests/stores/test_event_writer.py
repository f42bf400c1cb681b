"""The writer: what it cannot derive it sets aside, and what it derived twice it does not take for a repetition."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alovoice_cli.events.answers import new_id
from alovoice_cli.events.event import Delivery, Event, Fact, Reading
from alovoice_cli.events.noting import Note
from alovoice_cli.stores.event_file import EventFile
from alovoice_cli.stores.event_rows import Errand
from alovoice_cli.stores.event_writer import EventWriter
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.household import Settle
from alovoice_cli.stores.spool import Spool


@dataclass
class House:
    """What a writer's owner hears."""

    numbers: list[int | None] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lost: int = 0

    def settled(self, outcomes: Sequence[tuple[Settle, int | None]]) -> None:
        for settle, number in outcomes:
            settle(number)

    def happened(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def errands(self, event: Event) -> Sequence[Errand]:
        return [Errand("t", event.delivery.id)]

    def complain(self, text: str) -> None:
        self.said.append(text)

    def is_lost(self) -> None:
        self.lost += 1


def _writer(tmp_path: Path, house: House) -> EventWriter:
    file = EventFile(str(tmp_path / "events.db"), house.complain)
    return EventWriter(file, Spool.beside(file.path), house, lambda: datetime.now(UTC))


def _delivery(body: bytes = b'{"call_id": "a"}') -> Delivery:
    return Delivery(new_id(time.time_ns() // 1_000_000), "callend", time.time_ns() // 1000, body)


def _append(writer: EventWriter, delivery: Delivery) -> int:
    answers: list[int | None] = []
    writer.append(delivery, answers.append)
    deadline = time.monotonic() + 10
    while not answers and time.monotonic() < deadline:
        time.sleep(0.005)
    assert answers[0] is not None
    return answers[0]


def test_an_event_that_the_database_does_not_take_costs_only_its_own_reading(tmp_path: Path) -> None:
    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    for number in range(5):
        delivery = _delivery(b'{"call_id": %d}' % number)
        seq = _append(writer, delivery)
        reading = Reading({}, (Fact(call_id=str(number), duration=2**70),), "d") if number == 2 else None
        stored = Delivery(delivery.id, delivery.type, delivery.received_at, delivery.body, seq=seq)
        writer.note(Note(stored, reading))
    writer.close()
    events = list(EventStore(str(tmp_path / "events.db")).events())
    assert [event.fact.call_id for event in events] == ["0", "1", None, "3", "4"]
    assert "OverflowError" in events[2].problem
    assert house.lost == 0


def test_what_a_lock_held_back_is_no_repetition_of_itself(tmp_path: Path) -> None:
    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    delivery = _delivery()
    seq = _append(writer, delivery)
    blocker = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    writer.note(Note(Delivery(delivery.id, "callend", delivery.received_at, delivery.body, seq=seq)))
    time.sleep(2.5)
    blocker.execute("ROLLBACK")
    blocker.close()
    writer.close()
    (event,) = EventStore(str(tmp_path / "events.db")).events()
    assert event.duplicate_of is None
    assert [told.duplicate_of for told in house.events] == [None]


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_torn_spool_gives_what_is_whole(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    first, second = _delivery(b"\xff\x00"), _delivery()
    spool.append([first])
    content = spool.path.read_bytes()
    spool.append([second])
    whole = spool.path.read_bytes()
    spool.path.write_bytes(whole[: len(whole) - cut] if cut else whole)
    assert spool.read()[0] == first
    assert len(spool.read()) == (2 if cut in (0, 1) else 1)
    spool.append([second])
    assert spool.read()[-1] == second
    assert content in whole


def test_a_change_that_fails_for_its_own_reasons_does_not_stop_the_others(tmp_path: Path) -> None:
    def fails(_: object) -> None:
        raise ValueError("a fault of the change itself")

    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    delivery = _delivery()
    seq = _append(writer, delivery)
    writer.change(fails)
    writer.note(Note(Delivery(delivery.id, "callend", delivery.received_at, delivery.body, seq=seq)))
    deadline = time.monotonic() + 10
    while not house.events and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.close()
    assert len(list(EventStore(str(tmp_path / "events.db")).events())) == 1
    assert (len(house.events), house.lost) == (1, 0)
