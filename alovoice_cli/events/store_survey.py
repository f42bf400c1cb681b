"""The state of an event store as a whole, and its faults: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from alovoice_cli.findings import Finding, Severity
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.moments import span_text

_MICRO = 1_000_000
_MINUTE = 60 * _MICRO
_SIGN_OF_LIFE = 30 * _MICRO
_LONG_WAIT = 60 * _MINUTE
"""A wait longer than this gets a warning: a target that refuses is tried again within minutes."""
_MOST_FAULTS = 20


class WaitingTarget(NamedTuple):
    """What waits for one target. `dead` are dead letters; the oldest entry has waited since `oldest_at` (unix µs)."""

    label: str
    state: str
    waiting: int
    dead: int
    oldest_at: int | None


class SpoolFile(NamedTuple):
    """A file of deliveries that the store could not take when they arrived."""

    path: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class StoreSurvey:
    """A store at one moment. Moments are unix microseconds, or None.

    `version` is the schema's, `known_version` this program's; of another version only the first fields are read.
    `faults` are the database's own sentences; `queued_without_event` and `facts_without_event` count rows whose
    delivery is missing, `underived` deliveries without derived data long after their arrival. `set_aside` are damaged
    files that a listener moved, `spools_aside` spools with damaged lines. `unsafe` are settings of a server under which
    a commit may be lost.
    """

    place: str
    engine: str
    version: int
    known_version: int
    size: int
    faults: tuple[str, ...] = ()
    events: int = 0
    calls: int = 0
    oldest_at: int | None = None
    newest_at: int | None = None
    listener_seen_at: int | None = None
    targets: tuple[WaitingTarget, ...] = ()
    notices_waiting: int = 0
    notices_oldest_at: int | None = None
    spools: tuple[SpoolFile, ...] = ()
    set_aside: tuple[str, ...] = ()
    spools_aside: tuple[str, ...] = ()
    queued_without_event: int = 0
    facts_without_event: int = 0
    underived: int = 0
    unsafe: tuple[str, ...] = ()

    @property
    def outbox_waiting(self) -> int:
        """Returns how many deliveries wait, for all targets."""
        return sum(target.waiting for target in self.targets)

    @property
    def outbox_dead(self) -> int:
        """Returns how many dead letters there are."""
        return sum(target.dead for target in self.targets)

    @property
    def spooled(self) -> int:
        """Returns how many deliveries lie in spools."""
        return sum(spool.deliveries for spool in self.spools)

    def is_listener_up(self, now: int) -> bool:
        """Returns whether a listener gave a sign of life within the last 30 seconds."""
        return self.listener_seen_at is not None and now - self.listener_seen_at <= _SIGN_OF_LIFE


def survey_findings(survey: StoreSurvey, now: int) -> list[Finding]:
    """Returns what is wrong with the store at this moment (unix microseconds), errors first."""
    return [*_errors(survey), *_warnings(survey, now), *_notes(survey)]


def _errors(survey: StoreSurvey) -> Iterator[Finding]:
    aside = tr("stop the listener and restore a copy; `alovoice events export` saves the events that can still be read")
    for fault in survey.faults[:_MOST_FAULTS]:
        yield Finding(Severity.ERROR, "damaged", tr("the event store is damaged: {problem}", problem=fault), aside)
    if survey.version > survey.known_version:
        yield Finding(
            Severity.ERROR,
            "newer-version",
            tr(
                "the event store has version {version}; this alovoice supports versions up to {known}",
                version=survey.version,
                known=survey.known_version,
            ),
            tr("upgrade alovoice"),
        )
    if survey.queued_without_event:
        text = ngettext(
            "{n} delivery in the outbox has no event and cannot be sent",
            "{n} deliveries in the outbox have no event and cannot be sent",
            survey.queued_without_event,
        )
        yield Finding(Severity.ERROR, "queued-without-event", text, tr(_RESTORE))
    if survey.facts_without_event:
        text = ngettext(
            "{n} row of call data has no event", "{n} rows of call data have no event", survey.facts_without_event
        )
        yield Finding(Severity.ERROR, "facts-without-event", text, tr(_RESTORE))


_RESTORE = mark(
    "another program deleted rows: restore a copy, or export the events and import them into a new event store"
)


def _warnings(survey: StoreSurvey, now: int) -> Iterator[Finding]:
    is_up = survey.is_listener_up(now)
    start = "" if is_up else tr("start `alovoice listen`, which does this first")
    if survey.underived:
        text = ngettext(
            "{n} event is stored but not processed yet", "{n} events are stored but not processed yet", survey.underived
        )
        yield _warning("underived", text, start)
    if survey.spooled:
        text = ngettext(
            "{n} event is in a spool file and not in the event store: {files}",
            "{n} events are in spool files and not in the event store: {files}",
            survey.spooled,
            files=", ".join(spool.path for spool in survey.spools if spool.deliveries),
        )
        yield _warning("spooled", text, start or tr(_SPOOL))
    yield from _waiting_warnings(survey.targets, now)
    if survey.notices_oldest_at is not None and now - survey.notices_oldest_at > _LONG_WAIT:
        age = span_text((now - survey.notices_oldest_at) // _MICRO)
        text = ngettext(
            "{n} missed call is not reported yet (for {age})",
            "{n} missed calls are not reported yet (the oldest for {age})",
            survey.notices_waiting,
            age=age,
        )
        yield _warning("notices-wait", text, tr("see `alovoice notify test`"))
    if survey.newest_at is not None and survey.newest_at - now > _MINUTE:
        ahead = span_text((survey.newest_at - now) // _MICRO)
        text = tr("the newest event is {span} ahead of the clock of this computer", span=ahead)
        yield _warning("from-the-future", text, tr("set the clock"))
    for path in survey.set_aside:
        text = tr("a damaged event store was moved to {path}: its events are missing here", path=path)
        yield _warning("set-aside", text, tr(_ASIDE))
    for path in survey.spools_aside:
        text = tr("a spool file with lines that cannot be read was moved to {path}", path=path)
        yield _warning("spool-set-aside", text, tr(_SPOOL_ASIDE))
    for setting in survey.unsafe:
        text = tr("the server has {setting}: acknowledged events can be lost", setting=setting)
        yield _warning("unsafe-setting", text, tr(_UNSAFE))


_SPOOL = mark(
    "the event store could not be written when they arrived: the messages of the listener say why; it tries again every"
    " second"
)
_ASIDE = mark("`.recover` of sqlite3 repairs it; then `alovoice events export --store` can read it")
_SPOOL_ASIDE = mark("its other lines are in the event store: look at it, and delete it")
_UNSAFE = mark("set it to on in postgresql.conf")


def _waiting_warnings(targets: Iterable[WaitingTarget], now: int) -> Iterator[Finding]:
    for target in targets:
        if target.state != "taking":
            text = joined(", ", [tr(_STATES[target.state], target=target.label), *_waiting_part(target.waiting)])
            yield _warning("target-does-not-take", text, tr(_OUTBOX))
        elif target.oldest_at is not None and now - target.oldest_at > _LONG_WAIT:
            age = span_text((now - target.oldest_at) // _MICRO)
            text = ngettext(
                "{target}: {n} event waits for {age}",
                "{target}: {n} events wait, the oldest for {age}",
                target.waiting,
                target=target.label,
                age=age,
            )
            yield _warning("outbox-waits", text, tr(_OUTBOX))
        if target.dead:
            letters = ngettext("{n} dead letter", "{n} dead letters", target.dead)
            yield _warning("dead-letters", joined("", [target.label, ": ", letters]), tr(_OUTBOX))


def _waiting_part(waiting: int) -> list[str]:
    return [ngettext("{n} event waits", "{n} events wait", waiting)] if waiting else []


_OUTBOX = mark("see `alovoice events outbox list`")
_STATES = {
    "refusing": mark("{target} refuses events"),
    "paused": mark("{target} accepts no events now"),
    "stopped": mark("{target} wants no more events"),
}


def _notes(survey: StoreSurvey) -> Iterator[Finding]:
    if 0 < survey.version < survey.known_version:
        yield Finding(
            Severity.NOTE,
            "older-version",
            tr(
                "the event store has version {version}: the next command upgrades it to {known}",
                version=survey.version,
                known=survey.known_version,
            ),
            tr("older versions of alovoice cannot use it afterwards"),
        )


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, hint)
