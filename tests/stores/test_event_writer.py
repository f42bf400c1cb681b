"""The writer: what it cannot derive it sets aside, and what it derived twice it does not take for a repetition."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alovoice_cli.events.answers import new_id
from alovoice_cli.events.duplicates import Recent
from alovoice_cli.events.event import Delivery, Event, Fact, Reading
from alovoice_cli.events.noting import Note, event_of
from alovoice_cli.stores import event_rows, event_writer
from alovoice_cli.stores.event_file import Derived, EventFile
from alovoice_cli.stores.event_rows import Errand
from alovoice_cli.stores.event_writer import EventWriter
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.household import Arrival, Settle
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
    writer.append([Arrival(delivery, answers.append, note_follows=True)])
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


def test_what_a_crash_left_is_derived_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_rows, "_STRETCH", 10)
    file = EventFile(str(tmp_path / "events.db"), lambda text: None)
    file.open()
    stored = []
    for number in range(40):
        (seq,) = file.store([_delivery(b'{"call_id": "%d"}' % number)])
        stored.append(seq)
    start = Delivery("a" * 26, "callstart", 1, b'{"caller_phone": "901234567"}')
    file.store([start])
    read = [*range(1, 16), 20, *range(24, 27)]
    notes = [Note(delivery) for seq in read for delivery in file.deliveries(seq, seq)]
    file.finish(Derived(notes, [event_of(note, Recent(time.monotonic)) for note in notes]))
    file.close()
    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    writer.close()
    assert [event.delivery.seq for event in house.events] == [seq for seq in range(1, 42) if seq not in read]
    told = {event.delivery.seq: event for event in EventStore(str(tmp_path / "events.db")).events()}
    assert list(told) == list(range(1, 42))
    assert [told[seq].fact.call_id for seq in stored] == [str(number) for number in range(40)]
    assert (told[41].fact.call_id, told[41].answer) == (start.id, {"id": start.id})  # what it was answered with


def test_two_listeners_on_one_store_share_no_number(tmp_path: Path) -> None:
    house = House()
    writers = [_writer(tmp_path, house), _writer(tmp_path, house)]
    for writer in writers:
        writer.start()
    numbers = [_append(writer, _delivery()) for _ in range(10) for writer in writers]
    for writer in writers:
        writer.close()
    assert sorted(numbers) == list(range(1, 21))
    assert house.said == []


@pytest.mark.parametrize("count", [1, 16, 17, 33, 300, 1500])
def test_however_many_come_at_once_each_gets_its_number(tmp_path: Path, count: int) -> None:
    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    numbers: list[int | None] = []
    deliveries = [_delivery(b'{"call_id": "%d"}' % number) for number in range(count)]
    writer.append([Arrival(delivery, numbers.append) for delivery in deliveries])
    writer.close()
    assert numbers == list(range(1, count + 1))
    assert [event.delivery.id for event in house.events] == [delivery.id for delivery in deliveries]


def test_a_listener_does_not_read_for_long_at_its_end_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_writer, "_END_SECONDS", 0.0)
    house = House()
    writer = _writer(tmp_path, house)
    writer.start()
    for number in range(5000):
        writer.append([Arrival(_delivery(b'{"call_id": "%d"}' % number), house.numbers.append)])
    writer.close()
    assert house.numbers == list(range(1, 5001))
    left = 5000 - len(house.events)
    assert house.said == [f"events that are stored, and will be read at the next start: {left}"]
    writer = _writer(tmp_path, house)
    writer.start()
    writer.close()
    assert [event.delivery.seq for event in house.events] == list(range(1, 5001))
