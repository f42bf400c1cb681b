"""How many requests a day a profile allows."""

from dataclasses import dataclass
from datetime import datetime

from alovoice_cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Quota:
    """The most requests of some paths (their beginnings) from `since` on, an aware moment; `name` is the limit's."""

    name: str
    most: int
    paths: tuple[str, ...]
    since: datetime


def spent(quota: Quota, more: int = 0) -> UsageError:
    """What to say of a quota that does not hold (so many) more."""
    asked = f", and {more} more are asked for" if more else ""
    return UsageError(
        f"the profile's {quota.name} is {quota.most} within 24 hours{asked}",
        hint=f"wait, or raise it with `alovoice config set {quota.name} N`",
    )
