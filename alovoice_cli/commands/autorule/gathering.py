"""The data of `autorule report`, `watch` and `list` from the stores: a campaign's list, its calls, its counts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alovoice_cli.campaigns.attempts import (
    AttemptRules,
    CampaignCall,
    CampaignScope,
    RivalCampaign,
    find_attempts,
    scope_of,
    what_duration_counts,
)
from alovoice_cli.campaigns.campaign_record import NOT_CREATED, OVER, CreatedCampaign
from alovoice_cli.campaigns.kept_list import CampaignList, keep_numbers
from alovoice_cli.campaigns.report import CampaignReport, ListenerCoverage, cover_windows, pace_of
from alovoice_cli.config.urls import is_loopback_url
from alovoice_cli.errors import AlovoiceError, UsageError
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.language import tr
from alovoice_cli.phones import key_of_number
from alovoice_cli.session import Session
from alovoice_cli.stores.campaign_calls import CampaignCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTLED = timedelta(hours=1)
"""How long after its last window a campaign's counts may still change: results arrive late."""
_BUSY_SECONDS = 0.5
_REST_SECONDS, _REST_SHARE = 5.0, 20.0
_COUNTED_AT_ONCE = 50_000


class CampaignResults:
    """One campaign, its list, and the store of its calls. Raises UsageError for a campaign without calls."""

    def __init__(self, session: Session, created: CreatedCampaign, people: CampaignList, calls: CampaignCalls) -> None:
        self.created, self.people, self.calls = created, people, calls
        self._session = session
        self.scope = read_scope(created)
        self.begun_at = int(datetime.fromisoformat(created.begun_at).timestamp())
        self.pace = 1.0

    def report(self) -> CampaignReport:
        """Reads the calls, and returns the report as of now. Raises UsageError for a store that cannot be read."""
        told, uptimes = list(self.calls.to_numbers(self.people.keys(), *self.scope.span)), self.calls.uptimes()
        self.pace = pace_of(told, self.begun_at) if _is_simulated(self._session) else 1.0
        counts = what_duration_counts(told, self._session.settings.duration_counts)
        rules = AttemptRules(list(self._rivals(told)), self._our_ids(told), counts)
        attempts = find_attempts(told, self.scope, rules)
        return CampaignReport(self.scope, self.people, attempts, self._coverage(uptimes))

    def _coverage(self, uptimes: Sequence[Uptime]) -> ListenerCoverage:
        """Returns the coverage of the campaign's hours; those after the PBX said that it is over do not count."""
        now, is_over = self._session.now(), self.created.status in OVER
        if is_over and self.created.seen_at is not None:
            now = min(now, datetime.fromisoformat(self.created.seen_at))
        at = now.timestamp()
        coverage = cover_windows(self.scope, uptimes, at, created_at=self.begun_at, pace=self.pace)
        return replace(coverage, is_over=is_over or coverage.is_over)

    def _our_ids(self, told: Sequence[CampaignCall]) -> set[str]:
        ids = {call.external_id for call in told if call.external_id is not None}
        return {entry.our_id for entry in self._session.ledger.receipts_of(ids)}

    def _rivals(self, told: Sequence[CampaignCall]) -> Iterator[RivalCampaign]:
        """Yields the campaigns that share hours and a line with this one, and have a number among the calls."""
        numbers, (since, until) = {call.number for call in told}, self.scope.span
        store = self._session.campaigns
        for other in store.campaigns(self.created.profile) if numbers else ():
            is_rival = other.outcome not in NOT_CREATED and other.receipt != self.created.receipt
            scope = scope_of(other) if is_rival else None
            if scope is None or not scope.trunks & self.scope.trunks:
                continue
            if scope.span[0] <= until and since <= scope.span[1]:
                called = {key_of_number(int(number)) for number in store.numbers(other.receipt)}
                if shared := numbers & called:
                    yield RivalCampaign(scope, shared)


def _is_simulated(session: Session) -> bool:
    """Returns whether the PBX is on this machine: its clock may run faster than ours, as the sandbox's does."""
    return session.settings.embedded or is_loopback_url(session.settings.base_url)


