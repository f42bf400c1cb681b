"""The checks between a command and a dial: the profile's rules first, then the ledger and the campaign store."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alovoice_cli.api.endpoints import ADD_AUTORULE
from alovoice_cli.config.settings import Settings
from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, UsageError
from alovoice_cli.language import tr
from alovoice_cli.receipts import Intent, RequestOutcome
from alovoice_cli.stores.ledger import Quota

if TYPE_CHECKING:
    from alovoice_cli.stores.campaigns import CampaignStore
    from alovoice_cli.stores.ledger import Ledger

_CALLS, _ANALYSES = ("/outcall/", "/requestcall/"), ("/callsendai/",)
DAY = timedelta(hours=24)


def quota_of(settings: Settings, path: str, now: datetime) -> Quota | None:
    """Returns the profile's daily limit for requests to this path, or None."""
    if settings.max_calls_per_day is not None and path.startswith(_CALLS):
        return Quota("max_calls_per_day", settings.max_calls_per_day, _CALLS, now - DAY)
    if settings.ai_budget_per_day is not None and path.startswith(_ANALYSES):
        return Quota("ai_budget_per_day", settings.ai_budget_per_day, _ANALYSES, now - DAY)
    return None


def refuse_dialling(settings: Settings) -> None:
    """Raises UsageError where ALOVOICE_READONLY=1, or the rule `require_profile`, forbids all effects."""
    if settings.environ.get("ALOVOICE_READONLY", "") not in ("", "0"):
        raise UsageError(
            tr("ALOVOICE_READONLY is set: nothing that dials, creates or costs money is sent"),
            hint=tr("to send, unset ALOVOICE_READONLY; to preview, add --dry-run"),
        )
    if settings.require_profile and not settings.origin["profile"].startswith("flag"):
        raise UsageError(
            tr(
                "the setting require_profile is on: to dial on PBX {profile}, name the profile",
                profile=settings.profile,
            ),
            hint=tr("add `-p {profile}`", profile=settings.profile),
        )


def numbers_outside(settings: Settings, numbers: Iterable[str]) -> list[str]:
    """Returns the numbers (998901234567) that begin with none of the profile's `allowed_prefixes`."""
    allowed = settings.allowed_prefixes
    return [] if allowed is None else [number for number in numbers if not number.startswith(allowed)]


class GuardedLedger:
    """The ledger of the send guard. It checks the profile's rules before it writes an intent.

    It also writes a campaign into the store of campaigns. So no command can forget any of these steps.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: "Ledger",
        campaigns: "Callable[[], CampaignStore]",
        warn: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._ledger, self._campaigns = settings, ledger, campaigns
        self._warn, self._now = warn, now
        self._campaign_receipts: set[str] = set()
        self._is_warned = False

    def intend(self, intent: Intent) -> str:
        """Writes the intent; raises UsageError where the profile's rules forbid the request."""
        settings = self._settings
        refuse_dialling(settings)
        overridden = intent.override_limits
        dials = intent.path != ADD_AUTORULE.path  # a campaign's list is checked as a whole, with its line numbers
        outside = numbers_outside(settings, intent.numbers) if dials and "allowed_prefixes" not in overridden else []
        if outside:
            raise CheckFailedError(
                tr(
                    "{number} has none of the prefixes that the profile allows: {prefixes}",
                    number=outside[0],
                    prefixes=", ".join(settings.allowed_prefixes or ()),
                ),
                hint=tr("see `alovoice config get allowed_prefixes`"),
            )
        if settings.profile_conflict and not self._is_warned:
            self._is_warned = True
            self._warn(settings.profile_conflict)
        quota = quota_of(settings, intent.path, self._now())
        receipt = self._ledger.intend(intent, None if quota is None or quota.name in overridden else quota)
        if intent.path == ADD_AUTORULE.path:
            self._intend_campaign(receipt, intent)
        return receipt

    def settle(self, receipt: str, outcome: RequestOutcome) -> None:
        """Writes the outcome."""
        try:
            self._ledger.settle(receipt, outcome)
        finally:
            if receipt in self._campaign_receipts:
                self._campaigns().settle(receipt, outcome.state, outcome.exit_code, outcome.answer)

    def _intend_campaign(self, receipt: str, intent: Intent) -> None:
        # The intent's fields, not the record's: they are masked already.
        from alovoice_cli.campaigns.campaign_record import FILES, CampaignGuard, CampaignRecord  # noqa: PLC0415 - a call needs none of it

        fields = {name: str(text) for name, text in intent.request.items() if name not in FILES}
        given = intent.campaign if isinstance(intent.campaign, CampaignRecord) else CampaignRecord({})
        papers = replace(given, fields=fields)
        limit = None if "max_campaigns_per_day" in intent.override_limits else self._settings.max_campaigns_per_day
        guard = CampaignGuard(
            since=self._now() - DAY,
            refuses_twins=bool(papers.digest) and not papers.allow_duplicate,
            most=limit,
            own=frozenset(self._campaign_receipts),
        )
        try:
            self._campaigns().intend(receipt, intent.profile, papers, guard)
        except BaseException as error:
            code = error.exit_code if isinstance(error, AlovoiceError) else ExitCode.USAGE
            self._ledger.settle(receipt, RequestOutcome("unsent", code, "no"))
            raise
        self._campaign_receipts.add(receipt)
