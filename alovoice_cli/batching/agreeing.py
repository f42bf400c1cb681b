"""What is agreed to before anything goes: limits, hours, how many people, and each risk by itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from alovoice_cli.batch.steps import Step
from alovoice_cli.batching.account import sums
from alovoice_cli.batching.execution import Times, moment
from alovoice_cli.batching.limits import check_limits
from alovoice_cli.batching.places import Place
from alovoice_cli.batching.verbs import Verb
from alovoice_cli.batching.wish import Wish
from alovoice_cli.campaigns.findings import count
from alovoice_cli.consent import Reach, agree
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Journal

if TYPE_CHECKING:
    from alovoice_cli.session import Session

_LATELY = timedelta(days=7)


def agree_to_restart(session: "Session", wish: Wish, journal: Journal, place: Place) -> None:
    """Asks before all rows go again; in a script `--confirm N` says so. Raises UsageError where that is not meant."""
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


def choose_risks(session: "Session", wish: Wish, journal: Journal, place: Place) -> frozenset[str]:
    """The unknown rows that the operator wants sent again, each asked for; `--yes` answers nothing here."""
    # A row that the ledger knows as sent goes again with --accept-risk alone, the line by which its journal began too.
    again = wish.accept_risk or wish.allow_duplicate
    sent_before = {step.key for step, course in journal.listed() if course.state == "sent_before" and again}
    if not wish.resend_unknown:
        return frozenset(sent_before)
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
        return frozenset({step.key for step, _ in unknown} | sent_before)
    chosen = sent_before
    for step, course in unknown:
        whom = ", ".join(step.numbers) or step.our_id
        question = (
            f"Line {step.line}, {whom}: it may have been carried out at {moment(course.began_at)}. Send it again?"
        )
        if session.display.agrees(question):
            chosen.add(step.key)
    return frozenset(chosen)


def agree_to_send(
    session: "Session", verb: Verb, wish: Wish, listed: Sequence[Step], going: Sequence[Step], times: Times
) -> None:
    """Limits, hours, and the question how many people are meant."""
    check_limits(session, verb, wish, going)
    people = {number for step in listed for number in step.numbers}
    profile = session.settings.profile
    if verb.dials:
        reach = Reach(len(people), f"{count(len(people), 'person', 'people')} on PBX {profile}")
        if session.display.is_asked:
            reach = replace(reach, summary=reach.summary + _lately(session, len(listed), going))
    else:
        summary = f"{count(len(listed), 'call')} to analyse on PBX {profile}"
        reach = Reach(len(listed), summary, "call", "calls", rings=False)
    agree(session, reach, wish.confirm)
    times.check()


def _lately(session: "Session", rows: int, going: Sequence[Step]) -> str:
    """Who of them was called in the last days, and how much of the list is left."""
    since, profile = session.now() - _LATELY, session.settings.profile
    called = session.ledger.called_numbers(profile, since) | set(session.campaigns.called_numbers(profile, since))
    again = len(called & {number for step in going for number in step.numbers})
    left = f"; {len(going)} of {rows} rows are left" if len(going) < rows else ""
    return f", {again} of them called in the last 7 days{left}"
