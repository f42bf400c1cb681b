"""From the words to the rows that are to go: everything is read, checked and agreed to before the first is sent."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alovoice_cli.batch.plan import Plan, Planner, parse_map
from alovoice_cli.batch.steps import Course, Step
from alovoice_cli.batch.table import read_table
from alovoice_cli.batching.account import sums
from alovoice_cli.batching.execution import Execution, Memory, Times, moment
from alovoice_cli.batching.limits import check_limits
from alovoice_cli.batching.places import Place, Shelf, digest_of
from alovoice_cli.batching.recovery import adopt_earlier, recover, refuse_lost_writes
from alovoice_cli.batching.verbs import Verb, verb_of
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.files import open_list
from alovoice_cli.campaigns.findings import count
from alovoice_cli.consent import Reach, agree
from alovoice_cli.dialling import refuse_readonly
from alovoice_cli.errors import ExitCode, Rehearsal, UsageError
from alovoice_cli.stores.campaign_rows import iso
from alovoice_cli.stores.journal import Head, Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Batch:
    """A list that was read, and where its journal is."""

    verb: Verb
    head: Head
    plan: Plan


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
        refuse_readonly(session.settings)
    session.overridden = frozenset(wish.override_limit)
    times = Times(session, verb, wish)
    batch = _read(session, verb, wish, defaults)
    if verb.reads:
        memory = Memory(batch.plan.steps)
        return Execution(session, verb, wish, memory, "", times, keep).run(batch.plan.steps, frozenset())
    shelf = Shelf(session.paths.state, session.now)
    place, is_sibling = _place(shelf, wish, batch)
    if rehearses:
        return _rehearse(session, verb, _waiting(shelf, place, batch, wish))
    if is_sibling and not wish.changed_ok:
        raise _changed(place, "the list is not the one that this batch began with")
    with place.locked():
        return _run_locked(session, wish, times, batch, shelf, place)


def resume_batch(session: "Session", place: Place, wish: Wish) -> int:
    """Goes on with a batch from its journal alone, on the profile that it began on."""
    shelf = Shelf(session.paths.state, session.now)
    with place.locked(), ExitStack() as stack:
        journal = shelf.open(place)
        stack.callback(journal.close)
        if journal.head is None:
            raise UsageError(f"the batch {place.name} was never begun", hint="run the line that names its list")
        if session.named_profile not in (None, journal.head.profile):
            raise UsageError(
                f"the batch {place.name} is of the profile {journal.head.profile}",
                hint="leave -p out, or name that one",
            )
        session.fold("profile", journal.head.profile)
        refuse_readonly(session.settings)
        session.overridden = frozenset(wish.override_limit)
        verb = verb_of(journal.head.command)
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


def _place(shelf: Shelf, wish: Wish, batch: Batch) -> tuple[Place, bool]:
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
        theirs, listed = journal.head, {step.key: course for step, course in journal.listed()}
        journal.close()
        same = theirs is not None and (theirs.profile, theirs.source) == (head.profile, head.source)
        waits = any(course.state in ("pending", "intent") for course in listed.values())
        if theirs is not None and same and (waits or keys & listed.keys()):
            found.append((theirs.created_at, sibling, listed.keys() != keys))
    return max(found)[1:] if found else (place, False)


def _changed(place: Place, why: str) -> UsageError:
    return UsageError(
        f"{why} (batch {place.name}): nothing was sent",
        hint="--changed-ok takes only its new rows; --journal NAME begins a batch of its own",
    )


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
    return ExitCode.DONE


def _run_locked(session: "Session", wish: Wish, times: Times, batch: Batch, shelf: Shelf, place: Place) -> int:
    with ExitStack() as stack:
        journal = _opened(stack, shelf, place)
        if wish.restart and journal is not None and journal.head is not None:
            _agree_to_restart(session, wish, journal, place)
            journal.close()
            stack.pop_all()
            kept = place.set_aside(session.now())
            session.note(f"the earlier journal is kept as {kept}")
            journal = None
        if journal is None or journal.head is None:
            _agree(session, batch.verb, wish, batch.plan.steps, batch.plan.steps, times)
            journal = journal or shelf.open(place)
            stack.callback(journal.close)
            _begin(session, journal, batch)
            return _execute(session, batch.verb, wish, times, journal, place, journal.steps, frozenset())
        _take_changes(session, wish, journal, batch, place)
        return _go(session, batch.verb, wish, times, journal, place)


def _opened(stack: ExitStack, shelf: Shelf, place: Place) -> Journal | None:
    if not place.path.exists():
        return None
    journal = shelf.open(place)
    stack.callback(journal.close)
    return journal


def _begin(session: "Session", journal: Journal, batch: Batch) -> None:
    """Writes the rows down, each with the id that the PBX will know it by."""
    steps = batch.plan.steps
    if batch.verb.form.own_id:
        nameless = [step for step in steps if not step.our_id and journal.course(step.key) is None]
        ids = dict(zip((step.key for step in nameless), session.ledger.make_ids(len(nameless)), strict=True))
        steps = tuple(replace(step, our_id=ids.get(step.key, step.our_id)) for step in steps)
    journal.begin(batch.head, steps)


def _take_changes(session: "Session", wish: Wish, journal: Journal, batch: Batch, place: Place) -> None:
    """Compares the list with the journal's; takes the new rows of a changed one where that was agreed to."""
    head = journal.head
    if head is None or (head.profile, head.command) != (batch.head.profile, batch.head.command):
        whose = f"`{head.command}` on {head.profile}" if head else "nothing"
        raise UsageError(f"the journal {place.name} is of {whose}", hint="give this list a journal of its own")
    before = {step.key for step, _ in journal.listed()}
    now = {step.key for step in batch.plan.steps}
    if before == now:
        return
    if not wish.changed_ok:
        raise _changed(place, f"the list has changed: {len(now - before)} rows are new, {len(before - now)} are gone")
    gone = sum(course.state in ("pending", "unsent") for step, course in journal.listed() if step.key not in now)
    if gone:
        session.warn(f"{count(gone, 'row')} of the earlier list, not sent yet, is not in this one and will not be sent")
    rung = {
        number for step, course in journal.listed() if course.state in ("done", "unknown") for number in step.numbers
    }
    again = {number for step in batch.plan.steps if step.key not in before for number in step.numbers} & rung
    if again:
        session.warn(f"{count(len(again), 'person', 'people')} of the new rows were called by this batch already")
    _begin(session, journal, batch)


