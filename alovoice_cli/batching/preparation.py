"""From the words to the rows that are to go: everything is read, checked and agreed to before the first is sent."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alovoice_cli.batch.left_out import leave_out
from alovoice_cli.batch.plan import Planner, parse_map
from alovoice_cli.batch.source import read_table
from alovoice_cli.batch.steps import LEFT_OUT, Course, Step
from alovoice_cli.batching.account import check_report
from alovoice_cli.batching.agreeing import agree_to_restart, agree_to_send, choose_risks
from alovoice_cli.batching.execution import Execution, Memory, Times, moment
from alovoice_cli.batching.journals import (
    Batch,
    changed,
    close_quietly,
    find_place,
    head_of,
    standing_rows,
    take_changes,
    with_ids,
)
from alovoice_cli.batching.leaving_out import read_excluded, tell_left_out, write_left_out
from alovoice_cli.batching.limits import line_limit
from alovoice_cli.batching.places import Place, Shelf, digest_of
from alovoice_cli.batching.recovery import adopt_earlier, recover, refuse_lost_writes
from alovoice_cli.batching.repetition import (
    Listed,
    find_sent_before,
    forget_batch,
    forget_unsent,
    record_batch,
    refuse_all_sent,
    refuse_twin,
)
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
    times = Times(session, verb, wish)
    if wish.report is not None:
        check_report(wish.report, wish.source, tries=not rehearses)
    batch = _read(session, verb, wish, defaults)
    if verb.reads:
        memory = Memory(batch.plan.steps)
        return Execution(session, verb, wish, memory, "", times, keep).run(batch.plan.steps, frozenset())
    shelf = Shelf(session.paths.state, session.now)
    place, is_sibling = find_place(shelf, wish, batch)
    run = BatchStart(session, verb, wish, times, shelf, place, read_excluded(session, wish))
    if rehearses:
        return run.rehearse(batch)
    if is_sibling and not wish.changed_ok:
        raise changed(place, "the list is not the one that this batch began with")
    with place.locked():
        return run.start(batch)


def resume_batch(session: "Session", place: Place, wish: Wish) -> int:
    """Goes on with a batch from its journal alone, on the profile that it began on."""
    shelf = Shelf(session.paths.state, session.now)
    with place.locked(), ExitStack() as stack:
        journal = shelf.open(place)
        stack.callback(close_quietly, session, journal)
        head = head_of(journal)
        if session.named_profile not in (None, head.profile):
            raise UsageError(
                f"the batch {place.name} is of the profile {head.profile}", hint="leave -p out, or name that one"
            )
        session.fold("profile", head.profile)
        refuse_dialling(session.settings)
        verb = verb_of(head.command)
        if not verb.dials:  # as the command itself: nobody else asks for the same calls meanwhile
            stack.enter_context(session.turn(verb.command))
        if wish.report is not None:
            check_report(wish.report, head.source)
        times = Times(session, verb, wish)
        return BatchStart(session, verb, wish, times, shelf, place, read_excluded(session, wish)).resume(journal)


def _read(session: "Session", verb: Verb, wish: Wish, defaults: Mapping[str, str | Sequence[str] | None]) -> Batch:
    profile = session.settings.profile
    planner = Planner(verb.form, profile, parse_map(wish.mapped, verb.form), defaults)
    file, source = open_list(wish.source, None, session.stdin)
    with file:
        name = source or "stdin"
        table = read_table(file, name, planner.knows, wish.list_encoding, tab=wish.sheet, header_line=wish.header_line)
        file.seek(0)
        digest = digest_of(profile, verb.command, file.read() + (wish.sheet or "").encode("utf-8", "surrogatepass"))
    if table.conversion:
        session.note(table.conversion)
    plan = planner.plan(table)
    masked = [replace(step, cells=_masked(session, step.cells)) for step in plan.steps]
    plan = replace(plan, steps=tuple(masked))
    if plan.ignored:
        session.note(f"columns that are not used: {', '.join(plan.ignored)}")
    if plan.repeated:
        session.warn(f"{count(plan.repeated, 'row says', 'rows say')} what a row above says: each is sent once")
    absolute = str(Path(source).absolute()) if source else "-"
    return Batch(verb, Head(profile, verb.command, absolute, digest, iso(session.now())), plan)


def _masked(session: "Session", cells: Mapping[str, str]) -> dict[str, str]:
    return {session.masker.hide(heading): session.masker.hide(text) for heading, text in cells.items()}


@dataclass(frozen=True, slots=True)
class BatchStart:
    """One run of a batch that sends, until its first row goes. `excluded` are the numbers of its do-not-call files."""

    session: "Session"
    verb: Verb
    wish: Wish
    times: Times
    shelf: Shelf
    place: Place
    excluded: frozenset[int]

    def rehearse(self, batch: Batch) -> int:
        """Prints what would be sent, for `--dry-run`, and says which rows would be left out."""
        session, verb, rows = self.session, self.verb, self._foreseen(batch)
        tell_left_out(session, rows)
        steps = [step for step, course in rows if _goes(course, self.wish)]
        ids = iter(session.ledger.make_ids(len(steps))) if verb.form.own_id and steps else iter(())
        client = session.client_for(encoding=self.wish.encoding, override_limits=frozenset(self.wish.override_limit))
        for step in steps:
            try:
                verb.send(client, step.payload, step.our_id or next(ids, ""))
            except Rehearsal as rehearsed:
                session.display.rehearsal(rehearsed.as_json())
        session.note(f"{count(len(steps), 'row')} would be sent")
        if (limit := line_limit(session, verb, self.wish.override_limit)) is not None:
            session.note(f"each waits until fewer than {limit.usable} of the {limit.trunk} lines of its trunk are busy")
        return ExitCode.DONE

    def start(self, batch: Batch) -> int:
        """Begins the batch, or goes on with its journal, and returns the exit code."""
        session, place = self.session, self.place
        with ExitStack() as stack:
            journal = self._opened(stack)
            if self.wish.restart and journal is not None:
                agree_to_restart(session, self.wish, journal, place)
                stack.pop_all().close()
                kept = place.set_aside(session.now())
                session.note(f"the earlier journal is kept as {kept}")
                return self._begin(stack, batch, is_restart=True)
            if journal is None:
                return self._begin(stack, batch)
            take_changes(session, self.wish, journal, batch, place, self._left_out)
            write_left_out(journal, self._left_out(standing_rows(journal)))
            return self._go_on(journal)

    def resume(self, journal: Journal) -> int:
        """Goes on with the journal alone, and returns the exit code."""
        # Its duplicates stay as they are: the line that began the batch said whether every row is meant.
        rows = [(step, course) for step, course in journal.listed() if course.state != "duplicate"]
        write_left_out(journal, self._left_out(rows, each_row=True))
        return self._go_on(journal)

    def _foreseen(self, batch: Batch) -> list[tuple[Step, Course]]:
        """The rows as they would be when the first goes: the journal is only looked at."""
        steps, known = batch.plan.steps, dict[str, Course]()
        if self.place.path.exists():
            journal = self.shelf.open(self.place)
            known = {step.key: course for step in steps if (course := journal.course(step.key)) is not None}
            journal.close()
        elif self.verb.dials:
            refuse_twin(self.session, self.wish, batch.head, self.place, steps)
        rows = [(step, known.get(step.key, Course())) for step in steps]
        changes = self._left_out(rows)
        return [(step, changes.get(step.key, course)) for step, course in rows]

    def _left_out(self, rows: Listed, *, each_row: bool | None = None, is_restart: bool = False) -> dict[str, Course]:
        """The rows whose state changes: left out, or not any more."""
        if not self.verb.dials:
            return {}
        sent = {} if is_restart else find_sent_before(self.session, self.wish, rows)
        is_meant = self.wish.each_row if each_row is None else each_row
        return leave_out(rows, excluded=self.excluded, sent_before=sent, each_row=is_meant)

    def _opened(self, stack: ExitStack) -> Journal | None:
        if not self.place.path.exists():
            return None
        journal = self.shelf.open(self.place)
        stack.callback(close_quietly, self.session, journal)
        return journal

    def _begin(self, stack: ExitStack, batch: Batch, *, is_restart: bool = False) -> int:
        """Begins with a journal that is new."""
        session, wish, place, plan = self.session, self.wish, self.place, batch.plan
        left_out = self._left_out([(step, Course()) for step in plan.steps], is_restart=is_restart)
        going = [step for step in plan.steps if step.key not in left_out]
        if self.verb.dials:
            refuse_twin(session, wish, batch.head, place, plan.steps)
            refuse_all_sent(left_out, plan.steps)
        if going or wish.confirm is not None:
            agree_to_send(session, self.verb, wish, going, going, self.times)
        steps = with_ids(session, batch)
        if self.verb.dials:
            record_batch(session, wish, batch.head, place, steps, is_new=True)
        try:
            journal = self.shelf.begin(place, batch.head, steps, left_out)
        except UsageError:
            forget_batch(session, place.path)
            raise
        stack.callback(close_quietly, session, journal)
        return self._execute(journal, [step for step in journal.steps if step.key not in left_out], frozenset())

    def _go_on(self, journal: Journal) -> int:
        """Goes on with a journal that has begun."""
        session, wish = self.session, self.wish
        recover(session, journal)
        listed = list(journal.listed())
        going = [step for step, course in listed if _goes(course, wish)]
        refuse_lost_writes(session, journal, going)
        risky = choose_risks(session, wish, journal, self.place)
        going += [step for step, _ in listed if step.key in risky]
        if not going:
            began = moment(head_of(journal).created_at)
            session.note(f"nothing is left to send of this batch of {began}; --restart sends all of it again")
        else:
            meant = [step for step, course in listed if course.state not in LEFT_OUT or step.key in risky]
            agree_to_send(session, self.verb, wish, meant, going, self.times)
        if going and self.verb.dials:
            steps = [step for step, _ in listed]
            record_batch(session, wish, head_of(journal), self.place, steps, is_new=False)
        return self._execute(journal, going, risky)

    def _execute(self, journal: Journal, going: Sequence[Step], risky: frozenset[str]) -> int:
        session, verb, adopted = self.session, self.verb, list[Step]()
        if not (verb.dials or self.wish.again):
            adopted = adopt_earlier(session, journal, [step for step in going if step.key not in risky])
        left = [step for step in going if step not in adopted]
        tell_left_out(session, list(journal.listed()))
        execution = Execution(session, verb, self.wish, journal, self.place.name, self.times)
        code = execution.run(left, risky, adopted)
        forget_unsent(session, journal, going)
        return code


def _goes(course: Course, wish: Wish) -> bool:
    """Whether a row is sent by this run: never one that was, or may have been, carried out."""
    if course.state in ("pending", "unsent"):
        return True
    # A refused token is mended by a login, and says nothing of the row.
    return course.state == "refused" and (wish.retry_refused or course.exit_code == ExitCode.AUTH)
