"""The writer: one transaction for all that is known, what the store refuses costs only itself, nothing is doubled."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from event_rows import held
from spool_lines import DAMAGED_LINES
from waiting import wait_until

from alovoice_cli.events.answers import new_id
from alovoice_cli.events.event import Delivery, Event, EventType, Fact, Reading
from alovoice_cli.events.event_assembly import SPOOLED, UNANSWERED, LateAnswer, NewDelivery, Stored
from alovoice_cli.events.reading import read
from alovoice_cli.stores import event_file, event_rows, event_server
from alovoice_cli.stores.event_arrivals import Settle
from alovoice_cli.stores.event_engine import open_event_store, opened, writing
from alovoice_cli.stores.event_file import EventFile, QueuedFor
from alovoice_cli.stores.event_rows import QueuedDelivery, insert_deliveries
from alovoice_cli.stores.event_writer import EventStoreCallbacks, EventWriter
from alovoice_cli.stores.events import EventStore
from alovoice_cli.stores.outbox import Outbox
from alovoice_cli.stores.spool import Spool

DATA = Path(__file__).parent / "data"


@dataclass
class Owner:
    """A writer's owner: what it hears."""

    folder: Path
    url: str
    stored: list[Stored | None] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lost: int = 0
    after_seconds: float = 0.0

    @property
    def path(self) -> Path:
        return self.folder / "events.db"

    @property
    def spool(self) -> Spool:
        return Spool(self.folder / "spool-events.jsonl")

    def writer(self) -> EventWriter:
        """A writer that is at work."""
        file = EventFile(self.url, self.said.append, QueuedFor(self._queued))
        callbacks = EventStoreCallbacks(self._settled, self.events.extend, self.said.append, self._is_lost)
        writer = EventWriter(file, self.spool, callbacks, lambda: datetime.now(UTC))
        writer.start()
        return writer

    def append(self, writer: EventWriter, *deliveries: NewDelivery) -> list[Stored | None]:
        """Appends the deliveries; where they are stored."""
        answers: list[Stored | None] = []
        writer.append([(new, answers.append) for new in deliveries])
        wait_until(lambda: len(answers) == len(deliveries), "it")
        return answers

    def read(self) -> list[Event]:
        """The events of the store."""
        return list(EventStore(self.url).events())

    def _settled(self, outcomes: Sequence[tuple[Settle, Stored | None]]) -> None:
        for settle, stored in outcomes:
            settle(stored)

    def _queued(self, event: Event) -> Sequence[QueuedDelivery]:
        return [QueuedDelivery("t", event.delivery.id, self.after_seconds)]

    def _is_lost(self) -> None:
        self.lost += 1


@pytest.fixture
def owner(tmp_path: Path, store_url: str) -> Owner:
    return Owner(tmp_path, store_url)


