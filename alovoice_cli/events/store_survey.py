"""What is known of an event store as a whole, and what is wrong with it: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from alovoice_cli.findings import Finding, Severity
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.moments import span_text

_MICRO = 1_000_000
_MINUTE = 60 * _MICRO
_SIGN_OF_LIFE = 30 * _MICRO
_LONG_WAIT = 60 * _MINUTE
"""After which something that waits is worth a warning: a target that refuses is tried again within minutes."""
_MOST_FAULTS = 20


class WaitingTarget(NamedTuple):
    """What one target is still to be told. `dead` are dead letters; the oldest waits since `oldest_at` (unix µs)."""

    label: str
    state: str
    waiting: int
    dead: int
    oldest_at: int | None


class SpoolFile(NamedTuple):
    """A file of deliveries that the store did not take when they came."""

    path: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class StoreSurvey:
    """A store as it was at one moment; moments are unix microseconds, None where there is nothing.

    `version` is the schema's, `known_version` this program's; of another version only the first fields are read.
    `faults` are sentences of the database about itself, `queued_without_event` and `facts_without_event` rows whose
    delivery is missing, `underived` deliveries of which nothing was derived long after they came. `set_aside` are
    damaged files that a listener moved. `unsafe` are settings of a server under which a commit may be lost.
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
    aside = tr("stop the listener and restore a copy; `alovoice events export` saves what can still be read")
    for fault in survey.faults[:_MOST_FAULTS]:
        yield Finding(Severity.ERROR, "damaged", tr("the store is damaged: {problem}", problem=fault), aside)
    if survey.version > survey.known_version:
        yield Finding(
            Severity.ERROR,
            "newer-version",
            tr(
                "the store has version {version}, and this alovoice knows {known}",
                version=survey.version,
                known=survey.known_version,
            ),
            tr("upgrade alovoice"),
        )
    if survey.queued_without_event:
        message = ngettext(
            "{n} queued delivery has no event, and cannot be sent",
            "{n} queued deliveries have no event, and cannot be sent",
            survey.queued_without_event,
        )
        yield Finding(Severity.ERROR, "queued-without-event", message, tr(_RESTORE))
    if survey.facts_without_event:
        message = ngettext("{n} fact has no event", "{n} facts have no event", survey.facts_without_event)
        yield Finding(Severity.ERROR, "facts-without-event", message, tr(_RESTORE))


_RESTORE = mark("another program deleted rows: restore a copy, or export the events and import them into a new store")


def _warnings(survey: StoreSurvey, now: int) -> Iterator[Finding]:
    is_up = survey.is_listener_up(now)
    start = "" if is_up else tr("start `alovoice listen`, which does that first")
    if survey.underived:
        message = ngettext(
            "{n} event was stored and not read yet", "{n} events were stored and not read yet", survey.underived
        )
        yield _warning("underived", message, start)
    if survey.spooled:
        message = ngettext(
            "{n} event is in a spool, not in the store: {paths}",
            "{n} events are in a spool, not in the store: {paths}",
            survey.spooled,
            paths=", ".join(spool.path for spool in survey.spools if spool.deliveries),
        )
        yield _warning("spooled", message, start or tr(_SPOOL))
    yield from _waiting_warnings(survey.targets, now)
    if survey.notices_oldest_at is not None and now - survey.notices_oldest_at > _LONG_WAIT:
        age = span_text((now - survey.notices_oldest_at) // _MICRO)
        message = ngettext(
            "{n} missed call waits for a notification, the oldest for {age}",
            "{n} missed calls wait for a notification, the oldest for {age}",
            survey.notices_waiting,
            age=age,
        )
        yield _warning("notices-wait", message, tr("see `alovoice notify test`"))
    if survey.newest_at is not None and survey.newest_at - now > _MINUTE:
        ahead = span_text((survey.newest_at - now) // _MICRO)
        message = tr("the newest event is {time} ahead of this computer's clock", time=ahead)
        yield _warning("from-the-future", message, tr("set the clock"))
    for path in survey.set_aside:
        yield _warning(
            "set-aside", tr("a damaged store was moved to {path}: its events are missing here", path=path), tr(_ASIDE)
        )
    for setting in survey.unsafe:
        yield _warning(
            "unsafe-setting",
            tr("the server has {setting}: acknowledged events can be lost", setting=setting),
            tr(_UNSAFE),
        )


_SPOOL = mark(
    "the store did not accept them when they came: the listener's messages say why, and it tries again each second"
)
_ASIDE = mark("`.recover` of sqlite3 makes a store from it that `alovoice events export --store` reads")
_UNSAFE = mark("set it to on in postgresql.conf")


def _waiting_warnings(targets: Iterable[WaitingTarget], now: int) -> Iterator[Finding]:
    for target in targets:
        if target.state != "taking":
            message = tr("{target} is {state}", target=target.label, state=target.state)
            if target.waiting:
                message = tr(
                    "{target} is {state}, {number} wait",
                    target=target.label,
                    state=target.state,
                    number=target.waiting,
                )
            yield _warning("target-does-not-take", message, tr(_OUTBOX))
        elif target.oldest_at is not None and now - target.oldest_at > _LONG_WAIT:
            age = span_text((now - target.oldest_at) // _MICRO)
            message = tr(
                "{target}: {number} wait, the oldest for {age}", target=target.label, number=target.waiting, age=age
            )
            yield _warning("outbox-waits", message, tr(_OUTBOX))
        if target.dead:
            message = ngettext(
                "{target}: {n} dead letter", "{target}: {n} dead letters", target.dead, target=target.label
            )
            yield _warning("dead-letters", message, tr(_OUTBOX))


_OUTBOX = mark("see `alovoice events outbox list`")


def _notes(survey: StoreSurvey) -> Iterator[Finding]:
    if 0 < survey.version < survey.known_version:
        yield Finding(
            Severity.NOTE,
            "older-version",
            tr(
                "the store has version {version}: the next command upgrades it to {known}",
                version=survey.version,
                known=survey.known_version,
            ),
            tr("afterwards older versions of alovoice refuse it"),
        )


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, hint)