def _agree_to_restart(session: "Session", wish: Wish, journal: Journal, place: Place) -> None:
    courses = [course for _, course in journal.listed()]
    if any(course.state in ("unknown", "intent") for course in courses) and not wish.accept_risk:
        raise UsageError(
            f"rows of the batch {place.name} are unknown: to start anew may call them twice",
            hint="look first; then add --accept-risk",
        )
    if session.display.is_asked:
        if not session.display.agrees(f"The batch {place.name} has {sums(courses)}. Send all of it again?"):
            raise UsageError("not confirmed: nothing was sent")
    elif wish.confirm is None:
        raise UsageError("--restart sends all rows again", hint="in a script, give --confirm N with it")


def _go(session: "Session", verb: Verb, wish: Wish, times: Times, journal: Journal, place: Place) -> int:
    """Goes on with a journal that has begun."""
    recover(session, journal)
    listed = list(journal.listed())
    going = [step for step, course in listed if _goes(course, wish)]
    refuse_lost_writes(session, journal, going)
    risky = _risky(session, wish, journal, place)
    going += [step for step, _ in listed if step.key in risky]
    if not going:
        head = journal.head
        began = moment(head.created_at) if head else ""
        session.note(f"nothing is left to send of this batch of {began}; --journal NAME or --restart begins another")
    else:
        _agree(session, verb, wish, [step for step, _ in listed], going, times)
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


def _risky(session: "Session", wish: Wish, journal: Journal, place: Place) -> frozenset[str]:
    """The unknown rows that the operator wants sent again, each asked for; `--yes` answers nothing here."""
    if not wish.resend_unknown:
        return frozenset()
    if not wish.accept_risk:
        raise UsageError(
            "--resend-unknown may call people twice: nothing was sent",
            hint="look whether it rang; then add --accept-risk",
        )
    unknown = [(step, course) for step, course in journal.listed() if course.state == "unknown"]
    if not session.display.is_asked:
        if wish.journal is None:
            raise UsageError(
                "--resend-unknown asks for each row, and nobody is there to answer",
                hint=f"name the batch whose risk you take: --journal {place.name}",
            )
        return frozenset(step.key for step, _ in unknown)
    chosen = set()
    for step, course in unknown:
        whom = ", ".join(step.numbers) or step.our_id
        question = (
            f"Line {step.line}, {whom}: it may have been carried out at {moment(course.began_at)}. Send it again?"
        )
        if session.display.agrees(question):
            chosen.add(step.key)
    return frozenset(chosen)


def _agree(
    session: "Session", verb: Verb, wish: Wish, listed: Sequence[Step], going: Sequence[Step], times: Times
) -> None:
    """Limits, hours, and the question how many people are meant."""
    check_limits(session, verb, going, wish.budget)
    people = {number for step in listed for number in step.numbers}
    profile = session.settings.profile
    if verb.dials:
        reach = Reach(len(people), f"{count(len(people), 'person', 'people')} on PBX {profile}")
        if session.display.is_asked:
            reach = replace(reach, summary=reach.summary + _lately(session, len(listed), going))
    else:
        reach = Reach(len(listed), f"{count(len(listed), 'call')} to analyse on PBX {profile}", "call", "calls")
    agree(session, reach, wish.confirm)
    times.check()


def _lately(session: "Session", rows: int, going: Sequence[Step]) -> str:
    """Who of them was called in the last days, and how much of the list is left."""
    since, profile = session.now() - _LATELY, session.settings.profile
    called = session.ledger.called_numbers(profile, since) | set(session.campaigns.called_numbers(profile, since))
    again = len(called & {number for step in going for number in step.numbers})
    left = f"; {len(going)} of {rows} rows are left" if len(going) < rows else ""
    return f", {again} of them called in the last 7 days{left}"
