"""What the words of a command ask for, before anything of it is looked at. Loads nothing: `--help` pays for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListWish:
    """How a list is to be read, and what is to be made of it, as the words say it."""

    encoding: str | None = None
    column: str | None = None
    exclude: Sequence[Path] = ()
    exclude_called: str | None = None
    exclude_unread_ok: bool = False
    clean: bool = False
    clean_name: Path | None = None
    rejected: Path | None = None
    tab: str | None = None
    """The name of a workbook's sheet."""
    header_line: int | None = None
    excel: bool = False
    """Whether the files that are written are for Excel."""

    @property
    def uploads_cleaned(self) -> bool:
        """Whether it is the cleaned list that goes to the PBX."""
        return self.clean and self.clean_name is None


@dataclass(frozen=True, slots=True)
class CampaignWish:
    """A campaign as the words say it: nothing is checked yet."""

    record: Path
    first: str
    last: str
    opens: str
    closes: str
    recipients: str | None
    numbers: Sequence[str]
    name: str | None
    trunks: str | None
    maxline: int | None
    goodtime: int | None
    tryes: int | None
    paused: bool
    timezone: str | None
    split: str | None
    whom: ListWish
    night_ok: bool
    allow_duplicate: bool
    override_limit: Sequence[str]
    no_check: bool