def read_scope(created: CreatedCampaign) -> CampaignScope:
    """Returns the scope of a campaign. Raises UsageError where it called nobody, or its form cannot be read."""
    if created.outcome in NOT_CREATED:
        raise UsageError(
            tr(
                "campaign {campaign} was not created ({outcome}): it called nobody",
                campaign=created.label,
                outcome=created.outcome,
            ),
            hint=tr("see `alovoice autorule list`"),
        )
    scope = scope_of(created)
    if scope is None:
        raise UsageError(
            tr("campaign {campaign} has no readable hours after its creation", campaign=created.label),
            hint=tr("see `alovoice autorule list --columns campaign,from,to,fromtime,totime`"),
        )
    return scope


def known_list(session: Session, created: CreatedCampaign) -> CampaignList | None:
    """Returns the campaign's list, or its numbers alone where an older version created it; None for neither."""
    kept = session.campaigns.kept_list(created.receipt)
    if kept is None:
        numbers = session.campaigns.numbers(created.receipt)
        kept = keep_numbers(numbers) if numbers else None
    return None if kept is None else CampaignList(kept)


def note_counts(session: Session, results: CampaignResults, report: CampaignReport) -> "Mapping[str, int]":
    """Returns the report's counts, and stores them for `autorule list`."""
    counts, now = report.counts(), session.now()
    settled_at = results.begun_at + (results.scope.closes - results.begun_at) / results.pace
    is_final = report.coverage.is_over and now.timestamp() >= settled_at + _SETTLED.total_seconds()
    told = {**counts, "counted_at": now.isoformat(timespec="seconds"), "is_final": is_final}
    with suppress(UsageError):  # the next list counts again
        session.campaigns.note_counts(results.created.receipt, told)
    return counts


def count_lately(session: Session, campaigns: Sequence[CreatedCampaign]) -> set[str]:
    """Counts campaigns that have begun, and stores the counts; returns the receipts of those counted.

    Counts the first _COUNTED_AT_ONCE numbers of all lists, so that `autorule list` stays quick: the others wait for a
    report. Without an event store, or with one that cannot be read now, the counts stay as they are.
    """
    left, counted = _COUNTED_AT_ONCE, set[str]()
    with suppress(AlovoiceError), closing(_own_calls(session)) as calls:
        for created in campaigns if calls.exists else ():
            with suppress(AlovoiceError):
                if numbers := _count_one(session, created, calls, left):
                    left -= numbers
                    counted.add(created.receipt)
    return counted


def _count_one(session: Session, created: CreatedCampaign, calls: CampaignCalls, most: int) -> int:
    """Counts one campaign and stores the counts, unless it has not begun or has more than `most` numbers.

    Returns how many numbers were counted.
    """
    if created.count > most or (read_scope(created).span[0] > session.now().timestamp() and not _is_simulated(session)):
        return 0
    people = known_list(session, created)
    if people is not None:
        results = CampaignResults(session, created, people, calls)
        note_counts(session, results, results.report())
    return created.count


def _own_calls(session: Session) -> CampaignCalls:
    """Returns the profile's event store for counts beside other work: a busy store is left alone."""
    return CampaignCalls(session.event_store_url(), busy_seconds=_BUSY_SECONDS)


class RunningCounts:
    """The counts of a watched campaign, computed again only now and then; None where they cannot be known.

    A store that is missing, busy or damaged never disturbs the watch.
    """

    def __init__(self, session: Session, campaign_id: str) -> None:
        self._session, self._id = session, campaign_id
        self._people: CampaignList | None = None
        self._counts: Mapping[str, int] | None = None
        self._due = 0.0

    def latest(self) -> "tuple[Mapping[str, int] | None, bool]":
        """Returns the counts, at most some seconds old, and whether they differ from those returned before."""
        begun, before = time.monotonic(), self._counts
        if begun >= self._due:
            with suppress(AlovoiceError):
                self._counts = self._count() or before
            now = time.monotonic()
            self._due = now + max(_REST_SECONDS, (now - begun) * _REST_SHARE)
        return self._counts, self._counts != before

    def _count(self) -> "Mapping[str, int] | None":
        session = self._session
        with closing(_own_calls(session)) as calls:
            created = session.campaigns.campaign(session.settings.profile, self._id) if calls.exists else None
            if created is not None and self._people is None:
                self._people = known_list(session, created)
            if created is None or self._people is None:
                return None
            results = CampaignResults(session, created, self._people, calls)
            return note_counts(session, results, results.report())
