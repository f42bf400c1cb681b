"""What is still to be derived of stored deliveries, and to be changed in the store: kept in order until it is written.

Used by the event writer's thread alone.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from alovoice_cli.events.duplicates import Recent
from alovoice_cli.events.event import Event, Reading
from alovoice_cli.events.noting import Note, event_of
from alovoice_cli.stores.event_file import Derived, Job
from alovoice_cli.stores.event_rows import Errand

_NOT_TAKEN = "not stored"


class Backlog:
    """Notes of stored deliveries, and jobs. `errands` says what is to be done with an event."""

    def __init__(self, recent: Recent[str], errands: Callable[[Event], Sequence[Errand]]) -> None:
        self._recent, self._errands = recent, errands
        self._notes: deque[Note] = deque()
        self._jobs: list[Job] = []
        self._one_by_one = False

    def __len__(self) -> int:
        """How many notes wait."""
        return len(self._notes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not (self._notes or self._jobs)

    def add(self, notes: Iterable[Note]) -> None:
        """Adds notes whose deliveries are stored."""
        self._notes.extend(notes)

    def add_job(self, job: Job) -> None:
        """Adds a change to be made along with the next transaction."""
        self._jobs.append(job)

    def next(self, most: int) -> Derived:
        """The next notes as events, and all jobs; `put_back` undoes it."""
        most = 1 if self._one_by_one else most
        notes = [self._notes.popleft() for _ in range(min(most, len(self._notes)))]
        jobs, self._jobs = self._jobs, []
        events = [event_of(note, self._recent) for note in notes]
        errands = {
            event.delivery.id: [errand for errand in self._errands(event) if errand.target not in note.done]
            for event, note in zip(events, notes, strict=True)
        }
        return Derived(notes, events, errands, jobs)

    def put_back(self, derived: Derived) -> None:
        """It was not written: it comes next again."""
        self._notes.extendleft(reversed(derived.notes))
        self._jobs = [*derived.jobs, *self._jobs]

    def written(self) -> None:
        """All that was taken last is written: no care is needed any more."""
        self._one_by_one = False

    def set_aside(self, trouble: Exception) -> None:
        """What was put back is refused by a store that is well: the culprit must not hold up the others.

        The events are tried one by one; the one that is refused is stored without what was read of it. Where that is
        refused too, a job is to blame, and all of them are dropped.
        """
        if self._one_by_one and self._notes and not _is_bare(self._notes[0]):
            bare = Reading(None, problem=f"{_NOT_TAKEN}: {type(trouble).__name__}")
            self._notes[0] = replace(self._notes[0], reading=bare, answer={}, rule=None)
        elif self._one_by_one:
            self._jobs.clear()
        self._one_by_one = True

    def forget_notes(self) -> None:
        """The deliveries that the notes belong to are in this store no more."""
        self._notes.clear()


def _is_bare(note: Note) -> bool:
    return note.reading is not None and note.reading.problem.startswith(_NOT_TAKEN)
