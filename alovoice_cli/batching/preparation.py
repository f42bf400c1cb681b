"""From the words to the rows that are to go: everything is read, checked and agreed to before the first is sent."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alovoice_cli.batch.plan import Planner, parse_map
from alovoice_cli.batch.source import read_table
from alovoice_cli.batch.steps import Course, Step
from alovoice_cli.batching.account import check_report
from alovoice_cli.batching.agreeing import agree_to_restart, agree_to_send, choose_risks
from alovoice_cli.batching.execution import Execution, Memory, Times, moment
from alovoice_cli.batching.journals import Batch, changed, find_place, head_of, take_changes, with_ids
from alovoice_cli.batching.limits import line_limit
from alovoice_cli.batching.places import Place, Shelf, digest_of
from alovoice_cli.batching.recovery import adopt_earlier, recover, refuse_lost_writes
from alovoice_cli.batching.verbs import Verb, verb_of
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.files import open_list
from alovoice_cli.campaigns.findings import count
from alovoice_cli.dialling import refuse_dialling
from alovoice_cli.errors import ExitCode, Rehearsal, UsageError
from alovoice_cli.stores.cells import iso
from alovoice_cli.stores.journal import Head, Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session


def run_batch(
    session: "Session",
    command: str,
    wish: Wish,
    defaults: Mapping[str, str | Sequence[str] | None],
    keep: Callable[[str, Any], None] | None = None,
) -> int:
    """Runs `--batch`, and returns the exit code. Raises AlovoiceError for whatever keeps the first row from going.

    `keep` takes the call's id and the answer of each row of a command that reads.
    """
    verb = verb_of(command)
    rehearses = session.options.dry_run
    if not (verb.reads or rehearses):
        refuse_dialling(session.settings)
    session.overridden = frozenset(wish.override_limit)
    times = Times(session, verb, wish)
    if wish.report is not None:
        check_report(wish.report, wish.source)
    batch = _read(session, verb, wish, defaults)
    if verb.reads:
        memory = Memory(batch.plan.steps)
        return Execution(session, verb, wish, memory, "", times, keep).run(batch.plan.steps, frozenset())
    shelf = Shelf(session.paths.state, session.now)
    place, is_sibling = find_place(shelf, wish, batch)
    if rehearses:
        return _rehearse(session, verb, _waiting(shelf, place, batch, wish))
    if is_sibling and not wish.changed_ok:
        raise changed(place, "the list is not the one that this batch began with")
    with place.locked():
        return _run_locked(session, wish, times, batch, shelf, place)


def resume_batch(session: "Session", place: Place, wish: Wish) -> int:
    """Goes on with a batch from its journal alone, on the profile that it began on."""
    shelf = Shelf(session.paths.state, session.now)
    with place.locked(), ExitStack() as stack:
        journal = shelf.open(place)
        stack.callback(journal.close)
        head = head_of(journal)
        if session.named_profile not in (None, head.profile):
            raise UsageError(
                f"the batch {place.name} is of the profile {head.profile}", hint="leave -p out, or name that one"
            )
        session.fold("profile", head.profile)
        refuse_dialling(session.settings)
        session.overridden = frozenset(wish.override_limit)
        verb = verb_of(head.command)
        if not verb.dials:  # as the command itself: nobody else asks for the same calls meanwhile
            stack.enter_context(session.turn(verb.command))
        return _go(session, verb, wish, Times(session, verb, wish), journal, place)


def _read(session: "Session", verb: Verb, wish: Wish, defaults: Mapping[str, str | Sequence[str] | None]) -> Batch:
    profile = session.settings.profile
    planner = Planner(verb.form, profile, parse_map(wish.mapped, verb.form), defaults)
    file, source = open_list(wish.source, None, session.stdin)
    with file:
        name = source or "stdin"
        table = read_table(file, name, planner.knows, wish.list_encoding)
        file.seek(0)
        digest = digest_of(profile, verb.command, file.read())
    plan = planner.plan(table)
    masked = [replace(step, cells=_masked(session, step.cells)) for step in plan.steps]
    plan = replace(plan, steps=tuple(masked))
    if plan.ignored:
        session.note(f"columns that are not used: {', '.join(plan.ignored)}")
    if plan.repeated:
        what = "each is sent" if verb.form.twice else "each is sent once"
        session.warn(f"{count(plan.repeated, 'row says', 'rows say')} what a row above says: {what}")
    absolute = str(Path(source).absolute()) if source else "-"
    return Batch(verb, Head(profile, verb.command, absolute, digest, iso(session.now())), plan)


def _masked(session: "Session", cells: Mapping[str, str]) -> dict[str, str]:
    return {session.masker.hide(heading): session.masker.hide(text) for heading, text in cells.items()}


def _waiting(shelf: Shelf, place: Place, batch: Batch, wish: Wish) -> list[Step]:
    """The rows that would go, for `--dry-run`: the journal is only looked at."""
    if not place.path.exists():
        return list(batch.plan.steps)
    journal = shelf.open(place)
    try:
        known = {step.key: course for step in batch.plan.steps if (course := journal.course(step.key)) is not None}
    finally:
        journal.close()
    return [step for step in batch.plan.steps if _goes(known.get(step.key, Course()), wish)]


def _rehearse(session: "Session", verb: Verb, steps: Sequence[Step]) -> int:
    ids = iter(session.ledger.make_ids(len(steps))) if verb.form.own_id and steps else iter(())
    for step in steps:
        try:
            verb.send(session.client, step.payload, step.our_id or next(ids, ""))
        except Rehearsal as rehearsed:
            session.display.rehearsal(rehearsed.as_json())
    session.note(f"{count(len(steps), 'row')} would be sent")
    if (limit := line_limit(session, verb)) is not None:
        session.note(f"each waits until fewer than {limit.usable} of the {limit.trunk} lines of its trunk are busy")
    return ExitCode.DONE


def _run_locked(session: "Session", wish: Wish, times: Times, batch: Batch, shelf: Shelf, place: Place) -> int:
    with ExitStack() as stack:
        journal = _opened(stack, shelf, place)
        if wish.restart and journal is not None:
            agree_to_restart(session, wish, journal, place)
            stack.pop_all().close()
            kept = place.set_aside(session.now())
            session.note(f"the earlier journal is kept as {kept}")
            journal = None
        if journal is None:
            agree_to_send(session, batch.verb, wish, batch.plan.steps, batch.plan.steps, times)
            journal = shelf.begin(place, batch.head, with_ids(session, batch))
            stack.callback(journal.close)
            return _execute(session, batch.verb, wish, times, journal, place, journal.steps, frozenset())
        take_changes(session, wish, journal, batch, place)
        return _go(session, batch.verb, wish, times, journal, place)


def _opened(stack: ExitStack, shelf: Shelf, place: Place) -> Journal | None:
    if not place.path.exists():
        return None
    journal = shelf.open(place)
    stack.callback(journal.close)
    return journal


def _go(session: "Session", verb: Verb, wish: Wish, times: Times, journal: Journal, place: Place) -> int:
    """Goes on with a journal that has begun."""
    recover(session, journal)
    listed = list(journal.listed())
    going = [step for step, course in listed if _goes(course, wish)]
    refuse_lost_writes(session, journal, going)
    risky = choose_risks(session, wish, journal, place)
    going += [step for step, _ in listed if step.key in risky]
    if not going:
        began = moment(head_of(journal).created_at)
        session.note(f"nothing is left to send of this batch of {began}; --journal NAME or --restart begins another")
    else:
        agree_to_send(session, verb, wish, [step for step, _ in listed], going, times)
    return _execute(session, verb, wish, times, journal, place, going, risky)


def _execute(
    session: "Session",
    verb: Verb,
    wish: Wish,
    times: Times,
    journal: Journal,
    place: Place,
    going: Sequence[Step],
    risky: frozenset[str],
) -> int:
    adopted: list[Step] = []
    if not (verb.dials or wish.again):
        adopted = adopt_earlier(session, journal, [step for step in going if step.key not in risky])
    left = [step for step in going if step not in adopted]
    return Execution(session, verb, wish, journal, place.name, times).run(left, risky, adopted)


def _goes(course: Course, wish: Wish) -> bool:
    """Whether a row is sent by this run: never one that was, or may have been, carried out."""
    if course.state in ("pending", "unsent"):
        return True
    # A refused token is mended by a login, and says nothing of the row.
    return course.state == "refused" and (wish.retry_refused or course.exit_code == ExitCode.AUTH)
