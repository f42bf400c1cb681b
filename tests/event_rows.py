"""Writes an event store's rows like the listener: whole calls, single deliveries, the listener's uptime."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alovoice_cli.events.answers import new_id
from alovoice_cli.events.event import Delivery, Event, EventType
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.stores.event_engine import open_event_store, opened, writing
from alovoice_cli.stores.event_rows import insert_deliveries, insert_events

MICRO = 1_000_000


class Rows:
    """One store, and the next seq. Moments are unix seconds, or aware datetimes."""

    def __init__(self, store: Path | str) -> None:
        self.url = store if isinstance(store, str) else f"sqlite:///{store}"
        self.path = Path(self.url.removeprefix("sqlite:///"))
        open_event_store(self.url).close()
        self._calls = 0

    def deliver(
        self,
        kind: EventType,
        at: float | datetime,
        body: object,
        *,
        call_id: str | None = None,
        repeats: Event | None = None,
        is_read: bool = True,
        headers: tuple[tuple[str, str], ...] = (),
        query: str = "",
        **more: Any,
    ) -> Event:
        """Stores one delivery; `body` is bytes, or what becomes JSON. Without `is_read` the writer lags behind."""
        made = event_of(kind, at, body, call_id=call_id, repeats=repeats, headers=headers, query=query, **more)
        (event,) = self.store([made], is_read=is_read)
        return event

    def store(self, events: Sequence[Event], *, is_read: bool = True) -> list[Event]:
        """Stores the events in one transaction; returns them with their numbers."""
        with opened(self.url) as connection, writing(connection):
            numbers = insert_deliveries(connection, [event.delivery for event in events], 0)
            stored = [
                replace(event, delivery=replace(event.delivery, seq=number))
                for event, number in zip(events, numbers, strict=True)
            ]
            if is_read:
                insert_events(connection, stored, {})
        return stored

    def call(
        self,
        at: float | datetime,
        number: str = "901234567",
        *,
        status: str | None = "200",
        duration: int = 60,
        direction: str = "inc",
        line: str = "712037006",
        peer: int = 101,
        call_id: str | None = None,
    ) -> str:
        """Writes a callstart at that moment and its callend after `duration` seconds (none if `status` is None)."""
        moment = at.timestamp() if isinstance(at, datetime) else at
        self._calls += 1
        own = call_id or f"call-{self._calls}"
        start = {"inner_phone": peer, "number": number, "line": line, "type": direction, "start_time": int(moment)}
        self.deliver("callstart", moment, start, call_id=own, answer={"id": own})
        if status is not None:
            self.deliver("callend", moment + duration, end_of(own, int(moment) + duration, duration, status))
        return own

    def listened(self, *stretches: tuple[float, float, bool]) -> None:
        """Notes listeners: from, until (the last sign of life), and whether each ended in order."""
        with opened(self.url) as connection, writing(connection):
            for number, (began, seen, in_order) in enumerate(stretches):
                seen_at = int(seen * MICRO)
                values = (f"u{number}-{began}", int(began * MICRO), seen_at, seen_at if in_order else None)
                connection.execute("INSERT INTO uptime (id, began_at, seen_at, ended_at) VALUES (?, ?, ?, ?)", values)


@contextmanager
def held(url: str) -> Iterator[None]:
    """Holds a lock in another process that writes slowly to the store."""
    with closing(open_event_store(url)) as other, writing(other):
        yield


def empty(url: str) -> None:
    """Deletes all that is in a store, and leaves its tables."""
    with opened(url) as connection, writing(connection):
        for table in ("delivery", "fact", "call", "outbox", "outbox_target", "notice", "notice_message", "uptime"):
            connection.execute(f"DELETE FROM {table}")


def end_of(call_id: str, at: int, duration: int, status: str) -> dict[str, object]:
    """Returns a callend's body."""
    return {
        "call_id": call_id,
        "finish_time": at,
        "duration": duration,
        "status_code": int(status) if status.isdigit() else status,
        "record": f"https://cld.alovoice.uz/play/{call_id}.mp3",
    }


def event_of(
    kind: EventType,
    at: float | datetime,
    body: object,
    *,
    call_id: str | None = None,
    repeats: Event | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    query: str = "",
    **more: Any,
) -> Event:
    """Returns an event that is not stored yet; `body` is bytes, or what becomes JSON."""
    moment = at.timestamp() if isinstance(at, datetime) else at
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    own_id, received_at = new_id(int(moment * 1000)), round(moment * MICRO)
    delivery = Delivery(own_id, kind, received_at, raw, "application/json", headers=headers, query=query)
    reading = read_delivery(delivery)
    facts = reading.facts
    if delivery.type == "callstart":
        facts = tuple(replace(fact, call_id=call_id or delivery.id) for fact in facts)
    return Event(
        delivery,
        facts,
        repeats.delivery.id if repeats else None,
        reading.value,
        reading.problem,
        digest=reading.digest,
        **more,
    )


def ago(**time: float) -> float:
    """Returns the moment so long before now."""
    return (datetime.now(UTC) - timedelta(**time)).timestamp()


def spread(count: int, begin: float, seconds: float) -> Iterable[float]:
    """Yields `count` moments at equal distances."""
    return (begin + seconds * number / count for number in range(count))
