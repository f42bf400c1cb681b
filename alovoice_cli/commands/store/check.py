"""`alovoice store check`: the state of an event store."""

from collections.abc import Sequence
from typing import Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import ExitCode
from alovoice_cli.events.event_table import iso, when
from alovoice_cli.events.store_survey import StoreSurvey, survey_findings
from alovoice_cli.findings import Finding, Severity, count_of, has_errors
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.moments import ClockTime, span_text, unix_microseconds
from alovoice_cli.output.listing import Column, Listing, Record, state_word
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice store check", "alovoice store check --json | jq .outbox_waiting")
COLUMNS = (
    Column("severity", "Severity", words=state_word),
    Column(
        "finding",
        "What, and what to do",
        value=lambda item: joined(
            "", (str(item["message"]), *((" (", str(item["hint"]), ")") if item["hint"] else ()))
        ),
    ),
    Column("code", "Code", shown=False),
    Column("message", "What", shown=False),
    Column("hint", "What to do", shown=False),
)
_MICRO = 1_000_000


@shows_list(COLUMNS)
def check_store(
    ctx: typer.Context,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="Event store (default: the profile's)."),
    ] = None,
) -> int:
    """Check an event store: version, size, age, integrity, what waits.

    Nothing is changed, and a listener continues meanwhile. Exit code 8: an error was found; warnings and notes: 0.
    --json has ok, the facts about the store, and the findings.
    """
    from alovoice_cli.stores.store_check import StoreCheck  # noqa: PLC0415 - `--help` needs no database

    session: Session = ctx.obj
    clock = session.clock
    now = unix_microseconds(clock.now)
    survey = StoreCheck(session.event_store_url(store), session.paths.state).survey(now)
    findings = survey_findings(survey, now)
    failed = has_errors(findings)
    items = [_as_item(finding) for finding in findings]
    whole = {"ok": not failed, **_as_json(survey, now), "findings": items}
    of_findings = bool(session.options.json or session.options.csv or session.options.columns)
    if not of_findings:
        session.show(Record(_in_words(survey, clock, now), title=tr("Event store"), ours=True))
    if items or of_findings:
        session.show(Listing(items, COLUMNS, whole=whole, ours=True))
    session.note(_verdict(findings))
    return ExitCode.CHECK_FAILED if failed else ExitCode.DONE


def _as_item(finding: Finding) -> dict[str, object]:
    return {
        "severity": str(finding.severity),
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
    }


def _as_json(survey: StoreSurvey, now: int) -> dict[str, object]:
    def moment(unix_us: int | None) -> str | None:
        return None if unix_us is None else iso(unix_us)

    return {
        "store": survey.place,
        "engine": survey.engine,
        "version": survey.version,
        "known_version": survey.known_version,
        "bytes": survey.size,
        "events": survey.events,
        "calls": survey.calls,
        "oldest_event": moment(survey.oldest_at),
        "newest_event": moment(survey.newest_at),
        "newest_age_seconds": None if survey.newest_at is None else max(now - survey.newest_at, 0) // _MICRO,
        "listener_is_up": survey.is_listener_up(now),
        "outbox_waiting": survey.outbox_waiting,
        "outbox_dead": survey.outbox_dead,
        "targets": [
            {
                "target": target.label,
                "state": target.state,
                "waiting": target.waiting,
                "dead": target.dead,
                "oldest_seconds": None if target.oldest_at is None else max(now - target.oldest_at, 0) // _MICRO,
            }
            for target in survey.targets
        ],
        "notices_waiting": survey.notices_waiting,
        "spooled": survey.spooled,
    }


def _in_words(survey: StoreSurvey, clock: ClockTime, now: int) -> dict[str, object]:
    """Returns the record for people and for a pipe."""

    def told(unix_us: int | None) -> str | None:
        if unix_us is None:
            return None
        age = span_text(max(now - unix_us, 0) // _MICRO)
        return tr("{time} ({age} ago)", time=when(unix_us // _MICRO, clock, short=False), age=age)

    return {
        "store": survey.place,
        "engine": survey.engine,
        "version": survey.version,
        "size": tr("{number} MB", number=decimal_text(survey.size / 1_000_000)),
        "events": survey.events,
        "calls": survey.calls,
        "oldest_event": told(survey.oldest_at),
        "newest_event": told(survey.newest_at),
        "listener": tr("running") if survey.is_listener_up(now) else tr("not running"),
        "outbox": joined(
            ", ",
            (
                tr("{number} waiting", number=survey.outbox_waiting),
                ngettext("{n} dead letter", "{n} dead letters", survey.outbox_dead),
            ),
        ),
        "notices": tr("{number} waiting", number=survey.notices_waiting),
        "spool": ngettext("{n} event", "{n} events", survey.spooled),
    }


def _verdict(findings: Sequence[Finding]) -> str:
    numbers = [(sum(one.severity is each for one in findings), each) for each in (Severity.ERROR, Severity.WARNING)]
    return joined(", ", [count_of(severity, number) for number, severity in numbers])
