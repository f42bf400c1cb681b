"""The one writer of an event store: a thread that commits what has arrived, many deliveries at once (group commit).

First the deliveries, durably; what is derived from them waits for a quiet moment, or for the share of time that is its
own under a flood. When the store does not take a delivery it goes to the spool; when neither does, its sender is told.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from alovoice_cli.events.duplicates import Recent
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.noting import Note
from alovoice_cli.stores.allowance import Allowance
from alovoice_cli.stores.backlog import Backlog
from alovoice_cli.stores.event_engine import TROUBLES, damaged, is_refusal
from alovoice_cli.stores.event_file import Derived, EventFile, First, Job
from alovoice_cli.stores.household import Arrival, Household
from alovoice_cli.stores.spool import Spool

SPOOLED = 0
"""The number of a delivery that is safe in the spool, and will get its own when the store works again."""

_TICK_SECONDS = 1.0
_QUIET_SECONDS = 0.003  # nothing came for so long: there is time for other things
_SIGN_OF_LIFE_SECONDS = 10.0
_START_SECONDS, _END_SECONDS = 5.0, 5.0  # so long what a crash or a flood left may keep us at most
_MOST_AT_ONCE = 1000
_CHUNK = 32  # deliveries that come meanwhile wait for it: a few milliseconds
_LOST_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class EventWriter:
    """The thread and its queue. `append`, `note` and `change` may be called from any thread."""

    def __init__(self, file: EventFile, spool: Spool, household: Household, now: Callable[[], datetime]) -> None:
        self._file, self._spool, self._household, self._now = file, spool, household, now
        self._inbox: queue.SimpleQueue[tuple[Arrival, ...] | Note | Job | _Stop] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._recent: Recent[str] = Recent(time.monotonic)
        self._backlog = Backlog(self._recent, household.errands, file.deliveries)
        self._arrivals: list[Arrival] = []
        self._waiting: dict[str, Note | None] = {}  # spooled deliveries by id, with their note once it has come
        self._numbers: dict[str, int] = {}  # spooled deliveries that got their number before their note came
        self._is_quiet = False
        self._allowance = Allowance()
        self._troubled = False
        self._troubled_at = self._derived_trouble_at = float("-inf")
        self._lost_since: float | None = None
        self._seen_at = float("-inf")
        self._stopping = False

    def start(self) -> list[First]:
        """Opens the store, finishes what a crash left, and begins; returns the callstarts of the last ten minutes.

        Raises UsageError when the store cannot be opened.
        """
        self._file.open()
        self._take_back()
        for first in self._file.firsts(self._micro()):
            self._recent.first(first.digest, first.id, age=first.age)
        self._backlog.add(self._file.unread())
        self._sign_of_life()
        deadline = time.monotonic() + _START_SECONDS
        while not self._backlog.is_empty and time.monotonic() < deadline:
            self._finish()
            if self._is_resting(self._derived_trouble_at):
                break
        firsts = [first for first in self._file.firsts(self._micro()) if first.type == "callstart"]
        self._file.close()  # the thread opens a connection of its own
        self._thread.start()
        return firsts

    def append(self, arrivals: Sequence[Arrival]) -> None:
        """Stores the deliveries with the next commit; each `settle` gets its number, SPOOLED, or None for one lost."""
        self._inbox.put(tuple(arrivals))

    def note(self, note: Note) -> None:
        """Tells what became of a delivery that was appended before; the derived rows follow from it."""
        self._inbox.put(note)

    def change(self, job: Job) -> None:
        """Makes a change in one of the next transactions."""
        self._inbox.put(job)

    def close(self) -> None:
        """Stores all that was appended, noted or asked for, marks the end, and lets go of the file."""
        self._inbox.put(_Stop())
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping or self._arrivals or not self._inbox.empty():
                self._collect()
                if self._arrivals:
                    self._store()
                if self._may_derive():
                    self._finish()
                self._care()
            self._end()
        except BaseException as fault:
            # Without this thread nothing is received: better to end, and be started anew, than to look alive.
            self._household.complain(f"the event writer failed: {type(fault).__name__}: {fault}")
            self._household.is_lost()

    def _collect(self) -> None:
        """Takes what lies in the inbox, waiting for the first of it: not for long where there is other work."""
        try:
            item = self._inbox.get(timeout=self._patience())
        except queue.Empty:
            self._is_quiet = not self._arrivals
            return
        self._is_quiet = False
        with suppress(queue.Empty):
            for _ in range(_MOST_AT_ONCE):
                self._sort(item)
                item = self._inbox.get_nowait()
            self._sort(item)

    def _patience(self) -> float:
        if self._arrivals:
            return 0
        has_work = not self._backlog.is_empty and not self._is_resting(self._derived_trouble_at)
        return _QUIET_SECONDS if has_work else _TICK_SECONDS

    def _may_derive(self) -> bool:
        if self._backlog.is_empty or self._is_resting(self._derived_trouble_at):
            return False
        return self._is_quiet or self._stopping or self._allowance.is_left()

    def _sort(self, item: "tuple[Arrival, ...] | Note | Job | _Stop") -> None:
        if isinstance(item, tuple):
            self._arrivals += item
        elif isinstance(item, Note):
            self._file_note(item)
        elif isinstance(item, _Stop):
            self._stopping = True
        else:
            self._backlog.add_job(item)

    def _file_note(self, note: Note) -> None:
        own_id = note.delivery.id
        if note.delivery.seq != SPOOLED:
            self._backlog.add([note])
        elif own_id in self._numbers:
            self._backlog.add([replace(note, delivery=replace(note.delivery, seq=self._numbers.pop(own_id)))])
        else:
            self._waiting[own_id] = note

    def _store(self) -> None:
        deliveries = [arrival.delivery for arrival in self._arrivals]
        numbers: Sequence[int | None] = self._numbers_in_store(deliveries) or self._numbers_in_spool(deliveries)
        arrivals, self._arrivals = self._arrivals[: len(numbers)], self._arrivals[len(numbers) :]
        self._household.settled([(arrival.settle, number) for arrival, number in zip(arrivals, numbers, strict=True)])
        for arrival, number in zip(arrivals, numbers, strict=True):
            if number == SPOOLED:
                self._waiting[arrival.delivery.id] = None if arrival.note_follows else Note(arrival.delivery)
            elif number is not None and not arrival.note_follows:
                self._backlog.add_stored(arrival.delivery, number)

    def _numbers_in_store(self, deliveries: Sequence[Delivery]) -> Sequence[int] | None:
        if self._troubled:
            return None  # what comes now must not wait for the store's time-outs; `_care` tries it again
        began = time.monotonic()
        try:
            numbers = self._file.store(deliveries)
        except Exception as trouble:
            return self._store_failed(trouble, deliveries)
        self._allowance.stored(time.monotonic() - began)
        self._lost_since = None
        return numbers

    def _store_failed(self, trouble: Exception, deliveries: Sequence[Delivery]) -> Sequence[int] | None:
        if damaged(trouble):
            try:
                self._file.replace_damaged()
                return self._file.store(deliveries)
            except Exception as worse:
                trouble = worse
        self._troubled = True
        self._troubled_at = time.monotonic()
        self._household.complain(f"the event store does not take events ({trouble}): they go to {self._spool.path}")
        return None

    def _numbers_in_spool(self, deliveries: Sequence[Delivery]) -> list[int | None]:
        try:
            self._spool.append(deliveries)
        except OSError as trouble:
            self._lost(trouble)
            return [None] * len(deliveries)
        self._lost_since = None
        return [SPOOLED] * len(deliveries)

    def _lost(self, trouble: OSError) -> None:
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
            self._household.complain(f"neither the event store nor {self._spool.path} takes events: {trouble}")
        elif now - self._lost_since > _LOST_PATIENCE_SECONDS:
            self._household.is_lost()

    def _care(self) -> None:
        """What is due now and then: a store that failed is tried again, and the sign of life is given."""
        if self._troubled and not self._is_resting(self._troubled_at):
            self._troubled_at = time.monotonic()
            try:
                self._take_back()
            except TROUBLES:
                return
            self._troubled = False
            self._household.complain("the event store takes events again; those of the spool are in it")
        if time.monotonic() - self._seen_at > _SIGN_OF_LIFE_SECONDS:
            self._sign_of_life()

    @staticmethod
    def _is_resting(troubled_at: float) -> bool:
        return time.monotonic() - troubled_at < _TICK_SECONDS

    def _sign_of_life(self) -> None:
        self._seen_at = time.monotonic()
        self._backlog.add_job(self._file.mark_up(self._micro()))

    def _take_back(self) -> None:
        """Empties the spool into the store."""
        deliveries = self._spool.read()
        if deliveries:
            for delivery in self._file.take_back(deliveries):
                note = self._waiting.pop(delivery.id, None)
                if note is not None:
                    self._backlog.add([replace(note, delivery=delivery)])
                elif self._thread.is_alive():
                    self._numbers[delivery.id] = delivery.seq
        self._spool.forget()

    def _finish(self) -> None:
        """Derives the next chunk, and makes the changes that were asked for."""
        began = time.monotonic()
        derived = Derived()
        try:
            derived = self._backlog.next(_CHUNK)
            if derived.events or derived.jobs:
                self._file.finish(derived)
        except Exception as trouble:
            self._backlog.put_back(derived)
            self._finish_failed(trouble)
            return
        self._backlog.written()
        self._household.happened(derived.events)
        self._allowance.spend(time.monotonic() - began)

    def _finish_failed(self, trouble: Exception) -> None:
        self._derived_trouble_at = time.monotonic()
        if damaged(trouble):
            self._file.replace_damaged()
            self._backlog.forget_notes()
        elif is_refusal(trouble):
            self._backlog.set_aside(trouble)
            self._derived_trouble_at = float("-inf")

    def _end(self) -> None:
        """Finishes what can be soon; the rest is derived at the next start."""
        self._backlog.add_job(self._file.mark_up(self._micro(), last=True))
        tries = 0
        deadline = time.monotonic() + _END_SECONDS
        while not self._backlog.is_empty and tries < 2 and time.monotonic() < deadline:
            self._finish()
            if self._is_resting(self._derived_trouble_at):
                tries += 1
        left = len(self._backlog)
        if left:
            self._household.complain(f"events that are stored, and will be read at the next start: {left}")
        self._file.close()

    def _micro(self) -> int:
        return int(self._now().timestamp() * 1_000_000)
