"""What stands between a command and a dial: the profile's rules first, then the ledger."""

from collections.abc import Callable

from alovoice_cli.api.seal import Intent, Ledger, Outcome
from alovoice_cli.config.settings import Settings
from alovoice_cli.errors import UsageError


class GuardedLedger:
    """The ledger as the seal sees it: opened, and the rules asked, only when something is about to dial.

    So no command can forget them.
    """

    def __init__(
        self, settings: Callable[[], Settings], ledger: Callable[[], Ledger], warn: Callable[[str], None]
    ) -> None:
        self._settings, self._ledger, self._warn = settings, ledger, warn

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
        return self._ledger().intend(intent)

    def settle(self, receipt: str, outcome: Outcome) -> None:
        """Writes the outcome."""
        self._ledger().settle(receipt, outcome)
