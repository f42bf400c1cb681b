"""Which journal a list belongs to, and what of a changed list is new."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alovoice_cli.batch.plan import Plan
from alovoice_cli.batch.steps import Course, Step
from alovoice_cli.batching.places import Place, Shelf
from alovoice_cli.batching.verbs import Verb
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.findings import count
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Head, Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session


@dataclass(frozen=True, slots=True)
class Batch:
    """A list that was read, and where its journal is."""

    verb: Verb
    head: Head
    plan: Plan


def head_of(journal: Journal) -> Head:
    """What the batch is."""
    assert journal.head is not None  # the shelf opens no other
    return journal.head


def find_place(shelf: Shelf, wish: Wish, batch: Batch) -> tuple[Place, bool]:
    """The journal of the list; and whether it is of an earlier list of that name that this one shares rows with."""
    if wish.journal is not None:
        return shelf.named(wish.journal), False
    head, verb = batch.head, batch.verb
    place = shelf.usual(verb.name, head.source, head.digest)
    if place.path.exists():
        return place, False
    keys = {step.key for step in batch.plan.steps}
    found: list[tuple[str, Place, bool]] = []
    for sibling in shelf.siblings(verb.name, head.source):
        journal = shelf.open(sibling)
        theirs, listed = head_of(journal), {step.key: course for step, course in journal.listed()}
        journal.close()
        same = (theirs.profile, theirs.source) == (head.profile, head.source)
        waits = any(course.state in ("pending", "intent", "unsent") for course in listed.values())
        if same and (waits or keys & listed.keys()):
            found.append((theirs.created_at, sibling, listed.keys() != keys))
    return max(found)[1:] if found else (place, False)


def changed(place: Place, why: str) -> UsageError:
    """What to say of a list that is not the journal's."""
    return UsageError(
        f"{why} (batch {place.name}): nothing was sent",
        hint="--changed-ok takes only its new rows; --journal NAME begins a batch of its own",
    )


def with_ids(session: "Session", batch: Batch, journal: Journal | None = None) -> list[Step]:
    """The rows, each with the id that the PBX will know it by; those of the journal keep theirs."""
    steps = batch.plan.steps
    nameless = [step.key for step in steps if not step.our_id and (journal is None or journal.course(step.key) is None)]
    if not (batch.verb.form.own_id and nameless):
        return list(steps)
    ids = dict(zip(nameless, session.ledger.make_ids(len(nameless)), strict=True))
    return [replace(step, our_id=ids.get(step.key, step.our_id)) for step in steps]


def take_changes(
    session: "Session",
    wish: Wish,
    journal: Journal,
    batch: Batch,
    place: Place,
    choose: Callable[[Sequence[tuple[Step, Course]]], dict[str, Course]],
) -> None:
    """Compares the list with the journal's; takes the new rows of a changed one where that was agreed to.

    `choose` says which rows are left out.
    """
    head = head_of(journal)
    if (head.profile, head.command) != (batch.head.profile, batch.head.command):
        raise UsageError(
            f"the journal {place.name} is of `{head.command}` on {head.profile}",
            hint="give this list a journal of its own",
        )
    before = {step.key for step, _ in journal.listed()}
    now = {step.key for step in batch.plan.steps}
    if before == now:
        return
    if not wish.changed_ok:
        raise changed(place, f"the list has changed: {len(now - before)} rows are new, {len(before - now)} are gone")
    gone = sum(course.state in ("pending", "unsent") for step, course in journal.listed() if step.key not in now)
    if gone:
        session.warn(f"{count(gone, 'row')} of the earlier list, not sent yet, is not in this one and will not be sent")
    rung = {
        number for step, course in journal.listed() if course.state in ("done", "unknown") for number in step.numbers
    }
    again = {number for step in batch.plan.steps if step.key not in before for number in step.numbers} & rung
    if again:
        session.warn(f"{count(len(again), 'person', 'people')} of the new rows were called by this batch already")
    steps = with_ids(session, batch, journal)
    fresh = [(step, Course()) for step in steps if journal.course(step.key) is None]
    journal.begin(batch.head, steps, choose([*standing_rows(journal, now), *fresh]))


def standing_rows(journal: Journal, listed: AbstractSet[str] | None = None) -> list[tuple[Step, Course]]:
    """The rows that are `listed` (by their keys; else the latest list's), and those of earlier lists that were, or may
    have been, sent: a row that is gone and never went stands for nobody."""
    keys = {step.key for step, _ in journal.listed()} if listed is None else listed
    known = [(step, journal.course(step.key) or Course()) for step in journal.steps]
    return [(step, course) for step, course in known if step.key in keys or course.state in ("done", "unknown")]


def close_quietly(session: "Session", journal: Journal) -> None:
    """Closes the journal after its run: what is wrong then is told, and changes nothing of what became of the rows."""
    try:
        journal.close()
    except UsageError as problem:
        session.warn(problem.message)
