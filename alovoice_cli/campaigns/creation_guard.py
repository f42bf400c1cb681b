"""What must hold at the moment at which a campaign is written down, whoever else creates one: no twin, not too many."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alovoice_cli.campaigns.findings import count
from alovoice_cli.errors import CheckFailedError, UsageError

_CREATE_ANYWAY = "--allow-duplicate creates it once more"


@dataclass(frozen=True, slots=True)
class CampaignGuard:
    """The rules for one campaign. `since` is aware: what was created before counts for nothing.

    `most` campaigns may be created, None for any number. `own` are the receipts of the same order's earlier parts.
    """

    since: datetime
    refuses_twins: bool = False
    most: int | None = None
    own: frozenset[str] = frozenset()

    def check_count(self, made: int) -> None:
        """Raises UsageError where one more is too many."""
        if self.most is not None and made >= self.most:
            raise UsageError(
                f"{beyond_daily_limit(made, 1, self.most)}: nothing was sent",
                hint="--override-limit max_campaigns_per_day, if that is meant",
            )


class KnownCampaign(Protocol):
    """A campaign that was created from here, or may have been, see stores/campaign_rows.py."""

    @property
    def label(self) -> str: ...
    @property
    def receipt(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def outcome(self) -> str: ...
    @property
    def settled_at(self) -> str | None: ...
    @property
    def pid(self) -> int: ...


def twin_words(twin: KnownCampaign) -> tuple[str, str]:
    """What to say where the same campaign is there, or may be: a message, and what to do."""
    if twin.outcome == "done":
        message = f"the same campaign was created within the last 24 hours: {twin.label}"
        return message, f"see `alovoice autorule get {twin.label}`; {_CREATE_ANYWAY}"
    named = f"a campaign named {twin.fields['name']}" if twin.fields.get("name") else "the campaign"
    look = (
        f"look in the web console whether {named} exists; `alovoice call receipts show {twin.receipt}` shows what was"
        f" sent; {_CREATE_ANYWAY}"
    )
    if twin.settled_at is not None:
        message = "the same campaign may have been created within the last 24 hours: its answer was lost or unreadable"
        return f"{message} (receipt {twin.receipt})", look
    message = f"the same campaign is being created by process {twin.pid}, or may have been created before that ended"
    return f"{message} (receipt {twin.receipt})", f"let process {twin.pid} end, if it is still there; {look}"


def twin_error(twin: KnownCampaign) -> CheckFailedError:
    """The error for a campaign that another one was faster with."""
    message, hint = twin_words(twin)
    return CheckFailedError(f"{message}; nothing was sent", hint=hint)


def beyond_daily_limit(made: int, planned: int, most: int) -> str:
    """What is wrong where the campaigns of a day are too many."""
    return f"{count(made, 'campaign')} in the last 24 hours and {planned} now: the profile allows {most}"
