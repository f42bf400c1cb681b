"""What the ledger keeps of a campaign beside its form: where its files lie, what they held, and whom it calls."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alovoice_cli.errors import CheckFailedError
from alovoice_cli.findings import count

FILES = ("record", "recipients")
"""The form's parts that are files."""

_MADE_NAME = re.compile(r" [0-9]{9,15}")


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a campaign. `path` is absolute, or empty where the content came from stdin or was made here."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign as it is about to be sent. `digest` says whether two are the same."""

    fields: Mapping[str, str]
    """The form's texts, as the ledger may keep them: without any secret."""
    digest: str = ""
    record: SubmittedFile | None = None
    recipients: SubmittedFile | None = None
    numbers: tuple[str, ...] = ()
    """The numbers that will be called, whole: 998901234567."""
    allow_duplicate: bool = False
    """Whether the same campaign may have been created lately."""

    @property
    def count(self) -> int:
        """How many different numbers will be called."""
        return len(self.numbers)


def same_words(
    fields: Mapping[str, str], record: SubmittedFile | None, recipients: SubmittedFile | None
) -> tuple[object, ...]:
    """What tells two campaigns apart where their files' content is not known: the form's texts and the files' names.

    A name that was made here, of the recording's name and digits, is another one each time, and does not count.
    """
    stem = Path(record.name).stem if record else ""
    is_made = _MADE_NAME.fullmatch(fields.get("name", "").removeprefix(stem)) is not None
    told = {name: text for name, text in fields.items() if not (is_made and name == "name")}
    return told, record and record.name, recipients and recipients.name


def make_digest(fields: Mapping[str, str], record: str, recipients: str, *, named: bool) -> str:
    """One key for the campaigns that are the same in all fields and both files, of which the SHA-256 is given.

    A name that was made here (not `named`) is another one each time, and does not count.
    """
    told = {name: text for name, text in fields.items() if named or name != "name"}
    parts = [json.dumps(told, sort_keys=True), record, recipients]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
        """Raises CheckFailedError where one more is too many."""
        if self.most is not None and made >= self.most:
            raise CheckFailedError(
                f"{beyond_daily_limit(made, 1, self.most)}: nothing was sent",
                hint="--override-limit max_campaigns_per_day, if that is meant",
            )


def beyond_daily_limit(made: int, planned: int, most: int) -> str:
    """What is wrong where the campaigns of a day are too many."""
    return f"{count(made, 'campaign')} in the last 24 hours and {planned} now: the profile allows {most}"
