"""The only writer of an event store: a thread that commits many arrived deliveries at once (group commit).

A delivery, its derived data and its queued actions become durable in one transaction; then its sender gets an answer.
If the store does not take a delivery, it goes to the spool; if neither takes it, its sender gets an error.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from alovoice_cli.events.answers import StartAnswer
from alovoice_cli.events.duplicates import REPEATABLE, Recent
from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.event_assembly import (
    SPOOLED,
    FirstDelivery,
    LateAnswer,
    NewDelivery,
    Stored,
    event_of,
    with_answer,
)
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.language import mark, tr
from alovoice_cli.stores.event_arrivals import (
    Arrival,
    AwaitedChange,
    Settle,
    Written,
    bare,
    is_bare,
    note_first,
    stored_or_bare,
)
from alovoice_cli.stores.event_engine import is_damage, is_refusal
from alovoice_cli.stores.event_file import Change, Committed, EventFile, marked_up
from alovoice_cli.stores.spool import Spool

_TICK_SECONDS = 1.0
_SIGN_OF_LIFE_SECONDS = 10.0
_MOST_AT_ONCE = 1000
_LOST_PATIENCE_SECONDS = 10.0
_STALLED_SECONDS = 15.0
"""A writer without progress for this long is stuck: no commit and no time-out of ours takes longer."""


@dataclass(frozen=True, slots=True)
class EventStoreCallbacks:
    """Callbacks that the event writer calls on its owner, from its own thread; none of them may block.

    `settled` receives deliveries that became durable or are lost, and calls each Settle in the owner's thread.
    `happened` receives stored events when they are complete; `complain` receives one line for the operator; `is_lost`
    is called when neither store nor spool has taken anything for ten seconds; `kept` receives the ids of deliveries
    whose answers are durable although their events are not in the store yet.
    """

    settled: Callable[[Sequence[tuple[Settle, Stored | None]]], None]
    happened: Callable[[Sequence[Event]], None]
    complain: Callable[[str], None]
    is_lost: Callable[[], None]
    kept: Callable[[Sequence[str]], None] = lambda _: None


class EventWriter:
    """The thread and its queue. `append`, `answer` and `change` may be called from any thread."""

    def __init__(
        self, file: EventFile, spool: Spool, callbacks: EventStoreCallbacks, now: Callable[[], datetime]
    ) -> None:
        self._file, self._spool, self._callbacks, self._now = file, spool, callbacks, now
        self._inbox: queue.SimpleQueue[Sequence[tuple[NewDelivery, Settle]] | Written | None]
        self._inbox = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._recent: Recent[FirstDelivery] = Recent(time.monotonic)
        self._arrived: list[Arrival] = []
        self._changes: list[Written] = []
        self._unanswered: dict[str, Event | None] = {}  # by id: the event, after it is stored
        self._spooled_answers: set[str] = set()  # ids of their deliveries
        self._troubled_at: float | None = None
        self._has_older = True  # deliveries of an older version without derived data
        self._lost_since: float | None = None
        self._is_refusing = False
        self._came_round_at = time.monotonic()
        self._seen_at = float("-inf")
        self._stopping = False

    def start(self) -> None:
        """Opens the store, or raises UsageError; finishes an earlier listener's work; starts the thread."""
        self._file.open()
        try:
            self._recover()
        except Exception as trouble:
            self._give_rest(trouble)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Returns why nothing is taken now; empty if store or spool takes deliveries. For any thread."""
        if time.monotonic() - self._came_round_at > _STALLED_SECONDS:
            return f"the event store has not answered for {_STALLED_SECONDS:.0f} s"
        return "neither the event store nor its spool takes events" if self._is_refusing else ""

    @property
    def is_spooling(self) -> bool:
        """Returns whether deliveries go to the spool now. For any thread."""
        return self._troubled_at is not None

    def append(self, arrived: Sequence[tuple[NewDelivery, Settle]]) -> None:
        """Stores the deliveries in the next commit; each Settle receives the stored delivery, or None if it is lost."""
        self._inbox.put(arrived)

    def answer(self, late: LateAnswer) -> None:
        """Stores the answer to an earlier delivery."""
        self._inbox.put(late)

    def change(self, change: Change, made: Callable[[bool], None] | None = None) -> None:
        """Makes a change in one of the next transactions; `made` receives the result as in AwaitedChange."""
        self._inbox.put(change if made is None else AwaitedChange(change, made))

    def close(self) -> None:
        """Stores everything that was appended, answered or changed, marks the end, and closes the file."""
        self._inbox.put(None)
        self._thread.join()

    # --- in the writer's thread

    def _run(self) -> None:
        try:
            while not self._stopping or self._arrived or not self._inbox.empty():
                self._collect()
                self._came_round_at = time.monotonic()
                self._write()
                self._care()
            self._end()
        except BaseException as fault:
            # Without this thread nothing is received: better to end and be restarted than to seem alive.
            self._callbacks.complain(tr("the writer of the event store failed: {problem}", problem=repr(fault)))
            self._callbacks.is_lost()

    def _collect(self) -> None:
        """Takes everything from the inbox, and waits for the first item."""
        with suppress(queue.Empty):
            self._sort(self._inbox.get(timeout=_TICK_SECONDS))
            self._collect_at_once()

    def _collect_at_once(self) -> None:
        """Takes everything from the inbox without waiting."""
        with suppress(queue.Empty):
            for _ in range(_MOST_AT_ONCE):
                self._sort(self._inbox.get_nowait())

    def _sort(self, item: Sequence[tuple[NewDelivery, Settle]] | Written | None) -> None:
        if item is None:
            self._stopping = True
        elif isinstance(item, (LateAnswer, AwaitedChange)) or callable(item):
            self._changes.append(item)
        else:
            self._arrived += [self._arrival(new, settle) for new, settle in item]

    def _arrival(self, new: NewDelivery, settle: Settle) -> Arrival:
        if new.answer_follows:
            self._unanswered[new.delivery.id] = None
        first = self._first(new)
        return Arrival(event_of(new, first), first, settle)

    def _first(self, new: NewDelivery) -> FirstDelivery:
        """Returns the first delivery of the last ten minutes with the same content, which may be this one."""
        own = FirstDelivery(new.delivery.id, StartAnswer(new.delivery.id))
        if new.delivery.type not in REPEATABLE:
            return own
        return self._recent.first(new.reading.digest, own) or own

    def _write(self) -> None:
        arrived, self._arrived = self._arrived, []
        changes, self._changes = self._changes, []
        if arrived or changes:
            self._store(arrived, changes)

    def _store(self, arrived: Sequence[Arrival], changes: Sequence[Written]) -> None:
        """Stores the deliveries and makes the changes. If the store fails, deliveries are spooled and changes wait."""
        if self._troubled_at is not None:
            self._put_by(arrived, changes)
            return
        try:
            committed = self._stored(arrived, changes)
        except Exception as trouble:
            if is_refusal(trouble):
                self._store_singly(arrived, changes, trouble)
            else:
                self._give_rest(trouble)
                self._put_by(arrived, changes)
            return
        self._lost_since, self._is_refusing = None, False
        events = committed.events
        for one, event in zip(arrived, events, strict=True):
            note_first(one.first, event, committed.firsts)
        numbers = [Stored(event.delivery.seq, one.first) for one, event in zip(arrived, events, strict=True)]
        self._settle([(one.settle, stored) for one, stored in zip(arrived, numbers, strict=True)])
        self._tell(events, changes)

    def _stored(self, arrived: Sequence[Arrival], changes: Sequence[Written]) -> Committed:
        """Returns the events with their numbers; replaces a damaged file by a new one."""
        events = [arrival.event for arrival in arrived]
        try:
            return self._file.store(events, map(self._as_change, changes))
        except Exception as trouble:
            if not is_damage(trouble):
                raise
        self._file.replace_damaged()
        return self._file.store(events, map(self._as_change, changes))

    def _as_change(self, change: Written) -> Change:
        if isinstance(change, AwaitedChange):
            return change.change
        return self._file.answered(change) if isinstance(change, LateAnswer) else change

    def _store_singly(self, arrived: Sequence[Arrival], changes: Sequence[Written], trouble: Exception) -> None:
        """Stores the deliveries one by one: the store works and refuses a value, for which the others must not wait.

        A refused delivery is stored without its facts; a refused change is dropped.
        """
        if len(arrived) + len(changes) > 1:
            for arrival in arrived:
                self._store([arrival], [])
            for change in changes:
                self._store([], [change])
        elif changes:
            self._callbacks.complain(tr("a change of the event store is dropped: {problem}", problem=repr(trouble)))
            if isinstance(changes[0], AwaitedChange):
                changes[0].made(False)
        elif is_bare(arrived[0].event):
            self._lose(arrived)
        else:
            self._store([arrived[0]._replace(event=bare(arrived[0].event, trouble))], [])

    def _give_rest(self, trouble: Exception) -> None:
        """Does not try the store for a while: new deliveries must not wait for its time-outs."""
        self._troubled_at = time.monotonic()
        with suppress(Exception):  # it is unreachable
            self._file.note_spooling(is_spooling=True)
        text = mark("the event store does not take events ({problem}): they go to {path}")
        self._callbacks.complain(tr(text, problem=trouble, path=self._spool.path))

    def _put_by(self, arrived: Sequence[Arrival], changes: Sequence[Written]) -> None:
        """Writes the deliveries and the answers to the spool, and keeps the changes until the store works again."""
        self._changes += changes
        late = [one for one in changes if isinstance(one, LateAnswer) and one.delivery_id not in self._spooled_answers]
        if not (arrived or late):
            return
        try:
            self._spool.append([arrival.event.delivery for arrival in arrived], late)
        except OSError as trouble:
            self._complain_of_loss(trouble)
            self._lose(arrived)
            return
        self._lost_since, self._is_refusing = None, False
        self._settle([(arrival.settle, Stored(SPOOLED, arrival.first)) for arrival in arrived])
        if late:
            self._spooled_answers.update(one.delivery_id for one in late)
            self._callbacks.kept([one.delivery_id for one in late])

    def _lose(self, arrived: Sequence[Arrival]) -> None:
        for arrival in arrived:
            if arrival.event.duplicate_of is None:
                self._recent.forget(arrival.event.digest, arrival.first)
            self._unanswered.pop(arrival.event.delivery.id, None)
        self._settle([(arrival.settle, None) for arrival in arrived])

    def _complain_of_loss(self, trouble: OSError) -> None:
        now, self._is_refusing = time.monotonic(), True
        if self._lost_since is None:
            self._lost_since = now
            text = mark("neither the event store nor {path} takes events: {problem}")
            self._callbacks.complain(tr(text, path=self._spool.path, problem=trouble))
        elif now - self._lost_since > _LOST_PATIENCE_SECONDS:
            self._callbacks.is_lost()

    def _settle(self, outcomes: Sequence[tuple[Settle, Stored | None]]) -> None:
        if outcomes:
            self._callbacks.settled(outcomes)

    def _tell(self, events: Sequence[Event], changes: Sequence[Written] = ()) -> None:
        """Reports complete events; the others wait for their answer."""
        ready = []
        for event in events:
            if event.delivery.id in self._unanswered:
                self._unanswered[event.delivery.id] = event
            else:
                ready.append(event)
        for change in changes:
            if isinstance(change, AwaitedChange):
                change.made(True)
            elif isinstance(change, LateAnswer):
                waiting = self._unanswered.pop(change.delivery_id, None)
                ready += [with_answer(waiting, change)] if waiting is not None else []
        if ready:
            self._callbacks.happened(ready)

    # --- now and then

    def _care(self) -> None:
        """Does the regular work: tries a failed store again, and gives the sign of life."""
        if self._troubled_at is not None and time.monotonic() - self._troubled_at > _TICK_SECONDS:
            self._try_again()
            self._is_refusing = self._troubled_at is not None and not self._spool.has_room()
        if time.monotonic() - self._seen_at > _SIGN_OF_LIFE_SECONDS:
            self._give_sign_of_life()

    def _try_again(self) -> None:
        self._troubled_at = time.monotonic()
        with suppress(Exception):  # it is tried again, and was reported
            self._recover()
            self._troubled_at = None
            self._callbacks.complain(tr("the event store takes events again; those of the spool are in it"))

    def _give_sign_of_life(self, *, last: bool = False) -> None:
        self._seen_at = time.monotonic()
        uptime = self._file.uptime(self._micro(), last=last)
        if self._troubled_at is None:
            self._changes.append(marked_up([uptime]))
        else:
            with suppress(OSError):  # new deliveries are then lost, which is reported
                self._spool.append([], uptimes=[uptime])

    def _recover(self) -> None:
        """Upgrades the store; replaces a damaged one."""
        try:
            self._catch_up()
        except Exception as trouble:
            if not is_damage(trouble):
                raise
            self._file.replace_damaged()
            self._catch_up()

    def _catch_up(self) -> None:
        """Derives the missing data of an older version, and then empties the spools into the store."""
        # Nothing is read while the store takes nothing: a spool may be large.
        self._file.store([], [marked_up([self._file.uptime(self._micro())])])
        if self._has_older:
            for known in self._file.firsts(self._micro()):
                self._recent.first(known.digest, known.first, age=known.age)
            for part in self._file.underived():
                self._tell(stored_or_bare([self._read_again(delivery) for delivery in part], self._file.derive))
            self._has_older = False
        with self._spool.abandoned() as others:
            if any(spool.size for spool in (*others, self._spool)):
                for spool in (*others, self._spool):  # its own spool last, because new deliveries go there
                    self._empty(spool)
        self._file.note_spooling(is_spooling=False)
        self._spooled_answers.clear()

    def _empty(self, spool: Spool) -> None:
        """Moves everything in a spool to the store; new deliveries go to this listener's spool."""
        content = spool.read()
        while True:
            late = {one.delivery_id: one for one in content.answers}
            late |= {one.delivery_id: one for one in self._changes if isinstance(one, LateAnswer)}
            for start in range(0, len(content.deliveries), _MOST_AT_ONCE):
                self._came_round_at = time.monotonic()
                part = [self._read_again(one) for one in content.deliveries[start : start + _MOST_AT_ONCE]]
                self._take_back(part, [late.pop(one.delivery.id) for one in part if one.delivery.id in late])
                self._collect_at_once()
                self._write()
            rest = [self._file.answered(one) for one in late.values() if one in content.answers]
            self._file.store([], [*rest, marked_up(content.uptimes)])
            if spool.size <= content.size:
                break
            content = spool.read(content.size, content.unreadable)
        if said := spool.end(content.unreadable):
            self._callbacks.complain(said)

    def _take_back(self, events: Sequence[Event], late: Sequence[LateAnswer]) -> None:
        """Stores a part of the spool, with the answers that have become known."""
        stored = stored_or_bare(events, lambda part: self._file.take_back(part, map(self._as_change, late)))
        self._changes = [change for change in self._changes if change not in late]
        self._tell(stored, late)

    def _read_again(self, delivery: Delivery) -> Event:
        new = NewDelivery(delivery, read_delivery(delivery))
        return event_of(new, self._first(new))

    def _end(self) -> None:
        """Makes the last changes; if the store fails, the received deliveries are in the spool."""
        if self._troubled_at is not None:
            self._try_again()
        self._give_sign_of_life(last=True)
        self._write()
        # Their senders left before they got an answer.
        self._callbacks.happened([event for event in self._unanswered.values() if event is not None])
        self._file.close()
        self._spool.release()

    def _micro(self) -> int:
        return int(self._now().timestamp() * 1_000_000)
