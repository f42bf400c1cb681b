"""What is known of an event store as a whole, and what is wrong with it: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from alovoice_cli.findings import Finding, Severity, count
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
    aside = "stop the listener and restore a copy; `alovoice events export` saves what can still be read"
    for fault in survey.faults[:_MOST_FAULTS]:
        yield Finding(Severity.ERROR, "damaged", f"the store is damaged: {fault}", aside)
    if survey.version > survey.known_version:
        yield Finding(
            Severity.ERROR,
            "newer-version",
            f"the store is of version {survey.version}, this alovoice knows {survey.known_version}",
            "upgrade alovoice",
        )
    if survey.queued_without_event:
        rows = count(survey.queued_without_event, "queued delivery has", "queued deliveries have")
        yield Finding(Severity.ERROR, "queued-without-event", f"{rows} no event, and cannot be sent", _RESTORE)
    if survey.facts_without_event:
        rows = count(survey.facts_without_event, "fact has", "facts have")
        yield Finding(Severity.ERROR, "facts-without-event", f"{rows} no event", _RESTORE)


_RESTORE = "rows were deleted by another program: restore a copy, or export the events and import them into a new store"


def _warnings(survey: StoreSurvey, now: int) -> Iterator[Finding]:
    is_up = survey.is_listener_up(now)
    start = "" if is_up else "start `alovoice listen`, which does that first"
    if survey.underived:
        rows = count(survey.underived, "event was", "events were")
        yield _warning("underived", f"{rows} stored and not read yet", start)
    if survey.spooled:
        rows = count(survey.spooled, "event lies", "events lie")
        where = ", ".join(spool.path for spool in survey.spools if spool.deliveries)
        yield _warning("spooled", f"{rows} in a spool, not in the store: {where}", start or _SPOOL)
    yield from _waiting_warnings(survey.targets, now)
    if survey.notices_oldest_at is not None and now - survey.notices_oldest_at > _LONG_WAIT:
        age = span_text((now - survey.notices_oldest_at) // _MICRO)
        calls = count(survey.notices_waiting, "missed call waits", "missed calls wait")
        yield _warning("notices-wait", f"{calls} to be told of, the oldest for {age}", "see `alovoice notify test`")
    if survey.newest_at is not None and survey.newest_at - now > _MINUTE:
        ahead = span_text((survey.newest_at - now) // _MICRO)
        yield _warning("from-the-future", f"the newest event is {ahead} ahead of this machine's clock", "set the clock")
    for path in survey.set_aside:
        yield _warning("set-aside", f"a damaged store was moved to {path}: what it held is missing here", _ASIDE)
    for setting in survey.unsafe:
        yield _warning("unsafe-setting", f"the server has {setting}: what was acknowledged can be lost", _UNSAFE)


_SPOOL = "the store did not take them when they came: the listener's messages say why, and it tries again each second"
_ASIDE = "sqlite3's `.recover` makes a store of it that `alovoice events export --store` reads"
_UNSAFE = "set it to on in postgresql.conf"


def _waiting_warnings(targets: Iterable[WaitingTarget], now: int) -> Iterator[Finding]:
    for target in targets:
        if target.state != "taking":
            waits = f", {target.waiting} wait" if target.waiting else ""
            yield _warning("target-does-not-take", f"{target.label} is {target.state}{waits}", _OUTBOX)
        elif target.oldest_at is not None and now - target.oldest_at > _LONG_WAIT:
            age = span_text((now - target.oldest_at) // _MICRO)
            yield _warning("outbox-waits", f"{target.label}: {target.waiting} wait, the oldest for {age}", _OUTBOX)
        if target.dead:
            letters = count(target.dead, "dead letter")
            yield _warning("dead-letters", f"{target.label}: {letters}", _OUTBOX)


_OUTBOX = "see `alovoice events outbox list`"


def _notes(survey: StoreSurvey) -> Iterator[Finding]:
    if 0 < survey.version < survey.known_version:
        yield Finding(
            Severity.NOTE,
            "older-version",
            f"the store is of version {survey.version}: the next command brings it to {survey.known_version}",
            "afterwards older versions of alovoice refuse it",
        )


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(Severity.WARNING, code, message, hint)
