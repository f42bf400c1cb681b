"""Chooses the rows of a batch to send: by ledger, do-not-call files and the operator's answers, before the first.

The ledger is a second record beside the journals: a journal can be deleted, or restored from an old copy. So the same
rows under another name are refused for 24 hours, and rows that the ledger knows as sent are left out.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.batch_report import moment, sums
from alovoice_cli.batch.limits import check_limits
from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.batch.recovery import is_ours
from alovoice_cli.batch.run import Run
from alovoice_cli.batch_rows import BatchRow, RowOutcome, RowProgress, RowResult, State
from alovoice_cli.campaigns.exclusion import read_do_not_call
from alovoice_cli.consent import Reach, agree
from alovoice_cli.dialling import DAY
from alovoice_cli.errors import CheckFailedError, ExitCode, UsageError
from alovoice_cli.findings import Severity, name_rows
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import parse_zone
from alovoice_cli.receipts import Receipt
from alovoice_cli.stores.batch_records import BatchRecord, BatchRecords, SentRow
from alovoice_cli.stores.journal import Journal, JournalHead
from alovoice_cli.stores.migrations import iso

if TYPE_CHECKING:
    from alovoice_cli.session import Session


Listed = Sequence[tuple[BatchRow, RowProgress]]


def refuse_twin(run: Run, head: JournalHead, rows: Sequence[BatchRow]) -> None:
    """Raises CheckFailedError where another batch of the same rows began within 24 hours."""
    if not run.options.allow_duplicate:
        record = _record(run, head, rows)
        _refuse(run, BatchRecords(run.session.ledger).find_twin(record, run.session.now() - DAY), len(rows))


def record_batch(run: Run, head: JournalHead, rows: Sequence[BatchRow], *, is_new: bool) -> None:
    """Writes the batch into the ledger, before its first row is sent.

    Raises CheckFailedError where a new batch has a twin: of two batches that start at once, one continues.
    """
    since = run.session.now() - DAY if is_new and not run.options.allow_duplicate else None
    known = [(row.key, run.session.masker.hide(row.our_id)) for row in rows]
    _refuse(run, BatchRecords(run.session.ledger).write(_record(run, head, rows), known, since), len(rows))


def refuse_all_sent(sent: dict[str, RowProgress], rows: Sequence[BatchRow]) -> None:
    """Raises CheckFailedError for a new batch whose rows were all sent within 24 hours."""
    courses = [sent[row.key] for row in rows if row.key in sent]
    if len(courses) == len(rows) and all(course.exit_code == ExitCode.DONE for course in courses):
        raise CheckFailedError(
            ngettext(
                "the only row of this list was sent within 24 hours: nothing was sent",
                "all {n} rows of this list were sent within 24 hours: nothing was sent",
                len(rows),
            ),
            hint=tr("see `alovoice call receipts list`; --allow-duplicate sends them again"),
            detail=courses[0].problem,
        )


def find_sent_before(run: Run, rows: Listed) -> dict[str, RowProgress]:
    """Returns rows with a receipt of the last 24 hours that is not in the journal; none where the risk was accepted."""
    if run.options.allow_duplicate or run.options.accept_risk:
        return {}
    own = {(row.key, row.our_id) for row, _ in rows if is_ours(row)}
    keys = [row.key for row, course in rows if course.state in ("pending", "unsent", "refused")]
    session = run.session
    found = BatchRecords(session.ledger).sent_rows(session.settings.profile, keys, session.now() - DAY)
    return {row.key: _course(session, row) for row in found if (row.key, row.our_id) not in own}


def forget_unsent(run: Run, journal: Journal, going: Sequence[BatchRow]) -> None:
    """Forgets a batch that has sent nothing, for example after a refused token: its rows may be sent under any name."""
    courses = [course for _, course in journal.listed()]
    if (
        going
        and not journal.is_shared
        and not any(course.sent in ("yes", "maybe") and course.state != "refused" for course in courses)
    ):
        forget_batch(run, journal.label)


def forget_batch(run: Run, path: str) -> None:
    """Forgets the batch of this journal: none of its rows was sent."""
    with suppress(UsageError):  # the disk is full: at worst the same rows need --allow-duplicate
        BatchRecords(run.session.ledger).forget(path)


def _course(session: "Session", row: SentRow) -> RowProgress:
    at = moment(row.begun_at, session)
    if row.outcome == "done":
        problem = tr("the batch {name} sent it at {time}; --accept-risk sends it again", name=row.batch, time=at)
        code, sent = ExitCode.DONE, "yes"
    else:
        problem = tr(
            "the batch {name} may have sent it at {time}; --accept-risk sends it again", name=row.batch, time=at
        )
        code, sent = ExitCode.UNKNOWN_OUTCOME, "maybe"
    return RowProgress("sent_before", exit_code=int(code), sent=sent, problem=problem, receipt=row.receipt)


def _record(run: Run, head: JournalHead, rows: Sequence[BatchRow]) -> BatchRecord:
    keys = "\n".join(sorted(row.key for row in rows))
    digest = hashlib.sha256(keys.encode("ascii")).hexdigest()
    path, begun_at = run.journal_path.label, iso(run.session.now())
    return BatchRecord(head.profile, digest, run.name, path, head.source, begun_at)


def _refuse(run: Run, twin: BatchRecord | None, rows: int) -> None:
    if twin is None:
        return
    if twin.source == "-":
        detail = tr("its list came from stdin; its journal is {path}", path=twin.path)
    else:
        detail = tr("its list is {source}; its journal is {path}", source=twin.source, path=twin.path)
    raise CheckFailedError(
        ngettext(
            "the batch {name} of {time} has the same {n} row: nothing was sent",
            "the batch {name} of {time} has the same {n} rows: nothing was sent",
            rows,
            name=twin.name,
            time=moment(twin.begun_at, run.session),
        ),
        hint=tr(
            "`alovoice call batches resume {name}` continues it; if both are intended, give --allow-duplicate",
            name=twin.name,
        ),
        detail=detail,
    )


def analyses_sent(session: "Session", call_ids: Iterable[str]) -> dict[str, Receipt]:
    """Returns the latest receipt of each call whose analysis this PBX was asked for, or may have been."""
    by_id = {session.masker.hide(call_id): call_id for call_id in call_ids}
    return {
        by_id[entry.our_id]: entry
        for entry in session.ledger.receipts_of(by_id)
        if (entry.command, entry.profile) == ("ai send", session.settings.profile)
        and entry.outcome in ("done", "unknown")
        and entry.our_id in by_id
    }


def adopt_earlier(session: "Session", journal: Journal, going: Sequence[BatchRow]) -> list[BatchRow]:
    """Gives the outcome of an earlier request to rows whose analysis was requested before, and returns those rows.

    The ledger decides, with or without a journal: `ai send` promises one request a call.
    """
    earlier = analyses_sent(session, (row.our_id for row in going))
    adopted = [row for row in going if row.our_id in earlier]
    for row in adopted:
        entry = earlier[row.our_id]
        outcome: RowOutcome = "done" if entry.outcome == "done" else "unknown"
        code = ExitCode.DONE if outcome == "done" else ExitCode.UNKNOWN_OUTCOME
        told = tr("sent before, at {time}; --again sends it again", time=moment(entry.begun_at, session))
        journal.intend(row.key)
        journal.settle(
            row.key, RowResult(outcome, code, entry.sent, entry.status, entry.answer, told, receipt=entry.receipt)
        )
    return adopted


_LEFT_OUT: tuple[State, ...] = ("excluded", "duplicate", "sent_before")


def _left_out_text(state: State, rows: Sequence[int]) -> str:
    """Returns the sentence about the rows that are left out for this reason."""
    named = name_rows(rows)
    if state == "excluded":
        return ngettext(
            "{n} row is excluded and not sent, {rows}: a do-not-call file lists a number of the row",
            "{n} rows are excluded and not sent, {rows}: a do-not-call file lists a number of the row",
            len(rows),
            rows=named,
        )
    if state == "duplicate":
        return ngettext(
            "{n} row is duplicate and not sent, {rows}: another row calls the same people; --each-row sends all rows",
            "{n} rows are duplicate and not sent, {rows}: another row calls the same people; --each-row sends all rows",
            len(rows),
            rows=named,
        )
    return ngettext(
        "{n} row is not sent again, {rows}: another batch sent the row, or may have sent it, within 24 hours;"
        " --accept-risk sends it again",
        "{n} rows are not sent again, {rows}: another batch sent the row, or may have sent it, within 24 hours;"
        " --accept-risk sends it again",
        len(rows),
        rows=named,
    )


def read_excluded(session: "Session", options: BatchOptions) -> frozenset[int]:
    """Returns the numbers of all do-not-call files. Raises CheckFailedError for entries that cannot be read."""
    numbers: set[int] = set()
    first_day = session.now().astimezone(parse_zone(session.settings.timezone)).date()
    for path in options.exclude:
        listed = read_do_not_call(path, first_day, unread_ok=options.exclude_unread_ok)
        for finding in listed.findings():
            if finding.severity is Severity.ERROR:
                problem = joined(": ", (str(path), finding.message))
                raise CheckFailedError(tr("{problem}: nothing was sent", problem=problem), hint=finding.hint)
            session.warn(joined("", (f"{path}: ", finding.message, "; ", finding.hint)))
        session.note(listed.note)
        numbers |= listed.numbers
    return frozenset(numbers)


def write_left_out(journal: Journal, changes: Mapping[str, RowProgress]) -> None:
    """Writes the new states of these rows into the journal."""
    for key, course in changes.items():
        journal.change(key, course)


def tell_left_out(session: "Session", rows: Listed) -> None:
    """Warns of the rows that are left out, by reason and row."""
    for state in _LEFT_OUT:
        lines = [row.line for row, course in rows if course.state == state]
        if lines:
            session.warn(_left_out_text(state, lines))


_OPEN = ("pending", "unsent", "refused", "duplicate", "sent_before")
"""States in which a do-not-call file still stops a row."""


def leave_out(
    rows: Sequence[tuple[BatchRow, RowProgress]],
    *,
    excluded: AbstractSet[int] = frozenset(),
    sent_before: Mapping[str, RowProgress] | None = None,
    each_row: bool = False,
) -> dict[str, RowProgress]:
    """Returns the rows whose state changes, with their new state. `sent_before` are states by row key.

    `each_row`: every row is wanted, and no row is a duplicate.
    """
    found: dict[str, RowProgress] = {}
    for row, course in rows:
        if course.state in _OPEN and any(number.isdigit() and int(number) in excluded for number in row.numbers):
            problem = tr("a do-not-call file lists this number")
            if len(row.numbers) > 1:
                problem = tr("a do-not-call file lists one of these numbers")
            found[row.key] = RowProgress("excluded", problem=problem)
    known = sent_before or {}
    for row, course in rows:
        if row.key in known and row.key not in found and course.state in _OPEN and course.state != "sent_before":
            found[row.key] = known[row.key]
    rest = [(row, found.get(row.key, course)) for row, course in rows]
    return found | find_duplicates(rest, each_row=each_row)


def find_duplicates(rows: Sequence[tuple[BatchRow, RowProgress]], *, each_row: bool = False) -> dict[str, RowProgress]:
    """Returns waiting rows that become duplicates, and duplicates that wait from now on, with their new state.

    Of rows that ring the same people one counts: the row that was, or may have been, sent, else the first.
    """
    lines: dict[frozenset[str], int] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate") and row.numbers:
            lines.setdefault(frozenset(row.numbers), row.line)
    found: dict[str, RowProgress] = {}
    for row, course in rows:
        if course.state not in ("pending", "duplicate"):
            continue
        people = frozenset(row.numbers)
        is_first = people not in lines
        if people and is_first:
            lines[people] = row.line
        is_duplicate = bool(people) and not is_first and not each_row
        if is_duplicate != (course.state == "duplicate"):
            same = ngettext(
                "calls the same person as row {row}",
                "calls the same people as row {row}",
                len(row.numbers),
                row=lines.get(people, 0),
            )
            state: State = "duplicate" if is_duplicate else "pending"
            found[row.key] = RowProgress(state, problem=same if is_duplicate else "")
    return found


_LATELY = timedelta(days=7)


def agree_to_restart(run: Run, journal: Journal) -> None:
    """Asks before all rows are sent again; a script uses `--confirm N`. Raises UsageError without agreement."""
    session, options = run.session, run.options
    courses = [course for _, course in journal.listed()]
    if any(course.state in ("unknown", "intent") for course in courses) and not options.accept_risk:
        raise UsageError(
            tr("the batch {name} has unknown rows: starting again may call them twice", name=run.name),
            hint=tr("check them first; then add --accept-risk"),
        )
    if session.display.is_asked:
        if not session.display.agrees(
            tr("The batch {name} has {rows}. Send all rows again?", name=run.name, rows=sums(courses))
        ):
            raise UsageError(tr("not confirmed: nothing was sent"))
    elif options.confirm is None:
        raise UsageError(tr("--restart sends all rows again"), hint=tr("in a script, add --confirm N"))


def choose_risks(run: Run, journal: Journal) -> frozenset[str]:
    """Asks for each unknown row whether to send it again, and returns the keys; `--yes` does not answer this."""
    # A row that the ledger knows as sent is sent again with --accept-risk alone, as when its journal began.
    session, options = run.session, run.options
    again = options.accept_risk or options.allow_duplicate
    sent_before = {row.key for row, course in journal.listed() if course.state == "sent_before" and again}
    if not options.resend_unknown:
        return frozenset(sent_before)
    if not options.accept_risk:
        raise UsageError(
            tr("--resend-unknown may call people twice: nothing was sent"),
            hint=tr("check whether the calls rang; then add --accept-risk"),
        )
    unknown = [(row, course) for row, course in journal.listed() if course.state == "unknown"]
    if not session.display.is_asked:
        if options.journal is None:
            raise UsageError(
                tr("--resend-unknown asks for each row, and this is not a terminal"),
                hint=tr("to accept the risk for the whole batch, add --journal {name}", name=run.name),
            )
        return frozenset({row.key for row, _ in unknown} | sent_before)
    chosen = sent_before
    for row, course in unknown:
        whom = ", ".join(row.numbers) or row.our_id
        question = tr(
            "Row {row}, {numbers}: the request of {time} may have been carried out. Send it again?",
            row=row.line,
            numbers=whom,
            time=moment(course.began_at, session),
        )
        if session.display.agrees(question):
            chosen.add(row.key)
    return frozenset(chosen)


def agree_to_send(run: Run, listed: Sequence[BatchRow], going: Sequence[BatchRow]) -> None:
    """Checks limits and hours, and asks how many people to reach. `listed` are the rows that the operator counts."""
    session, verb = run.session, run.verb
    check_limits(session, verb, run.options, going)
    people = {number for row in listed for number in row.numbers}
    profile = session.settings.profile
    if verb.dials:
        summary = ngettext("{n} person on PBX {profile}", "{n} people on PBX {profile}", len(people), profile=profile)
        reach = Reach(len(people), summary)
        if session.display.is_asked:
            reach = replace(reach, summary=joined("; ", (summary, *_lately(session, len(listed), going))))
    else:
        summary = ngettext(
            "{n} call to analyse on PBX {profile}, which may cost money",
            "{n} calls to analyse on PBX {profile}, which may cost money",
            len(listed),
            profile=profile,
        )
        reach = Reach(len(listed), summary, rings=False)
    agree(session, reach, run.options.confirm)
    run.times.check()


def _lately(session: "Session", rows: int, going: Sequence[BatchRow]) -> Iterator[str]:
    """Returns how many of these people were called in the last days, and how much of the list is left."""
    since, profile = session.now() - _LATELY, session.settings.profile
    called = session.ledger.called_numbers(profile, since) | set(session.campaigns.called_numbers(profile, since))
    again = len(called & {number for row in going for number in row.numbers})
    yield tr("called in the last 7 days: {number}", number=again)
    if len(going) < rows:
        yield tr("rows left: {left} of {rows}", left=len(going), rows=rows)
