"""Prepares a batch: everything is read, checked and agreed to before the first row is sent."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alovoice_cli.batch.batch_report import check_report, journals_of, moment
from alovoice_cli.batch.limits import check_call_ids, line_limit
from alovoice_cli.batch.list_journal import (
    Batch,
    changed,
    find_path,
    head_of,
    left_out,
    standing_rows,
    take_changes,
    with_ids,
)
from alovoice_cli.batch.options import BatchOptions, check_shared
from alovoice_cli.batch.pacing import parse_rate
from alovoice_cli.batch.plan import ANALYSIS, BatchPlan, Planner, parse_map
from alovoice_cli.batch.recovery import catch_up, recover, refuse_lost_writes
from alovoice_cli.batch.row_selection import (
    adopt_earlier,
    agree_to_restart,
    agree_to_send,
    choose_risks,
    forget_batch,
    forget_unsent,
    read_excluded,
    record_batch,
    refuse_all_sent,
    refuse_twin,
    tell_left_out,
    write_left_out,
)
from alovoice_cli.batch.run import Execution, MemoryStates, Run, RunTimes
from alovoice_cli.batch.table import ListTable, read_table
from alovoice_cli.batch.verbs import BatchVerb, verb_of
from alovoice_cli.batch_rows import LEFT_OUT, BatchRow, RowProgress
from alovoice_cli.campaigns.files import open_list
from alovoice_cli.dialling import refuse_dialling
from alovoice_cli.errors import CheckFailedError, ExitCode, Rehearsal, UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.stores.journal import Journal, JournalHead
from alovoice_cli.stores.journal_places import JournalPlace, JournalTakenError, digest_of
from alovoice_cli.stores.migrations import iso

if TYPE_CHECKING:
    from alovoice_cli.session import Session


@dataclass(frozen=True, slots=True)
class _Ready:
    """A journal whose rows may be sent. `risky` are keys of rows that may ring twice."""

    journal: Journal
    going: Sequence[BatchRow]
    risky: frozenset[str] = frozenset()


def run_batch(
    session: "Session",
    command: str,
    options: BatchOptions,
    defaults: Mapping[str, str | Sequence[str] | None],
    keep: Callable[[str, Any], None] | None = None,
    table: ListTable | None = None,
) -> int:
    """Runs `--batch`, and returns the exit code. Raises AlovoiceError where the first row cannot be sent.

    `keep` receives the call's id and the answer of each row of a command that reads. `table` stands for the list of a
    command that finds its rows itself.
    """
    verb = verb_of(command)
    rehearses = session.options.dry_run
    if not (verb.reads or rehearses):
        refuse_dialling(session.settings)
    run = Run(session, verb, options, RunTimes(session, verb, options), keep=keep)
    if options.report is not None:
        check_report(options.report, options.source or "", tries=not rehearses)
    batch = _read(session, verb, options, defaults) if table is None else _found(session, verb, table)
    if verb.form is ANALYSIS and table is None:
        check_call_ids(session, [row.our_id for row in batch.plan.rows], error=CheckFailedError, store=options.store)
    if verb.reads:
        return Execution(run, MemoryStates(batch.plan.rows)).send(batch.plan.rows)
    folder = journals_of(session)
    path, is_sibling = find_path(folder, options, batch, has_siblings=table is None)
    run = replace(run, path=path, excluded=read_excluded(session, options))
    if rehearses:
        return _rehearse(run, batch)
    if is_sibling and not options.changed_ok:
        raise changed(
            path, tr("the list is not the one that the batch {name} began with: nothing was sent", name=path.name)
        )
    check_shared(options)
    with path.locked(shared=options.shared, spacing=run.times.spacing), ExitStack() as stack:
        return _send(run, _prepare(run, batch, stack))


def resume_batch(session: "Session", path: JournalPlace, options: BatchOptions) -> int:
    """Continues a batch from its journal alone, with the profile of its beginning."""
    spacing = parse_rate(options.rate) if options.rate else 0.0
    with path.locked(shared=options.shared, spacing=spacing), ExitStack() as stack:
        journal = _open(session, path, stack)
        head = head_of(journal)
        if session.named_profile not in (None, head.profile):
            raise UsageError(
                tr("the batch {name} belongs to the profile {profile}", name=path.name, profile=head.profile),
                hint=tr("leave -p out, or give -p {profile}", profile=head.profile),
            )
        place = session.store_place("")
        session.set_options(session.options.with_option("profile", head.profile))
        if session.store_place("") != place:
            raise UsageError(
                tr(
                    "the batch {name} belongs to the profile {profile}, which has another store",
                    name=path.name,
                    profile=head.profile,
                ),
                hint=tr("add `-p {profile}`", profile=head.profile),
            )
        refuse_dialling(session.settings)
        verb = verb_of(head.command)
        if options.shared and not verb.dials:
            raise UsageError(
                tr("--shared does not work with `{command}`", command=f"alovoice {verb.command}"),
                hint=tr("leave it out"),
            )
        if not verb.dials:  # as the command itself does: no other process requests the same calls meanwhile
            stack.enter_context(session.turn(verb.command))
        if options.report is not None:
            check_report(options.report, head.source)
        times = RunTimes(session, verb, options)
        run = Run(session, verb, options, times, path, read_excluded(session, options))
        # Duplicates keep their state: the command that began the batch decided whether every row is sent.
        rows = [(row, course) for row, course in journal.listed() if course.state != "duplicate"]
        write_left_out(journal, left_out(run, rows, each_row=True))
        return _send(run, _go_on(run, journal))


def _read(
    session: "Session", verb: BatchVerb, options: BatchOptions, defaults: Mapping[str, str | Sequence[str] | None]
) -> Batch:
    profile = session.settings.profile
    planner = Planner(verb.form, profile, parse_map(options.mapped, verb.form), defaults)
    held = open_list(options.source or "", None, session.stdin)
    with held.file as file:
        name = held.path or "stdin"
        table = read_table(
            file, name, planner.knows, options.list_encoding, tab=options.sheet, header_line=options.header_line
        )
        file.seek(0)
        digest = digest_of(profile, verb.command, file.read() + (options.sheet or "").encode("utf-8", "surrogatepass"))
    if table.conversion:
        session.note(table.conversion)
    plan = _masked(session, planner.plan(table))
    if plan.ignored:
        session.note(tr("columns that are not used: {names}", names=", ".join(plan.ignored)))
    if plan.repeated:
        session.warn(
            ngettext(
                "{n} row repeats a row above: each is sent once",
                "{n} rows repeat a row above: each is sent once",
                plan.repeated,
            )
        )
    absolute = str(Path(held.path).absolute()) if held.path else "-"
    return Batch(verb, JournalHead(profile, verb.command, absolute, digest, iso(session.now())), plan)


def _found(session: "Session", verb: BatchVerb, table: ListTable) -> Batch:
    """Returns the list of a command that finds its rows. It has its own journal: what was sent is not found again."""
    profile, begun_at = session.settings.profile, iso(session.now())
    plan = _masked(session, Planner(verb.form, profile, {}, {}).plan(table))
    digest = digest_of(profile, verb.command, "\n".join([begun_at, *(row.our_id for row in plan.rows)]).encode())
    return Batch(verb, JournalHead(profile, verb.command, table.name, digest, begun_at), plan)


def _masked(session: "Session", plan: BatchPlan) -> BatchPlan:
    hide = session.masker.hide
    masked = [replace(row, cells={hide(head): hide(text) for head, text in row.cells.items()}) for row in plan.rows]
    return replace(plan, rows=tuple(masked))


def _prepare(run: Run, batch: Batch, stack: ExitStack) -> _Ready:
    """Begins the batch, or continues its journal, which the stack closes."""
    session, path = run.session, run.journal_path
    if not path.exists:
        try:
            return _begin(run, batch, stack)
        except JournalTakenError as taken:  # with --shared alone
            session.note(tr("{problem}: this run joins it", problem=taken.message))
    if run.options.restart:
        with ExitStack() as earlier:
            agree_to_restart(run, _open(session, path, earlier))
        kept = path.set_aside()
        session.note(tr("the earlier journal is kept as {path}", path=kept))
        return _begin(run, batch, stack, is_restart=True)
    journal = _open(session, path, stack)
    take_changes(run, journal, batch)
    write_left_out(journal, left_out(run, standing_rows(journal)))
    return _go_on(run, journal)


def _begin(run: Run, batch: Batch, stack: ExitStack, *, is_restart: bool = False) -> _Ready:
    plan = batch.plan
    out = left_out(run, [(row, RowProgress()) for row in plan.rows], is_restart=is_restart)
    going = [row for row in plan.rows if row.key not in out]
    if run.verb.dials:
        refuse_twin(run, batch.head, plan.rows)
        refuse_all_sent(out, plan.rows)
    tell_left_out(run.session, [(row, out.get(row.key, RowProgress())) for row in plan.rows])
    if going or run.options.confirm is not None:
        agree_to_send(run, going, going)
    rows = with_ids(run.session, batch)
    if run.verb.dials:
        record_batch(run, batch.head, rows, is_new=True)
    try:
        journal = run.journal_path.begin(batch.head, rows, out)
    except JournalTakenError:
        raise
    except UsageError:
        forget_batch(run, run.journal_path.label)
        raise
    stack.callback(_close_quietly, run.session, journal)
    return _Ready(journal, [row for row in journal.rows if row.key not in out])


def _go_on(run: Run, journal: Journal) -> _Ready:
    recover(run.session, journal)
    listed = list(journal.listed())
    going = [row for row, course in listed if _goes(course, run.options)]
    refuse_lost_writes(run.session, journal, going)
    tell_left_out(run.session, listed)
    risky = choose_risks(run, journal)
    going += [row for row, _ in listed if row.key in risky]
    if not going:
        began = moment(head_of(journal).created_at, run.session)
        run.session.note(tr("all rows of this batch ({time}) are sent; --restart sends them again", time=began))
        return _Ready(journal, going, risky)
    meant = [row for row, course in listed if course.state not in LEFT_OUT or row.key in risky]
    agree_to_send(run, meant, going)
    if run.verb.dials:
        record_batch(run, head_of(journal), [row for row, _ in listed], is_new=False)
    return _Ready(journal, going, risky)


def _send(run: Run, ready: _Ready) -> int:
    adopted = list[BatchRow]()
    if not (run.verb.dials or run.options.again):
        certain = [row for row in ready.going if row.key not in ready.risky]
        adopted = adopt_earlier(run.session, ready.journal, certain)
    left = [row for row in ready.going if row not in adopted]
    shares = partial(catch_up, run.session, ready.journal) if run.options.shared else None
    code = Execution(run, ready.journal, shares).send(left, ready.risky, adopted)
    forget_unsent(run, ready.journal, ready.going)
    return code


def _rehearse(run: Run, batch: Batch) -> int:
    """Prints the requests of `--dry-run`, and the rows that would be left out."""
    session, verb, foreseen = run.session, run.verb, _foreseen(run, batch)
    tell_left_out(session, foreseen)
    rows = [row for row, course in foreseen if _goes(course, run.options)]
    ids = iter(session.ledger.make_ids(len(rows))) if verb.form.own_id and rows else iter(())
    client = run.client()
    for row in rows:
        try:
            verb.send(client, row.payload, row.our_id or next(ids, ""))
        except Rehearsal as rehearsed:
            session.display.rehearsal(rehearsed.as_json())
    session.note(ngettext("{n} row would be sent", "{n} rows would be sent", len(rows)))
    if (limit := line_limit(session, verb, run.options.override_limit)) is not None:
        session.note(
            tr(
                "each row waits until fewer than {number} of the {lines} lines of its trunk are busy",
                number=limit.usable,
                lines=limit.trunk,
            )
        )
    return ExitCode.DONE


def _foreseen(run: Run, batch: Batch) -> list[tuple[BatchRow, RowProgress]]:
    """Returns the rows in the state that they would start with; the journal is only read."""
    rows, known = batch.plan.rows, dict[str, RowProgress]()
    if run.journal_path.exists:
        journal = run.journal_path.open()
        known = {row.key: course for row in rows if (course := journal.course(row.key)) is not None}
        journal.close()
    elif run.verb.dials:
        refuse_twin(run, batch.head, rows)
    listed = [(row, known.get(row.key, RowProgress())) for row in rows]
    changes = left_out(run, listed)
    return [(row, changes.get(row.key, course)) for row, course in listed]


def _goes(course: RowProgress, options: BatchOptions) -> bool:
    """Returns whether this run sends the row: never a row that was carried out, or may have been."""
    if course.state in ("pending", "unsent"):
        return True
    # A refused token says nothing of the row; a login corrects it.
    return course.state == "refused" and (options.retry_refused or course.exit_code == ExitCode.AUTH)


def _open(session: "Session", path: JournalPlace, stack: ExitStack) -> Journal:
    journal = path.open()
    stack.callback(_close_quietly, session, journal)
    return journal


def _close_quietly(session: "Session", journal: Journal) -> None:
    """Closes the journal after its run. An error is a warning and changes no row's outcome."""
    try:
        journal.close()
    except UsageError as problem:
        session.warn(problem.message)