@pytest.fixture
def file_owner(tmp_path: Path) -> Owner:
    """An owner whose store is a file, for what only a file has: versions of the past, damage."""
    return Owner(tmp_path, f"sqlite:///{tmp_path / 'events.db'}")


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer does not wait long for whoever holds the store: for tests in which somebody does."""
    for module in (event_file, event_server):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)


def _delivery(body: bytes = b'{"call_id": "a"}', kind: EventType = "callend") -> Delivery:
    return Delivery(new_id(time.time_ns() // 1_000_000), kind, time.time_ns() // 1000, body)


def _new(body: bytes = b'{"call_id": "a"}', kind: EventType = "callend", *, follows: bool = False) -> NewDelivery:
    return NewDelivery(_delivery(body, kind), read(kind, body), answer_follows=follows)


def _seqs(answers: Sequence[Stored | None]) -> list[int]:
    assert all(answers)
    return [stored.seq for stored in answers if stored is not None]


def test_what_a_sender_is_answered_for_is_whole_in_the_store(owner: Owner) -> None:
    writer = owner.writer()
    try:
        start = _new(b'{"number": "901234567", "type": "inc"}', "callstart")
        owner.append(writer, start, _new(b'{"call_id": "%s", "status_code": 486}' % start.delivery.id.encode()))
        with opened(owner.url) as connection:
            assert connection.execute("SELECT number, status FROM call").fetchall() == [("998901234567", "486")]
            assert connection.execute("SELECT count(*) FROM outbox WHERE state = 'due'").fetchone() == (2,)
        assert [event.answer for event in owner.read()] == [{"id": start.delivery.id}, {}]
    finally:
        writer.close()


def test_values_that_the_database_refuses_cost_only_their_own_reading(owner: Owner) -> None:
    writer = owner.writer()
    odd = [Fact(call_id="x", duration=2**70), Fact(call_id="\ud800")]
    news = [
        NewDelivery(_delivery(b'{"call_id": %d}' % number), Reading({}, (fact,), f"digest {number}"))
        for number, fact in enumerate([Fact("0"), odd[0], Fact("2"), odd[1], Fact("4")])
    ]
    assert _seqs(owner.append(writer, *news)) == [1, 2, 3, 4, 5]
    writer.close()
    events = owner.read()
    assert [event.fact.call_id for event in events] == ["0", None, "2", None, "4"]
    assert events[1].problem in ("not stored: OverflowError", "not stored: NumericValueOutOfRange")
    assert events[3].problem == "not stored: UnicodeEncodeError"
    assert [event.delivery.body for event in events] == [new.delivery.body for new in news]
    assert owner.lost == 0


def test_a_letter_that_one_database_refuses_costs_no_event(owner: Owner) -> None:
    writer = owner.writer()
    odd = NewDelivery(_delivery(b'{"call_id": 1}'), Reading({}, (Fact(call_id="a\0b"),), "digest"))
    assert _seqs(owner.append(writer, odd, _new())) == [1, 2]
    writer.close()
    events = owner.read()
    assert (events[0].fact.call_id, events[0].problem) in (("a\0b", ""), (None, "not stored: DataError"))
    assert events[0].delivery.body == b'{"call_id": 1}'
    assert owner.lost == 0


@pytest.mark.usefixtures("_impatient")
def test_what_a_lock_held_back_is_no_repetition_of_itself(owner: Owner) -> None:
    writer = owner.writer()
    new = _new()
    with held(owner.url):
        assert _seqs(owner.append(writer, new)) == [SPOOLED]
        assert _seqs(owner.append(writer, _new())) == [SPOOLED]
    wait_until(lambda: len(owner.events) == 2, "it")
    writer.close()
    assert [event.duplicate_of for event in owner.read()] == [None, new.delivery.id]
    assert [event.delivery.seq for event in owner.events] == [1, 2]
    assert not owner.spool.path.exists()


@pytest.mark.usefixtures("_impatient")
def test_an_answer_that_comes_while_the_store_is_locked_is_kept_with_its_event(owner: Owner) -> None:
    owner.after_seconds = 0.0  # due at once, were the answer not known in the same transaction
    writer = owner.writer()
    start = _new(b'{"number": "901234567"}', "callstart", follows=True)
    with held(owner.url):
        assert _seqs(owner.append(writer, start)) == [SPOOLED]
        writer.answer(LateAnswer(start.delivery.id, {"id": "4711"}, call_id="4711", asked="t", is_answered=True))
        wait_until(lambda: writer._inbox.empty(), "it")
        assert owner.events == []
    wait_until(lambda: bool(owner.events), "it")
    writer.close()
    (event,) = owner.read()
    assert (event.answer, event.fact.call_id) == ({"id": "4711"}, "4711")
    assert owner.events[0].answer == {"id": "4711"}
    assert Outbox(owner.url).waiting() == {}


def test_a_call_gets_the_crm_s_id_and_keeps_what_was_told_of_either(owner: Owner) -> None:
    owner.after_seconds = 3600.0
    writer = owner.writer()
    start = _new(b'{"number": "901234567", "start_time": 5}', "callstart", follows=True)
    (stored,) = owner.append(writer, start)
    assert stored is not None
    owner.append(writer, _new(b'{"call_id": "4711", "status_code": 486}'))
    outbox, later = Outbox(owner.url), time.time_ns() // 1000
    assert [due.delivery.type for due in outbox.due("t", later, 9)] == []
    assert [due.delivery.type for due in outbox.due("t", later + 4_000_000_000, 9)] == ["callstart", "callend"]
    assert owner.read()[0].answer == UNANSWERED
    assert EventStore(owner.url).settled(0, later) == 0  # who follows the store waits for the answer
    writer.answer(LateAnswer(start.delivery.id, {"id": "4711"}, call_id="4711", asked="t", is_answered=True))
    wait_until(lambda: len(owner.events) == 2, "it")
    writer.close()
    with opened(owner.url) as connection:
        calls = connection.execute("SELECT call_id, number, started_at, status FROM call").fetchall()
    assert calls == [("4711", "998901234567", 5, "486")]
    assert [due.delivery.type for due in outbox.due("t", later + 4_000_000_000, 9)] == ["callend"]


def test_where_a_crm_did_not_answer_it_is_told_at_once(owner: Owner) -> None:
    owner.after_seconds = 3600.0
    writer = owner.writer()
    start = _new(b'{"number": "901234567"}', "callstart", follows=True)
    owner.append(writer, start)
    writer.answer(LateAnswer(start.delivery.id, {"id": start.delivery.id}, call_id=start.delivery.id, asked="t"))
    wait_until(lambda: bool(owner.events), "it")
    writer.close()
    (due,) = Outbox(owner.url).due("t", time.time_ns() // 1000, 9)
    assert due.delivery.id == start.delivery.id


def test_damaged_lines_of_the_spool_cost_only_themselves(owner: Owner) -> None:
    for line in DAMAGED_LINES.values():
        owner.spool.append([_delivery(b'{"call_id": "whole"}')])
        with owner.spool.path.open("ab") as file:
            file.write(line + b"\n")
    owner.spool.append([_delivery(b'{"call_id": "last"}')])
    whole = owner.spool.path.read_bytes()
    writer = owner.writer()
    (stored,) = _seqs(owner.append(writer, _new(b'{"call_id": "new"}')))
    writer.close()
    number = len(DAMAGED_LINES)
    assert [event.facts[0].call_id for event in owner.read()] == [*["whole"] * number, "last", "new"]
    assert stored != SPOOLED
    (aside,) = owner.folder.glob("spool-*")
    assert aside.read_bytes() == whole
    assert owner.said == [f"{number} lines of {aside} cannot be read: their events are not in the event store"]


def test_a_change_that_fails_for_its_own_reasons_does_not_stop_the_others(owner: Owner) -> None:
    def fails(_: object) -> None:
        raise ValueError("a fault of the change itself")

    writer = owner.writer()
    writer.change(fails)
    writer.append([(_new(), owner.stored.append)])
    wait_until(lambda: bool(owner.events), "it")
    writer.close()
    assert len(owner.read()) == 1
    assert (len(owner.events), owner.lost) == (1, 0)


@pytest.mark.usefixtures("_impatient")
def test_what_neither_store_nor_spool_takes_is_no_first_of_what_comes_later(owner: Owner) -> None:
    writer = owner.writer()
    spool = owner.spool.path
    spool.mkdir()  # nothing can be appended to it
    with held(owner.url):
        assert owner.append(writer, _new()) == [None]
        spool.rmdir()
    owner.append(writer, _new())
    wait_until(lambda: bool(owner.events), "it")
    writer.close()
    assert [event.duplicate_of for event in owner.read()] == [None]


def test_what_an_older_version_left_underived_is_derived_at_the_start(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_rows, "_STRETCH", 10)
    writer = owner.writer()
    owner.append(writer, *[_new(b'{"call_id": "%d"}' % number) for number in range(25)])
    writer.close()
    start = Delivery("a" * 26, "callstart", 1, b'{"caller_phone": "901234567"}')
    with opened(owner.url) as connection, writing(connection):
        insert_deliveries(connection, [_delivery(b'{"call_id": "%d"}' % number) for number in range(25, 40)], 0)
        insert_deliveries(connection, [start], 0)
        connection.execute("DELETE FROM fact WHERE seq IN (16, 20, 21)")
    owner.events.clear()
    owner.writer().close()
    assert [event.delivery.seq for event in owner.events] == [16, 20, 21, *range(26, 42)]
    told = {event.delivery.seq: event for event in owner.read()}
    assert [told[seq].fact.call_id for seq in range(1, 41)] == [str(number) for number in range(40)]
    assert (told[41].fact.call_id, told[41].answer) == (start.id, {"id": start.id})  # what it was answered with


def test_a_store_of_an_earlier_version_is_read_and_filled_as_it_was(file_owner: Owner) -> None:
    owner = file_owner
    with sqlite3.connect(owner.path) as connection:
        connection.executescript((DATA / "events_schema_1.sql").read_text("utf-8"))
    connection.close()
    before = owner.read()
    assert [event.fact.call_id for event in before] == ["Ғ-1", "Ғ-1", "c2", "c2", "c2", None, None, "c2", None]
    assert [event.rule for event in before][5] == "night"
    writer = owner.writer()
    assert _seqs(owner.append(writer, _new())) == [10]
    writer.close()
    assert owner.read()[:7] == before[:7]
    assert owner.read()[8].fact.call_id == before[8].delivery.id  # the last two were not derived yet
    calls = {call.call_id: call for call in EventStore(owner.url).calls()}
    assert (calls["c2"].status, calls["c2"].external_id, calls["c2"].end_seq) == ("486", "17", 8)
    assert Outbox(owner.url).waiting() == {"forward callstart+callend+result 0123456789abcdef": 1, "t": 3}


def test_a_new_store_has_the_tables_and_indexes_of_an_earlier_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "earlier.db")) as connection:
        connection.executescript((DATA / "events_schema_1.sql").read_text("utf-8"))

    def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
        open_event_store(str(path)).close()
        connection = sqlite3.connect(path)
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]
        found = {
            name: connection.execute(f"PRAGMA table_info({name})").fetchall()
            + connection.execute(f"PRAGMA index_info({name})").fetchall()
            for name in names
        }
        connection.close()
        return found

    assert shape(tmp_path / "new.db") == shape(tmp_path / "earlier.db")


def test_two_listeners_on_one_store_share_no_number(owner: Owner) -> None:
    writers = [owner.writer(), owner.writer()]
    numbers = [seq for _ in range(10) for writer in writers for seq in _seqs(owner.append(writer, _new()))]
    for writer in writers:
        writer.close()
    assert numbers == list(range(1, 21))
    assert owner.said == []


@pytest.mark.parametrize("count", [1, 16, 300, 2500])
def test_however_many_come_at_once_each_gets_its_number(owner: Owner, count: int) -> None:
    writer = owner.writer()
    deliveries = [_new(b'{"call_id": "%d"}' % number) for number in range(count)]
    assert _seqs(owner.append(writer, *deliveries)) == list(range(1, count + 1))
    writer.close()
    assert [event.delivery.id for event in owner.events] == [new.delivery.id for new in deliveries]


def test_a_file_that_is_damaged_beneath_a_writer_is_replaced_and_nothing_that_comes_is_lost(file_owner: Owner) -> None:
    owner = file_owner
    owner.writer().close()
    owner.path.write_bytes(owner.path.read_bytes()[:4096] + b"\xff" * 60_000)
    writer = owner.writer()
    assert len(_seqs(owner.append(writer, _new()))) == 1
    writer.close()
    assert len(owner.read()) == 1
    assert len(list(owner.folder.glob("events.db.corrupt-*"))) == 1
    assert "is damaged: it was moved to" in owner.said[0]


@pytest.mark.usefixtures("_impatient")
def test_an_older_store_that_another_process_brings_up_to_date_is_waited_for(tmp_path: Path) -> None:
    path, said = tmp_path / "events.db", list[str]()
    open_event_store(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE schema_version SET version = version - 1")
        other.execute("BEGIN IMMEDIATE")

        def complain(text: str) -> None:
            said.append(text)
            other.execute("ROLLBACK")

        file = EventFile(str(path), complain, QueuedFor(lambda _: []))
        file.open()
        file.close()
    assert said == [f"the event store {path} is in use by another process: waiting for it"]
