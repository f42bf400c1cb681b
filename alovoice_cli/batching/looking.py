"""What is known of the batches of this machine; and forgetting one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import LEFT_OUT
from alovoice_cli.batching.account import STATES, row_json, shown_state, sums, tally
from alovoice_cli.batching.places import Place, Shelf
from alovoice_cli.errors import UsageError

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_EMPTY: Mapping[str, int] = {**dict.fromkeys(STATES, 0), "left_out": 0}


def shelf_of(session: "Session") -> Shelf:
    """The journals of this machine."""
    return Shelf(session.paths.state, session.now)


def list_journals(session: "Session") -> list[Mapping[str, object]]:
    """A batch a row, the latest first. One that cannot be read is listed with its `problem`."""
    shelf = shelf_of(session)
    found = [_glance(shelf, place) for place in shelf.places()]
    return sorted(found, key=lambda item: str(item["created_at"]), reverse=True)


def _glance(shelf: Shelf, place: Place) -> Mapping[str, object]:
    named = {"name": place.name, "path": str(place.path)}
    nothing = {"command": None, "profile": None, "source": None, "created_at": "", "rows": 0, **_EMPTY}
    try:
        journal = shelf.open(place)
    except UsageError as problem:
        return {**named, **nothing, "problem": problem.message}
    try:
        head, courses = journal.head, [course for _, course in journal.listed()]
    finally:
        journal.close()
    assert head is not None  # the shelf opens no other
    sums_by_state: Mapping[str, int] = tally(courses)
    left_out = sum(course.state in LEFT_OUT for course in courses)
    told = {"command": head.command, "profile": head.profile, "source": head.source, "created_at": head.created_at}
    return {**named, **told, "rows": len(courses), **_EMPTY, **sums_by_state, "left_out": left_out, "problem": None}


def journal_rows(session: "Session", name: str, state: str | None) -> list[Mapping[str, object]]:
    """The rows of one batch, of one state or of all. Raises UsageError where there is no such batch."""
    shelf = shelf_of(session)
    journal = shelf.open(shelf.existing(name))
    try:
        listed = list(journal.listed())
    finally:
        journal.close()
    return [
        {
            **row_json(step, course),
            "outcome": shown_state(course),
            "numbers": list(step.numbers),
            "began_at": course.began_at or None,
            "ended_at": course.ended_at or None,
        }
        for step, course in listed
        if state is None or shown_state(course) == state
    ]


def forget_journal(session: "Session", name: str, *, accept_risk: bool) -> str:
    """Deletes a journal that no process has, and tells what it held. Asks on a terminal.

    Raises UsageError where rows wait or are unknown, unless that risk is accepted: nothing else remembers them.
    """
    shelf = shelf_of(session)
    place = shelf.existing(name)
    with place.locked():
        journal = shelf.open(place)
        courses = [course for _, course in journal.listed()]
        journal.close()
        told = sums(courses)
        open_rows = any(shown_state(course) not in ("done", "refused", *LEFT_OUT) for course in courses)
        if open_rows and not accept_risk:
            raise UsageError(
                f"the batch {place.name} is not over ({told}): nothing else remembers these rows",
                hint=f"`alovoice call batches resume {place.name}` goes on; --accept-risk forgets them",
            )
        session.display.confirm_on_terminal(f"Forget the batch {place.name} ({told})? Its list would be sent anew.")
        for suffix in ("", "-wal", "-shm"):
            place.path.with_name(place.path.name + suffix).unlink(missing_ok=True)
    place.path.with_name(place.path.name + ".lock").unlink(missing_ok=True)
    return told
