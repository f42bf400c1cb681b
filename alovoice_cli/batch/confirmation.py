"""What the operator agrees to before the first row: limits, hours, the number of people, and each risk by itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.batch_report import moment, sums
from alovoice_cli.batch.limits import check_limits
from alovoice_cli.batch.run import Run
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.consent import Reach, agree
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import count
from alovoice_cli.stores.journal import Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session


_LATELY = timedelta(days=7)


def agree_to_restart(run: Run, journal: Journal) -> None:
    """Asks before all rows go again; in a script `--confirm N` says so. Raises UsageError where that is not meant."""
    session, options = run.session, run.options
    courses = [course for _, course in journal.listed()]
    if any(course.state in ("unknown", "intent") for course in courses) and not options.accept_risk:
        raise UsageError(
            f"rows of the batch {run.name} are unknown: to start anew may call them twice",
            hint="look first; then add --accept-risk",
        )
    if session.display.is_asked:
        if not session.display.agrees(f"The batch {run.name} has {sums(courses)}. Send all of it again?"):
            raise UsageError("not confirmed: nothing was sent")
    elif options.confirm is None:
        raise UsageError("--restart sends all rows again", hint="in a script, give --confirm N with it")


def choose_risks(run: Run, journal: Journal) -> frozenset[str]:
    """Asks for each unknown row whether to send it again, and returns the keys; `--yes` answers nothing here."""
    # A row that the ledger knows as sent goes again with --accept-risk alone, the line by which its journal began too.
    session, options = run.session, run.options
    again = options.accept_risk or options.allow_duplicate
    sent_before = {row.key for row, course in journal.listed() if course.state == "sent_before" and again}
    if not options.resend_unknown:
        return frozenset(sent_before)
    if not options.accept_risk:
        raise UsageError(
            "--resend-unknown may call people twice: nothing was sent",
            hint="look whether it rang; then add --accept-risk",
        )
    unknown = [(row, course) for row, course in journal.listed() if course.state == "unknown"]
    if not session.display.is_asked:
        if options.journal is None:
            raise UsageError(
                "--resend-unknown asks for each row, and nobody is there to answer",
                hint=f"name the batch whose risk you take: --journal {run.name}",
            )
        return frozenset({row.key for row, _ in unknown} | sent_before)
    chosen = sent_before
    for row, course in unknown:
        whom = ", ".join(row.numbers) or row.our_id
        question = f"Line {row.line}, {whom}: it may have been carried out at {moment(course.began_at)}. Send it again?"
        if session.display.agrees(question):
            chosen.add(row.key)
    return frozenset(chosen)


def agree_to_send(run: Run, listed: Sequence[BatchRow], going: Sequence[BatchRow]) -> None:
    """Checks limits and hours, and asks how many people are meant. `listed` are the rows that the operator counts."""
    session, verb = run.session, run.verb
    check_limits(session, verb, run.options, going)
    people = {number for row in listed for number in row.numbers}
    profile = session.settings.profile
    if verb.dials:
        reach = Reach(len(people), f"{count(len(people), 'person', 'people')} on PBX {profile}")
        if session.display.is_asked:
            reach = replace(reach, summary=reach.summary + _lately(session, len(listed), going))
    else:
        summary = f"{count(len(listed), 'call')} to analyse on PBX {profile}"
        reach = Reach(len(listed), summary, "call", "calls", rings=False)
    agree(session, reach, run.options.confirm)
    run.times.check()


def _lately(session: "Session", rows: int, going: Sequence[BatchRow]) -> str:
    """Returns how many of these people were called in the last days, and how much of the list is left."""
    since, profile = session.now() - _LATELY, session.settings.profile
    called = session.ledger.called_numbers(profile, since) | set(session.campaigns.called_numbers(profile, since))
    again = len(called & {number for row in going for number in row.numbers})
    left = f"; {len(going)} of {rows} rows are left" if len(going) < rows else ""
    return f", {again} of them called in the last 7 days{left}"
