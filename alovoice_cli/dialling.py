"""What stands between a command and a dial: the profile's rules first, then the ledger, and that of campaigns."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from alovoice_cli.api.endpoints import ADD_AUTORULE
from alovoice_cli.api.seal import Intent, Ledger, Outcome
from alovoice_cli.campaigns.papers import FILES, Papers
from alovoice_cli.config.settings import Settings
from alovoice_cli.errors import ExitCode, UsageError


class CampaignLedger(Protocol):
    """Where campaigns are kept, see stores/campaigns.py."""

    def intend(self, receipt: str, profile: str, papers: Papers) -> None: ...
    def settle(self, receipt: str, state: str, exit_code: int, answer: str) -> None: ...


class GuardedLedger:
    """The ledger as the seal sees it: opened, and the rules asked, only when something is about to dial.

    A campaign is written into its own ledger too, with the `papers` of the command that creates it. So no command can
    forget any of it.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        ledger: Callable[[], Ledger],
        warn: Callable[[str], None],
        campaigns: Callable[[], CampaignLedger],
        papers: Callable[[], Papers | None],
    ) -> None:
        self._settings, self._ledger, self._warn = settings, ledger, warn
        self._campaigns, self._papers = campaigns, papers
        self._campaign_receipts: set[str] = set()

    def intend(self, intent: Intent) -> str:
        """Writes the intent; raises UsageError where the profile's rules forbid to dial."""
        settings = self._settings()
        if settings.require_profile and not settings.origin["profile"].startswith("flag"):
            raise UsageError(
                f"the configuration says require_profile: name the profile to dial on PBX {settings.profile}",
                hint=f"add `-p {settings.profile}`",
            )
        if settings.profile_conflict:
            self._warn(settings.profile_conflict)
        receipt = self._ledger().intend(intent)
        if intent.path == ADD_AUTORULE.path:
            self._intend_campaign(receipt, intent)
        return receipt

    def settle(self, receipt: str, outcome: Outcome) -> None:
        """Writes the outcome."""
        try:
            self._ledger().settle(receipt, outcome)
        finally:
            if receipt in self._campaign_receipts:
                self._campaigns().settle(receipt, outcome.state, outcome.exit_code, outcome.answer)

    def _intend_campaign(self, receipt: str, intent: Intent) -> None:
        # The intent's fields, not the papers': they are masked already.
        fields = {name: str(text) for name, text in intent.request.items() if name not in FILES}
        papers = replace(self._papers() or Papers({}), fields=fields)
        try:
            self._campaigns().intend(receipt, intent.profile, papers)
        except BaseException:
            self._ledger().settle(receipt, Outcome("unsent", ExitCode.USAGE, "no"))
            raise
        self._campaign_receipts.add(receipt)
