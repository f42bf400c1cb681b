"""What is still to be derived of stored deliveries, and to be changed in the store: kept in order until it is written.

Where much waits, a note that says no more than its delivery is let go, and the delivery read from the store when its
turn comes: a flood takes room on the disk, not in memory. Used by the event writer's thread alone.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from alovoice_cli.events.duplicates import Recent
from alovoice_cli.events.event import Delivery, Event, Reading
from alovoice_cli.events.noting import Note, event_of
from alovoice_cli.stores.event_file import Derived, Job
from alovoice_cli.stores.event_rows import Errand, Stretch, add_number

_NOT_TAKEN = "not stored"
_MOST_NOTES = 2000


class Backlog:
    """Notes of stored deliveries, and jobs. `errands` says what is to be done with an event, `load` reads a stretch."""

    def __init__(
        self,
        recent: Recent[str],
        errands: Callable[[Event], Sequence[Errand]],
        load: Callable[[int, int], Sequence[Delivery]],
    ) -> None:
        self._recent, self._errands, self._load = recent, errands, load
        self._waiting: deque[Note | Stretch] = deque()
        self._jobs: list[Job] = []
        self._one_by_one = False

    def __len__(self) -> int:
        """How many deliveries wait."""
        return sum(1 if isinstance(one, Note) else one.last - one.first + 1 for one in self._waiting)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not (self._waiting or self._jobs)

    def add(self, waiting: Iterable[Note | Stretch]) -> None:
        """Adds what is stored, and not derived."""
        for one in waiting:
            if isinstance(one, Note) and self._is_full and one.is_plain:
                add_number(self._waiting, one.delivery.seq)
            else:
                self._waiting.append(one)

    def add_stored(self, delivery: Delivery, seq: int) -> None:
        """Adds a delivery that was stored under this number, of which there is no more to say."""
        if self._is_full:
            add_number(self._waiting, seq)
        else:
            self._waiting.append(Note(replace(delivery, seq=seq)))

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= _MOST_NOTES

    def add_job(self, job: Job) -> None:
        """Adds a change to be made along with the next transaction."""
        self._jobs.append(job)

    def next(self, most: int) -> Derived:
        """The next notes as events, and all jobs; `put_back` undoes it. Raises as the store does, and loses nothing."""
        most = 1 if self._one_by_one else most
        notes = self._take(most)
        jobs, self._jobs = self._jobs, []
        events = [event_of(note, self._recent) for note in notes]
        errands = {
            event.delivery.id: [errand for errand in self._errands(event) if errand.target not in note.done]
            for event, note in zip(events, notes, strict=True)
        }
        return Derived(notes, events, errands, jobs)

    def _take(self, most: int) -> list[Note]:
        notes: list[Note] = []
        try:
            while self._waiting and len(notes) < most:
                notes += self._take_first(most - len(notes))
        except BaseException:
            self._waiting.extendleft(reversed(notes))
            raise
        return notes

    def _take_first(self, most: int) -> list[Note]:
        """The first note, or so many of the stretch that stands first."""
        first = self._waiting[0]
        if isinstance(first, Note):
            self._waiting.popleft()
            return [first]
        end = min(first.first + most - 1, first.last)
        deliveries = self._load(first.first, end)
        self._waiting.popleft()
        if end < first.last:
            self._waiting.appendleft(Stretch(end + 1, first.last))
        return [Note(delivery) for delivery in deliveries]

    def put_back(self, derived: Derived) -> None:
        """It was not written: it comes next again."""
        self._waiting.extendleft(reversed(derived.notes))
        self._jobs = [*derived.jobs, *self._jobs]

    def written(self) -> None:
        """All that was taken last is written: no care is needed any more."""
        self._one_by_one = False

    def set_aside(self, trouble: Exception) -> None:
        """What was put back is refused by a store that is well: the culprit must not hold up the others.

        The events are tried one by one; the one that is refused is stored without what was read of it. Where that is
        refused too, a job is to blame, and all of them are dropped.
        """
        first = self._waiting[0] if self._waiting else None
        if self._one_by_one and isinstance(first, Note) and not _is_bare(first):
            bare = Reading(None, problem=f"{_NOT_TAKEN}: {type(trouble).__name__}")
            self._waiting[0] = replace(first, reading=bare, answer={}, rule=None)
        elif self._one_by_one:
            self._jobs.clear()
        self._one_by_one = True

    def forget_notes(self) -> None:
        """The deliveries that the notes belong to are in this store no more."""
        self._waiting.clear()


def _is_bare(note: Note) -> bool:
    return note.reading is not None and note.reading.problem.startswith(_NOT_TAKEN)
